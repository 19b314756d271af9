"""Which token attends to which, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from helpers.display.inputs import to_array, to_names
from helpers.words import words

from .html import Html, Picture, frame, legend, make, make_table, note

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WIDEST = 20  # tokens that fit on a page


def mask_picture(
    mask: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str] | None = None
) -> Picture:
    """Draw which token may attend to which.

    Parameters
    ----------
    mask : array_like
        Booleans, ``(rows, columns)``, as `helpers.text.attention_mask` gives them.
    rows : sequence of str
        The tokens that attend.
    columns : sequence of str, optional
        The tokens that are attended to, if they are other ones.

    Returns
    -------
    Picture
        A table with a dot where a token may attend, and hatching where it may not.

    Raises
    ------
    ValueError
        If the mask doesn't fit the tokens, or holds something else than true and false.
    """
    allowed, attending, attended = _pairs(mask, "mask", rows, columns)
    if not ((allowed == 0) | (allowed == 1)).all():
        raise ValueError(
            f"Expected a mask of True and False, or of 1 and 0; got {allowed.min():g} to "
            f"{allowed.max():g}. Of a mask that is added to scores, pass mask == 0."
        )
    yes, no = (make("span", said, class_="unseen") for said in (words("yes"), words("no")))
    dot = make("td", make("span", "●", aria_hidden="true"), yes, class_="special")
    hatched = make("td", no, class_="padding")
    cells = [[dot if one else hatched for one in row] for row in allowed]
    marks = [("special", words("● may attend"))]
    if not allowed.all():
        marks.append(("padding", words("hatched: may not")))
    return frame(_matrix(cells, attending, attended), legend(marks))


def attention_picture(
    weights: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str] | None = None
) -> Picture:
    """Draw how much each token attends to each, in per cent.

    Parameters
    ----------
    weights : array_like
        Numbers between 0 and 1, ``(rows, columns)``. Each row adds up to 1.
    rows : sequence of str
        The tokens that attend.
    columns : sequence of str, optional
        The tokens that are attended to, if they are other ones.

    Returns
    -------
    Picture
        Whole numbers, tinted by size, the largest of each row bold; at most 20 tokens each way.

    Raises
    ------
    ValueError
        If the weights don't fit the tokens, aren't between 0 and 1, or don't add up to 1.
    """
    shares, attending, attended = _pairs(weights, "weights", rows, columns)
    if not ((shares >= -0.005) & (shares <= 1.005)).all():  # NaN is neither
        raise ValueError(
            f"Expected weights between 0 and 1, as softmax gives them; got {shares.min():g} to "
            f"{shares.max():g}."
        )
    if not (abs(shares.sum(axis=1) - 1) < 0.02).all():  # bfloat16 has two or three digits
        raise ValueError(
            "Expected weights of which each row adds up to 1; got rows of "
            f"{shares.sum(axis=1).round(2).tolist()}. In training mode dropout changes them: call "
            "model.eval() first."
        )
    percents = [[round(100 * share) for share in row] for row in shares.tolist()]
    cells = [[_percent(percent, max(row)) for percent in row[:WIDEST]] for row in percents[:WIDEST]]
    remark = words(
        "Per cent; each row adds up to 100, but for rounding. Bold: the largest of its row."
    )
    longest = max(len(attending), len(attended))
    if longest > WIDEST:
        remark += " "
        remark += words("Drawn are the first {count} tokens of {all}.", count=WIDEST, all=longest)
    return frame(_matrix(cells, attending[:WIDEST], attended[:WIDEST]), note(remark))


def _percent(percent: int, largest: int) -> Html:
    """Make a cell that is tinted by its number, bold if it is the largest."""
    kind = "number winner" if percent == largest else "number"
    tint = f"background: rgba(48, 122, 222, {0.7 * percent / 100:.2f})"
    return make("td", f"{percent}", class_=kind, style=tint)


def _pairs(
    matrix: npt.ArrayLike, what: str, rows: Sequence[str], columns: Sequence[str] | None
) -> tuple[npt.NDArray[np.float64], list[str], list[str]]:
    """Turn a matrix and its tokens into plain ones, or say that they don't fit."""
    attending = to_names(rows, "tokens")
    attended = attending if columns is None else to_names(columns, "tokens")
    array = to_array(matrix, what)
    shape = (len(attending), len(attended))
    if array.shape != shape or not array.size:
        raise ValueError(
            f"Expected {what} with {shape[0]} rows of {shape[1]} numbers, one for each pair of "
            f"tokens, and at least one; got the shape {array.shape}."
        )
    return array, attending, attended


def _matrix(cells: list[list[Html]], rows: list[str], columns: list[str]) -> Html:
    """Make a table with the attending tokens on the left and the others on top."""
    tops = [make("th", token, scope="col", class_="token") for token in columns]
    sides = [make("th", token, scope="row", class_="token") for token in rows]
    body = [make("tr", side, *row) for side, row in zip(sides, cells, strict=True)]
    said = escape(words("from\u00a0↓ to\u00a0→")).replace("\u00a0", "&nbsp;")
    corner = make("th", Html(said), scope="col", class_="corner")
    return make_table([corner, *tops], body, kind="matrix")
