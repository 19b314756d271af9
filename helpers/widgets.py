"""Widgets: a thin view over the pure functions of `helpers.steps` and `helpers.decoding`.

Each starts in a state worth looking at, and carries that state as plain HTML too: this is what a
page shows where no kernel runs behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import ipywidgets

from helpers.decoding import softmax
from helpers.pictures import Picture, probability_picture, steps_picture
from helpers.steps import three_steps

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Explorer(ipywidgets.VBox):
    """One control above one picture, redrawn whenever the control moves.

    Parameters
    ----------
    control : ipywidgets.ValueWidget
        What the reader moves or types in.
    draw : callable
        From the control's value to a picture. A `ValueError` is shown in place of the picture.

    Attributes
    ----------
    control : ipywidgets.ValueWidget
        The control.
    picture : ipywidgets.HTML
        The picture as it stands.
    """

    def __init__(self, control: ipywidgets.ValueWidget, draw: Callable[[object], Picture]) -> None:
        self.control = control
        self.picture = ipywidgets.HTML()
        self._draw = draw
        super().__init__([self.control, self.picture])
        self.control.observe(lambda change: self._redraw(), names="value")
        self._redraw()

    def _redraw(self) -> None:
        try:
            self.picture.value = str(self._draw(self.control.value))
        except ValueError as error:
            self.picture.value = f"<p role='alert'>{escape(str(error))}</p>"

    def _repr_mimebundle_(self, **kwargs) -> dict | tuple:
        """Add the picture to what a notebook stores, for pages with no kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = self.picture.value
        data["text/plain"] = f"Explorer({self.control.description!r}, {self.control.value!r})"
        return bundle


def pipeline_explorer(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    *,
    text: str = "I hate this so much!",
) -> Explorer:
    """Type a sentence and watch it become tokens, ids, logits and probabilities.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model with a sequence-classification head, of the same checkpoint.
    text : str, default "I hate this so much!"
        What stands there at first.

    Returns
    -------
    Explorer
        A text field above the picture of the three steps.
    """
    field = ipywidgets.Text(
        value=text,
        description="Sentence",
        placeholder="Type a sentence",
        layout=ipywidgets.Layout(width="min(40rem, 98%)"),
    )
    return Explorer(field, lambda typed: steps_picture(three_steps(tokenizer, model, typed)))


def temperature_explorer(
    logits: Sequence[float], id2label: Mapping[int, str], *, temperature: float = 1.0
) -> Explorer:
    """Move the temperature of the softmax and watch the probabilities follow.

    Parameters
    ----------
    logits : sequence of float
        One row of logits, ``(labels,)``.
    id2label : mapping of int to str
        The name of each column.
    temperature : float, default 1.0
        Where the slider stands at first, between 0.1 and 10.

    Returns
    -------
    Explorer
        A slider above the bars; a thin bar below each shows temperature 1.
    """
    logits = [float(logit) for logit in logits]
    labels = [id2label[column] for column in range(len(logits))]
    unchanged = softmax(logits)

    def draw(value: float) -> Picture:
        return probability_picture(labels, softmax(logits, temperature=value), reference=unchanged)

    slider = ipywidgets.FloatLogSlider(
        value=temperature,
        base=10,
        min=-1,
        max=1,
        step=0.05,
        description="Temperature",
        readout_format=".2f",
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="min(30rem, 98%)"),
    )
    return Explorer(slider, draw)
