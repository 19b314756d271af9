"""Checks on arguments that several functions of this room share."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, SupportsIndex

if TYPE_CHECKING:
    from typing import TypeGuard

    import torch


def is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    """Recognize a torch tensor without importing torch.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        Whether it is a tensor. If nobody has imported torch, nothing is one.
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def check_text(text: object, name: str = "text", *, remedy: str = "Type a sentence.") -> str:
    """Return a text, after checking that it is a string with something in it.

    Parameters
    ----------
    text : object
        The argument to check.
    name : str, default "text"
        What the error message calls it.
    remedy : str, default "Type a sentence."
        What to do about an empty text.

    Returns
    -------
    str
        The text, unchanged.

    Raises
    ------
    TypeError
        If it is not a string.
    ValueError
        If it is empty or holds nothing but white space.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"{name} must be one string; got {type(text).__name__}. Pass one text at a time."
        )
    if not text.strip():
        raise ValueError(f"{name} must hold at least one word; got an empty text. {remedy}")
    return text


def check_integer(number: SupportsIndex, name: str, *, least: int | None = 1) -> int:
    """Return a number as an int, after checking that it is a whole number and large enough.

    Parameters
    ----------
    number : int
        The argument to check; an integer of NumPy or torch will do.
    name : str
        What the error message calls it.
    least : int or None, default 1
        The smallest number allowed. None allows every number.

    Returns
    -------
    int
        The number.

    Raises
    ------
    TypeError
        If it is not a whole number; True and False don't count as numbers.
    ValueError
        If it is too small.
    """
    try:
        value = None if isinstance(number, bool) else operator.index(number)
    except TypeError:
        value = None
    if value is None:
        raise TypeError(f"{name} must be a whole number; got {number!r:.60}. Pass an int.")
    if least is not None and value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}. Pass a larger number.")
    return value
