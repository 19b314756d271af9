"""The training loop: one plain loop, each variation of it marked, and the evaluation beside it."""

from __future__ import annotations

import contextlib
import itertools
import math
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import TrainerCallback

from helpers.training.resuming import (
    State,
    load_state,
    random_state,
    restore_random_state,
    save_state,
)

if TYPE_CHECKING:
    from evaluate import Metric
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from torch.utils.data import DataLoader
    from transformers import (
        PreTrainedModel,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )

    Batch = dict[str, torch.Tensor]


class TrainingError(RuntimeError):
    """Training can't go on: what went wrong, at which step, and what to change."""


@dataclass
class History:
    """What happened in a training, step by step.

    Parameters
    ----------
    losses : list of float
        The mean loss of each step's batch, in nats.
    learning_rates : list of float
        The learning rate of each step.
    evaluations : list of dict
        What each evaluation gave, with the number of steps before it under ``step``.
    """

    losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    evaluations: list[dict[str, float]] = field(default_factory=list)


def train(
    model: PreTrainedModel,
    loader: DataLoader,
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
    checkpoint: str | Path | None = None,
    save_every: int = 100,
    resume: bool = False,
) -> History:
    """Train a model.

    An interruption (Ctrl-C, or *Interrupt* in JupyterLab) leaves the model as it was after its last
    whole step.

    Parameters
    ----------
    model : PreTrainedModel
        A model that returns a loss where a batch holds ``labels``. It is trained in place, and
        left in training mode.
    loader : torch.utils.data.DataLoader
        Gives batches: dicts of tensors, ``labels`` among them. Shuffling draws on torch's random
        numbers; so does dropout. Set a seed before the call.
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
        Compute in bfloat16 where that is safe. It is faster where the processor has it.
    accumulate : int, default 1
        How many batches make one step.
    evaluate : callable, optional
        Called after each epoch; its numbers go into the history.
    watch : callable, optional
        Called after each step with the history and the number of all steps, to show them. None
        means a progress bar.
    history : History, optional
        An empty one of your own to be filled: it is yours after an interruption too.
    checkpoint : str or Path, optional
        A folder in which to save, every so often and at an interruption, what it takes to go on.
    save_every : int, default 100
        After how many steps to save there.
    resume : bool, default False
        Go on from what is saved in ``checkpoint``, or begin if nothing is. With the same data and
        settings, the losses are those of a training that was never interrupted.

    Returns
    -------
    History
        The losses, learning rates and evaluations.

    Raises
    ------
    ValueError
        If the loader is empty, a batch has no labels or labels that the model has no output for, a
        number is out of range, or what is saved doesn't fit or would be overwritten.
    TrainingError
        If the loss is no longer a number, or the device isn't there.
    """
    device = _checked_device(model, device)
    steps = _checked_steps(loader, epochs=epochs, accumulate=accumulate, save_every=save_every)
    _check_settings(model, optimizer, clip, checkpoint, resume)
    history = History() if history is None else history
    model.to(device)
    state = State(step=0, epoch=0, done=0, epoch_start=random_state(loader, device))
    if checkpoint is not None:
        state = load_state(checkpoint, resume, state, model, optimizer, schedule, history, steps)
    _check_history(history, state.step)

    def save() -> None:
        if checkpoint is not None and state.step:
            save_state(checkpoint, state, model, optimizer, schedule, history, steps)

    optimizer.zero_grad()
    try:
        with _shown(watch, steps, state.step) as show:
            for _ in range(state.epoch, epochs):
                model.train()
                for batches in _groups(loader, accumulate, state, device):
                    rate = optimizer.param_groups[0]["lr"]
                    loss = _backward(model, batches, state.step, device, bfloat16)
                    _check_loss(loss, state.step, rate)
                    if clip is not None:  # variation: clipping
                        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
                    with _uninterrupted():
                        optimizer.step()
                        if schedule is not None:
                            schedule.step()
                        optimizer.zero_grad()
                        history.losses.append(loss)
                        history.learning_rates.append(rate)
                        state.next_step(random_state(loader, device))
                    show(history)
                    if state.step % save_every == 0:
                        save()
                measured = None if evaluate is None else {"step": state.step, **evaluate()}
                with _uninterrupted():
                    if measured is not None:
                        history.evaluations.append(measured)
                    state.next_epoch(random_state(loader, device))
                show(history)
    except BaseException as error:
        optimizer.zero_grad()  # what the unfinished step has left
        if isinstance(error, KeyboardInterrupt):
            save()
        raise
    save()
    return history


def _backward(
    model: PreTrainedModel, batches: list[Batch], step: int, device: torch.device, bfloat16: bool
) -> float:
    """Add up the gradients of a step's batches, and give their mean loss."""
    total = 0.0
    for batch in batches:
        batch = _checked_batch(batch, model, device, f"step {step + 1}")
        with _autocast(device, bfloat16):  # variation: bfloat16
            loss = model(**batch).loss / len(batches)  # variation: accumulation
        loss.backward()
        total += loss.item()
    return total


def evaluate(
    model: PreTrainedModel,
    loader: DataLoader,
    metric: Metric,
    *,
    device: str | torch.device | None = None,
    bfloat16: bool = False,
) -> dict[str, float]:
    """Measure a model on a data set.

    Parameters
    ----------
    model : PreTrainedModel
        A model with a classification head. It is left in the mode, training or not, it was in.
    loader : torch.utils.data.DataLoader
        Gives batches: dicts of tensors, ``labels`` among them.
    metric : evaluate.Metric
        Compares predicted with true labels.
    device : str or torch.device, optional
        Where to compute. None means where the model is.
    bfloat16 : bool, default False
        Compute in bfloat16 where that is safe, as in training.

    Returns
    -------
    dict of str to float
        The mean ``loss``, in nats, and what the metric gives.

    Raises
    ------
    ValueError
        If the loader is empty, or a batch has no labels or ones that the model has no output for.
    TrainingError
        If the device isn't there.
    """
    device = _checked_device(model, device)
    _checked_steps(loader)
    trains = model.training
    model.to(device)
    model.eval()
    total, predictions, labels = 0.0, [], []
    try:
        with torch.inference_mode():
            for number, batch in enumerate(loader, start=1):
                batch = _checked_batch(batch, model, device, f"batch {number}")
                with _autocast(device, bfloat16):
                    outputs = model(**batch)
                predictions += outputs.logits.argmax(dim=-1).tolist()  # (batch,)
                labels += batch["labels"].tolist()
                total += outputs.loss.item() * len(batch["labels"])
    finally:
        model.train(trains)
    # all at once: rows of an evaluation that was interrupted would stay in the metric
    return {
        "loss": total / len(labels),
        **metric.compute(predictions=predictions, references=labels),
    }


def linear_schedule(
    optimizer: Optimizer, loader: Iterable, *, epochs: int, accumulate: int = 1, warmup: float = 0.0
) -> LRScheduler:
    """Let the learning rate rise over the first steps, then fall to 0 in a straight line.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Whose learning rate to move.
    loader : torch.utils.data.DataLoader
        The batches of an epoch.
    epochs : int
        How often to go through them.
    accumulate : int, default 1
        How many batches make one step.
    warmup : float, default 0.0
        The share of all steps during which the rate rises, between 0 and 1.

    Returns
    -------
    torch.optim.lr_scheduler.LRScheduler
        The schedule of 🤗 Transformers with that name.

    Raises
    ------
    ValueError
        If the loader is empty or a number is out of range.
    """
    from transformers import get_scheduler

    steps = _checked_steps(loader, epochs=epochs, accumulate=accumulate)
    if not 0 <= warmup <= 1:
        raise ValueError(f"Expected warmup to be a share of the steps, 0 to 1; got {warmup!r}.")
    return get_scheduler("linear", optimizer, math.ceil(warmup * steps), steps)


def bfloat16_is_faster(device: str | torch.device = "cpu") -> bool:
    """Tell whether a processor multiplies matrices faster in bfloat16, by letting it do so.

    A CPU without such instructions is about ten times slower with it, and says nothing.

    Parameters
    ----------
    device : str or torch.device, default "cpu"
        The processor.

    Returns
    -------
    bool
        True if it took at most 4/5 of the time that 32-bit floats took.
    """
    from torch.utils.benchmark import Timer

    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.ones(512, 512, dtype=dtype, device=device)
        timer = Timer(
            "matrix @ matrix", globals={"matrix": matrix}, num_threads=torch.get_num_threads()
        )
        seconds[dtype] = timer.blocked_autorange(min_run_time=0.05).median
    return seconds[torch.bfloat16] <= 0.8 * seconds[torch.float32]


class HistoryCallback(TrainerCallback):
    """Let a `transformers.Trainer` fill a history, and show it while it trains.

    Pass it to the Trainer in ``callbacks``, with ``logging_steps=1`` in its arguments.

    Parameters
    ----------
    history : History
        An empty one, to be filled.
    watch : callable, optional
        Called after each step with the history and the number of all steps, such as a
        `helpers.display.LearningCurve`.
    """

    def __init__(
        self, history: History, watch: Callable[[History, int], None] | None = None
    ) -> None:
        self.history = history
        self._watch = watch or (lambda history, steps: None)
        self._trains = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs
    ) -> None:
        """Refuse a training that wouldn't tell each loss, or a history that is full.

        Parameters
        ----------
        args : TrainingArguments
            The settings.
        state : TrainerState
            Where the training stands.
        control : TrainerControl
            Not used.
        **kwargs
            Not used.

        Raises
        ------
        ValueError
            If it is so.
        """
        if args.logging_strategy != "steps" or state.logging_steps != 1:
            raise ValueError(
                f"Expected the loss of each step; got logging_strategy="
                f"'{args.logging_strategy}' and logging_steps={args.logging_steps}. Set "
                "logging_steps=1 in the TrainingArguments."
            )
        _check_history(self.history, state.global_step)
        self._trains = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs
    ) -> None:
        """Take no notice of evaluations after the training.

        Parameters
        ----------
        args : TrainingArguments
            Not used.
        state : TrainerState
            Not used.
        control : TrainerControl
            Not used.
        **kwargs
            Not used.
        """
        self._trains = False

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **kwargs,
    ) -> None:
        """Take down the loss of a step.

        Parameters
        ----------
        args : TrainingArguments
            Not used.
        state : TrainerState
            Holds the number of all steps.
        control : TrainerControl
            Not used.
        logs : dict of str to float
            The loss and the learning rate, among others.
        **kwargs
            Not used.
        """
        if "loss" in logs:
            self.history.losses.append(logs["loss"])
            self.history.learning_rates.append(logs["learning_rate"])
            self._watch(self.history, state.max_steps)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs,
    ) -> None:
        """Take down what an evaluation gave, but not how long it took.

        Parameters
        ----------
        args : TrainingArguments
            Not used.
        state : TrainerState
            Holds the number of steps done and of all steps.
        control : TrainerControl
            Not used.
        metrics : dict of str to float
            What was measured.
        **kwargs
            Not used.
        """
        if self._trains:
            timed = ("_runtime", "_time", "_per_second")
            measured = {
                name.removeprefix("eval_"): value
                for name, value in metrics.items()
                if name.startswith("eval_") and not name.endswith(timed)
            }
            self.history.evaluations.append({"step": state.global_step, **measured})
            self._watch(self.history, state.max_steps)


def _groups(
    loader: DataLoader, size: int, state: State, device: torch.device
) -> Iterator[list[Batch]]:
    """Deal out the batches of an epoch, so many for each step, from where the training stands."""
    for sampler in (loader.sampler, loader.batch_sampler):
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(state.epoch)
    restore_random_state(state.epoch_start, loader, device)  # changes them only after a resume
    batches = iter(loader)
    if state.done:  # resumed in the middle of an epoch: its order is drawn again, its start skipped
        for _ in itertools.islice(batches, state.done * size):
            pass
        restore_random_state(state.now, loader, device)
    # the last group may be smaller: its loss is divided by its own size, nothing is left over
    while group := list(itertools.islice(batches, size)):
        yield group


def _checked_device(model: PreTrainedModel, device: str | torch.device | None) -> torch.device:
    try:
        chosen = model.device if device is None else torch.device(device)
        torch.zeros(1, device=chosen).item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise TrainingError(
            f"Expected a device that is here; got {str(device or model.device)!r}, which is not: "
            f"{str(error).splitlines()[0].rstrip('.')}. Use device='cpu', or leave it out."
        ) from error
    return chosen


def _checked_steps(
    loader: DataLoader, *, epochs: int = 1, accumulate: int = 1, save_every: int = 1
) -> int:
    """Count the steps of all epochs."""
    numbers = {"epochs": epochs, "accumulate": accumulate, "save_every": save_every}
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ValueError(
                f"Expected {name} to be a whole number of 1 or more; got {number!r}. Leave it out "
                "for its default."
            )
    if len(loader) == 0:
        raise ValueError(
            "Expected a loader with at least one batch; got an empty one. Is the data set empty, "
            "or smaller than a batch while drop_last=True?"
        )
    return epochs * math.ceil(len(loader) / accumulate)


def _check_settings(
    model: PreTrainedModel,
    optimizer: Optimizer,
    clip: float | None,
    checkpoint: str | Path | None,
    resume: bool,
) -> None:
    if clip is not None and not clip > 0:
        raise ValueError(f"Expected clip to be above 0; got {clip!r}. None means no clipping.")
    if resume and checkpoint is None:
        raise ValueError(
            "Expected a folder to resume from; got resume=True alone. Pass checkpoint=... too."
        )
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if not any(id(parameter) in trained for parameter in model.parameters()):
        raise ValueError(
            "Expected an optimizer over the parameters of this model; got one over others. Make "
            "it, and the schedule, after the model: torch.optim.AdamW(model.parameters(), lr=...)."
        )


def _check_history(history: History, steps: int) -> None:
    if len(history.losses) != steps:
        raise ValueError(
            f"Expected a history of the {steps} steps done so far; got one of "
            f"{len(history.losses)}. Pass a fresh one: History()."
        )


def _checked_batch(batch: Batch, model: PreTrainedModel, device: torch.device, where: str) -> Batch:
    """Put a batch on the device, if the model can learn from it."""
    if "labels" not in batch:
        raise ValueError(
            f"Expected 'labels' in each batch; got {sorted(batch)}. If the column is called "
            "'label', rename it: dataset.rename_column('label', 'labels')."
        )
    for name, value in batch.items():
        if not isinstance(value, torch.Tensor):
            raise ValueError(
                f"Expected a tensor under each name of a batch; got a {type(value).__name__} under "
                f"{name!r}. Remove what the model doesn't read, dataset.remove_columns([...]), "
                "and collate with DataCollatorWithPadding(tokenizer)."
            )
    labels, classes = batch["labels"], _classes(model)
    asked = labels[labels != -100]  # the loss passes over -100
    if classes and asked.numel() and not 0 <= asked.min() <= asked.max() < classes:
        raise ValueError(
            f"Expected labels from 0 to {classes - 1}, for the {classes} outputs of the model; got "
            f"{asked.min().item()} to {asked.max().item()} in {where}. Load the model with "
            "num_labels=..., or mend the labels."
        )
    return {name: tensor.to(device) for name, tensor in batch.items()}


def _classes(model: PreTrainedModel) -> int | None:
    """Count the classes of a classifier; for other models num_labels says nothing."""
    config = getattr(model, "config", None)
    if getattr(config, "problem_type", None) in ("regression", "multi_label_classification"):
        return None
    if type(model).__name__.endswith(("ForSequenceClassification", "ForTokenClassification")):
        return config.num_labels if config.num_labels > 1 else None
    return None


def _check_loss(loss: float, step: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} in step {step + 1}, at a learning rate of {rate:.3g}. The "
            "model is as it was before that step. Start from fresh weights with a smaller "
            "learning rate, a warmup or clip=1.0, and look at the batch for wrong inputs."
        )


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a Ctrl-C wait until the block is done: half an update would be neither model."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    waiting = []
    before = signal.signal(signal.SIGINT, lambda *_: waiting.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _autocast(device: torch.device, bfloat16: bool) -> Iterator[None]:
    """Compute in bfloat16, or as it is. A Ctrl-C waits until the forward pass is done.

    Were it to come while PyTorch is just about to switch, PyTorch would never switch back: all
    that the process trains later would be computed with the weights of that moment.
    """
    with _uninterrupted(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        yield


@contextlib.contextmanager
def _shown(
    watch: Callable[[History, int], None] | None, steps: int, done: int
) -> Iterator[Callable[[History], None]]:
    """Give what shows the progress: what the caller watches with, or a bar."""
    if watch is not None:
        yield lambda history: watch(history, steps)
        return
    from tqdm.auto import tqdm

    with tqdm(total=steps, initial=done, unit="step") as bar:

        def show(history: History) -> None:
            bar.update(len(history.losses) - bar.n)
            bar.set_postfix(loss=f"{history.losses[-1]:.3f}", refresh=False)

        yield show
