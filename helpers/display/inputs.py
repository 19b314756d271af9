"""Check what pictures and plots are given, and turn it into plain Python.

Numbers may come as lists, tuples, generators, NumPy arrays, pandas Series or PyTorch tensors.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def to_array(values: object, what: str) -> npt.NDArray[np.float64]:
    """Turn numbers of any kind into an array of 64-bit floats. NaN is kept."""
    import numpy as np

    try:
        array = np.asarray(_plain(values))
    except ValueError as error:
        raise ValueError(f"Expected {what} in rows of one length; got {values!r:.80}.") from error
    if array.dtype.kind == "O" and all(isinstance(one, int | float) for one in array.flat):
        array = array.astype(float)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"Expected {what} as real numbers; got {values!r:.80}. Convert them, or fill the gaps."
        )
    return array.astype(np.float64)


def _plain(values: object) -> object:
    """Turn tensors into arrays, and anything to loop over into lists."""
    if hasattr(values, "detach"):  # a PyTorch tensor, perhaps on a GPU, or in bfloat16
        return values.detach().cpu().double().numpy()
    if hasattr(values, "__array__") or isinstance(values, str | bytes | dict):
        return values
    return [_plain(one) for one in values] if isinstance(values, Iterable) else values


def to_numbers(
    values: object, what: str, *, low: float = -math.inf, high: float = math.inf
) -> list[float]:
    """Turn one row of numbers into a list. Each must be finite and in the range."""
    array = to_array(values, what)
    if array.ndim != 1:
        raise ValueError(f"Expected {what} in one row, (n,); got the shape {array.shape}.")
    numbers: list[float] = array.tolist()
    if not all(low <= number <= high and math.isfinite(number) for number in numbers):
        limits = f"{low:g} or more" if high == math.inf else f"between {low:g} and {high:g}"
        if low == -math.inf:
            limits = "finite"
        raise ValueError(f"Expected {what} to be {limits}; got {numbers}.")
    return numbers


def to_lines(series: Mapping[str, object], what: str, *, most: int) -> dict[str, list[float]]:
    """Turn one to ``most`` rows of numbers, none below 0, into lists under their names."""
    if not 0 < len(series) <= most:
        raise ValueError(f"Expected one to {most} {what}; got {len(series)}. Draw two plots.")
    return {str(name): to_numbers(row, f"{name!r}", low=0) for name, row in series.items()}


def to_names(values: object, what: str) -> list[str]:
    """Turn names or texts into a list of strings."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"Expected a list of {what}; got {values!r:.80}. Put it into a list.")
    return [str(value) for value in values]


def to_count(value: object, what: str, *, least: int = 0) -> int:
    """Turn a whole number of any kind into an int."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # the except says what it isn't
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(f"Expected {what} as a whole number from {least}; got {value!r}.")
    return number


def check_table(table: pd.DataFrame, columns: Sequence[str], maker: str) -> None:
    """Refuse what isn't a table with certain columns and at least one row."""
    if not hasattr(table, "columns"):
        raise TypeError(f"Expected a table; got {type(table).__name__}. Make it with {maker}.")
    missing = [name for name in columns if name not in table.columns]
    if missing or not len(table):
        wanted = f"at least one row and the columns {[*columns]}" if columns else "at least one row"
        raise ValueError(
            f"Expected a table with {wanted}; got {len(table)} rows of {[*table.columns]}. Make it "
            f"with {maker}."
        )


def check_each(numbers: Sized, names: Sized, what: str, of: str) -> None:
    """Refuse numbers of which there isn't one for each name, and no names at all."""
    if len(numbers) != len(names) or not len(names):
        raise ValueError(
            f"Expected a {what} for each of {len(names)} {of}, and at least one; got "
            f"{len(numbers)}."
        )
