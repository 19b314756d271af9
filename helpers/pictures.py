"""Pictures in HTML, readable in a light and in a dark theme, and without any style at all.

Each function takes plain results and gives a string of HTML that is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from helpers.steps import Steps

LEGEND = {
    "special": "special token",
    "unknown": "not in the vocabulary",
    "padding": "padding, which the model is told to ignore",
}

ROWS = {
    "token": "token",
    "id": "id",
    "token_type": "token type",
    "attention": "attention mask",
}


class Picture(str):
    """HTML that a notebook shows as a picture, and everything else as the string that it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Picture: {len(self)} characters of HTML>"


def token_picture(table: pd.DataFrame) -> Picture:
    """Draw a token table with the tokens side by side, special ones and padding marked.

    Parameters
    ----------
    table : pandas.DataFrame
        What `helpers.tokens.token_table` returned.

    Returns
    -------
    Picture
        A table with a column for each position. Rows that hold nothing are left out.
    """
    return _framed(_token_rows(table) + _legend(table["kind"]))


def probability_picture(
    labels: Sequence[str],
    probabilities: Sequence[float],
    *,
    reference: Sequence[float] | None = None,
) -> Picture:
    """Draw probabilities as bars.

    Parameters
    ----------
    labels : sequence of str
        A name for each bar.
    probabilities : sequence of float
        As many numbers between 0 and 1.
    reference : sequence of float, optional
        Further probabilities, drawn as a thin bar below each, for comparison.

    Returns
    -------
    Picture
        A row for each label: its name, its bar, its number.

    Raises
    ------
    ValueError
        If the lengths differ, or a number is not between 0 and 1.
    """
    return _framed(_bars(labels, probabilities, reference))


def steps_picture(steps: Steps) -> Picture:
    """Draw the way of a text through the three steps of the pipeline.

    Parameters
    ----------
    steps : Steps
        What `helpers.steps.three_steps` returned.

    Returns
    -------
    Picture
        Tokens with ids, logits, and probabilities as bars, one below the other.
    """
    cut = "<p class='note'>The text was longer than the model can read, and was cut.</p>"
    header = "".join(f"<th scope='col'>{escape(label)}</th>" for label in steps.labels)
    logits = "".join(f"<td class='text number'>{logit:.4f}</td>" for logit in steps.logits)
    return _framed(
        "<p class='step'>1. Tokenizer: text to tokens to ids</p>"
        + (cut if steps.truncated else "")
        + _token_rows(steps.table)
        + _legend(steps.table["kind"])
        + "<p class='step'>2. Model: ids to logits</p>"
        + f"<div class='scroll'><table><thead><tr><th scope='col'>label</th>{header}</tr></thead>"
        + f"<tbody><tr><th scope='row'>logit</th>{logits}</tr></tbody></table></div>"
        + "<p class='step'>3. Post-processing: logits to probabilities</p>"
        + _bars(steps.labels, steps.probabilities, None)
    )


@cache
def _css() -> str:
    return (Path(__file__).parent / "pictures.css").read_text(encoding="utf-8")


def _framed(body: str) -> Picture:
    """Put the style beside the picture, so that it looks the same wherever it is shown."""
    return Picture(f"<style>\n{_css()}</style>\n<div class='book-picture'>{body}</div>")


def _token_rows(table: pd.DataFrame) -> str:
    """Give a table for all sequences, so that the same position stands in the same column."""
    width = int(table["position"].max()) + 1
    positions = "".join(f"<th scope='col' class='number'>{i}</th>" for i in range(width))
    head = f"<thead><tr><th scope='col'>position</th>{positions}</tr></thead>"
    bodies = []
    for sequence, tokens in table.groupby("sequence"):
        title = ""
        if table["sequence"].nunique() > 1:
            title = f"<tr><th scope='rowgroup' colspan='{width + 1}'>sequence {sequence}</th></tr>"
        rows = [
            f"<tr><th scope='row'>{name}</th>"
            + "".join(map(partial(_cell, column), tokens[column], tokens["kind"]))
            + "</tr>"
            for column, name in ROWS.items()
            if tokens[column].notna().any()
        ]
        bodies.append(f"<tbody>{title}{''.join(rows)}</tbody>")
    rows = head + "".join(bodies)
    # a box that scrolls must be within reach of the keyboard
    return f"<div class='scroll' tabindex='0'><table class='tokens'>{rows}</table></div>"


def _cell(column: str, value: object, kind: str) -> str:
    """Mark the token itself by its kind; the numbers below it stay plain."""
    if column == "token":
        return f"<td class='token {kind}'>{escape(str(value))}</td>"
    return f"<td class='number'>{value}</td>"


def _legend(kinds: pd.Series) -> str:
    """Explain the marks that the picture holds, and no other."""
    present = [kind for kind in LEGEND if (kinds == kind).any()]
    items = "".join(f"<li><span class='{kind}'></span>{LEGEND[kind]}</li>" for kind in present)
    return f"<ul class='legend'>{items}</ul>" if items else ""


def _bars(
    labels: Sequence[str], probabilities: Sequence[float], reference: Sequence[float] | None
) -> str:
    """Give a row for each label: its name, its bar, its number."""
    for numbers in (probabilities, reference if reference is not None else probabilities):
        if len(numbers) != len(labels):
            raise ValueError(f"expected a probability for each of {labels}; got {len(numbers)}.")
        if not all(0 <= number <= 1 for number in numbers):
            raise ValueError(f"expected probabilities between 0 and 1; got {list(numbers)}.")
    rows = []
    for i, (label, probability) in enumerate(zip(labels, probabilities, strict=True)):
        winner = " winner" if probability == max(probabilities) else ""
        faint = (
            f"<span class='faint' style='width: {reference[i]:.2%}'></span>" if reference else ""
        )
        rows.append(
            f"<tr><th scope='row'>{escape(label)}</th>"
            f"<td class='bar'><span style='width: {probability:.2%}'></span>{faint}</td>"
            f"<td class='number{winner}'>{probability:.4f}</td></tr>"
        )
    head = "<th scope='col'>label</th><th scope='col'>probability</th><th scope='col'>number</th>"
    return (
        f"<div class='scroll'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
