"""Numbers as bars: probabilities, similarities, measurements, batches, progress."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.display.inputs import check_each, check_table, to_count, to_names, to_numbers
from helpers.words import words

from .html import Html, Picture, frame, join, legend, make, make_table, note, row

if TYPE_CHECKING:
    import pandas as pd

Numbers = Sequence[float]

# The parts of a bar, inline: pictures.css is stored with every picture of the book.
REAL = "background: rgba(48, 122, 222, .75); border-radius: 0"
FILLED = (
    "background: repeating-linear-gradient(135deg, rgba(128, 128, 128, .45) 0 4px, "
    "transparent 4px 9px); border-radius: 0; box-shadow: inset 0 0 0 1px rgba(128, 128, 128, .6)"
)
PROGRESS = Html(
    "<style>\n.progress-line { display: flex; flex-wrap: wrap; align-items: center; "
    "gap: .25rem 1rem; margin: 0; }\n.progress-line progress { width: min(20rem, 60%); "
    "height: 1rem; accent-color: rgb(48, 122, 222); }\n</style>"
)


def bars(labels: Sequence[str], probabilities: Numbers, reference: Numbers | None = None) -> Html:
    """Make a table with a bar for each label, and a thin one below it for comparison."""
    names = to_names(labels, "labels")
    numbers = to_numbers(probabilities, "probabilities", low=0, high=1)
    check_each(numbers, names, "probability", "labels")
    spans = [make("span", style=f"width: {number:.2%}") for number in numbers]
    if reference is not None:
        thin = to_numbers(reference, "reference", low=0, high=1)
        check_each(thin, names, "probability", "labels")
        faint = [make("span", class_="faint", style=f"width: {number:.2%}") for number in thin]
        spans = [join(*both) for both in zip(spans, faint, strict=True)]
    rows = _rows(names, spans, numbers, digits=4)
    heads = words("label"), words("probability"), words("number")
    return make_table(heads, rows, reachable=False)


def _rows(names: list[str], spans: list[Html], numbers: list[float], *, digits: int) -> list[Html]:
    """Make a row for each name, with its bar and its number. The largest number is bold."""
    rows = []
    for name, span, number in zip(names, spans, numbers, strict=True):
        kind = "number winner" if number == max(numbers) else "number"
        shown = f"{round(number, digits) + 0.0:.{digits}f}"  # adding 0.0 turns -0.0 into 0.0
        rows.append(row(name, make("td", span, class_="bar"), make("td", shown, class_=kind)))
    return rows


def probability_picture(
    labels: Sequence[str], probabilities: Numbers, *, reference: Numbers | None = None
) -> Picture:
    """Draw probabilities as bars, with thin ones below them for comparison."""
    return frame(bars(labels, probabilities, reference))


def similarity_picture(sentences: Sequence[str], similarities: Numbers) -> Picture:
    """Draw similarities as bars. One of 0 or less has no bar; the highest is bold."""
    names = to_names(sentences, "sentences")
    # rounding may lead a little beyond 1, in bfloat16 by almost 0.01
    numbers = to_numbers(similarities, "similarities", low=-1.01, high=1.01)
    check_each(numbers, names, "similarity", "sentences")
    spans = [make("span", style=f"width: {max(number, 0):.1%}") for number in numbers]
    rows = _rows(names, spans, numbers, digits=2)
    heads = words("sentence"), words("similarity"), words("number")
    return frame(make_table(heads, rows))


def measure_picture(table: pd.DataFrame, *, digits: int = 1) -> Picture:
    """Draw a table of measurements, each number with a bar beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each thing that was measured, a column for each measure; no number negative.
    digits : int, default 1
        How many digits after the point a fraction is shown with.

    Returns
    -------
    Picture
        The table. In each column the longest bar is the largest number.

    Raises
    ------
    ValueError
        If a number is negative, missing or infinite.
    """
    check_table(table, (), "pandas.DataFrame({measure: numbers}, index=names)")
    digits = to_count(digits, "digits")
    columns = []
    for name, column in table.items():
        largest = max(to_numbers(column, f"the column {name!r}", low=0))
        columns.append([_measure(value, largest, digits) for value in column.tolist()])
    rows = [row(str(name), *cells) for name, *cells in zip(table.index, *columns, strict=True)]
    return frame(make_table([make("td"), *map(str, table.columns)], rows, kind="measures"))


def _measure(value: float, largest: float, digits: int) -> Html:
    """Make a cell with a number below its bar."""
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    width = float(value) / largest if largest else 0
    return make("td", make("span", style=f"width: {width:.1%}"), shown, class_="bar")


def batches_picture(table: pd.DataFrame, *, shown: int = 10) -> Picture:
    """Draw the first batches as bars in which padding is hatched, and sum all of them up."""
    columns = ("rows", "width", "tokens", "padding")
    check_table(table, columns, "helpers.text.batch_table(lengths, batches)")
    for name in columns:
        to_numbers(table[name], f"the column {name!r}", low=0)
    shown = to_count(shown, "shown", least=1)
    sizes = table["tokens"] + table["padding"]
    if not (sizes > 0).all():
        raise ValueError(f"Expected batches of at least one position; got {sizes.tolist()}.")
    padding = table["padding"].sum() / sizes.sum()
    shapes = table[["rows", "width"]].drop_duplicates()
    summary = words(
        "{batches} batches, {positions} positions, {padding} of them padding. "
        "Different shapes: {shapes}.",
        batches=len(table),
        positions=f"{sizes.sum():,}",
        padding=f"{padding:.0%}",
        shapes=len(shapes),
    )
    if len(table) > shown:
        summary += " " + words("Drawn are the first {count}.", count=shown)
    rows = []
    for i, one in enumerate(table.head(shown).itertuples()):
        parts = [
            make("span", style=f"width: {100 * part / sizes.max():.2f}%; {style}")
            for part, style in ((one.tokens, REAL), (one.padding, FILLED))
        ]
        bar = make("div", *parts, style="display: flex")
        share = one.padding / (one.tokens + one.padding)
        cells = [
            make("td", f"({one.rows}, {one.width})", class_="number"),
            make("td", bar, class_="bar", style="width: 22rem; border: 0"),
            make("td", f"{share:.0%}", class_="number"),
        ]
        rows.append(row(f"{i}", *cells))
    marks = [(REAL, words("tokens")), (FILLED, words("hatched: padding"))]
    heads = words("batch"), words("shape"), words("positions"), words("padding")
    return frame(note(summary), make_table(heads, rows), legend(marks, by="style"))


def progress_picture(done: int, steps: int, *, seconds: float | None = None) -> Picture:
    """Draw how far a training has come.

    Parameters
    ----------
    done : int
        How many steps are done.
    steps : int
        The number of all steps; 0 where it is not known yet.
    seconds : float, optional
        How long the rest may take. NaN or infinity count as unknown.

    Returns
    -------
    Picture
        A progress bar, and the same in words.

    Raises
    ------
    ValueError
        If more steps are done than there are.
    """
    done, steps = to_count(done, "done"), to_count(steps, "steps")
    if done > steps > 0:
        raise ValueError(f"Expected at most {steps} steps done; got {done}. Count all epochs.")
    said = words("not begun yet")
    if steps:
        said = words("step {done} of {steps}", done=f"{done:,}", steps=f"{steps:,}")
    if seconds is not None and done < steps and math.isfinite(seconds):
        minutes, rest = divmod(math.ceil(max(seconds, 0)), 60)
        left = words("{seconds} s", seconds=rest)
        if minutes:
            left = words("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
        said = words("{progress}, about {time} left", progress=said, time=left)
    role = {"role": "progressbar", "aria_label": words("Training")}
    bar = make("progress", **role, max=max(steps, 1), value=done, aria_valuetext=said)
    line = make("p", bar, make("span", said, class_="number"), class_="progress-line")
    return frame(PROGRESS, line)
