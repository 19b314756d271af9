"""How far a training has come, and the random numbers that bring it to the same place again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from helpers.training.context import uninterrupted

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

    from helpers.training.history import History

    Batch = dict[str, torch.Tensor]
    RandomStates = dict[str, torch.Tensor]


@dataclass
class Progress:
    """How far a training has come. It changes after each whole step and each epoch.

    Parameters
    ----------
    loader : torch.utils.data.DataLoader or list of dict
        The batches of an epoch.
    device : torch.device
        The device of the training.
    steps : int
        The number of all steps.
    history : History
        What happened so far.
    """

    loader: DataLoader | list[Batch]
    device: torch.device
    steps: int
    history: History

    def __post_init__(self) -> None:
        self.step = self.epoch = self.step_in_epoch = 0  # how many are done
        self.whole = True  # False inside an update: the model is then between two steps
        # The random states at the start of the epoch, which give its order again, and the latest.
        self.order: RandomStates = {}
        self.latest = self._random_states()

    @contextmanager
    def update(self, loss: float, rate: float) -> Iterator[None]:
        """Make a step, during which Ctrl-C waits: half an update would be no step's model."""
        with uninterrupted():
            self.whole = False
            yield
            self.history.losses.append(loss)
            self.history.learning_rates.append(rate)
            self.step += 1
            self.step_in_epoch += 1
            self.latest = self._random_states()
            self.whole = True

    def end_epoch(self, scores: dict[str, float] | None) -> None:
        """Record the end of an epoch, and its evaluation if there was one."""
        with uninterrupted():
            if scores is not None:
                self.history.evaluations.append({"step": self.step, **scores})
            self.epoch += 1
            self.step_in_epoch = 0
            self.latest = self._random_states()

    def batches(self, accumulate: int) -> Iterator[list[Batch]]:
        """Give the rest of the current epoch, one step's batches at a time.

        The last step of an epoch may have fewer batches than the others.
        """
        for owner in self._owners().values():
            if hasattr(owner, "set_epoch"):
                owner.set_epoch(self.epoch)
        if self.step_in_epoch == 0:
            self.order = self._random_states()
            batches = iter(self.loader)
        else:  # resumed: draw the same order, skip what was used, and only then restore
            self.restore(self.order)
            batches = iter(self.loader)
            for _ in itertools.islice(batches, self.step_in_epoch * accumulate):
                pass
            self.restore(self.latest)
        while group := list(itertools.islice(batches, accumulate)):
            yield group

    def restore(self, states: RandomStates) -> None:
        """Put the random number generators back into earlier states."""
        for name, generator in self._generators().items():
            if name in states:
                generator.set_state(states[name])
        torch.set_rng_state(states["torch"])
        if "device" in states and self.device.type == "cuda":
            torch.cuda.set_rng_state(states["device"], self.device)

    def _random_states(self) -> RandomStates:
        """Read the states of torch's random number generators that a training draws from."""
        states = {name: generator.get_state() for name, generator in self._generators().items()}
        states["torch"] = torch.get_rng_state()
        if self.device.type == "cuda":
            states["device"] = torch.cuda.get_rng_state(self.device)
        return states

    def _generators(self) -> dict[str, torch.Generator]:
        """Find the generators that the loader and its samplers have of their own."""
        found = {name: getattr(owner, "generator", None) for name, owner in self._owners().items()}
        return {name: one for name, one in found.items() if isinstance(one, torch.Generator)}

    def _owners(self) -> dict[str, Any]:
        """Name what may decide the order: the loader and its samplers. A list has none."""
        samplers = ("sampler", "batch_sampler")
        return {"loader": self.loader} | {one: getattr(self.loader, one, None) for one in samplers}
