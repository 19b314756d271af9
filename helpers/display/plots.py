"""Plots drawn with matplotlib. Each function returns the Figure, on a white ground."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from helpers.display.inputs import to_count, to_lines, to_numbers
from helpers.text import batch_table
from helpers.words import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.figure import Figure

P = ParamSpec("P")
Plan = tuple[Sequence[Sequence[int]], int | None]  # batches, and the width of all rows

TOKENS, PADDING = "#2456a6", "#f0c38e"  # 4.4 to 1 against each other
LINES = (TOKENS, "#8a4b00", "#1c6b3c", "#5b3a8c")  # each at least 4.5 to 1 against white


def plot(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw with matplotlib's defaults, whatever the reader has set."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        _prepare_matplotlib()
        import matplotlib.pyplot as plt

        # a $ in a name stays a $, and doesn't begin a formula
        with plt.style.context(["default", {"text.parse_math": False}]):
            figure = draw(*args, **kwargs)
        plt.close(figure)  # or a notebook would show it twice
        return figure

    return drawn


def _prepare_matplotlib() -> None:
    """Import matplotlib without a remark on its folder, and let notebooks show every Figure."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)  # where the home can't be written, it warns, and uses another
    from matplotlib.figure import Figure

    logger.setLevel(level)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        pictures = shell.display_formatter.formatters["image/png"]
        if Figure not in pictures.type_printers:  # MPLBACKEND names another backend than inline
            from IPython.core.pylabtools import select_figure_formats

            select_figure_formats(shell, {"png"}, bbox_inches="tight")


@plot
def padding_plot(lengths: Sequence[int], plans: Mapping[str, Plan], *, shown: int = 8) -> Figure:
    """Draw batches as rectangles, a line for each row, and what is padding in them.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    plans : mapping of str to tuple
        Under the name to show: for each batch which examples it holds, and how long every row is
        made; None means as long as the longest row of its own batch.
    shown : int, default 8
        How many batches of each plan are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each plan. Its title has the share of padding in all batches, drawn or not.

    Raises
    ------
    ValueError
        If there is no plan, a plan has no batch, or a batch an example that isn't there.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    tokens = [int(length) for length in to_numbers(lengths, "lengths", low=0)]
    shown = to_count(shown, "shown", least=1)
    batches = {name: _examples(some, len(tokens)) for name, (some, _) in plans.items()}
    if not batches:
        raise ValueError("Expected at least one plan; got none. Pass {'name': (batches, None)}.")
    tables = {name: batch_table(tokens, batches[name], width=plans[name][1]) for name in batches}
    widest = max(int(table["width"].head(shown).max()) for table in tables.values())
    figure = plt.figure(figsize=(9, 4), facecolor="white")
    panels = figure.subplots(1, len(plans), squeeze=False, sharex=True, sharey=True)
    colors = ListedColormap(["white", TOKENS, PADDING])
    for axes, (name, table) in zip(panels[0], tables.items(), strict=True):
        lines = _padded_lines(tokens, batches[name][:shown], table["width"].tolist(), widest)
        axes.imshow(lines, colors, vmin=0, vmax=2, aspect="auto", interpolation="nearest")
        share = table["padding"].sum() / table[["tokens", "padding"]].sum().sum()
        title = words("{name}\n{share} padding", name=name, share=f"{share:.0%}")
        axes.set_title(title, fontsize=11)
        axes.set(yticks=[], xlabel=words("position in the row"))
        axes.locator_params(axis="x", nbins=5)
        axes.spines[:].set_visible(False)
    names = {TOKENS: words("tokens"), PADDING: words("padding")}
    marks = [Patch(color=color, label=name) for color, name in names.items()]
    figure.legend(handles=marks, loc="lower center", ncols=2, frameon=False)
    figure.tight_layout(rect=(0, 0.06, 1, 1), w_pad=2.5)
    return figure


def _examples(batches: Sequence[Sequence[int]], number: int) -> list[list[int]]:
    """Turn batches into lists of ints, each of which is an example."""
    checked = [to_numbers(batch, "examples", low=0, high=number - 1) for batch in batches]
    rows = [[int(example) for example in batch] for batch in checked]
    if not rows or not all(rows):
        raise ValueError(
            f"Expected at least one batch in each plan, and one example in each batch; got {rows}. "
            "Make batches with helpers.text.make_batches(lengths, batch_size)."
        )
    return rows


def _padded_lines(
    lengths: Sequence[int], batches: Sequence[Sequence[int]], widths: Sequence[int], widest: int
) -> list[npt.NDArray[np.float64]]:
    """Make a line for each row: 1 where it has a token, 2 where it has padding, 0 elsewhere."""
    import numpy as np

    lines = []
    place = np.arange(widest)
    for batch, width in zip(batches, widths, strict=False):
        empty = np.where(place < width, 2.0, 0.0)
        lines += [np.where(place < lengths[example], 1.0, empty) for example in batch]
        lines += [np.zeros(widest)] * 2  # a gap before the next batch
    return lines


@plot
def measured_bars(values: Mapping[str, float], *, label: str, digits: int = 2) -> Figure:
    """Draw what was measured on this machine, a bar for each thing.

    Parameters
    ----------
    values : mapping of str to float
        The numbers, by name, from top to bottom.
    label : str
        What they are, with their unit.
    digits : int, default 2
        How many digits after the point the numbers are written with.

    Returns
    -------
    matplotlib.figure.Figure
        Bars from zero, each with its number.

    Raises
    ------
    ValueError
        If there is no number, or one is negative, missing or infinite.
    """
    import matplotlib.pyplot as plt

    names = [str(name) for name, _ in values.items()]
    numbers = to_numbers([number for _, number in values.items()], "values", low=0)
    digits = to_count(digits, "digits")
    if not names:
        raise ValueError("Expected numbers of 0 or more; got none. Pass {'name': number}.")
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.45 * len(names)), facecolor="white")
    bars = axes.barh(names, numbers, color=TOKENS, height=0.6)
    axes.bar_label(bars, fmt=f"%.{digits}f", padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(xlim=(0, None), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.tight_layout()
    return figure


@plot
def measured_lines(
    x: Sequence[float], series: Mapping[str, Sequence[float]], *, x_label: str, label: str
) -> Figure:
    """Draw how something that was measured grows, a line for each way of doing it.

    Parameters
    ----------
    x : sequence of float
        Where it was measured.
    series : mapping of str to sequence of float
        The measured numbers, one for each of ``x``, by name.
    x_label : str
        What ``x`` is.
    label : str
        What was measured, with its unit.

    Returns
    -------
    matplotlib.figure.Figure
        Lines from zero, each named at its end.

    Raises
    ------
    ValueError
        If there isn't a number of 0 or more for each of ``x``, or no series, or more than three.
    """
    import matplotlib.pyplot as plt

    lines = to_lines(series, "series", most=3)
    places = to_numbers(x, "x", low=0)
    if not places or not max(places):
        raise ValueError(f"Expected at least one place above 0; got {places}.")
    for name, numbers in lines.items():
        if len(numbers) != len(places):
            raise ValueError(
                f"Expected {len(places)} numbers for {name!r}, one for each of x; got "
                f"{len(numbers)}."
            )
    figure, axes = plt.subplots(figsize=(8, 3.2), facecolor="white")
    styles = zip(LINES, ("o-", "s--", "^:"), strict=False)
    for (name, numbers), (color, style) in zip(lines.items(), styles, strict=False):
        axes.plot(places, numbers, style, color=color)
        place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(name, (places[-1], numbers[-1]), color=color, **place)
    widest = 1.35 * max(places)  # room for the names
    axes.set(xlim=(0, widest), ylim=(0, None), xticks=places, xlabel=x_label, ylabel=label)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


@plot
def interval_plot(
    intervals: Mapping[str, tuple[float, float, float]], *, label: str, mark: float = 0.0
) -> Figure:
    """Draw scores with their intervals, one below the other, and the line that they should clear.

    Parameters
    ----------
    intervals : mapping of str to tuple of float
        By name, from top to bottom: the score, and the lower and the upper end of its interval.
    label : str
        What the scores are, with their unit.
    mark : float, default 0.0
        Where to draw the line, such as 0 for a difference.

    Returns
    -------
    matplotlib.figure.Figure
        A dot for each score on a line from end to end.

    Raises
    ------
    ValueError
        If there is no score, or one isn't between the ends of its interval.
    """
    import matplotlib.pyplot as plt

    rows = {str(name): to_numbers(three, "intervals") for name, three in intervals.items()}
    for name, three in rows.items():
        if len(three) != 3 or not three[1] <= three[0] <= three[2]:
            raise ValueError(
                f"Expected (score, low, high) for {name!r}, with the score between the other two; "
                f"got {tuple(three)}."
            )
    if not rows:
        raise ValueError("Expected at least one score; got none. Pass {'name': (0.1, 0.0, 0.2)}.")
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.45 * len(rows)), facecolor="white")
    for place, (score, low, high) in enumerate(rows.values()):
        axes.plot([low, high], [place, place], color=TOKENS, linewidth=2)
        axes.plot(score, place, "o", color=TOKENS)
    axes.axvline(mark, color=LINES[1], linestyle="--")
    axes.set(yticks=range(len(rows)), yticklabels=rows, xlabel=label)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.2)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.tight_layout()
    return figure
