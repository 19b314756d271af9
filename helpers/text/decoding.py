"""From logits to an answer: probabilities at any temperature, and labels with their scores.

The functions take a torch tensor, a NumPy array or a list, with one row of logits or many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from helpers.text.checks import check_integer, is_tensor

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
        If ``logits`` are not real numbers, such as booleans; if ``temperature`` is not a number or
        ``axis`` is not a whole number.
    ValueError
        If ``logits`` are empty, ragged, NaN, plus infinity, or minus infinity throughout a row; if
        ``temperature`` is not a finite number above 0; if there is no such ``axis``.

    References
    ----------
    Bridle (1990), "Probabilistic Interpretation of Feedforward Classification Network Outputs";
    temperature as in Hinton et al. (2015), "Distilling the Knowledge in a Neural Network".
    """
    _check_temperature(temperature)
    array = _as_array(logits)
    _check_logits(array, axis)
    if np.isposinf(array).any() or np.isneginf(array).all(axis=axis).any():
        raise ValueError(
            "logits must be below infinity, with at least one finite number in each row; got an "
            "infinity that leaves no probabilities to compute. Did the model overflow in float16?"
        )
    # Compute in float64, whatever comes in: in float32 a temperature of 1e-50 would be 0, and the
    # probabilities of a float16 model would carry three digits. Subtract before dividing, so that
    # neither overflows to inf - inf.
    if is_tensor(logits):
        tensor = logits.double()
        tensor = (tensor - tensor.amax(dim=axis, keepdim=True)) / temperature
        dtype = logits.dtype if logits.is_floating_point() else tensor.dtype
        return tensor.softmax(dim=axis).to(dtype)
    scores = array.astype(np.float64)
    with np.errstate(over="ignore"):  # a difference of 1e4 over a tiny temperature: e to it is 0
        scores = (scores - scores.max(axis=axis, keepdims=True)) / temperature
    exponentials = np.exp(scores)
    probabilities = exponentials / exponentials.sum(axis=axis, keepdims=True)
    if not isinstance(logits, np.ndarray):
        return probabilities.tolist()
    return probabilities.astype(_float_type(array))


def label_scores(
    logits: Logits, *, problem_type: str | None = None, temperature: float = 1.0
) -> np.ndarray:
    r"""Turn logits into the scores that the pipeline reports for this type of problem.

    Parameters
    ----------
    logits : torch.Tensor, numpy.ndarray or list
        The output of a classification head: one row ``(labels,)`` or many ``(batch, labels)``.
    problem_type : str, optional
        What ``model.config.problem_type`` says. For ``"single_label_classification"`` the scores
        are the softmax of the logits. For ``"multi_label_classification"``, where each label is a
        question of its own, they are the sigmoid :math:`1 / (1 + e^{-z / T})`. For ``"regression"``
        they are the logits. None means sigmoid for one column, softmax for several.
    temperature : float, default 1.0
        Divides the logits, as in `softmax`. A regression has none.

    Returns
    -------
    numpy.ndarray
        The scores, in the shape of ``logits``.

    Raises
    ------
    TypeError
        If ``logits`` or ``temperature`` are not numbers.
    ValueError
        If there is no such ``problem_type``; if a regression is given a ``temperature``; if
        ``logits`` are empty, ragged or NaN, or `softmax` refuses a value.
    """
    if problem_type is not None and problem_type not in PROBLEM_TYPES:
        raise ValueError(
            f"problem_type must be one of {PROBLEM_TYPES} or None; got {problem_type!r}. Pass "
            "model.config.problem_type."
        )
    _check_temperature(temperature)
    array = _as_array(logits)
    _check_logits(array)
    if problem_type == "regression":
        if temperature != 1:
            raise ValueError(
                f"temperature must be 1 for a regression, which has no probabilities; got "
                f"{temperature}. Leave it out."
            )
        return array.astype(_float_type(array))
    # One column is a yes-or-no question, even for "single_label_classification": over one label,
    # the softmax would be 1 for every text.
    if problem_type == "multi_label_classification" or array.shape[-1] == 1:
        with np.errstate(over="ignore"):
            scaled = array.astype(np.float64) / temperature
        # the sigmoid, written so that it neither overflows nor loses small probabilities
        return np.exp(-np.logaddexp(0, -scaled)).astype(_float_type(array))
    return softmax(array, temperature=temperature)


def label_names(id2label: Labels, columns: int) -> list[str]:
    """Give the name of each column of the logits.

    Parameters
    ----------
    id2label : mapping of int to str
        The names, as in ``model.config.id2label``: keys 0, 1, ... without a gap. Keys may be
        strings, as in ``config.json``, because JSON knows no others.
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
    names = {_column(key): name for key, name in id2label.items()}
    if len(names) < len(id2label) or set(names) != set(range(columns)):
        raise ValueError(
            f"id2label must have the keys 0 to {columns - 1}, one for each of the {columns} "
            f"columns of the logits; got {list(id2label)}. Are model and id2label from one "
            "checkpoint?"
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
    """Name the label with the highest score in each row, as the pipeline does.

    Parameters
    ----------
    logits : torch.Tensor, numpy.ndarray or list
        The output of a classification head: one row ``(labels,)`` or many ``(batch, labels)``.
    id2label : mapping of int to str
        The name of each column, as in ``model.config.id2label``: keys 0, 1, ... without a gap, or
        the same keys as strings, as in ``config.json``.
    all_labels : bool, default False
        Give every label of a row, the highest score first, as the pipeline does for ``top_k=None``.
    temperature : float, default 1.0
        Passed on to `label_scores`.
    problem_type : str, optional
        What ``model.config.problem_type`` says: see `label_scores`. None means that several
        columns share the probability, and that one column has its own.

    Returns
    -------
    list of dict, or list of list of dict
        ``[{'label': ..., 'score': ...}]``, a dict for each row. With ``all_labels``, one row gives
        a dict for each label; many rows give such a list for each row.

    Raises
    ------
    TypeError
        If ``id2label`` is not a mapping, or `label_scores` refuses the type of an argument.
    ValueError
        If ``logits`` have no rows, or a number of columns that ``id2label`` doesn't match; if
        `label_scores` refuses a value.
    """
    scores = label_scores(logits, problem_type=problem_type, temperature=temperature)
    if scores.ndim > 2:
        raise ValueError(
            f"logits must be one row (labels,) or many (batch, labels); got the shape "
            f"{scores.shape}. For one label a token, decode one sentence at a time."
        )
    names = label_names(id2label, scores.shape[-1])
    rows = []
    for row in np.atleast_2d(scores):
        order = np.argsort(-row, kind="stable")  # of two equal ones the first wins, as with argmax
        rows.append([{"label": names[i], "score": float(row[i])} for i in order])
    if not all_labels:
        return [row[0] for row in rows]
    return rows[0] if scores.ndim == 1 else rows


def _column(key: object) -> object:
    """Read the number of a column from a key of ``id2label``; leave other keys as they are."""
    try:
        return int(key) if isinstance(key, str) else key
    except ValueError:
        return key


def _as_array(logits: object) -> np.ndarray:
    """Turn a tensor, an array or a (nested) list into an array of real numbers."""
    if is_tensor(logits):
        numbers = not (logits.is_complex() or str(logits.dtype) == "torch.bool")
        kind = f"Tensor of {logits.dtype}"
        tensor = logits.detach().cpu()
        # NumPy has no bfloat16
        array = (tensor.float() if numbers and tensor.element_size() < 4 else tensor).numpy()
    else:
        if isinstance(logits, list | tuple):  # of tensors, such as the rows of a batch
            logits = [one.detach().cpu().tolist() if is_tensor(one) else one for one in logits]
        try:
            array = np.asarray(logits)
        except ValueError as error:
            raise ValueError(
                "logits must have rows of one length; got rows of different lengths. "
                "Each row is one sentence, each column one label."
            ) from error
        numbers = array.dtype.kind in "iuf" or array.size == 0
        kind = f"{type(logits).__name__} of {array.dtype}"
    if not numbers:
        raise TypeError(
            f"logits must be real numbers, in a tensor, an array or a list; got {kind}. Pass "
            "what the model returned as logits."
        )
    return array


def _float_type(array: np.ndarray) -> np.dtype:
    """Give the type of results that were computed from an array."""
    return array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)


def _check_logits(array: np.ndarray, axis: int = -1) -> None:
    """Refuse logits with no rows, no such axis, or NaN."""
    if array.size == 0 or array.ndim == 0:
        raise ValueError(
            f"logits must hold at least one row of at least one number; got the shape "
            f"{array.shape}. Was the input text empty?"
        )
    if not -array.ndim <= check_integer(axis, "axis", least=None) < array.ndim:
        raise ValueError(
            f"axis must be between {-array.ndim} and {array.ndim - 1} for logits of the shape "
            f"{array.shape}; got {axis}. The last axis is -1."
        )
    if np.isnan(array).any():
        first = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise ValueError(
            f"logits must be numbers; got NaN first at {first}. Look for it in the model's "
            "weights (a training that diverged?) or in its input."
        )


def _check_temperature(temperature: float) -> None:
    """Refuse a temperature that is not a finite number above 0."""
    if isinstance(temperature, bool) or not isinstance(temperature, int | float | np.number):
        raise TypeError(
            f"temperature must be a number above 0; got {temperature!r}. 1 changes nothing."
        )
    if not (0 < temperature < float("inf")):
        raise ValueError(
            f"temperature must be a finite number above 0; got {temperature}. "
            "1 changes nothing; for the hard maximum use argmax."
        )
