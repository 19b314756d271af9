"""The plots of a training: its learning rates, and its learning curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.display.inputs import to_array, to_lines, to_numbers
from helpers.display.plots import LINES, TOKENS, plot
from helpers.words import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from helpers.training import History


@plot
def learning_rates(schedules: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the learning rate of each step of a training, a line for each schedule.

    Parameters
    ----------
    schedules : mapping of str to sequence of float
        The learning rates, step by step, under the name to show.

    Returns
    -------
    matplotlib.figure.Figure
        Lines from zero with a legend, told apart by color and by stroke.

    Raises
    ------
    ValueError
        If there is no schedule, or more than four, or one has no step.
    """
    import matplotlib.pyplot as plt

    lines = to_lines(schedules, "schedules", most=len(LINES))
    if not all(lines.values()):
        raise ValueError(f"Expected a learning rate for each step; got none in {lines}.")
    figure, axes = plt.subplots(figsize=(8, 3.2), facecolor="white")
    strokes = zip(LINES, ("-", "--", "-.", ":"), strict=True)
    for rates, (color, style) in zip(lines.values(), strokes, strict=False):
        axes.plot(range(1, len(rates) + 1), rates, style, color=color, linewidth=2)
    axes.set(ylim=(0, None), xlabel=words("step"), ylabel=words("learning rate"))
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    # named here, since matplotlib leaves out a line whose own label begins with an underscore
    axes.legend(axes.lines, [*lines], frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
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
        Which number of the evaluations to draw, such as "f1", "accuracy" or "loss".

    Returns
    -------
    matplotlib.figure.Figure
        The loss with its running mean, beside the metric. Only finite numbers are drawn.

    Raises
    ------
    ValueError
        If the history is empty, or an evaluation has no such metric.
    """
    if not len(history.losses):
        raise ValueError("Expected the history of a training; got an empty one. Train first.")
    for one in history.evaluations:
        if metric not in one or "step" not in one:
            raise ValueError(
                f"Expected {metric!r} and 'step' in each evaluation; got {sorted(one)}. Pass one "
                "of these as metric."
            )
    return draw_curve(history.losses, history.evaluations, metric=metric, baselines=baselines)


@plot
def draw_curve(
    losses: Sequence[float],
    evaluations: Sequence[Mapping[str, float]],
    *,
    metric: str,
    baselines: Mapping[str, float] | None = None,
    steps: int | None = None,
) -> Figure:
    """Draw a learning curve. Of a training that runs: with room for all ``steps``."""
    import matplotlib.pyplot as plt

    drawn = 2 if len(evaluations) or steps is not None else 1
    figure = plt.figure(figsize=(9, 3.2), facecolor="white")
    panels = figure.subplots(1, drawn, squeeze=False, sharex=True)
    _draw_losses(panels[0, 0], to_array(losses, "losses"))
    if drawn == 2:
        measured = [(int(one["step"]), float(one[metric])) for one in evaluations]
        named = {} if baselines is None else dict(baselines.items())
        levels = zip(map(str, named), to_numbers(named.values(), "baselines"), strict=True)
        _draw_metric(panels[0, 1], measured, sorted(levels, key=lambda item: item[1]))
        panels[0, 1].set_title(metric)
    for axes in panels[0]:
        axes.set(xlim=(0, 1.08 * max(len(losses), steps or 0, 1)), xlabel=words("steps"))
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def _draw_losses(axes: Axes, losses: npt.NDArray[np.float64]) -> None:
    """Draw the loss of each step, and the mean of each and those before it."""
    import pandas as pd

    window = max(1, len(losses) // 20)
    steps = range(1, len(losses) + 1)
    finite = pd.Series(losses, index=steps).replace([math.inf, -math.inf], math.nan)
    means = finite.rolling(window, min_periods=1).mean()[window - 1 :]
    axes.plot(finite, color=TOKENS, alpha=0.3, linewidth=1)
    axes.plot(means, color=TOKENS)
    if not (finite < 0).any():
        axes.set_ylim(bottom=0)
    mean = words("loss, and its mean over {window} steps", window=window)
    axes.set_title(mean if window > 1 else words("loss"))


def _draw_metric(
    axes: Axes, measured: Sequence[tuple[int, float]], baselines: Sequence[tuple[str, float]]
) -> None:
    """Draw a line with its numbers, and a dashed one for each baseline, named beside the frame."""
    measured = [(step, value) for step, value in measured if math.isfinite(value)]
    axes.plot(*zip(*measured, strict=True) if measured else ([], []), "o-", color=TOKENS)
    for step, value in measured:
        # before the training: beside the axis, not on it
        place, side = ((0, 7), "center") if step else ((5, 7), "left")
        axes.annotate(f"{value:.2f}", (step, value), place, textcoords="offset points", ha=side)
    bottom, top = _limits([value for _, value in (*baselines, *measured)])
    axes.set_ylim(bottom, top)
    arrow = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6}
    style: dict[str, Any] = {"va": "center", "color": "#333333", "arrowprops": arrow}
    style |= {"xycoords": axes.get_yaxis_transform(), "annotation_clip": False}
    height, free = (top - bottom) / 12, bottom  # of a line of text
    for name, value in baselines:
        axes.axhline(value, color="#555555", linestyle="--", linewidth=1)
        free = max(value, free)
        axes.annotate(f"{name} {value:.2f}", (1.0, value), (1.03, free), **style)
        free += height


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Choose a scale with room for the numbers; within 0 and 1, as most metrics are, if it can."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = max(0.02, 0.2 * (high - low))
    bottom = low - room if low < 0 else max(0.0, low - room)
    top = high + 1.5 * room if high > 1 else min(1.05, high + 1.5 * room)
    return bottom, top
