"""Pictures drawn with matplotlib. Each function returns the Figure, on a white ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.text import batch_table

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from helpers.training import History


def similarity_heatmap(matrix: npt.ArrayLike, labels: Sequence[str]) -> Figure:
    """Draw how similar each of some texts is to each other one.

    Parameters
    ----------
    matrix : array_like
        The similarities, ``(n, n)``, each at most 1. They stand in the cells with two digits.
    labels : sequence of str
        The ``n`` texts. They are numbered; the columns carry the numbers only.

    Returns
    -------
    matplotlib.figure.Figure
        A square of cells, dark for dissimilar and light for similar, on a white ground.

    Raises
    ------
    ValueError
        If the matrix is not square, or has not one row for each label.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    matrix = np.asarray(matrix, dtype=float)
    n = len(labels)
    if matrix.shape != (n, n):
        raise ValueError(
            f"expected a row and a column for each of the {n} labels, ({n}, {n}); got "
            f"{matrix.shape}. Compare the same texts with themselves, in the order of the labels."
        )
    figure, axes = plt.subplots(figsize=(2.6 + 0.6 * n, 1.0 + 0.5 * n), facecolor="white")
    # cividis runs evenly from dark to light, and looks the same to the colour-blind
    lowest = matrix.min(initial=0.0)
    image = axes.imshow(matrix, cmap="cividis", vmin=lowest, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(n, n):
        value = matrix[row, column]
        axes.text(
            column,
            row,
            f"{round(value, 2) + 0.0:.2f}",  # + 0.0 makes 0.00 of -0.00
            ha="center",
            va="center",
            color="black" if image.norm(value) > 0.47 else "white",
        )
    numbers = range(1, n + 1)
    axes.set_xticks(range(n), [str(i) for i in numbers])
    axes.set_yticks(range(n), [f"{label}  {i}" for i, label in zip(numbers, labels, strict=True)])
    axes.set_title("Cosine similarity")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure


TOKENS, PADDING = "#2456a6", "#f0c38e"  # 4.4 to 1 against each other


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
    """
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    tables = {
        name: batch_table(lengths, batches, width=width) for name, (batches, width) in plans.items()
    }
    widest = max(int(table["width"].head(shown).max()) for table in tables.values())
    figure, panels = plt.subplots(
        1, len(plans), figsize=(9, 4), facecolor="white", squeeze=False, sharex=True, sharey=True
    )
    for axes, (name, (batches, _)) in zip(panels[0], plans.items(), strict=True):
        lines = []
        for batch, width in zip(batches[:shown], tables[name]["width"], strict=False):
            for example in batch:
                line = np.zeros(widest)
                line[:width] = 2
                line[: lengths[example]] = 1
                lines.append(line)
            lines += [np.zeros(widest)] * 2  # a gap before the next batch
        axes.imshow(
            lines,
            cmap=ListedColormap(["white", TOKENS, PADDING]),
            vmin=0,
            vmax=2,
            aspect="auto",
            interpolation="nearest",
        )
        share = tables[name]["padding"].sum() / tables[name][["tokens", "padding"]].sum().sum()
        axes.set_title(f"{name}\n{share:.0%} padding", fontsize=11)
        axes.set_yticks([])
        axes.set_xlabel("position in the row")
        axes.locator_params(axis="x", nbins=5)
        axes.spines[:].set_visible(False)
    marks = [Patch(color=TOKENS, label="tokens"), Patch(color=PADDING, label="padding")]
    figure.legend(handles=marks, loc="lower center", ncols=2, frameon=False)
    figure.tight_layout(rect=(0, 0.06, 1, 1), w_pad=2.5)
    plt.close(figure)  # else a notebook would show it twice
    return figure


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
        If there is no number, or a negative one.
    """
    import matplotlib.pyplot as plt

    if not values or min(values.values()) < 0:
        raise ValueError(f"values must hold numbers of 0 or more; got {dict(values)}.")
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.45 * len(values)), facecolor="white")
    bars = axes.barh(list(values), list(values.values()), color=TOKENS, height=0.6)
    axes.bar_label(bars, fmt=f"%.{digits}f", padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure


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
        If a series has not a number for each of ``x``, or there are more than three.
    """
    import matplotlib.pyplot as plt

    if len(series) > 3:
        raise ValueError(f"expected at most 3 series; got {len(series)}. Draw two pictures.")
    for name, values in series.items():
        if len(values) != len(x):
            raise ValueError(f"expected {len(x)} numbers for {name!r}; got {len(values)}.")
    figure, axes = plt.subplots(figsize=(8, 3.2), facecolor="white")
    styles = zip((TOKENS, "#8a4b00", "#1c6b3c"), ("o-", "s--", "^:"), strict=True)
    for (name, values), (colour, style) in zip(series.items(), styles, strict=False):
        axes.plot(x, values, style, color=colour)
        axes.annotate(
            name,
            (x[-1], values[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    axes.set_xlim(0, 1.35 * max(x))  # room for the names
    axes.set_ylim(bottom=0)
    axes.set_xticks(x)
    axes.set_xlabel(x_label)
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure


def learning_rates(schedules: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the learning rate of each step of a training, a line for each schedule.

    Parameters
    ----------
    schedules : mapping of str to sequence of float
        The learning rates, step by step, under the name to show.

    Returns
    -------
    matplotlib.figure.Figure
        Lines from zero with a legend, told apart by colour and by stroke.

    Raises
    ------
    ValueError
        If there is no schedule, or more than four.
    """
    import matplotlib.pyplot as plt

    strokes = ((TOKENS, "-"), ("#8a4b00", "--"), ("#1c6b3c", "-."), ("#5b3a8c", ":"))
    if not 0 < len(schedules) <= len(strokes):
        raise ValueError(
            f"expected one to {len(strokes)} schedules; got {len(schedules)}. Draw the rest apart."
        )
    figure, axes = plt.subplots(figsize=(8, 3.2), facecolor="white")
    for (name, rates), (colour, style) in zip(schedules.items(), strokes, strict=False):
        axes.plot(range(1, len(rates) + 1), rates, style, color=colour, label=name, linewidth=2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure


def learning_curve(
    history: History, *, baselines: Mapping[str, float] | None = None, metric: str = "f1"
) -> Figure:
    """Draw how a training went: its loss, and a metric after each evaluation.

    Parameters
    ----------
    history : History
        What `helpers.training.train` returned.
    baselines : mapping of str to float, optional
        What the metric is without training, by name: each a dashed line.
    metric : str, default "f1"
        Which number of the evaluations to draw, such as "f1" or "accuracy".

    Returns
    -------
    matplotlib.figure.Figure
        The loss of each step with its running mean, beside the metric.

    Raises
    ------
    ValueError
        If the history is empty, or an evaluation has no such metric.
    """
    import matplotlib.pyplot as plt

    if not history.losses:
        raise ValueError("Expected the history of a training; got an empty one. Train first.")
    for one in history.evaluations:
        if metric not in one:
            raise ValueError(
                f"Expected {metric!r} in each evaluation; got {sorted(one)}. Pass one of these as "
                "metric."
            )
    drawn = 2 if history.evaluations else 1
    figure, panels = plt.subplots(
        1, drawn, figsize=(9, 3.2), facecolor="white", squeeze=False, sharex=True
    )
    _draw_losses(panels[0, 0], history.losses)
    if history.evaluations:
        steps = [one["step"] for one in history.evaluations]
        values = [one[metric] for one in history.evaluations]
        _draw_metric(panels[0, 1], steps, values, baselines or {})
        panels[0, 1].set_title(metric)
    for axes in panels[0]:
        axes.set_xlim(0, 1.08 * len(history.losses))
        axes.set_xlabel("steps")
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure


def _draw_losses(axes: Axes, losses: Sequence[float]) -> None:
    import numpy as np

    steps = np.arange(1, len(losses) + 1)
    window = max(1, len(losses) // 20)
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    means = (sums[window:] - sums[:-window]) / window  # of each step and those before it
    axes.plot(steps, losses, color=TOKENS, alpha=0.3, linewidth=1)
    axes.plot(steps[window - 1 :], means, color=TOKENS)
    axes.set_ylim(bottom=0)
    axes.set_title(f"loss, and its mean over {window} steps" if window > 1 else "loss")


def _draw_metric(
    axes: Axes, steps: Sequence[int], values: Sequence[float], baselines: Mapping[str, float]
) -> None:
    """Draw a line with its numbers, and a dashed one for each baseline, named beside the frame."""
    axes.plot(steps, values, "o-", color=TOKENS)
    for step, value in zip(steps, values, strict=True):
        axes.annotate(
            f"{value:.2f}",
            (step, value),
            (0 if step else 5, 7),
            textcoords="offset points",
            ha="center" if step else "left",  # before the training: beside the axis, not on it
        )
    shown = [*baselines.values(), *values]
    room = max(0.02, 0.2 * (max(shown) - min(shown)))
    bottom, top = max(0.0, min(shown) - room), min(1.05, max(shown) + 1.5 * room)
    axes.set_ylim(bottom, top)
    least, free = (top - bottom) / 12, bottom  # the height of a line of text
    for name, value in sorted(baselines.items(), key=lambda item: item[1]):
        axes.axhline(value, color="#555555", linestyle="--", linewidth=1)
        free = max(value, free)
        axes.annotate(
            f"{name} {value:.2f}",
            (1.0, value),
            (1.03, free),
            xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            color="#333333",
            arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.6},
            annotation_clip=False,
        )
        free += least


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

    true, predicted = np.asarray(references), np.asarray(predictions)
    if true.shape != predicted.shape or true.ndim != 1 or not len(true):
        raise ValueError(
            f"Expected a prediction for each true class, (rows,) both; got {predicted.shape} for "
            f"{true.shape}. Take the argmax of the logits over their last axis first."
        )
    n = len(labels)
    numbers = np.concatenate([true, predicted])
    if not np.isin(numbers, np.arange(n)).all():
        raise ValueError(
            f"Expected classes from 0 to {n - 1}, for the {n} labels; got {numbers.min()} to "
            f"{numbers.max()}. Pass a label for each class."
        )
    counts = np.zeros((n, n), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(2.4 + 1.3 * n, 1.2 + 0.9 * n), facecolor="white")
    image = axes.imshow(shares, cmap="cividis_r", vmin=0.0, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(n, n):
        axes.text(
            column,
            row,
            f"{counts[row, column]:,}\n{shares[row, column]:.0%}",
            ha="center",
            va="center",
            color="white" if image.norm(shares[row, column]) > 0.53 else "black",
        )
    axes.set_xticks(range(n), labels)
    axes.set_yticks(range(n), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure
