"""What the conditions of an exercise are written with. None of these raises an error."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

CLOSE = 1e-4  # processors round differently; no answer is decided by the fifth digit


def is_number(value: Any) -> bool:
    """Say whether this is one real number: an int, a float, or a tensor or array with one."""
    if isinstance(value, bool):
        return False
    return isinstance(value, numbers.Real) or (shape(value) == () and _array(value) is not None)


def is_text(value: Any) -> bool:
    """Say whether this is one string."""
    return isinstance(value, str)


def is_function(value: Any) -> bool:
    """Say whether this can be called."""
    return callable(value)


def shape(value: Any) -> tuple[int, ...] | None:
    """Give the shape of a tensor, an array or a nested list, and None for what has none."""
    if isinstance(value, str | bytes | Mapping) or value is None:
        return None
    if hasattr(value, "shape"):
        return tuple(value.shape)
    array = _array(value)
    return None if array is None else array.shape


def close(value: Any, other: Any, tolerance: float = CLOSE) -> bool:
    """Say whether two numbers, tensors, arrays or lists have one shape and nearly equal values."""
    one, two = _array(value), _array(other)
    if one is None or two is None or one.shape != two.shape:
        return False
    return bool(np.allclose(one, two, rtol=tolerance, atol=tolerance, equal_nan=True))


def same(value: Any, other: Any, tolerance: float = CLOSE) -> bool:
    """Say whether two values are the same, part by part; numbers may differ a little."""
    if isinstance(value, bool) or isinstance(other, bool):
        return type(value) is type(other) and value == other
    if isinstance(value, str) or isinstance(other, str) or value is None or other is None:
        return type(value) is type(other) and value == other
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return set(value) == set(other) and all(
            same(value[key], other[key], tolerance) for key in value
        )
    if _array(value) is not None and _array(other) is not None:
        return close(value, other, tolerance)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(
            same(one, two, tolerance) for one, two in zip(value, other, strict=True)
        )
    try:
        return bool(value == other)
    except Exception:
        return False


def agrees(answer: Any, expected: Any, *inputs: tuple[Any, ...], tolerance: float = CLOSE) -> bool:
    """Say whether two functions give the same for each tuple of arguments."""
    return all(same(answer(*one), expected(*one), tolerance) for one in inputs)


def _array(value: Any) -> np.ndarray | None:
    """Turn numbers of any kind into an array; None if they aren't numbers."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = (value.float() if value.is_floating_point() else value).numpy()
        array = np.asarray(value)
    except Exception:
        return None
    return array if array.dtype.kind in "biuf" and array.size else None


TOOLS = {
    function.__name__: function
    for function in (is_number, is_text, is_function, shape, close, same, agrees)
}
