"""From logits to an answer: probabilities at any temperature, and labels with their scores.

The functions take a torch tensor, a NumPy array or a list, with one row of logits or many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from helpers.text.checks import as_array, check_choice, check_integer, is_tensor

if TYPE_CHECKING:
    import torch

    Logits = torch.Tensor | np.ndarray | Sequence
    Labels = Mapping[int, str] | Mapping[str, str]

PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")


@overload
def softmax(logits: torch.Tensor, *, temperature: float = ..., axis: int = ...) -> torch.Tensor: ...
@overload
def softmax(logits: np.ndarray, *, temperature: float = ..., axis: int = ...) -> np.ndarray: ...
@overload
def softmax(logits: Sequence, *, temperature: float = ..., axis: int = ...) -> list: ...


def softmax(
    logits: Logits, *, temperature: float = 1.0, axis: int = -1
) -> torch.Tensor | np.ndarray | list:
    r"""Turn logits into probabilities that add up to 1.

    Computes :math:`p_i = e^{z_i / T} / \sum_j e^{z_j / T}`, without overflow for large logits.

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
    ValueError
        If ``logits`` are empty, ragged, NaN, plus infinity, or minus infinity throughout a row; if
        ``temperature`` is not a finite number above 0; if there is no such ``axis``.

    References
    ----------
    Bridle (1990), "Probabilistic Interpretation of Feedforward Classification Network Outputs";
    temperature as in Hinton et al. (2015), "Distilling the Knowledge in a Neural Network".
    """
    import torch

    array = _check_logits(logits, temperature, axis)
    if np.isposinf(array).any() or np.isneginf(array).all(axis=axis).any():
        raise ValueError(
            "logits must be below infinity, with at least one finite number in each row; got an "
            "infinity that leaves no probabilities to compute. Did the model overflow in float16?"
        )
    # Compute in float64, whatever comes in: in float32 a temperature of 1e-50 would be 0, and the
    # probabilities of a float16 model would carry three digits. Subtract before dividing, so that
    # neither overflows to inf - inf.
    scores = logits.double() if is_tensor(logits) else torch.from_numpy(array.astype(np.float64))
    scores = (scores - scores.amax(dim=axis, keepdim=True)) / temperature
    probabilities = scores.softmax(dim=axis)
    if is_tensor(logits):
        return probabilities.to(logits.dtype) if logits.is_floating_point() else probabilities
    if isinstance(logits, np.ndarray):
        return probabilities.numpy().astype(_float_type(array))
    return probabilities.tolist()


def label_scores(
    logits: Logits, *, problem_type: str | None = None, temperature: float = 1.0
) -> np.ndarray:
    """Turn logits into the pipeline's scores, in the same shape, as `decode` describes them."""
    check_choice(problem_type, "problem_type", (*PROBLEM_TYPES, None))
    array = _check_logits(logits, temperature)
    if problem_type == "regression":
        if temperature != 1:
            raise ValueError(f"temperature must be 1 for a regression; got {temperature}. Omit it.")
        return array.astype(_float_type(array))
    # One column is a yes-or-no question, even for "single_label_classification": over one label,
    # the softmax would be 1 for every text.
    if problem_type == "multi_label_classification" or array.shape[-1] == 1:
        import torch

        scaled = torch.from_numpy(array.astype(np.float64)) / temperature
        return scaled.sigmoid().numpy().astype(_float_type(array))
    return softmax(array, temperature=temperature)


def label_names(id2label: Labels, columns: int) -> list[str]:
    """Give the name of each column of the logits.

    Parameters
    ----------
    id2label : mapping of int to str
        The names, as in ``model.config.id2label``: keys 0, 1, ... without a gap, as numbers or, as
        in ``config.json``, as strings.
    columns : int
        How many columns there are.

    Returns
    -------
    list of str
        The names, in the order of the columns.

    Raises
    ------
    TypeError
        If ``id2label`` is not a mapping.
    ValueError
        If its keys are not the numbers of the columns.
    """
    if not isinstance(id2label, Mapping):
        raise TypeError(
            f"id2label must map each column to its name, like {{0: 'NEGATIVE', 1: 'POSITIVE'}}; "
            f"got {type(id2label).__name__}. Pass model.config.id2label."
        )
    names = {int(key) if str(key).isdecimal() else key: name for key, name in id2label.items()}
    if len(names) < len(id2label) or set(names) != set(range(columns)):
        raise ValueError(
            f"id2label must have the keys 0 to {columns - 1} for the {columns} columns of the "
            f"logits; got {list(id2label)}. Are model and id2label from one checkpoint?"
        )
    return [names[column] for column in range(columns)]


def decode(
    logits: Logits,
    id2label: Labels,
    *,
    all_labels: bool = False,
    temperature: float = 1.0,
    problem_type: str | None = None,
) -> list:
    r"""Name the label with the highest score in each row, as the pipeline does.

    Parameters
    ----------
    logits : torch.Tensor, numpy.ndarray or list
        The output of a classification head: one row ``(labels,)`` or many ``(batch, labels)``.
    id2label : mapping of int to str
        The name of each column, as `label_names` takes them.
    all_labels : bool, default False
        Give every label of a row, the highest score first, as the pipeline does for ``top_k=None``.
    temperature : float, default 1.0
        Divides the logits, as in `softmax`. A regression has none.
    problem_type : str, optional
        What ``model.config.problem_type`` says. The scores are the softmax of the logits, their
        sigmoid, :math:`1 / (1 + e^{-z / T})`, or for a regression the logits themselves. None
        means sigmoid for one column, softmax for several.

    Returns
    -------
    list of dict, or list of list of dict
        ``[{'label': ..., 'score': ...}]``, a dict for each row. With ``all_labels``, one row gives
        a dict for each label; many rows give such a list for each row.

    Raises
    ------
    ValueError
        If there are no such ``id2label``, ``problem_type`` or ``temperature`` for these ``logits``;
        if they have more than two axes, or `softmax` refuses them.
    """
    scores = label_scores(logits, problem_type=problem_type, temperature=temperature)
    if scores.ndim > 2:
        raise ValueError(
            f"logits must be (labels,) or (batch, labels); got the shape {scores.shape}. For one "
            "label a token, decode one sentence at a time."
        )
    names = label_names(id2label, scores.shape[-1])
    rows = []
    for row in np.atleast_2d(scores):
        order = np.argsort(-row, kind="stable")  # of two equal ones the first wins, as with argmax
        rows.append([{"label": names[i], "score": float(row[i])} for i in order])
    if not all_labels:
        return [row[0] for row in rows]
    return rows[0] if scores.ndim == 1 else rows


def _float_type(array: np.ndarray) -> np.dtype:
    """Give the type of results that were computed from an array."""
    return array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)


def _check_logits(logits: Logits, temperature: float, axis: int = -1) -> np.ndarray:
    """Give the logits as an array, after checking them and what is done with them."""
    if isinstance(temperature, bool) or not isinstance(temperature, int | float | np.number):
        raise TypeError(f"temperature must be a number; got {temperature!r}. 1 changes nothing.")
    if not 0 < temperature < float("inf"):
        raise ValueError(
            f"temperature must be finite and above 0; got {temperature}. The maximum is argmax."
        )
    array = as_array(logits, "logits")
    if array.size == 0 or array.ndim == 0:
        raise ValueError(
            f"logits must hold at least one row; got the shape {array.shape}. Was the text empty?"
        )
    if not -array.ndim <= check_integer(axis, "axis", least=None) < array.ndim:
        raise ValueError(
            f"axis must be between {-array.ndim} and {array.ndim - 1}; got {axis}. The last is -1."
        )
    if np.isnan(array).any():
        first = tuple(np.argwhere(np.isnan(array))[0].tolist())
        raise ValueError(
            f"logits must be numbers; got NaN first at {first}. Look for it in the model's weights."
        )
    return array
