"""Check what a training or an evaluation is given: expected, got, what to do."""

import math
import os
from collections.abc import Mapping, Sized
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from transformers import PreTrainedModel

IGNORED = -100  # the loss skips this label
COLLATE = (
    "Remove what the model doesn't read, dataset.remove_columns([...]), and collate with "
    "DataCollatorWithPadding(tokenizer)."
)
LABEL_NAMES = "If they are names, number them: dataset = dataset.class_encode_column('labels')"


class TrainingError(RuntimeError):
    """Training can't continue. Says what happened, in which step, and what to change."""


def check_device(model: PreTrainedModel, device: str | torch.device | None) -> torch.device:
    """Give the device to compute on, the model's own unless another is named, if it is there."""
    wanted = model.device if device is None else device
    try:
        probe = torch.zeros(1, device=wanted)
        probe.item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise TrainingError(
            f"Expected a device that is here; got {str(wanted)!r}, which is not: "
            f"{str(error).splitlines()[0].rstrip('.')}. Use device='cpu', or leave it out."
        ) from error
    return probe.device  # with its index, where there can be several


def count_steps(loader: Sized, *, epochs: int = 1, accumulate: int = 1, save_every: int = 1) -> int:
    """Count the steps of all epochs, if these numbers and the loader's length allow any."""
    numbers = {"epochs": epochs, "accumulate": accumulate, "save_every": save_every}
    for name, number in numbers.items():
        if type(number) is not int or number < 1:
            raise ValueError(f"Expected {name} to be a whole number of 1 or more; got {number!r}.")
    try:
        batches = len(loader)
    except TypeError as error:  # as for a DataLoader over an iterable data set
        data = type(getattr(loader, "dataset", loader)).__name__
        raise ValueError(
            "Expected a loader that knows its number of batches: a DataLoader over a data set with "
            f"a length, or a list of batches; got a {type(loader).__name__} over {data}. Read the "
            "rows into a list first: DataLoader(list(itertools.islice(dataset, 1000)), ...)."
        ) from error
    if batches == 0:
        raise ValueError(
            "Expected a loader with at least one batch; got an empty one. Is the data set empty, "
            "or smaller than a batch while drop_last=True?"
        )
    return epochs * math.ceil(batches / accumulate)


def check_settings(
    model: PreTrainedModel,
    optimizer: Optimizer,
    schedule: object,
    clip: float | None,
    checkpoint: str | os.PathLike[str] | None,
    resume: bool,
) -> None:
    """Refuse settings with which nothing would be trained, or not what was meant."""
    if clip is not None and not (isinstance(clip, int | float) and clip > 0):
        raise ValueError(f"Expected clip to be above 0; got {clip!r}. None means no clipping.")
    if not isinstance(checkpoint, str | os.PathLike | None):
        raise ValueError(f"Expected checkpoint to be the path of a folder; got {checkpoint!r}.")
    if resume and checkpoint is None:
        raise ValueError(
            "Expected a folder to resume from; got resume=True alone. Pass checkpoint=... too."
        )
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    own = [parameter for parameter in model.parameters() if id(parameter) in trained]
    if not own:
        raise ValueError(
            "Expected an optimizer over the parameters of this model; got one over others. Make "
            "it, and the schedule, after the model: torch.optim.AdamW(model.parameters(), lr=...)."
        )
    if not any(parameter.requires_grad for parameter in own):
        raise ValueError(
            "Expected at least one parameter to train; got a model in which all that the optimizer "
            "has are frozen. Unfreeze some: model.classifier.requires_grad_(True)."
        )
    if isinstance(schedule, ReduceLROnPlateau):
        raise ValueError(
            "Expected a schedule that moves with each step; got ReduceLROnPlateau, which needs a "
            "measured loss. Use linear_schedule(optimizer, loader, epochs=...), or call its "
            "step(loss) in your evaluate function."
        )
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise ValueError(
            "Expected a schedule over the optimizer that is passed; got one over another. Make it "
            "after the optimizer: linear_schedule(optimizer, loader, epochs=...)."
        )


def check_batch(batch: Any, model: PreTrainedModel, where: str, classify: bool = False) -> None:
    """Refuse a batch that the model can't learn from or, to classify, can't be measured with."""
    if not isinstance(batch, Mapping):
        raise ValueError(
            f"Expected each batch to be a dict of tensors; got a {type(batch).__name__}. {COLLATE}"
        )
    if "labels" not in batch:
        raise ValueError(
            f"Expected 'labels' in each batch; got {sorted(batch)}. If the column is called "
            "'label', rename it: dataset.rename_column('label', 'labels')."
        )
    for name, value in batch.items():
        if not isinstance(value, torch.Tensor):
            remedy = LABEL_NAMES if name == "labels" else COLLATE
            raise ValueError(
                f"Expected a tensor under each name of a batch; got a {type(value).__name__} under "
                f"{name!r}, {str(value)[:40]}, in {where}. {remedy}"
            )
    _check_labels(model, batch["labels"], where, classify)


def _check_labels(model: PreTrainedModel, labels: torch.Tensor, where: str, classify: bool) -> None:
    """Refuse labels that the model's loss can't use, and say how to convert them."""
    problem, outputs = _problem(model, labels)
    if classify and problem not in (None, "single_label_classification"):
        raise ValueError(
            "Expected a classifier that gives each text one of several classes; got a "
            f"{type(model).__name__} for {problem.replace('_', ' ')}, whose highest logit is no "
            "prediction. Compute a metric of your own from model(**batch).logits."
        )
    got = f"got {labels.dtype} of shape {tuple(labels.shape)} in {where}"
    if labels.is_floating_point() and not labels.isfinite().all():
        keep = "is not None" if problem == "regression" else f"in range({outputs})"
        raise ValueError(
            f"Expected a label in each row; {got}, with {labels[~labels.isfinite()][0].item()} "
            "among them: a gap in the column. Remove the rows that have no label: "
            f"dataset = dataset.filter(lambda row: row['labels'] {keep})"
        )
    classes = problem in ("single_label_classification", "token_classification")
    if problem is not None:
        check = _class_labels if classes else _float_labels
        expected, remedy = check(problem, outputs, labels)
        if remedy:
            raise ValueError(f"Expected labels of type {expected}; {got}. {remedy}")
    asked = labels[labels != IGNORED]
    if asked.numel() == 0:
        raise ValueError(
            f"Expected a label other than {IGNORED} in a batch; got none in {where}, so the loss "
            "isn't a number. Use larger batches or mlm_probability, and check the collator."
        )
    if classes and outputs and not 0 <= asked.min() <= asked.max() < outputs:
        raise ValueError(
            f"Expected labels from 0 to {outputs - 1}, for the {outputs} outputs of the model; got "
            f"{asked.min().item()} to {asked.max().item()} in {where}. Load the model with "
            "num_labels=..., or fix the labels."
        )


def _problem(model: PreTrainedModel, labels: torch.Tensor) -> tuple[str | None, int | None]:
    """Say what a head predicts, as its loss decides it, and its number of outputs."""
    config, kind = getattr(model, "config", None), type(model).__name__
    outputs = getattr(config, "num_labels", None)
    if kind.endswith(("ForMaskedLM", "ForCausalLM", "LMHeadModel")):
        return "token_classification", getattr(config, "vocab_size", None)
    if kind.endswith("ForTokenClassification"):
        return "token_classification", outputs
    if not kind.endswith("Classification"):
        return None, None
    problem = getattr(config, "problem_type", None)
    if problem is None and outputs == 1:
        problem = "regression"
    elif problem is None and labels.is_floating_point() and labels.shape[1:] == (outputs,):
        problem = "multi_label_classification"
    return problem or "single_label_classification", outputs


def _class_labels(
    problem: str, outputs: int | None, labels: torch.Tensor
) -> tuple[str, str | None]:
    """Describe a whole number for each text or token, and say how labels become that."""
    tokens = problem == "token_classification"
    shape = "(rows, tokens), a class for each token" if tokens else "(rows,), a class each"
    remedy = None
    if not tokens and labels.ndim == 2 and labels.shape[1] == outputs:
        remedy = "If a text can have several labels, load the model with "
        remedy += "problem_type='multi_label_classification' and convert: labels = labels.float()"
    elif not tokens and labels.ndim == 2 and labels.shape[1] == 1:
        remedy = "Convert them: labels = labels.squeeze(-1)"
    elif labels.ndim != 1 + tokens:
        remedy = "Check the collator."
    elif labels.is_floating_point() and not (labels == labels.round()).all():
        remedy = "If they are scores, load the model with num_labels=1; else number them from 0."
    elif labels.dtype != torch.int64:
        column = not tokens and (labels.is_floating_point() or labels.dtype == torch.bool)
        values = "dataset = dataset.cast_column('labels', datasets.Value('int64'))"
        remedy = f"Convert them: {values if column else 'labels = labels.long()'}"
    return f"torch.int64 and shape {shape}", remedy


def _float_labels(
    problem: str, outputs: int | None, labels: torch.Tensor
) -> tuple[str, str | None]:
    """Describe a float for each output, and say how labels become that."""
    several, rows = problem == "multi_label_classification", len(labels)
    shapes = [(rows,), (rows, 1)] if outputs == 1 and not several else [(rows, outputs)]
    reason = "a 0 or 1 for each class" if several else "since the model is a regression"
    remedy = None
    if tuple(labels.shape) not in shapes:
        remedy = "If each text has one class, load the model with num_labels=... and "
        remedy += "problem_type='single_label_classification'."
    elif not labels.is_floating_point():
        values = "dataset = dataset.cast_column('labels', datasets.Value('float32'))"
        remedy = f"Convert them: {'labels = labels.float()' if labels.ndim == 2 else values}"
    elif several and not ((labels >= 0) & (labels <= 1)).all():
        remedy = f"They go from {labels.min().item():g} to {labels.max().item():g}: give each row "
        remedy += "a 1 for the classes that it has, and 0 for the others."
    return f"torch.float32 and shape {' or '.join(map(str, shapes))}, {reason}", remedy
