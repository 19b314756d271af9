"""Explorers: pictures that answer a reader, each a thin view over pure functions.

Each starts in a state worth looking at, and carries that state as plain HTML too: this is what a
page shows where nothing can move. In a notebook Python computes the result; on the published page
the modules of ``live`` do, where they can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.display import live_results as results
from helpers.display import pictures
from helpers.display.live_widget import Live
from helpers.display.pictures import Picture
from helpers.text import (
    attention_mask,
    batch_table,
    label_names,
    make_batches,
    pieces,
    softmax,
    token_table,
)

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

    from helpers.text import Piece


def tokenizer_explorer(
    tokenizers: Mapping[str, PreTrainedTokenizerBase], *, text: str = "Let's do tokenization!"
) -> Live:
    """Type a text and see how each of several tokenizers splits it.

    Parameters
    ----------
    tokenizers : mapping of str to PreTrainedTokenizerBase
        The tokenizers, each under the name to show. The published page runs those with a small
        vocabulary, and that of ``bert-base-uncased``.
    text : str, default "Let's do tokenization!"
        The text at the start.

    Returns
    -------
    Live
        A text field above a row of tokens with their ids for each tokenizer.
    """

    def run(state: Mapping[str, Any]) -> dict[str, list[Piece]]:
        return {name: pieces(tokenizer, state["text"]) for name, tokenizer in tokenizers.items()}

    return Live(
        "splits",
        {"text": text},
        pictures.split_picture,
        results.splits_result,
        run=run,
        page={"tokenizers": results.tokenizers_for_page(tokenizers)},
    )


def temperature_explorer(
    logits: Sequence[float],
    id2label: Mapping[int, str] | Mapping[str, str],
    *,
    temperature: float = 1.0,
) -> Live:
    """Move the temperature of the softmax and watch the probabilities follow.

    Parameters
    ----------
    logits : sequence of float
        One row of logits, ``(labels,)``. Four digits after the point are kept.
    id2label : mapping of int to str
        The name of each column, as in ``model.config.id2label``. Keys may be strings.
    temperature : float, default 1.0
        The temperature at the start, between 0.1 and 10.

    Returns
    -------
    Live
        A slider above the bars; a thin bar below each shows temperature 1.
    """

    def draw(state: Mapping[str, Any]) -> Picture:
        logits = state["logits"]
        probabilities = softmax(logits, temperature=state["temperature"])
        reference = softmax(logits)
        return pictures.probability_picture(state["labels"], probabilities, reference=reference)

    # four digits are stored: the others differ from machine to machine
    logits = [round(float(logit), 4) for logit in logits]
    labels = label_names(id2label, len(logits))
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
        The text at the start.
    pair : str, default ""
        The second text of a pair. Without one, there is a single text.

    Returns
    -------
    Live
        Two text fields above a column for each token.
    """

    def run(state: Mapping[str, Any]) -> pd.DataFrame:
        return token_table(tokenizer, tokenizer(state["text"], state["pair"] or None))

    return Live(
        "encoding",
        {"text": text, "pair": pair},
        pictures.token_picture,
        lambda table: {"sequences": results.sequences(table)},
        run=run,
    )


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
        The texts at the start, one a row of the batch.
    padding : {True, False, "max_length"}, default True
        Its value at the start.
    truncation : bool, default True
        Its value at the start.
    max_length : int or None, default 8
        Its value at the start: None, 4, 6, 8, 12, 16, 20 or 32.

    Returns
    -------
    Live
        A text area and three rows of buttons, above the picture of the batch.
    """
    start = {"padding": padding, "truncation": truncation, "max_length": max_length}
    return Live(
        "padding",
        {"texts": "\n".join(texts), **start},
        lambda batch: pictures.padding_picture(batch.table, batch.outcome, notes=batch.notes),
        results.padding_result,
        run=lambda state: results.pad(tokenizer, state),
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
        The choice at the start.
    text : str, default "I hate this so much !"
        The sentence at the start. Its tokens are separated by spaces.
    target : str, default "Je déteste tellement ça !"
        The other sentence, that attends to the first one; only cross attention needs it.

    Returns
    -------
    Live
        A row of buttons and two text fields, above the picture of the mask.
    """

    def draw(state: Mapping[str, Any]) -> Picture:
        columns = state["text"].split()
        rows = state["target"].split() if state["kind"] == "cross" else columns
        mask = attention_mask(state["kind"], len(rows), len(columns))
        return pictures.mask_picture(mask, rows, columns)

    return Live("masks", {"kind": kind, "text": text, "target": target}, draw)


def batching_explorer(
    lengths: Sequence[int], *, batch_size: int = 16, order: str = "shuffled", padding: int = 0
) -> Live:
    """Choose how batches are made and padded, and see how much of them is padding.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    batch_size : {4, 8, 16, 32, 64}, default 16
        The choice at the start.
    order : {"shuffled", "by length"}, default "shuffled"
        The choice at the start.
    padding : {0, -1, 512}, default 0
        The choice at the start: 0 for the longest row of each batch, -1 for the longest of all,
        512 for what a BERT can read.

    Returns
    -------
    Live
        Three rows of buttons above the first batches of an epoch.
    """
    outcomes = results.batching_outcomes(lengths)

    def draw(state: Mapping[str, Any]) -> Picture:
        batches = make_batches(lengths, state["batch_size"], order=state["order"])
        width = results.row_width(lengths, state["padding"])
        return pictures.batches_picture(batch_table(lengths, batches, width=width))

    return Live(
        "batching",
        {"batch_size": batch_size, "order": order, "padding": padding},
        draw,
        lambda state: outcomes,
    )
