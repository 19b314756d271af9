"""The training loop, built on 🤗 Accelerate. Each variation of it is one marked line."""

import math
import os
from collections.abc import Callable, Sized
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import PreTrainedModel, get_scheduler

from helpers.training.checkpoint import Batch, Checkpoint, Progress
from helpers.training.checks import (
    TrainingError,
    check_batch,
    check_device,
    check_settings,
    count_steps,
)
from helpers.training.context import own_accelerator, uninterrupted
from helpers.training.history import History, check_steps
from helpers.words import words


def train(
    model: PreTrainedModel,
    loader: DataLoader | list[Batch],
    optimizer: Optimizer,
    *,
    schedule: LRScheduler | None = None,
    epochs: int = 1,
    device: str | torch.device | None = None,
    clip: float | None = None,
    bfloat16: bool = False,
    accumulate: int = 1,
    evaluate: Callable[[], dict[str, float]] | None = None,
    watch: Callable[[History, int], None] | None = None,
    history: History | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: int = 100,
    resume: bool = False,
) -> History:
    """Train a model.

    Ctrl-C, or *Interrupt* in JupyterLab, leaves the model as it was after its last whole step.

    Parameters
    ----------
    model : PreTrainedModel
        A model that computes its loss. It is trained in place, and left in training mode.
    loader : torch.utils.data.DataLoader or list of dict
        Gives batches: dicts of tensors, ``labels`` among them. Shuffling and dropout draw from
        torch's random numbers: set a seed before the call.
    optimizer : torch.optim.Optimizer
        Over the model's parameters.
    schedule : torch.optim.lr_scheduler.LRScheduler, optional
        Moves the learning rate after each step.
    epochs : int, default 1
        How often to go through the data.
    device : str or torch.device, optional
        Where to train. None means where the model is.
    clip : float, optional
        The largest norm of the gradient; a longer one is shortened to it. The Trainer uses 1.0.
    bfloat16 : bool, default False
        Compute in bfloat16 where that is safe. It is faster on processors that support it.
    accumulate : int, default 1
        The number of batches in one step. The last step of an epoch may have fewer.
    evaluate : callable, optional
        Called after each epoch; the numbers that it returns go into the history.
    watch : callable, optional
        Called after each step with the history and the number of all steps. None means a bar.
    history : History, optional
        An empty one of your own to be filled, so that you keep it after an interruption.
    checkpoint : str or path, optional
        A folder in which to save what is needed to resume, also at an interruption and at the end.
    save_every : int, default 100
        The number of steps between two saves.
    resume : bool, default False
        Continue from what is saved in ``checkpoint``, or begin if nothing is. With the same data
        and settings, the losses are those of a training that was never interrupted, also from the
        middle of an epoch: its order is drawn again before the random numbers are restored.

    Returns
    -------
    History
        The losses, learning rates and evaluations.

    Raises
    ------
    ValueError
        If the loader, a batch's labels, a setting or the history can't be used, or what is saved
        is damaged, doesn't fit or would be overwritten.
    TrainingError
        If the loss is no longer a number, the training can't be saved, or the device isn't there.
    """
    where = check_device(model, device)
    steps = count_steps(loader, epochs=epochs, accumulate=accumulate, save_every=save_every)
    check_settings(model, optimizer, schedule, clip, checkpoint, resume)
    history = History() if history is None else history
    check_steps(history, 0)
    model.to(where)
    progress = Progress(loader, where, steps, history)
    precision = "bf16" if bfloat16 else "no"  # variation: bfloat16
    with own_accelerator(where, precision) as accelerator:
        saved = Checkpoint(checkpoint, accelerator, model, optimizer, schedule, progress)
        saved.begin(resume)
        optimizer.zero_grad()
        bar = tqdm(
            total=steps, initial=progress.step, unit=words("step"), disable=watch is not None
        )
        with saved.guard(), bar:
            for _ in range(progress.epoch, epochs):
                model.train()
                for batches in progress.batches(accumulate):
                    rate = float(optimizer.param_groups[0]["lr"])
                    loss = _backward(accelerator, model, batches, progress)
                    _check_loss(loss, progress.step, rate)
                    if clip is not None:
                        accelerator.clip_grad_norm_(model.parameters(), clip)  # variation: clipping
                    with progress.update(loss, rate):
                        optimizer.step()
                        if schedule is not None:
                            schedule.step()
                        optimizer.zero_grad()
                    _show(watch, bar, progress)
                    if progress.step % save_every == 0:
                        saved.save()
                progress.end_epoch(None if evaluate is None else _checked_scores(evaluate()))
                _show(watch, bar, progress)
    return history


def _backward(
    accelerator: Accelerator, model: PreTrainedModel, batches: list[Batch], progress: Progress
) -> float:
    """Add up the gradients of one step's batches, and give their mean loss."""
    accelerator.gradient_accumulation_steps = len(batches)  # variation: accumulation
    total = 0.0
    for batch in batches:
        check_batch(batch, model, f"step {progress.step + 1}")
        with uninterrupted(), accelerator.autocast():  # else Ctrl-C could leave bfloat16 enabled
            loss = model(**send_to_device(batch, progress.device)).loss
        accelerator.backward(loss)
        total += loss.item()
    return total / len(batches)


def _show(watch: Callable[[History, int], None] | None, bar: tqdm, progress: Progress) -> None:
    """Show the progress with the caller's function, or in a bar."""
    if watch is not None:
        watch(progress.history, progress.steps)
    else:
        bar.update(progress.step - bar.n)
        bar.set_postfix({words("loss"): f"{progress.history.losses[-1]:.3f}"}, refresh=False)


def _check_loss(loss: float, step: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} in step {step + 1}, at a learning rate of {rate:.3g}. The "
            "model is as it was before that step. Start from fresh weights with a smaller "
            "learning rate, a warmup or clip=1.0, and check that batch for wrong inputs."
        )


def _checked_scores(scores: Any) -> dict[str, float]:
    """Give what an evaluation returned as Python's own numbers, which can be saved."""
    try:
        return {str(name): float(value) for name, value in scores.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"Expected evaluate to return a dict of numbers, such as {{'accuracy': 0.9}}; got "
            f"{scores!r}. Return what helpers.training.evaluate returns."
        ) from error


def linear_schedule(
    optimizer: Optimizer, loader: Sized, *, epochs: int, accumulate: int = 1, warmup: float = 0.0
) -> LRScheduler:
    """Let the learning rate rise over the first steps, then fall to 0 in a straight line.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The optimizer whose learning rate moves.
    loader : torch.utils.data.DataLoader or list of dict
        The batches of an epoch.
    epochs : int
        How often to go through them.
    accumulate : int, default 1
        The number of batches in one step.
    warmup : float, default 0.0
        The share of all steps in which the rate rises, between 0 and 1, rounded up to a step.

    Returns
    -------
    torch.optim.lr_scheduler.LRScheduler
        The schedule of 🤗 Transformers with that name.

    Raises
    ------
    ValueError
        If the loader is empty or a number is out of range.
    """
    steps = count_steps(loader, epochs=epochs, accumulate=accumulate)
    if not (isinstance(warmup, int | float) and 0 <= warmup <= 1):
        raise ValueError(f"Expected warmup to be a share of the steps, 0 to 1; got {warmup!r}.")
    return get_scheduler("linear", optimizer, math.ceil(warmup * steps), steps)
