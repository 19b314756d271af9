"""Checks on arguments that several functions of this room share."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

if TYPE_CHECKING:
    from typing import TypeGuard

    import torch


def is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    """Recognize a torch tensor without importing torch: before that, nothing is one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def as_array(values: object, name: str) -> np.ndarray:
    """Turn a tensor, an array or a (nested) list into an array of real numbers."""
    if is_tensor(values):
        tensor = values.detach().cpu()
        half = tensor.is_floating_point() and tensor.element_size() < 4  # NumPy has no bfloat16
        array = (tensor.float() if half else tensor).numpy()
    else:
        if isinstance(values, list | tuple):  # of tensors, such as the rows of a batch
            values = [as_array(one, name).tolist() if is_tensor(one) else one for one in values]
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise ValueError(
                f"{name} must have rows of one length; got rows of different lengths. Each row is "
                "one text."
            ) from error
    if array.dtype.kind not in "iuf" and array.size > 0:
        kind = f"{type(values).__name__} of {getattr(values, 'dtype', array.dtype)}"
        raise TypeError(
            f"{name} must be real numbers, in a tensor, an array or a list; got {kind}. Pass what "
            "the model returned."
        )
    return array


def check_text(text: object, name: str = "text", *, remedy: str | None = "Type a sentence.") -> str:
    """Return a text, after checking its type and, if there is a remedy, that it isn't blank."""
    if not isinstance(text, str):
        raise TypeError(
            f"{name} must be one string; got {type(text).__name__}. Pass one text at a time."
        )
    if remedy and not text.strip():
        raise ValueError(f"{name} must hold at least one word; got an empty text. {remedy}")
    return text


def check_strings(values: Iterable[str], name: str) -> list[str]:
    """Return some strings as a list, after checking that they aren't one string."""
    strings = [] if isinstance(values, str) else list(values)
    wrong = [type(value).__name__ for value in strings if not isinstance(value, str)]
    if wrong or isinstance(values, str):
        got = wrong[0] if wrong else "one string"
        raise TypeError(f"{name} must be a list of strings; got {got}. Make a list of strings.")
    return strings


def check_choice(value: object, name: str, choices: tuple[object, ...]) -> None:
    """Refuse a value that isn't one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}; got {value!r}. Pick one of them.")


def check_integer(number: SupportsIndex, name: str, *, least: int | None = 1) -> int:
    """Return a whole number as an int, after checking that it is one and at least ``least``."""
    try:
        value = None if isinstance(number, bool) else operator.index(number)
    except TypeError:
        value = None
    if value is None:
        raise TypeError(f"{name} must be a whole number; got {number!r:.60}. Pass an int.")
    if least is not None and value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}. Pass a larger number.")
    return value
