"""Widgets: a thin view over the pure functions of `helpers.text` and `helpers.text`.

Each starts in a state worth looking at, and carries that state as plain HTML too: this is what a
page shows where no kernel runs behind it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

import ipywidgets
import traitlets

from helpers.display.live import Live, padding_result, sequences, steps_result
from helpers.display.pictures import (
    Picture,
    attention_picture,
    batches_picture,
    mask_picture,
    padding_picture,
    pair_labels_picture,
    pair_picture,
    prediction_picture,
    probability_picture,
    similarity_picture,
    split_picture,
    steps_picture,
    token_picture,
)
from helpers.text import (
    ORDERS,
    Attention,
    PairAnswer,
    attention_mask,
    batch_table,
    compare_pair,
    make_batches,
    nearest,
    padding_table,
    pieces,
    predict_masked,
    predict_next,
    read_attention,
    softmax,
    three_steps,
    token_table,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from helpers.text import Steps


WIDTH = "min(40rem, 98%)"  # of a control: a line of text, and never wider than a phone


class Explorer(ipywidgets.VBox):
    """One control above one picture, redrawn whenever the control moves.

    Parameters
    ----------
    control : ipywidgets.ValueWidget
        What the reader moves or types in.
    draw : callable
        From the control's value to a picture. A `ValueError` is shown in place of the picture.
    stored : callable, optional
        The same for what a notebook stores, where the last digits of the picture would not be the
        same on every machine.

    Attributes
    ----------
    control : ipywidgets.ValueWidget
        The control.
    picture : ipywidgets.HTML
        The picture as it stands.
    """

    def __init__(
        self,
        control: ipywidgets.ValueWidget,
        draw: Callable[[object], Picture],
        *,
        stored: Callable[[object], Picture] | None = None,
    ) -> None:
        self.control = control
        self.picture = ipywidgets.HTML()
        self._draw = draw
        self._stored = stored or draw
        super().__init__([self.control, self.picture])
        self.control.observe(lambda change: self._redraw(), names="value")
        self._redraw()

    def _redraw(self) -> None:
        self.picture.value = self._html(self._draw)

    def _html(self, draw: Callable[[object], Picture]) -> str:
        try:
            return str(draw(self.control.value))
        except ValueError as error:
            return f"<p role='alert'>{escape(str(error))}</p>"

    def _repr_mimebundle_(self, **kwargs) -> dict | tuple:
        """Add the picture to what a notebook stores, for pages with no kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = self._html(self._stored)
        data["text/plain"] = f"Explorer({self.control.description!r}, {self.control.value!r})"
        return bundle


class Controls(ipywidgets.VBox):
    """Several labelled controls that an `Explorer` takes for one.

    Parameters
    ----------
    description : str
        What the controls set together.
    controls : mapping of str to ipywidgets.ValueWidget
        The controls by name, in the order in which they stand and take the focus.

    Attributes
    ----------
    value : dict
        The value of each control by its name; it changes when one of them does.
    controls : dict
        The controls by name.
    """

    value = traitlets.Dict()

    def __init__(self, description: str, controls: Mapping[str, ipywidgets.ValueWidget]) -> None:
        self.description = description
        self.controls = dict(controls)
        super().__init__([*self.controls.values()])
        for control in self.controls.values():
            control.observe(lambda change: self._collect(), names="value")
        self._collect()

    def _collect(self) -> None:
        self.value = {name: control.value for name, control in self.controls.items()}


def _text_field(description: str, text: str, placeholder: str) -> ipywidgets.Text:
    return ipywidgets.Text(
        value=text,
        description=description,
        placeholder=placeholder,
        layout=ipywidgets.Layout(width=WIDTH),
    )


def pipeline_explorer(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    *,
    text: str = "I hate this so much!",
) -> Live:
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
    Live
        A text field above the picture of the three steps.
    """

    @lru_cache(maxsize=1)  # the result and the picture of one text
    def run(typed: str) -> Steps:
        return three_steps(tokenizer, model, typed)

    return Live(
        "pipeline",
        {"text": text},
        lambda state: steps_picture(run(state["text"])),
        lambda state: steps_result(run(state["text"])),
    )


def tokenizer_explorer(
    tokenizers: Mapping[str, PreTrainedTokenizerBase],
    *,
    text: str = "Let's do tokenization!",
) -> Explorer:
    """Type a text and see how each of several tokenizers cuts it.

    Parameters
    ----------
    tokenizers : mapping of str to PreTrainedTokenizerBase
        The tokenizers, each under the name to show.
    text : str, default "Let's do tokenization!"
        What stands there at first.

    Returns
    -------
    Explorer
        A text field above a row of tokens with their ids for each tokenizer.
    """
    field = _text_field("Text", text, "Type a text")

    def draw(typed: str) -> Picture:
        return split_picture({name: pieces(one, typed) for name, one in tokenizers.items()})

    return Explorer(field, draw)


def temperature_explorer(
    logits: Sequence[float], id2label: Mapping[int, str], *, temperature: float = 1.0
) -> Live:
    """Move the temperature of the softmax and watch the probabilities follow.

    Parameters
    ----------
    logits : sequence of float
        One row of logits, ``(labels,)``. Four digits after the point are kept.
    id2label : mapping of int to str
        The name of each column.
    temperature : float, default 1.0
        Where the slider stands at first, between 0.1 and 10.

    Returns
    -------
    Live
        A slider above the bars; a thin bar below each shows temperature 1.
    """

    def draw(state: Mapping) -> Picture:
        probabilities = softmax(state["logits"], temperature=state["temperature"])
        return probability_picture(
            state["labels"], probabilities, reference=softmax(state["logits"])
        )

    # four digits are stored: the others differ from machine to machine
    logits = [round(float(logit), 4) for logit in logits]
    labels = [id2label[column] for column in range(len(logits))]
    return Live(
        "softmax", {"labels": labels, "logits": logits, "temperature": float(temperature)}, draw
    )


def encoding_explorer(
    tokenizer: PreTrainedTokenizerBase, *, text: str = "Let's do tokenization!", pair: str = ""
) -> Live:
    """Type a text, or a pair, and see tokens, ids, token types and attention mask.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint; on the published page, that of ``bert-base-uncased``.
    text : str, default "Let's do tokenization!"
        What stands there at first.
    pair : str, default ""
        The second text of a pair. Without one, the text stands alone.

    Returns
    -------
    Live
        Two text fields above a column for each token.
    """

    def table(state: Mapping) -> pd.DataFrame:
        return token_table(tokenizer, tokenizer(state["text"], state["pair"] or None))

    return Live(
        "encoding",
        {"text": text, "pair": pair},
        lambda state: token_picture(table(state)),
        lambda state: {"sequences": sequences(table(state))},
    )


def nearest_explorer(
    encode: Callable[[list[str]], npt.ArrayLike], sentences: Sequence[str], *, text: str
) -> Explorer:
    """Type a sentence and see which of some others are near to it.

    Parameters
    ----------
    encode : callable
        From a list of n texts to their vectors, ``(n, dim)``.
    sentences : sequence of str
        What the typed sentence is compared with.
    text : str
        What stands there at first.

    Returns
    -------
    Explorer
        A text field above the sentences, the nearest first, each with a bar.
    """
    field = _text_field("Sentence", text, "Type a sentence")

    def draw(typed: str) -> Picture:
        ordered = nearest(encode, typed, sentences)
        return similarity_picture(*zip(*ordered, strict=True))

    return Explorer(field, draw)


def padding_explorer(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    padding: bool | str = True,
    truncation: bool = True,
    max_length: int | None = 8,
) -> Live:
    """Set padding, truncation and the longest length, and watch the batch change its shape.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    texts : sequence of str
        The texts that stand there at first, one a row of the batch.
    padding : {True, False, "max_length"}, default True
        Where its control stands at first.
    truncation : bool, default True
        Where its control stands at first.
    max_length : int or None, default 8
        Where its control stands at first: None, 4, 6, 8, 12, 16, 20 or 32.

    Returns
    -------
    Live
        A text area and three rows of buttons, above the picture of the batch.
    """

    def draw(state: Mapping) -> Picture:
        batch = [line for line in state["texts"].splitlines() if line.strip()]
        setting = {name: state[name] for name in ("padding", "truncation", "max_length")}
        outcome = padding_table(tokenizer, batch, [setting]).iloc[0]
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            inputs = tokenizer(batch, **setting)
        notes = [str(warning.message) for warning in said]
        return padding_picture(token_table(tokenizer, inputs), outcome, notes=notes)

    start = {"padding": padding, "truncation": truncation, "max_length": max_length}
    return Live(
        "padding",
        {"texts": "\n".join(texts), **start},
        draw,
        lambda state: padding_result(tokenizer, state),
    )


def mask_explorer(
    *,
    kind: str = "causal",
    text: str = "I hate this so much !",
    target: str = "Je déteste tellement ça !",
) -> Live:
    """Choose a kind of attention and see who may look at whom in a sentence.

    Parameters
    ----------
    kind : {"bidirectional", "causal", "cross"}, default "causal"
        What is chosen at first.
    text : str, default "I hate this so much !"
        The sentence that stands there at first. Spaces part its tokens.
    target : str, default "Je déteste tellement ça !"
        The other sentence, that attends to the first one; only cross attention needs it.

    Returns
    -------
    Live
        A row of buttons and two text fields, above the picture of the mask.
    """

    def draw(state: Mapping) -> Picture:
        columns = state["text"].split()
        rows = state["target"].split() if state["kind"] == "cross" else columns
        return mask_picture(attention_mask(state["kind"], len(rows), len(columns)), rows, columns)

    return Live("masks", {"kind": kind, "text": text, "target": target}, draw)


def attention_explorer(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    *,
    text: str,
    layer: int = 0,
    head: int = 0,
) -> Explorer:
    """Type a sentence and go through the attention of a model, layer by layer and head by head.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model loaded with ``attn_implementation="eager"``.
    text : str
        What stands there at first.
    layer : int, default 0
        Which layer is drawn at first.
    head : int, default 0
        Which of its heads is drawn at first.

    Returns
    -------
    Explorer
        A text field and two sliders, above the attention weights of one head.
    """
    look = {
        "layout": ipywidgets.Layout(width=WIDTH),
        "style": {"description_width": "5rem"},
    }
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    controls = {
        "text": ipywidgets.Text(value=text, description="Sentence", **look),
        "layer": ipywidgets.IntSlider(
            value=layer, min=0, max=layers - 1, description="Layer", **look
        ),
        "head": ipywidgets.IntSlider(value=head, min=0, max=heads - 1, description="Head", **look),
    }

    @lru_cache(maxsize=1)  # a slider that moves needs no new run of the model
    def read(typed: str) -> Attention:
        return read_attention(tokenizer, model, typed)

    def draw(values: Mapping) -> Picture:
        tokens, weights = read(values["text"])
        return attention_picture(weights[values["layer"], values["head"]], tokens)

    return Explorer(Controls("Attention of one head", controls), draw)


def gap_explorer(
    masked: tuple[PreTrainedTokenizerBase, PreTrainedModel],
    causal: tuple[PreTrainedTokenizerBase, PreTrainedModel],
    *,
    text: str = "The movie was [MASK], and I fell asleep.",
) -> Explorer:
    """Type a text with a gap and see what a masked and a causal language model put there.

    Parameters
    ----------
    masked : tuple of PreTrainedTokenizerBase and PreTrainedModel
        A masked language model behind its tokenizer.
    causal : tuple of PreTrainedTokenizerBase and PreTrainedModel
        A causal language model behind its tokenizer.
    text : str, default "The movie was [MASK], and I fell asleep."
        What stands there at first. Without ``[MASK]``, the gap is at the end.

    Returns
    -------
    Explorer
        A text field above what each model sees and what it predicts.
    """
    field = _text_field("Text", text, "Type a text with [MASK], or its beginning")

    def draw(typed: str) -> Picture:
        return prediction_picture(
            {
                "Masked: sees both sides of the gap": predict_masked(*masked, typed),
                "Causal: sees what stands before the gap": predict_next(*causal, typed),
            }
        )

    return Explorer(field, draw)


def batching_explorer(
    lengths: Sequence[int], *, batch_size: int = 16, order: str = "shuffled", padding: int = 0
) -> Explorer:
    """Choose how batches are made and padded, and see how much of them is padding.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    batch_size : {4, 8, 16, 32, 64}, default 16
        What is chosen at first.
    order : {"shuffled", "by length"}, default "shuffled"
        What is chosen at first.
    padding : {0, -1, 512}, default 0
        What is chosen at first: 0 for the longest row of each batch, -1 for the longest of all,
        512 for what a BERT can read.

    Returns
    -------
    Explorer
        Three rows of buttons above the first batches of an epoch.
    """
    # Buttons, since JupyterLab keeps the arrow keys, which a list needs, for itself.
    look = {"style": {"description_width": "6rem", "button_width": "auto"}}
    controls = {
        "batch_size": ipywidgets.ToggleButtons(
            options=[4, 8, 16, 32, 64], value=batch_size, description="Batch size", **look
        ),
        "order": ipywidgets.ToggleButtons(options=ORDERS, value=order, description="Order", **look),
        "padding": ipywidgets.ToggleButtons(
            options=[("longest of its batch", 0), ("longest of all", -1), ("512", 512)],
            value=padding,
            description="Padded to",
            **look,
        ),
    }

    def draw(values: Mapping) -> Picture:
        batches = make_batches(lengths, values["batch_size"], order=values["order"])
        width = {0: None, -1: max(lengths), 512: 512}[values["padding"]]
        return batches_picture(batch_table(lengths, batches, width=width))

    return Explorer(Controls("Batches of an epoch", controls), draw)


def pair_explorer(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, *, first: str, second: str
) -> Explorer:
    """Type two sentences and see whether a model takes them to mean the same.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model with a sequence-classification head, trained on pairs.
    first, second : str
        What stands there at first.

    Returns
    -------
    Explorer
        Two text fields above the probability of each label, in both orders of the sentences. A
        notebook stores the labels alone: a model that was just trained differs in its numbers.
    """
    controls = {
        "first": _text_field("First", first, "Type a sentence"),
        "second": _text_field("Second", second, "Type another one"),
    }

    def ask(typed: Mapping) -> PairAnswer:
        return compare_pair(tokenizer, model, **typed)

    return Explorer(
        Controls("Two sentences", controls),
        lambda typed: pair_picture(ask(typed)),
        stored=lambda typed: pair_labels_picture(ask(typed)),
    )
