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
from IPython import get_ipython

from helpers.display.curves import draw_curve
from helpers.display.pictures.bars import progress_picture
from helpers.words import words

if TYPE_CHECKING:
    from helpers.training import History

Scores = Mapping[str, float]
SHARE = 0.05  # of the time of a training, at most, goes into drawing its curve


class LearningCurve(ipywidgets.VBox):
    """A training while it runs: its progress, its loss, and a metric after each evaluation.

    Display it, then pass it to `helpers.training.train` as ``watch``. The curve is the plot of
    `helpers.display.learning_curve`. It is drawn when its cell ends, and before as often as
    that takes at most 5% of the time. The bar and the words for screen readers are never late.

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
        self, *, metric: str = "f1", baselines: Scores | None = None, every: float = 1.0
    ) -> None:
        import matplotlib.pyplot  # noqa: F401  # loading it is no part of the first drawing

        self._metric = metric
        self._baselines = {} if baselines is None else dict(baselines.items())
        self._every = every
        self._training: History | None = None
        self._evaluations = 0  # shown so far
        self._start = self._next = self._spent = 0.0  # seconds: two times, and what drawing took
        self._recent: deque[tuple[float, int]] = deque(maxlen=50)  # times and steps
        self.bar = ipywidgets.HTML(str(progress_picture(0, 0)))
        self.picture = ipywidgets.Image()
        # always empty: without it, the JavaScript of ipywidgets 8.1 fails on a tooltip
        self.picture.add_traits(description=traitlets.Unicode("").tag(sync=True))
        super().__init__([self.bar, self.picture])
        self._describe([], [])
        self._draw([], [], 0)
        self._cost /= 2  # the first drawing of a process takes longer, because it loads fonts

    def __call__(self, history: History, steps: int) -> None:
        """Show how far a training has come. This is what a training calls."""
        now, done = time.monotonic(), len(history.losses)
        if history is not self._training or (self._recent and done < self._recent[-1][1]):
            self._recent.clear()  # another training has begun
            self._training, self._evaluations = history, 0
            self._start, self._next, self._spent = now, now, 0.0
        self._recent.append((now, done))
        ends = done == steps
        news = len(history.evaluations) != self._evaluations
        self._evaluations = len(history.evaluations)
        if not (ends or news or now >= self._next):
            return
        self._next = now + self._every
        self._draw_bar(history, steps)
        measured = [one for one in history.evaluations if self._metric in one]
        self._describe(history.losses, measured)
        self._state = history.losses, measured, steps
        if ends and (shell := get_ipython()):
            shell.events.register("post_run_cell", self._draw_end)
        # another drawing is reserved for the end
        elif ends or self._spent + 2 * self._cost <= SHARE * (now - self._start):
            self._draw(*self._state)

    def _draw_end(self, result: object) -> None:
        """Draw the end once its cell has run: an evaluation may follow the last step."""
        get_ipython().events.unregister("post_run_cell", self._draw_end)
        self._draw(*self._state)

    def _draw_bar(self, history: History, steps: int) -> None:
        """Show the steps and the time left. At the end no time is left: that state is stored."""
        done, seconds = len(history.losses), None
        if done > self._recent[0][1]:
            pace = (self._recent[-1][0] - self._recent[0][0]) / (done - self._recent[0][1])
            seconds = pace * (steps - done)
        shown = str(progress_picture(done, max(steps, done), seconds=seconds))
        known = {name for one in history.evaluations for name in one} - {"step"}
        if known and self._metric not in known:  # an error would end the training
            error = words(
                "Expected {metric} in the evaluations; got {names}. Pass one of these as metric.",
                metric=repr(self._metric),
                names=", ".join(sorted(known)),
            )
            shown += f"<p role='alert'>{escape(error)}</p>"
        self.bar.value = shown

    def _describe(self, losses: Sequence[float], measured: Sequence[Scores]) -> None:
        """Say in words what the curve shows. The words are its title."""
        said = [words("Loss: no step done yet.")]
        if len(losses):
            first, last = f"{losses[0]:.2f}", f"{losses[-1]:.2f}"
            said = [words("Loss: {first} to {last}.", first=first, last=last)]
        scores = ", ".join(f"{one[self._metric]:.2f}" for one in measured)
        scores = scores or words("not yet measured")
        metric = self._metric
        said.append(
            words("{metric} after each evaluation: {scores}.", metric=metric, scores=scores)
        )
        if self._baselines:
            named = "; ".join(f"{name} {value:.2f}" for name, value in self._baselines.items())
            said.append(words("Dashed: {baselines}.", baselines=named))
        self.picture.tooltip = " ".join(said)

    def _draw(self, losses: Sequence[float], measured: Sequence[Scores], steps: int) -> None:
        """Draw the curve, and measure how long that takes."""
        start, png = time.monotonic(), io.BytesIO()
        figure = draw_curve(
            losses, measured, metric=self._metric, baselines=self._baselines, steps=steps
        )
        figure.savefig(png, format="png")
        self.picture.value = png.getvalue()
        self._cost = time.monotonic() - start
        self._spent += self._cost

    def _repr_mimebundle_(self, **kwargs: Any) -> dict | tuple:
        """Add words to what a notebook stores; the state at the end is stored separately."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        where = words(
            "The learning curve moves here while the next cell trains. Where it ends is in "
            "the picture below that cell."
        )
        data["text/html"] = f"<p>{escape(where)}</p>"
        data["text/plain"] = "LearningCurve()"
        return bundle
