"""Measure a model on a data set, and a processor in bfloat16."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate.utils import send_to_device
from torch.utils.data import DataLoader
from transformers import PreTrainedModel

from helpers.training.checks import check_batch, check_device, count_steps
from helpers.training.context import uninterrupted

if TYPE_CHECKING:  # slow to import
    from evaluate import Metric


def evaluate(
    model: PreTrainedModel,
    loader: DataLoader | list[dict[str, torch.Tensor]],
    metric: Metric,
    *,
    device: str | torch.device | None = None,
    bfloat16: bool = False,
) -> dict[str, float]:
    """Measure a classifier on a data set.

    Parameters
    ----------
    model : PreTrainedModel
        A model that gives each text one of several classes. It is left in the mode, training or
        evaluation, that it was in.
    loader : torch.utils.data.DataLoader or list of dict
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
        If the loader is empty, a batch has no labels or labels that don't fit the model, or the
        model is no such classifier.
    TrainingError
        If the device isn't there.
    """
    where = check_device(model, device)
    count_steps(loader)
    training = model.training
    model.to(where)
    model.eval()
    precision = torch.autocast(where.type, torch.bfloat16, enabled=bfloat16)
    total, predictions, labels = 0.0, [], []
    try:
        with torch.inference_mode():
            for number, batch in enumerate(loader, start=1):
                check_batch(batch, model, f"batch {number}", classify=True)
                batch = send_to_device(batch, where)
                with uninterrupted(), precision:
                    outputs = model(**batch)
                predictions += outputs.logits.argmax(dim=-1).tolist()  # (batch,)
                labels += batch["labels"].tolist()
                total += outputs.loss.item() * len(batch["labels"])
    finally:
        model.train(training)
    # all at once: an interrupted evaluation would leave its rows in the metric
    scores = metric.compute(predictions=predictions, references=labels)
    return {"loss": total / len(labels), **scores}


def bootstrap_interval(
    values: Sequence[float] | np.ndarray, *, share: float = 0.95, draws: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Compute how far the mean of a sample may be from what it stands for: a bootstrap interval.

    Draws as many rows as there are, with replacement, again and again, and takes the range in
    which the means of most draws lie: the percentile interval [1]_.

    Parameters
    ----------
    values : array-like of float or bool, ``(rows,)``
        One number a row: whether an answer is right (the mean is the accuracy), or how much better
        one model is than another on that row, as 1, 0 or -1 (a paired difference).
    share : float, default 0.95
        The share of the draws whose mean lies in the interval, above 0 and below 1.
    draws : int, default 10_000
        How many samples to draw.
    seed : int, default 0
        The seed of the draws.

    Returns
    -------
    tuple of float
        The lower and the upper end.

    Raises
    ------
    ValueError
        If there are no rows, a value is not a finite number, or a setting is out of range.

    References
    ----------
    .. [1] B. Efron (1979), "Bootstrap methods: another look at the jackknife".
    """
    rows = np.asarray(values)
    if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "biuf":
        raise ValueError(
            "Expected one number for each row, such as answers == labels; got an array of shape "
            f"{rows.shape} and type {rows.dtype}."
        )
    rows = rows.astype(float)
    if not np.isfinite(rows).all():
        raise ValueError(
            "Expected finite numbers; got nan or infinity among them. Drop those rows."
        )
    if not 0 < share < 1 or draws < 1:
        raise ValueError(
            f"Expected a share between 0 and 1 and at least one draw; got share={share!r}, "
            f"draws={draws!r}."
        )
    chance = np.random.default_rng(seed)
    means = [chance.choice(rows, rows.size).mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def bfloat16_is_faster(device: str | torch.device = "cpu") -> bool:
    """Say whether a processor multiplies matrices faster in bfloat16, by trying it.

    A CPU without such instructions is about ten times slower in bfloat16, and gives no warning.

    Parameters
    ----------
    device : str or torch.device, default "cpu"
        The processor.

    Returns
    -------
    bool
        True if bfloat16 takes at most 4/5 of the time that 32-bit floats take.
    """
    long = torch.ones(512, 512, device=device)
    short = long.bfloat16()
    _seconds(short), _seconds(long)  # the first calls prepare things
    times = [(_seconds(short), _seconds(long)) for _ in range(7)]  # in turn: machines are noisy
    return statistics.median(one / other for one, other in times) <= 0.8


def _seconds(matrix: torch.Tensor) -> float:
    """Time the product of a matrix with itself."""
    start = time.perf_counter()
    (matrix @ matrix)[0, 0].item()  # a GPU is asynchronous: wait for its result
    return time.perf_counter() - start
