"""The progress of a training: a bar, and the learning curve while it grows."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from helpers.display.curves import draw_curve
from helpers.display.pictures.bars import progress_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from helpers.training import History

SHARE = 0.02  # of the time of a training, at most, goes into drawing its curve


class _Plot(ipywidgets.Image):
    """A plot that is replaced without a flicker: the old one stays until the new one is loaded.

    Attributes
    ----------
    description : str
        Always empty. Without it, the JavaScript of ipywidgets 8.1 fails on a tooltip.
    """

    description = traitlets.Unicode("").tag(sync=True)

    def show(self, figure: Figure, words: str) -> None:
        """Replace the plot.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            The new one.
        words : str
            What it shows: its title, which a screen reader says.
        """
        png = io.BytesIO()
        figure.savefig(png, format="png")
        self.value, self.tooltip = png.getvalue(), words


class LearningCurve(ipywidgets.VBox):
    """A training while it runs: its progress, its loss, and a metric after each evaluation.

    Display it, then pass it to `helpers.training.train` as ``watch``. The curve is the plot of
    `helpers.display.learning_curve`. It is drawn after each evaluation, at the end, and in between
    as often as that takes at most 2 % of the time.

    Parameters
    ----------
    metric : str, default "f1"
        Which number of the evaluations to draw.
    baselines : mapping of str to float, optional
        What the metric is without training, by name: each a dashed line.
    every : float, default 1.0
        The least number of seconds between two updates.

    Attributes
    ----------
    bar : ipywidgets.HTML
        The progress bar as it is now.
    picture : ipywidgets.Image
        The curve as it is now, on a white ground in a light and in a dark theme.
    """

    def __init__(
        self,
        *,
        metric: str = "f1",
        baselines: Mapping[str, float] | None = None,
        every: float = 1.0,
    ) -> None:
        self._metric = metric
        self._baselines = {} if baselines is None else dict(baselines.items())
        self._every = every
        self._training: History | None = None
        self._measured = 0  # evaluations drawn so far
        self._next_bar = self._next_curve = 0.0  # times
        self._recent: deque[tuple[float, int]] = deque(maxlen=50)  # times and steps
        self.bar = ipywidgets.HTML(str(progress_picture(0, 0)))
        self.picture = _Plot()
        super().__init__([self.bar, self.picture])
        self._draw_curve([], [], 0)

    def __call__(self, history: History, steps: int) -> None:
        """Show how far a training has come.

        Parameters
        ----------
        history : History
            What happened so far.
        steps : int
            The number of all steps.
        """
        now, done = time.monotonic(), len(history.losses)
        if history is not self._training or (self._recent and done < self._recent[-1][1]):
            self._recent.clear()  # another training has begun
        self._recent.append((now, done))
        news = history is not self._training or len(history.evaluations) != self._measured
        news = news or done == steps
        self._training, self._measured = history, len(history.evaluations)
        if news or now >= self._next_bar:
            self._draw_bar(history, steps)
            self._next_bar = now + self._every
        if news or now >= self._next_curve:
            self._draw_curve(history.losses, history.evaluations, steps)
            finished = time.monotonic()
            self._next_curve = max(now + self._every, finished + (finished - now) / SHARE)

    def _draw_bar(self, history: History, steps: int) -> None:
        """Show the steps and the time left. At the end no time is left: that state is stored."""
        done, seconds = len(history.losses), None
        if done > self._recent[0][1]:
            pace = (self._recent[-1][0] - self._recent[0][0]) / (done - self._recent[0][1])
            seconds = pace * (steps - done)
        shown = str(progress_picture(done, max(steps, done), seconds=seconds))
        known = {name for one in history.evaluations for name in one} - {"step"}
        if known and self._metric not in known:  # an error would end the training
            shown += (
                f"<p role='alert'>Expected {escape(repr(self._metric))} in the evaluations; got "
                f"{escape(', '.join(sorted(known)))}. Pass one of these as metric.</p>"
            )
        self.bar.value = shown

    def _draw_curve(
        self, losses: Sequence[float], evaluations: Sequence[Mapping[str, float]], steps: int
    ) -> None:
        """Draw the plot, and say the same in words."""
        measured = [one for one in evaluations if self._metric in one]
        first_and_last = [f"{loss:.2f}" for loss in (*losses[:1], *losses[-1:])]
        numbers = ", ".join(f"{one[self._metric]:.2f}" for one in measured)
        words = (
            f"Loss: {' to '.join(first_and_last) or 'no step done yet'}. "
            f"{self._metric} after each evaluation: {numbers or 'not yet measured'}."
        )
        if self._baselines:
            named = (f"{name} {value:.2f}" for name, value in self._baselines.items())
            words += f" Dashed: {'; '.join(named)}."
        figure = draw_curve(
            losses, measured, metric=self._metric, baselines=self._baselines, steps=steps
        )
        self.picture.show(figure, words)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict | tuple:
        """Add words to what a notebook stores; the state at the end is stored separately."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = (
            "<p>The learning curve moves here while the next cell trains. Where it ends is in "
            "the picture below that cell.</p>"
        )
        data["text/plain"] = "LearningCurve()"
        return bundle
