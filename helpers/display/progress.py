"""The progress of a training: a bar, and the learning curve while it grows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ipywidgets

from helpers.display.pictures import curve_picture, progress_picture

if TYPE_CHECKING:
    from helpers.training import History


class LearningCurve(ipywidgets.VBox):
    """A training while it goes: how far it is, its loss, and a metric after each evaluation.

    Display it, then pass it to `helpers.training.train` as ``watch``. It is redrawn after each
    evaluation, at the end, and in between as often as ``every`` allows.

    Parameters
    ----------
    metric : str, default "f1"
        Which number of the evaluations to draw, between 0 and 1.
    baselines : mapping of str to float, optional
        What the metric is without training, by name: each a dashed line.
    every : float, default 1.0
        How many seconds at least lie between two pictures.

    Attributes
    ----------
    bar : ipywidgets.HTML
        The progress bar as it stands.
    picture : ipywidgets.HTML
        The curves as they stand.
    """

    def __init__(
        self,
        *,
        metric: str = "f1",
        baselines: Mapping[str, float] | None = None,
        every: float = 1.0,
    ) -> None:
        self._metric = metric
        self._baselines = dict(baselines or {})
        self._every = every
        self._shown = (None, 0)  # of which history, and how many evaluations
        self._drawn = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=50)  # times and steps
        self.bar = ipywidgets.HTML(str(progress_picture(0, 0)))
        self.picture = ipywidgets.HTML()
        super().__init__([self.bar, self.picture])
        self._draw([], [], 0)

    def __call__(self, history: History, steps: int) -> None:
        """Show where a training stands.

        Parameters
        ----------
        history : History
            What happened so far.
        steps : int
            The number of all steps.
        """
        now, done = time.monotonic(), len(history.losses)
        shown = (id(history), len(history.evaluations))
        if self._recent and (shown[0] != self._shown[0] or done < self._recent[-1][1]):
            self._recent.clear()  # another training has begun
        self._recent.append((now, done))
        if done < steps and shown == self._shown and now - self._drawn < self._every:
            return
        self._shown, self._drawn = shown, now
        self._draw(history.losses, history.evaluations, steps)

    def _draw(
        self, losses: Sequence[float], evaluations: Sequence[Mapping[str, float]], steps: int
    ) -> None:
        done = len(losses)
        seconds = None
        if self._recent and done > self._recent[0][1]:
            pace = (self._recent[-1][0] - self._recent[0][0]) / (done - self._recent[0][1])
            seconds = pace * (steps - done)
        # no time is left at the end: what is stored then is the same in every run
        self.bar.value = str(progress_picture(done, steps, seconds=seconds))
        self.picture.value = str(
            curve_picture(
                losses, evaluations, steps, metric=self._metric, baselines=self._baselines
            )
        )

    def _repr_mimebundle_(self, **kwargs) -> dict | tuple:
        """Add words to what a notebook stores; the state is stored apart, as it is at the end."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = (
            "<p>The learning curve moves here while the next cell trains. Where it ends is in "
            "the picture below that cell.</p>"
        )
        data["text/plain"] = "LearningCurve()"
        return bundle
