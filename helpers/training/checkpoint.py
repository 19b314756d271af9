"""How far a training has come: saved with 🤗 Accelerate, and resumed at the same place."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import load, save
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from transformers import PreTrainedModel

from helpers.training.checks import TrainingError
from helpers.training.context import uninterrupted
from helpers.training.history import History

Batch = dict[str, torch.Tensor]

PICKLES = ("optimizer.bin", "scheduler.bin", "random_states_0.pkl", "progress.bin")
FILES = (*PICKLES, "model.safetensors", "sha256.json")  # all but two are Accelerate's
STEP = r"step-\d+-epoch-\d+"
SAVED = ("step", "epoch", "step_in_epoch", "order", "latest")


@dataclass
class Progress:
    """How far a training has come. It changes after each whole step and each epoch."""

    loader: DataLoader | list[Batch]
    device: torch.device
    steps: int  # in all epochs
    history: History

    def __post_init__(self) -> None:
        self.step = self.epoch = self.step_in_epoch = 0  # how many are done
        self.whole = True  # False inside an update: the model is then between two steps
        # what may decide the order; a list has no samplers
        samplers = {name: getattr(self.loader, name, None) for name in ("sampler", "batch_sampler")}
        self._owners: dict[str, Any] = {"loader": self.loader, **samplers}
        # the random states at the start of the epoch, which give its order again, and the latest
        self.order = self.latest = self._random_states()

    def state_dict(self) -> dict[str, Any]:
        """Give what is saved of it."""
        return {name: getattr(self, name) for name in SAVED} | {"history": asdict(self.history)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what was saved."""
        for name in SAVED:
            setattr(self, name, state[name])
        for name, values in state["history"].items():
            getattr(self.history, name)[:] = values
        self._restore(self.latest)

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
        """Give the rest of the epoch, one step's batches at a time; the last may have fewer."""
        for owner in self._owners.values():
            if hasattr(owner, "set_epoch"):
                owner.set_epoch(self.epoch)
        if self.step_in_epoch == 0:
            self.order = self._random_states()
            batches = iter(self.loader)
        else:  # resumed: draw the same order, skip what was used, and only then restore
            self._restore(self.order)
            batches = iter(self.loader)
            for _ in islice(batches, self.step_in_epoch * accumulate):
                pass
            self._restore(self.latest)
        while group := list(islice(batches, accumulate)):
            yield group

    def _random_states(self) -> dict[str, torch.Tensor]:
        return {name: generator.get_state() for name, generator in self._generators().items()}

    def _restore(self, states: dict[str, torch.Tensor]) -> None:
        for name, generator in self._generators().items():
            if name in states:
                generator.set_state(states[name])

    def _generators(self) -> dict[str, torch.Generator]:
        """Find what a training draws from: torch's generators, the loader's, its samplers'."""
        found = {name: getattr(owner, "generator", None) for name, owner in self._owners.items()}
        found["torch"] = torch.default_generator
        if self.device.type == "cuda":
            found["device"] = torch.cuda.default_generators[self.device.index]
        return {name: one for name, one in found.items() if isinstance(one, torch.Generator)}


class Checkpoint:
    """A folder with the last saved state of a training: a folder ``step-S-epoch-E`` inside it.

    Pickles are loaded with ``weights_only=True``, so that none can run code. Only files that were
    written here are ever removed.
    """

    def __init__(
        self,
        folder: str | PathLike[str] | None,
        accelerator: Accelerator,
        model: PreTrainedModel,
        optimizer: Optimizer,
        schedule: LRScheduler | None,
        progress: Progress,
    ) -> None:
        self._folder = None if folder is None else Path(folder).expanduser()
        self._accelerator, self._optimizer, self._progress = accelerator, optimizer, progress
        self._last: Path | None = None  # what was saved or loaded last
        self._settings: dict[str, Any] = {  # what has to be the same when it is resumed
            "the number of all steps": progress.steps,
            "the optimizer": type(optimizer).__name__,
            "the schedule": None if schedule is None else type(schedule).__name__,
            **{name: list(weight.shape) for name, weight in _weights(model).items()},
            "the parameters in each of the optimizer's groups": [
                len(group["params"]) for group in optimizer.param_groups
            ],
        }
        # the model isn't prepared: in bfloat16, Accelerate would replace its forward method
        accelerator.register_save_state_pre_hook(
            lambda models, weights, folder: weights.append(_weights(model))
        )
        accelerator.register_load_state_pre_hook(lambda models, folder: models.append(model))
        accelerator.prepare_optimizer(optimizer, device_placement=False)
        if schedule is not None:
            accelerator.prepare_scheduler(schedule)

    def begin(self, resume: bool) -> None:
        """Load what is saved, or see that saving works. Nothing is changed if this is refused."""
        if self._folder is None:
            return
        saved = _latest(self._folder)
        if saved and not resume:
            raise ValueError(
                f"Expected a folder with no saved training; got one with {saved}. Continue it "
                "with resume=True, choose another folder, or remove this one."
            )
        for part in self._folder.glob("step-*"):
            if re.fullmatch(rf"{STEP}\.unfinished-[0-9a-f]{{8}}", part.name):
                _remove(part)  # of a process that was killed while it saved
        if saved:
            self._load(saved)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._written(self._folder / "step-0-epoch-0") as part:
                _read(part)
        except OSError:
            raise  # such as a folder that can't be written to: it says which
        except Exception as error:
            raise TrainingError(
                f"Expected a training that can be saved; got {type(error).__name__}: {error} Train "
                "without checkpoint=..., or with another optimizer or schedule."
            ) from error

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Save at the end and at a Ctrl-C, and leave no gradients of an unfinished step."""
        try:
            yield
        except BaseException as error:
            self._optimizer.zero_grad()
            if isinstance(error, KeyboardInterrupt) and self._progress.whole:
                self.save()
            raise
        self.save()

    def save(self) -> None:
        """Save the training, then remove what was saved before."""
        if self._folder is None or self._progress.step == 0:
            return
        target = self._folder / f"step-{self._progress.step}-epoch-{self._progress.epoch}"
        if target == self._last:
            return
        with self._written(target) as part:
            part.rename(target)  # at once: what is called step-S-epoch-E is complete
        if self._last is not None:
            _remove(self._last)
        self._last = target

    @contextmanager
    def _written(self, target: Path) -> Iterator[Path]:
        """Write the state into a folder that is gone afterwards, unless it was renamed."""
        part = target.with_name(f"{target.name}.unfinished-{secrets.token_hex(4)}")
        try:
            self._accelerator.save_state(str(part))
            progress = {"settings": self._settings, **self._progress.state_dict()}
            save(progress, part / "progress.bin")
            sums = {path.name: _sha256(path) for path in part.iterdir()}
            (part / "sha256.json").write_text(json.dumps(sums), encoding="utf-8")
            yield part
        finally:
            _remove(part)

    def _load(self, source: Path) -> None:
        """Continue from a saved state, if it is undamaged and of this training."""
        saved = _read(source)
        here, there = self._settings, saved["settings"]
        for name in here | there:
            if here.get(name) != there.get(name):
                raise ValueError(
                    f"Expected the training that is saved in {source}; this one differs in "
                    f"{name}: {here.get(name)} instead of {there.get(name)}. Pass the same model, "
                    "loader and settings as then, or choose another folder."
                )
        self._accelerator.load_state(str(source))
        # after Accelerate's random states: an interrupted step may have drawn from those
        self._progress.load_state_dict(saved)
        self._last = source


def _weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Name a model's weights as safetensors takes them: contiguous, and what is shared once."""
    weights = model.state_dict(keep_vars=True)
    names = {id(weight): name for name, weight in reversed(weights.items())}
    return {name: weights[name].detach().contiguous() for name in reversed(names.values())}


def _latest(folder: Path) -> Path | None:
    """Find the last of the saved states in a folder."""
    found = (path for path in folder.glob("step-*") if path.is_dir())
    states = [path for path in found if re.fullmatch(STEP, path.name)]
    return max(states, key=lambda path: [*map(int, re.findall(r"\d+", path.name))], default=None)


def _read(source: Path) -> dict[str, Any]:
    """Verify the files of a saved state, and give its settings and progress."""
    try:
        sums = json.loads((source / "sha256.json").read_text(encoding="utf-8"))
        for name, sha in sums.items():
            if _sha256(source / name) != sha:
                raise ValueError(f"{name} has changed")
        # Accelerate would load the model before it sees a pickle that it can't load
        loaded = {name: load(source / name, "cpu") for name in PICKLES if name in sums}
        return loaded["progress.bin"]
    except Exception as error:
        raise ValueError(
            f"Expected a complete saved training in {source}; got a damaged one: {error}. Restore "
            "it from a copy, or choose another folder and start from the beginning."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(folder: Path) -> None:
    """Remove what was saved in a folder, and the folder if nothing else is in it."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # not there, or not empty: somebody else's files
        folder.rmdir()
