"""Save all that it takes to go on with a training, and load it again. No pickle."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from torch.utils.data import DataLoader
    from transformers import PreTrainedModel

    from helpers.training.loop import History

    Random = dict[str, torch.Tensor]


@dataclass
class State:
    """Where a training stands.

    Parameters
    ----------
    step : int
        How many steps are done.
    epoch : int
        How many epochs are done.
    done : int
        How many steps of the epoch under way are done.
    epoch_start : dict of str to torch.Tensor
        The states of the random number generators as that epoch began: they give its order again.
    now : dict of str to torch.Tensor
        Their states after the last whole step.
    """

    step: int
    epoch: int
    done: int
    epoch_start: Random
    now: Random = field(default_factory=dict)

    def next_step(self, random: Random) -> None:
        """Stand after one more whole step.

        Parameters
        ----------
        random : dict of str to torch.Tensor
            The states of the random number generators after it.
        """
        self.step += 1
        self.done += 1
        self.now = random

    def next_epoch(self, random: Random) -> None:
        """Stand at the beginning of the next epoch.

        Parameters
        ----------
        random : dict of str to torch.Tensor
            The states of the random number generators as it begins.
        """
        self.epoch += 1
        self.done = 0
        self.epoch_start = random


def random_state(loader: DataLoader, device: torch.device) -> Random:
    """Read the states of torch's random number generators that a training draws on.

    Parameters
    ----------
    loader : torch.utils.data.DataLoader
        It and its samplers may have generators of their own.
    device : torch.device
        The device, which may have one too.

    Returns
    -------
    dict of str to torch.Tensor
        Their states by name.
    """
    random = {name: generator.get_state() for name, generator in _generators(loader)}
    random["torch"] = torch.get_rng_state()
    if device.type == "cuda":
        random["device"] = torch.cuda.get_rng_state(device)
    return random


def restore_random_state(random: Random, loader: DataLoader, device: torch.device) -> None:
    """Put the random number generators back to earlier states.

    Parameters
    ----------
    random : dict of str to torch.Tensor
        What `random_state` returned.
    loader : torch.utils.data.DataLoader
        The loader it was returned for, or an equal one.
    device : torch.device
        The device of the training.
    """
    for name, generator in _generators(loader):
        if name in random:
            generator.set_state(random[name])
    torch.set_rng_state(random["torch"])
    if "device" in random and device.type == "cuda":
        torch.cuda.set_rng_state(random["device"], device)


def _generators(loader: DataLoader) -> Iterator[tuple[str, torch.Generator]]:
    owners = {"loader": loader, "sampler": loader.sampler, "batch_sampler": loader.batch_sampler}
    for name, owner in owners.items():
        if isinstance(getattr(owner, "generator", None), torch.Generator):
            yield name, owner.generator


def save_state(
    folder: str | Path,
    state: State,
    model: PreTrainedModel,
    optimizer: Optimizer,
    schedule: LRScheduler | None,
    history: History,
    steps: int,
) -> None:
    """Save a training beside its last saved state, then remove that one.

    Parameters
    ----------
    folder : str or Path
        The folder of the training; it comes to hold one folder, ``step-S-epoch-E``, for S steps
        and E whole epochs done.
    state : State
        Where the training stands.
    model : PreTrainedModel
        The model.
    optimizer : torch.optim.Optimizer
        Over its parameters.
    schedule : torch.optim.lr_scheduler.LRScheduler or None
        The schedule of the learning rate, if there is one.
    history : History
        What happened so far.
    steps : int
        The number of all steps.
    """
    target = Path(folder) / f"step-{state.step}-epoch-{state.epoch}"
    if target.exists():
        return  # the same state: a training is the same each time
    part = Path(folder) / f"part-{secrets.token_hex(4)}"
    part.mkdir(parents=True)
    try:
        save_file(_weights(model), part / "model.safetensors")
        tensors, rest = _split(optimizer.state_dict())
        save_file(tensors, part / "optimizer.safetensors")
        random = {f"epoch_start.{name}": value for name, value in state.epoch_start.items()}
        random |= {f"now.{name}": value for name, value in state.now.items()}
        save_file(random, part / "random.safetensors")
        progress = {
            "steps": steps,
            "step": state.step,
            "epoch": state.epoch,
            "done": state.done,
            "history": asdict(history),
            "optimizer": rest,
            "schedule": None if schedule is None else schedule.state_dict(),
            "kinds": _kinds(optimizer, schedule),
        }
        (part / "progress.json").write_text(json.dumps(progress), encoding="utf-8")
        part.rename(target)  # in one step: what is called step-... is whole
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for older in _saved(folder):
        if older != target:
            shutil.rmtree(older)


def load_state(
    folder: str | Path,
    resume: bool,
    fresh: State,
    model: PreTrainedModel,
    optimizer: Optimizer,
    schedule: LRScheduler | None,
    history: History,
    steps: int,
) -> State:
    """Take up a training from its folder, if it is to be resumed and there is something.

    Parameters
    ----------
    folder : str or Path
        The folder that `save_state` wrote to.
    resume : bool
        Whether to go on from what is there.
    fresh : State
        The state to start from if there is nothing.
    model : PreTrainedModel
        The model; it and the next three are changed in place.
    optimizer : torch.optim.Optimizer
        Over its parameters.
    schedule : torch.optim.lr_scheduler.LRScheduler or None
        The schedule of the learning rate, if there is one.
    history : History
        What happened so far.
    steps : int
        The number of all steps.

    Returns
    -------
    State
        Where the training stands.

    Raises
    ------
    ValueError
        If a training is saved there and ``resume`` is False, or it doesn't fit this one. Nothing
        is changed then.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    saved = _saved(folder)
    if saved and not resume:
        raise ValueError(
            f"Expected an empty folder to begin in; a training is saved in {saved[-1]}. Go on from "
            "it with resume=True, choose another folder, or remove this one."
        )
    for part in Path(folder).glob("part-*"):  # of a process that was killed while it saved
        shutil.rmtree(part)
    if not saved:
        return fresh
    source = saved[-1]
    progress = json.loads((source / "progress.json").read_text(encoding="utf-8"))
    weights = load_file(source / "model.safetensors")
    _check_fit(source, progress, weights, model, optimizer, schedule, steps)
    with torch.no_grad():
        for name, weight in _weights(model).items():
            weight.copy_(weights[name])
    tensors = load_file(source / "optimizer.safetensors")
    optimizer.load_state_dict(_joined(tensors, progress["optimizer"]))
    if schedule is not None:
        schedule.load_state_dict(progress["schedule"])
    for name, values in progress["history"].items():
        getattr(history, name)[:] = values
    random: dict[str, Random] = {"epoch_start": {}, "now": {}}
    for name, value in load_file(source / "random.safetensors").items():
        moment, generator = name.split(".")
        random[moment][generator] = value
    return State(progress["step"], progress["epoch"], progress["done"], **random)


def _check_fit(
    source: Path,
    progress: dict,
    weights: dict[str, torch.Tensor],
    model: PreTrainedModel,
    optimizer: Optimizer,
    schedule: LRScheduler | None,
    steps: int,
) -> None:
    """Refuse a saved training that is not this one, before anything is changed."""
    remedy = "Make everything as it was made then, or start afresh in another folder."
    if progress["steps"] != steps:
        raise ValueError(
            f"Expected a training of {steps} steps in all; the one saved in {source} has "
            f"{progress['steps']}. Pass the same loader, epochs and accumulate as then, or start "
            "afresh in another folder."
        )
    here, there = _kinds(optimizer, schedule), progress["kinds"]
    if here != there:
        raise ValueError(
            f"Expected {' and '.join(here)}; the training saved in {source} has "
            f"{' and '.join(there)}. {remedy}"
        )
    shapes = [
        {name: tuple(weight.shape) for name, weight in each.items()}
        for each in (_weights(model), weights)
    ]
    differing = sorted(dict(shapes[0].items() ^ shapes[1].items()))
    if differing:
        here, there = (each.get(differing[0], "missing") for each in shapes)
        raise ValueError(
            f"Expected the weights of this model; those saved in {source} are another's: "
            f"{differing[0]} is {there} there and {here} here. {remedy}"
        )
    groups = [
        [len(group["params"]) for group in each["param_groups"]]
        for each in (optimizer.state_dict(), progress["optimizer"])
    ]
    if groups[0] != groups[1]:
        raise ValueError(
            f"Expected an optimizer over groups of {groups[0]} parameters; the one saved in "
            f"{source} has {groups[1]}. {remedy}"
        )


def _kinds(optimizer: Optimizer, schedule: LRScheduler | None) -> list[str]:
    return [
        type(optimizer).__name__,
        "no schedule" if schedule is None else type(schedule).__name__,
    ]


def _weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Name all that a model knows; what two of its parts share, once."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _saved(folder: str | Path) -> list[Path]:
    """List the saved states, the latest last."""
    found = {
        tuple(map(int, match.groups())): path
        for path in Path(folder).iterdir()
        if (match := re.fullmatch(r"step-(\d+)-epoch-(\d+)", path.name))
    }
    return [found[key] for key in sorted(found)]


def _split(state: dict) -> tuple[dict[str, torch.Tensor], dict]:
    """Part an optimizer's state into its tensors and what JSON can hold."""
    tensors = {
        f"{index}.{name}": value
        for index, values in state["state"].items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }
    others = {
        index: {n: value for n, value in values.items() if not isinstance(value, torch.Tensor)}
        for index, values in state["state"].items()
    }
    return tensors, {"param_groups": state["param_groups"], "others": others}


def _joined(tensors: dict[str, torch.Tensor], rest: dict) -> dict:
    """Put an optimizer's state together again."""
    state = {int(index): dict(values) for index, values in rest["others"].items()}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state[int(index)][name] = value
    return {"state": state, "param_groups": rest["param_groups"]}
