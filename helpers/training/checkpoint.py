"""Save a training with 🤗 Accelerate, and resume it."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate.utils import load
from safetensors.torch import load_file, save_file

from helpers.training.checks import TrainingError

if TYPE_CHECKING:
    from os import PathLike

    import torch
    from accelerate import Accelerator
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from transformers import PreTrainedModel

    from helpers.training.progress import Progress

PICKLES = ("optimizer.bin", "scheduler.bin", "random_states_0.pkl")  # Accelerate's
FILES = (*PICKLES, "model.safetensors", "random.safetensors", "progress.json", "sha256.json")
STEP = r"step-(\d+)-epoch-(\d+)"


class Checkpoint:
    """A folder with the last saved state of a training: a folder ``step-S-epoch-E`` inside it.

    Accelerate saves the model as safetensors, the optimizer and the schedule as pickles, which it
    loads with ``weights_only=True``: such a file can't run code. Nothing but files that were
    written here is ever removed.

    Parameters
    ----------
    folder : str, path or None
        The folder. With None nothing is saved.
    accelerator : accelerate.Accelerator
        Saves and loads the state.
    model : PreTrainedModel
        The model.
    optimizer : torch.optim.Optimizer
        Over its parameters.
    schedule : torch.optim.lr_scheduler.LRScheduler or None
        The schedule of the learning rate.
    progress : Progress
        How far the training has come.
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
        self.folder = None if folder is None else Path(folder).expanduser()
        self._accelerator, self._progress = accelerator, progress
        self._model, self._optimizer, self._schedule = model, optimizer, schedule
        self._last: Path | None = None  # what was saved or loaded last
        # the model isn't prepared: in bfloat16, Accelerate would replace its forward method
        accelerator.register_save_state_pre_hook(
            lambda models, weights, folder: weights.append(_weights(model))
        )
        accelerator.register_load_state_pre_hook(lambda models, folder: models.append(model))
        accelerator.prepare_optimizer(optimizer, device_placement=False)
        if schedule is not None:
            accelerator.prepare_scheduler(schedule)

    def begin(self, resume: bool) -> None:
        """Load what is saved, if it is to be resumed, or see that saving works.

        Nothing is changed if this is refused.
        """
        if self.folder is None:
            return
        saved = _saved(self.folder)
        if saved and not resume:
            raise ValueError(
                f"Expected a folder with no saved training; got one with {saved[-1]}. Continue it "
                "with resume=True, choose another folder, or remove this one."
            )
        for part in self.folder.glob("step-*"):
            if re.fullmatch(rf"{STEP}\.unfinished-[0-9a-f]{{8}}", part.name):
                _remove(part)  # of a process that was killed while it saved
        if saved:
            self._load(saved[-1])
        else:
            self._try_saving()

    def _try_saving(self) -> None:
        """Fail before the first step if a later save would."""
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._written() as part:
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
        progress = self._progress
        if self.folder is None or progress.step == 0:
            return
        target = self.folder / f"step-{progress.step}-epoch-{progress.epoch}"
        if target == self._last:
            return
        with self._written() as part:
            part.rename(target)  # at once: what is called step-S-epoch-E is complete
        if self._last is not None:
            _remove(self._last)
        self._last = target

    @contextmanager
    def _written(self) -> Iterator[Path]:
        """Write the state into a folder that is gone afterwards, unless it was renamed."""
        assert self.folder is not None
        progress = self._progress
        name = f"step-{progress.step}-epoch-{progress.epoch}.unfinished-{secrets.token_hex(4)}"
        part = self.folder / name
        try:
            self._accelerator.save_state(str(part))
            states = {f"order.{name}": state for name, state in progress.order.items()}
            states |= {f"latest.{name}": state for name, state in progress.latest.items()}
            save_file(states, part / "random.safetensors")
            saved = {
                "step": progress.step,
                "epoch": progress.epoch,
                "step_in_epoch": progress.step_in_epoch,
                "history": asdict(progress.history),
                "settings": self._settings(),
            }
            (part / "progress.json").write_text(json.dumps(saved), encoding="utf-8")
            sums = {path.name: _sha256(path) for path in part.iterdir()}
            (part / "sha256.json").write_text(json.dumps(sums), encoding="utf-8")
            yield part
        finally:
            _remove(part)

    def _load(self, source: Path) -> None:
        """Continue from a saved state, if it is undamaged and of this training."""
        saved = _read(source)
        here, there = self._settings(), saved["settings"]
        for name in here | there:
            if here.get(name) != there.get(name):
                raise ValueError(
                    f"Expected the training that is saved in {source}; this one differs in "
                    f"{name}: {here.get(name)} instead of {there.get(name)}. Pass the same model, "
                    "loader and settings as then, or choose another folder."
                )
        self._accelerator.load_state(str(source))
        self._last = source
        progress = self._progress
        for name, values in saved["history"].items():
            getattr(progress.history, name)[:] = values
        for name in ("step", "epoch", "step_in_epoch"):
            setattr(progress, name, saved[name])
        states: dict[str, dict[str, torch.Tensor]] = {"order": {}, "latest": {}}
        for name, state in load_file(source / "random.safetensors").items():
            moment, generator = name.split(".")
            states[moment][generator] = state
        progress.order, progress.latest = states["order"], states["latest"]
        # not those that Accelerate saved: an interrupted step may have drawn from them
        progress.restore(progress.latest)

    def _settings(self) -> dict[str, Any]:
        """Say what has to be the same when this training is resumed."""
        schedule = self._schedule
        return {
            "the number of all steps": self._progress.steps,
            "the optimizer": type(self._optimizer).__name__,
            "the schedule": None if schedule is None else type(schedule).__name__,
            **{name: list(weight.shape) for name, weight in _weights(self._model).items()},
            "the parameters in each of the optimizer's groups": [
                len(group["params"]) for group in self._optimizer.param_groups
            ],
        }


def _weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Name a model's weights as safetensors takes them: contiguous, and what is shared once."""
    weights = model.state_dict(keep_vars=True)
    names = {id(weight): name for name, weight in reversed(weights.items())}
    return {name: weights[name].detach().contiguous() for name in reversed(names.values())}


def _saved(folder: Path) -> list[Path]:
    """List the saved states in a folder, the latest last."""
    if not folder.is_dir():
        return []
    found = {
        tuple(map(int, match.groups())): path
        for path in folder.iterdir()
        if path.is_dir() and (match := re.fullmatch(STEP, path.name))
    }
    return [found[key] for key in sorted(found)]


def _read(source: Path) -> dict[str, Any]:
    """Verify the files of a saved state, and read its numbers."""
    try:
        sums = json.loads((source / "sha256.json").read_text(encoding="utf-8"))
        for name, sha in sums.items():
            if _sha256(source / name) != sha:
                raise ValueError(f"{name} has changed")
            if name in PICKLES:
                load(source / name)  # Accelerate would load the model before it sees a wrong one
        return json.loads((source / "progress.json").read_text(encoding="utf-8"))
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
