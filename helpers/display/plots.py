"""Plots drawn with matplotlib. Each function returns the Figure, on a white ground.

The plots of a training are in `helpers.display.curves`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from helpers.display.inputs import to_array, to_count, to_names, to_numbers
from helpers.text import batch_table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.figure import Figure

P = ParamSpec("P")

TOKENS, PADDING = "#2456a6", "#f0c38e"  # 4.4 to 1 against each other
LINES = (TOKENS, "#8a4b00", "#1c6b3c", "#5b3a8c")  # each at least 4.5 to 1 against white


def plot(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw with matplotlib's defaults, whatever style the reader has set.

    A ``$`` in a name stays a ``$``, and doesn't begin a formula.

    Parameters
    ----------
    draw : callable
        A function that returns a figure of `matplotlib.pyplot`.

    Returns
    -------
    callable
        The same function. It closes its figure, which a notebook would show twice otherwise.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib.pyplot as plt

        with plt.style.context(["default", {"text.parse_math": False}]):
            figure = draw(*args, **kwargs)
        plt.close(figure)
        return figure

    return drawn


@plot
def similarity_heatmap(matrix: npt.ArrayLike, labels: Sequence[str]) -> Figure:
    """Draw how similar each of some texts is to each other one.

    Parameters
    ----------
    matrix : array_like
        The similarities, ``(n, n)``, each at most 1. The cells show them with two digits.
    labels : sequence of str
        The ``n`` texts. They are numbered; the columns carry the numbers only.

    Returns
    -------
    matplotlib.figure.Figure
        A square of cells, dark for dissimilar and light for similar, on a white ground.

    Raises
    ------
    ValueError
        If the matrix doesn't have a row and a column for each label, or a number above 1.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    texts = to_names(labels, "labels")
    similarities = to_array(matrix, "similarities")
    n = len(texts)
    if similarities.shape != (n, n) or not n:
        raise ValueError(
            f"Expected a row and a column for each of the {n} labels, ({n}, {n}), and at least "
            f"one; got {similarities.shape}. Compare the same texts with themselves, in the order "
            "of the labels."
        )
    if not (similarities <= 1.01).all():  # NaN isn't; rounding may lead a little beyond 1
        raise ValueError(
            f"Expected similarities of at most 1; got {similarities.tolist()}. Divide the vectors "
            "by their lengths first."
        )
    figure, axes = plt.subplots(figsize=(2.6 + 0.6 * n, 1.0 + 0.5 * n), facecolor="white")
    # cividis runs evenly from dark to light, and looks the same to the colour-blind
    lowest = similarities.min(initial=0.0)
    axes.imshow(similarities, cmap="cividis", vmin=lowest, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(n, n):
        value = similarities[row, column].item()
        axes.text(
            column,
            row,
            f"{round(value, 2) + 0.0:.2f}",  # + 0.0 turns -0.00 into 0.00
            ha="center",
            va="center",
            color="black" if (value - lowest) / (1 - lowest) > 0.47 else "white",
        )
    numbers = range(1, n + 1)
    axes.set_xticks(range(n), [str(i) for i in numbers])
    axes.set_yticks(range(n), [f"{label}  {i}" for i, label in zip(numbers, texts, strict=True)])
    axes.set_title("Cosine similarity")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    return figure


@plot
def padding_plot(
    lengths: Sequence[int],
    plans: Mapping[str, tuple[Sequence[Sequence[int]], int | None]],
    *,
    shown: int = 8,
) -> Figure:
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
        A panel for each plan, batch below batch, all on the same scale. Its title says how much
        of all the batches, drawn or not, is padding.

    Raises
    ------
    ValueError
        If there is no plan, or a plan has no batch.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    tokens = [int(length) for length in to_numbers(lengths, "lengths", low=0)]
    shown = to_count(shown, "shown", least=1)
    batches = {name: _examples(some, len(tokens)) for name, (some, _) in plans.items()}
    if not batches or not all(batches.values()):
        raise ValueError(
            f"Expected at least one plan, and a batch in each; got {batches}. Make batches with "
            "helpers.text.make_batches(lengths, batch_size)."
        )
    tables = {
        name: batch_table(tokens, batches[name], width=width) for name, (_, width) in plans.items()
    }
    widest = max(int(table["width"].head(shown).max()) for table in tables.values())
    figure, panels = plt.subplots(
        1, len(plans), figsize=(9, 4), facecolor="white", squeeze=False, sharex=True, sharey=True
    )
    for axes, (name, table) in zip(panels[0], tables.items(), strict=True):
        axes.imshow(
            _padded_lines(tokens, batches[name][:shown], table["width"].tolist(), widest),
            cmap=ListedColormap(["white", TOKENS, PADDING]),
            vmin=0,
            vmax=2,
            aspect="auto",
            interpolation="nearest",
        )
        share = table["padding"].sum() / table[["tokens", "padding"]].sum().sum()
        axes.set_title(f"{name}\n{share:.0%} padding", fontsize=11)
        axes.set_yticks([])
        axes.set_xlabel("position in the row")
        axes.locator_params(axis="x", nbins=5)
        axes.spines[:].set_visible(False)
    marks = [Patch(color=TOKENS, label="tokens"), Patch(color=PADDING, label="padding")]
    figure.legend(handles=marks, loc="lower center", ncols=2, frameon=False)
    figure.tight_layout(rect=(0, 0.06, 1, 1), w_pad=2.5)
    return figure


def _examples(batches: Sequence[Sequence[int]], number: int) -> list[list[int]]:
    """Turn batches into lists of ints, each of which is an example."""
    rows = [[int(one) for one in to_numbers(batch, "examples", low=0)] for batch in batches]
    for row in rows:
        if not row or max(row) >= number:
            raise ValueError(f"Expected examples from 0 to {number - 1} in each batch; got {row}.")
    return rows


def _padded_lines(
    lengths: Sequence[int], batches: Sequence[Sequence[int]], widths: Sequence[int], widest: int
) -> list[npt.NDArray[np.float64]]:
    """Make a line for each row: 1 where it has a token, 2 where it has padding, 0 elsewhere."""
    import numpy as np

    lines = []
    for batch, width in zip(batches, widths, strict=False):
        for example in batch:
            line = np.zeros(widest)
            line[:width] = 2
            line[: lengths[example]] = 1
            lines.append(line)
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
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
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
        If a series doesn't have a number of 0 or more for each of ``x``, or there are none or more
        than three.
    """
    import matplotlib.pyplot as plt

    if not 0 < len(series) <= 3:
        raise ValueError(f"Expected one to 3 series; got {len(series)}. Draw two plots.")
    places = to_numbers(x, "x", low=0)
    if not places or not max(places):
        raise ValueError(f"Expected at least one place above 0; got {places}.")
    lines = {}
    for name, values in series.items():
        lines[str(name)] = to_numbers(values, f"the numbers of {name!r}", low=0)
        if len(lines[str(name)]) != len(places):
            raise ValueError(
                f"Expected {len(places)} numbers for {name!r}, one for each of x; got "
                f"{len(lines[str(name)])}."
            )
    figure, axes = plt.subplots(figsize=(8, 3.2), facecolor="white")
    styles = zip(LINES, ("o-", "s--", "^:"), strict=False)
    for (name, numbers), (colour, style) in zip(lines.items(), styles, strict=False):
        axes.plot(places, numbers, style, color=colour)
        axes.annotate(
            name,
            (places[-1], numbers[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    axes.set_xlim(0, 1.35 * max(places))  # room for the names
    axes.set_ylim(bottom=0)
    axes.set_xticks(places)
    axes.set_xlabel(x_label)
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


@plot
def confusion_heatmap(
    references: Sequence[int], predictions: Sequence[int], labels: Sequence[str]
) -> Figure:
    """Draw how often each class was taken for each.

    Parameters
    ----------
    references : sequence of int
        The true classes, ``(rows,)``.
    predictions : sequence of int
        The predicted classes, ``(rows,)``.
    labels : sequence of str
        The name of each class.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each true class, a column for each predicted one. The cells hold how many there
        are, and which share of the row that is; the darker, the larger the share.

    Raises
    ------
    ValueError
        If there isn't a prediction for each true class, or a number that is no class.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    names = to_names(labels, "labels")
    true, predicted = to_array(references, "references"), to_array(predictions, "predictions")
    if true.shape != predicted.shape or true.ndim != 1 or not len(true):
        raise ValueError(
            f"Expected a prediction for each true class, (rows,) both; got {predicted.shape} for "
            f"{true.shape}. Take the argmax of the logits over their last axis first."
        )
    n = len(names)
    numbers = np.concatenate([true, predicted])
    if not np.isin(numbers, np.arange(n)).all():
        raise ValueError(
            f"Expected classes from 0 to {n - 1}, for the {n} labels; got {numbers.min():g} to "
            f"{numbers.max():g}. Pass a label for each class."
        )
    counts = np.zeros((n, n), dtype=int)
    np.add.at(counts, (true.astype(int), predicted.astype(int)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(2.4 + 1.3 * n, 1.2 + 0.9 * n), facecolor="white")
    axes.imshow(shares, cmap="cividis_r", vmin=0.0, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(n, n):
        axes.text(
            column,
            row,
            f"{counts[row, column]:,}\n{shares[row, column]:.0%}",
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.53 else "black",
        )
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    return figure
