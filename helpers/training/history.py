"""The history of a training, filled by our loop or by the Trainer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from transformers import TrainerCallback, TrainerState


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
        The result of each evaluation, with the number of steps before it under ``step``.
    """

    losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    evaluations: list[dict[str, float]] = field(default_factory=list)


def check_steps(history: History, steps: int) -> None:
    """Refuse to go on after so many steps if the history tells of another training."""
    if len(history.losses) != steps or (history.evaluations and not steps):
        raise ValueError(
            f"Expected a history of the {steps} steps done so far; got one of "
            f"{len(history.losses)} steps and {len(history.evaluations)} evaluations. Pass a fresh "
            "one: History()."
        )


class HistoryCallback(TrainerCallback):
    """Let a `transformers.Trainer` fill a history, and show it during the training.

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
        self._training = False

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **kwargs: Any) -> None:
        """Refuse a training that doesn't report each loss, or a history that isn't empty."""
        if args.logging_strategy != "steps" or state.logging_steps != 1:
            raise ValueError(
                f"Expected the loss of each step; got logging_strategy="
                f"'{args.logging_strategy}' and logging_steps={args.logging_steps}. Set "
                "logging_steps=1 in the TrainingArguments."
            )
        check_steps(self.history, state.global_step)
        self._training = True

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ignore evaluations after the training."""
        self._training = False

    def on_log(self, args: Any, state: TrainerState, control: Any, **kwargs: Any) -> None:
        """Record the loss of one step."""
        logs = kwargs["logs"]
        if "loss" in logs:
            self.history.losses.append(logs["loss"])
            self.history.learning_rates.append(logs["learning_rate"])
            self._watch(self.history, state.max_steps)

    def on_evaluate(self, args: Any, state: TrainerState, control: Any, **kwargs: Any) -> None:
        """Record the result of an evaluation, without the times."""
        if self._training:
            times = ("_runtime", "_time", "_per_second")
            measured = {
                name.removeprefix("eval_"): value
                for name, value in kwargs["metrics"].items()
                if name.startswith("eval_") and not name.endswith(times)
            }
            self.history.evaluations.append({"step": state.global_step, **measured})
            self._watch(self.history, state.max_steps)
