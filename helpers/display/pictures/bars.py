"""Numbers as bars: probabilities, similarities, measurements, batches, progress."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.display.inputs import check_table, to_array, to_count, to_names, to_numbers
from helpers.display.pictures.html import Html, Picture, frame, legend, make, make_table, note, row

if TYPE_CHECKING:
    import pandas as pd

# The parts of a bar, inline: pictures.css is stored with every picture of the book.
REAL = "background: rgba(48, 122, 222, .75); border-radius: 0"
FILLED = (
    "background: repeating-linear-gradient(135deg, rgba(128, 128, 128, .45) 0 4px, "
    "transparent 4px 9px); border-radius: 0; box-shadow: inset 0 0 0 1px rgba(128, 128, 128, .6)"
)
PROGRESS = Html(
    "<style>\n"
    ".progress-line { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; "
    "margin: 0; }\n"
    ".progress-line progress { width: min(20rem, 60%); height: 1rem; "
    "accent-color: rgb(48, 122, 222); }\n"
    "</style>"
)


def bars(
    labels: Sequence[str],
    probabilities: Sequence[float],
    reference: Sequence[float] | None = None,
) -> Html:
    """Make a table with a bar for each label.

    Parameters
    ----------
    labels : sequence of str
        A name for each bar.
    probabilities : sequence of float
        As many numbers between 0 and 1.
    reference : sequence of float, optional
        As many again, drawn as a thin bar below each.

    Returns
    -------
    Html
        A row for each label: its name, its bar, its number.

    Raises
    ------
    ValueError
        If there is no label, the lengths differ, or a number isn't between 0 and 1.
    """
    names = to_names(labels, "labels")
    numbers = to_numbers(probabilities, "probabilities", low=0, high=1)
    thin = None if reference is None else to_numbers(reference, "reference", low=0, high=1)
    for given in (numbers, numbers if thin is None else thin):
        if len(given) != len(names) or not names:
            raise ValueError(
                f"Expected a probability for each of the labels {names}, and at least one; got "
                f"{len(given)}."
            )
    rows = []
    for i, (name, number) in enumerate(zip(names, numbers, strict=True)):
        parts = [make("span", style=f"width: {number:.2%}")]
        if thin is not None:
            parts.append(make("span", class_="faint", style=f"width: {thin[i]:.2%}"))
        rows.append(row(name, make("td", *parts, class_="bar"), _number(number, numbers, 4)))
    return make_table(("label", "probability", "number"), rows, reachable=False)


def _number(number: float, among: Sequence[float], digits: int) -> Html:
    """Make a cell with a number, bold if it is the largest."""
    kind = "number winner" if number == max(among) else "number"
    # adding 0.0 turns -0.0 into 0.0
    return make("td", f"{round(number, digits) + 0.0:.{digits}f}", class_=kind)


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
    """
    return frame(bars(labels, probabilities, reference))


def similarity_picture(sentences: Sequence[str], similarities: Sequence[float]) -> Picture:
    """Draw similarities as bars, one for each sentence.

    Parameters
    ----------
    sentences : sequence of str
        The sentences, in the order in which they are to be shown.
    similarities : sequence of float
        As many numbers between -1 and 1. A similarity of 0 or less has no bar.

    Returns
    -------
    Picture
        A row for each sentence: itself, its bar, its number. The highest number is bold.

    Raises
    ------
    ValueError
        If the lengths differ, there is no sentence, or a number isn't between -1 and 1.
    """
    names = to_names(sentences, "sentences")
    # rounding may lead a little beyond 1, in bfloat16 by almost 0.01
    numbers = to_numbers(similarities, "similarities", low=-1.01, high=1.01)
    if len(names) != len(numbers) or not names:
        raise ValueError(
            f"Expected a similarity for each of {len(names)} sentences, and at least one; got "
            f"{len(numbers)}."
        )
    rows = []
    for name, number in zip(names, numbers, strict=True):
        bar = make("span", style=f"width: {max(number, 0):.1%}")
        rows.append(row(name, make("td", bar, class_="bar"), _number(number, numbers, 2)))
    return frame(make_table(("sentence", "similarity", "number"), rows))


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
        numbers = to_array(column, f"the column {name!r}")
        if not all(0 <= number < math.inf for number in numbers):
            raise ValueError(
                f"Expected numbers of 0 or more in the column {name!r}; got {numbers.tolist()}."
            )
        largest = numbers.max()
        columns.append([_measure(value, largest, digits) for value in column.tolist()])
    rows = [row(str(name), *cells) for name, *cells in zip(table.index, *columns, strict=True)]
    return frame(make_table([make("td"), *map(str, table.columns)], rows, kind="measures"))


def _measure(value: float, largest: float, digits: int) -> Html:
    """Make a cell with a number below its bar."""
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    width = float(value) / largest if largest else 0
    return make("td", make("span", style=f"width: {width:.1%}"), shown, class_="bar")


def batches_picture(table: pd.DataFrame, *, shown: int = 10) -> Picture:
    """Draw batches as bars in which padding is hatched.

    Parameters
    ----------
    table : pandas.DataFrame
        What `helpers.text.batch_table` returned.
    shown : int, default 10
        How many batches are drawn; the summary is over all of them.

    Returns
    -------
    Picture
        A summary, and a row for each batch: its shape, a bar as long as the batch is large, and
        how much of it is padding.

    Raises
    ------
    ValueError
        If a batch has no position.
    """
    columns = ("rows", "width", "tokens", "padding")
    check_table(table, columns, "helpers.text.batch_table(lengths, batches)")
    for name in columns:
        to_numbers(table[name], f"the column {name!r}", low=0)
    shown = to_count(shown, "shown", least=1)
    sizes = table["tokens"] + table["padding"]
    if not (sizes > 0).all():
        raise ValueError(f"Expected batches of at least one position; got {sizes.tolist()}.")
    shapes = table[["rows", "width"]].drop_duplicates()
    summary = (
        f"{len(table)} batches, {sizes.sum():,} positions, "
        f"{table['padding'].sum() / sizes.sum():.0%} of them padding. "
        f"Different shapes: {len(shapes)}."
    )
    if len(table) > shown:
        summary += f" Drawn are the first {shown}."
    rows = []
    for i, one in enumerate(table.head(shown).itertuples()):
        parts = [
            make("span", style=f"width: {100 * part / sizes.max():.2f}%; {style}")
            for part, style in ((one.tokens, REAL), (one.padding, FILLED))
        ]
        bar = make("div", *parts, style="display: flex")
        share = one.padding / (one.tokens + one.padding)
        rows.append(
            row(
                f"{i}",
                make("td", f"({one.rows}, {one.width})", class_="number"),
                make("td", bar, class_="bar", style="width: 22rem; border: 0"),
                make("td", f"{share:.0%}", class_="number"),
            )
        )
    marks = [(REAL, "tokens"), (FILLED, "hatched: padding")]
    heads = ("batch", "shape", "positions", "padding")
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
        raise ValueError(
            f"Expected at most {steps} steps done; got {done}. Pass the steps of all epochs."
        )
    words = f"step {done:,} of {steps:,}" if steps else "not begun yet"
    if seconds is not None and done < steps and math.isfinite(seconds):
        minutes, rest = divmod(math.ceil(max(seconds, 0)), 60)
        words += f", about {f'{minutes} min ' if minutes else ''}{rest} s left"
    bar = make(
        "progress",
        role="progressbar",
        aria_label="Training",
        max=max(steps, 1),
        value=done,
        aria_valuetext=words,
    )
    line = make("p", bar, make("span", words, class_="number"), class_="progress-line")
    return frame(PROGRESS, line)
