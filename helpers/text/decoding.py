"""From logits to an answer: softmax at any temperature, and labels with their scores.

Both functions take what you have at hand, a torch tensor, a NumPy array or a list, and either one
row of logits or many.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    Logits = torch.Tensor | np.ndarray | list


def softmax(logits: Logits, *, temperature: float = 1.0, axis: int = -1) -> Logits:
    r"""Turn logits into probabilities that add up to 1.

    Computes :math:`p_i = e^{z_i / T} / \sum_j e^{z_j / T}`. The largest logit is subtracted first:
    that changes no probability, and it keeps the exponential from overflowing.

    Parameters
    ----------
    logits : torch.Tensor, numpy.ndarray or list
        The scores, ``(labels,)`` or ``(batch, labels)`` or with further axes. An entry of minus
        infinity is a label that is ruled out; its probability is 0.
    temperature : float, default 1.0
        Divides the logits. Above 1 the probabilities move together, below 1 they move apart.
    axis : int, default -1
        The axis that adds up to 1.

    Returns
    -------
    torch.Tensor, numpy.ndarray or list
        The probabilities, in the shape and kind of ``logits``. A tensor keeps its gradient.

    Raises
    ------
    TypeError
        If ``logits`` are not numbers, or ``temperature`` is not a number.
    ValueError
        If ``logits`` are empty, ragged, NaN, plus infinity, or minus infinity throughout a row; if
        ``temperature`` is not a finite number above 0; if there is no such ``axis``.

    References
    ----------
    Bridle (1990), "Probabilistic Interpretation of Feedforward Classification Network Outputs";
    temperature as in Hinton et al. (2015), "Distilling the Knowledge in a Neural Network".
    """
    _check_temperature(temperature)
    # Computed in float64, whatever comes in: in float32 a temperature of 1e-50 would be 0, and the
    # probabilities of a float16 model would carry three digits. The difference is taken before the
    # division, so that neither overflows to inf - inf.
    if _is_tensor(logits):
        _check_logits(logits.detach().cpu().double().numpy(), axis)
        scores = logits.double()
        scores = (scores - scores.amax(dim=axis, keepdim=True)) / temperature
        kind = logits.dtype if logits.is_floating_point() else scores.dtype
        return scores.softmax(dim=axis).to(kind)
    array = _as_array(logits)
    _check_logits(array, axis)
    scores = array.astype(np.float64)
    with np.errstate(over="ignore"):  # a difference of 1e4 over a tiny temperature: e to it is 0
        scores = (scores - scores.max(axis=axis, keepdims=True)) / temperature
    exponentials = np.exp(scores)
    probabilities = exponentials / exponentials.sum(axis=axis, keepdims=True)
    if not isinstance(logits, np.ndarray):
        return probabilities.tolist()
    return probabilities.astype(array.dtype if array.dtype.kind == "f" else np.float64)


def decode(
    logits: Logits,
    id2label: Mapping[int, str],
    *,
    all_labels: bool = False,
    temperature: float = 1.0,
) -> list:
    """Name the most probable label of each row, in the shape that the pipeline answers in.

    Parameters
    ----------
    logits : torch.Tensor, numpy.ndarray or list
        The output of a classification head: one row ``(labels,)`` or many ``(batch, labels)``.
    id2label : mapping of int to str
        The name of each column, as in ``model.config.id2label``: keys 0, 1, ... without a gap.
    all_labels : bool, default False
        Give every label of a row, most probable first, as the pipeline does for ``top_k=None``.
    temperature : float, default 1.0
        Passed on to `softmax`.

    Returns
    -------
    list of dict, or list of list of dict
        ``[{'label': ..., 'score': ...}]``, a dict for each row. With ``all_labels``, one row gives
        a dict for each label; many rows give such a list for each row.

    Raises
    ------
    TypeError
        If ``id2label`` is not a mapping, or `softmax` refuses the type of an argument.
    ValueError
        If ``logits`` have no rows, or a number of columns that ``id2label`` doesn't match; if
        `softmax` refuses a value.
    """
    if not isinstance(id2label, Mapping):
        raise TypeError(
            f"id2label must map each column to its name, like {{0: 'NEGATIVE', 1: 'POSITIVE'}}; "
            f"got {type(id2label).__name__}. Pass model.config.id2label."
        )
    if _is_tensor(logits):
        logits = logits.detach().cpu().float().numpy()  # NumPy has no bfloat16
    probabilities = np.asarray(softmax(logits, temperature=temperature))
    if probabilities.ndim > 2:
        raise ValueError(
            f"logits must be one row (labels,) or many (batch, labels); got the shape "
            f"{probabilities.shape}. For one label a token, decode one sentence at a time."
        )
    columns = probabilities.shape[-1]
    if sorted(id2label) != list(range(columns)):
        raise ValueError(
            f"the logits have {columns} columns, so id2label must have the keys 0 to "
            f"{columns - 1}; got {sorted(id2label)}. Are model and id2label from one checkpoint?"
        )
    rows = [_ranked(row, id2label) for row in np.atleast_2d(probabilities)]
    if not all_labels:
        return [row[0] for row in rows]
    return rows[0] if probabilities.ndim == 1 else rows


def _ranked(row: np.ndarray, id2label: Mapping[int, str]) -> list[dict]:
    """Pair each probability of one row with its label, most probable first."""
    order = np.argsort(-row, kind="stable")  # of two equal ones the first wins, as with argmax
    return [{"label": id2label[int(i)], "score": float(row[i])} for i in order]


def _is_tensor(value: object) -> bool:
    """Tell a torch tensor without importing torch: who has a tensor has imported it already."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _as_array(logits: object) -> np.ndarray:
    """Turn an array or a (nested) list into an array of numbers."""
    try:
        array = np.asarray(logits)
    except ValueError as error:
        raise ValueError(
            "logits must have rows of one length; got rows of different lengths. "
            "Each row is one sentence, each column one label."
        ) from error
    if array.dtype.kind not in "iuf" and array.size:
        raise TypeError(
            f"logits must be numbers, in a tensor, an array or a list; got {type(logits).__name__} "
            f"of {array.dtype}."
        )
    return array


def _check_logits(array: np.ndarray, axis: int) -> None:
    """Refuse what has no softmax."""
    if array.size == 0 or array.ndim == 0:
        raise ValueError(
            f"logits must hold at least one row of at least one number; got the shape "
            f"{array.shape}. Was the input text empty?"
        )
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(
            f"axis must be between {-array.ndim} and {array.ndim - 1} for logits of the shape "
            f"{array.shape}; got {axis}."
        )
    if np.isnan(array).any():
        first = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise ValueError(
            f"logits must be numbers; got NaN first at {first}. Look for it in the model's "
            "weights (a training that diverged?) or in its input."
        )
    if np.isposinf(array).any() or np.isneginf(array).all(axis=axis).any():
        raise ValueError(
            "logits must be below infinity, with at least one finite number in each row; got an "
            "infinity that leaves no probabilities to compute. Did the model overflow in float16?"
        )


def _check_temperature(temperature: float) -> None:
    """Refuse a temperature that has no meaning."""
    if isinstance(temperature, bool) or not isinstance(temperature, int | float | np.number):
        raise TypeError(
            f"temperature must be a number above 0; got {temperature!r}. 1 changes nothing."
        )
    if not (0 < temperature < float("inf")):
        raise ValueError(
            f"temperature must be a finite number above 0; got {temperature}. "
            "1 changes nothing; for the hard maximum use argmax."
        )
