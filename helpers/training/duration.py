"""How long a training will take on this machine, measured before it begins."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate.utils import send_to_device
from torch.utils.data import DataLoader, IterableDataset
from transformers import PreTrainedModel

from helpers.training.checks import check_batch, check_device, count_steps
from helpers.words import words

MEASURED = 5  # batches; the first one is slower and doesn't count


def estimate_duration(
    model: PreTrainedModel,
    loader: DataLoader | list[dict[str, torch.Tensor]],
    *,
    epochs: int = 1,
    bfloat16: bool = False,
) -> float:
    """Say how long a training will take, from the time of a few batches.

    Computes the losses and gradients of batches from the whole epoch, since a sampler may put the
    longest texts first. Leaves everything as it was: the weights, their gradients, the model's
    mode, and the random numbers. Prints one line.

    Parameters
    ----------
    model : PreTrainedModel
        The model to train, where it will be trained.
    loader : torch.utils.data.DataLoader or list of dict
        Gives batches: dicts of tensors, ``labels`` among them.
    epochs : int, default 1
        How often the training goes through the data.
    bfloat16 : bool, default False
        Whether it will compute in bfloat16.

    Returns
    -------
    float
        The time of all steps, in seconds. Evaluations are not in it.

    Raises
    ------
    ValueError
        If the loader is empty, has no length, or gives batches that the model can't be trained on.
    """
    steps = count_steps(loader, epochs=epochs)
    device = check_device(model, None)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    times: list[float] = []
    with _as_it_was(model, loader):
        model.train()
        for batch in _from_everywhere(loader):
            check_batch(batch, model, f"batch {len(times) + 1}")
            start = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                loss = model(**send_to_device(batch, device)).loss
            gradients = torch.autograd.grad(loss, weights, allow_unused=True)
            next(g for g in gradients if g is not None).sum().item()  # a GPU is asynchronous
            times.append(time.perf_counter() - start)
    seconds = steps * statistics.median(times[1:] or times)
    said = words(
        "This training: {steps} steps, about {time} on this machine.",
        steps=steps,
        time=_in_words(seconds),
    )
    print(said)
    return seconds


def _from_everywhere(loader: DataLoader | list) -> Iterator[dict[str, torch.Tensor]]:
    """Give a few batches, evenly spread over an epoch; no other rows are loaded."""
    count = len(loader)
    measured = min(MEASURED, count)
    places = [(2 * n + 1) * count // (2 * measured) for n in range(measured)]
    if not isinstance(loader, DataLoader):
        yield from (loader[place] for place in places)
    elif loader.batch_sampler is None or isinstance(loader.dataset, IterableDataset):
        # only the data set knows what comes next
        yield from itertools.islice(loader, measured)
    else:
        for place, rows in enumerate(itertools.islice(loader.batch_sampler, places[-1] + 1)):
            if place in places:
                yield loader.collate_fn([loader.dataset[row] for row in rows])


@contextmanager
def _as_it_was(model: PreTrainedModel, loader: object) -> Iterator[None]:
    """Restore the model's mode and all random numbers, also those of the loader itself."""
    training = model.training
    own = {getattr(loader, "generator", None), getattr(_sampler(loader), "generator", None)}
    states = [(generator, generator.get_state()) for generator in own if generator is not None]
    try:
        with torch.random.fork_rng():
            yield
    finally:
        model.train(training)
        for generator, state in states:
            generator.set_state(state)


def _sampler(loader: object) -> object:
    """Give what draws the order of the rows, if there is one."""
    return getattr(loader, "sampler", None)


def _in_words(seconds: float) -> str:
    """Write a time in the unit that people would use."""
    if seconds < 90:
        return words("{count} seconds", count=max(5, round(seconds / 5) * 5))
    if seconds < 90 * 60:
        return words("{count} minutes", count=round(seconds / 60))
    return words("{count} hours", count=f"{seconds / 3600:.1f}")
