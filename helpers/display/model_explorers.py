"""Explorers that run a model: on the published page, some of them run a copy of the book's own.

The others can't move there, since the page doesn't have their model, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from helpers.display import live_results as results
from helpers.display import pictures
from helpers.display.live_widget import Live
from helpers.display.pictures import Picture
from helpers.text import (
    compare_pair,
    nearest,
    predict_masked,
    predict_next,
    read_attention,
    three_steps,
)
from helpers.words import words

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from helpers.text import Attention, Prediction

    Vectors = torch.Tensor | np.ndarray | Sequence


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
        The text at the start.

    Returns
    -------
    Live
        A text field above the picture of the three steps.
    """
    return Live(
        "pipeline",
        {"text": text},
        pictures.steps_picture,
        results.steps_result,
        run=lambda state: three_steps(tokenizer, model, state["text"]),
    )


def nearest_explorer(
    encode: Callable[[list[str]], Vectors], sentences: Sequence[str], *, text: str
) -> Live:
    """Type a sentence and see which of some others are near to it.

    Parameters
    ----------
    encode : callable
        From a list of n texts to their vectors, ``(n, dim)``. The published page takes the mean of
        the bundled encoder's last hidden states.
    sentences : sequence of str
        What the typed sentence is compared with.
    text : str
        The sentence at the start.

    Returns
    -------
    Live
        A text field above the sentences, the nearest first, each with a bar.
    """

    def draw(near: list[tuple[str, float]]) -> Picture:
        return pictures.similarity_picture([one for one, _ in near], [number for _, number in near])

    return Live(
        "nearest",
        {"text": text},
        draw,
        results.nearest_result,
        run=lambda state: nearest(encode, state["text"], sentences),
        page={"sentences": list(sentences)},
    )


def attention_explorer(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    *,
    text: str,
    layer: int = 0,
    head: int = 0,
) -> Live:
    """Type a sentence and go through the attention of a model, layer by layer and head by head.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model loaded with ``attn_implementation="eager"``; on the published page, the bundled
        encoder.
    text : str
        The sentence at the start.
    layer : int, default 0
        Which layer is drawn at first.
    head : int, default 0
        Which of its heads is drawn at first.

    Returns
    -------
    Live
        A text field and two sliders, above the attention weights of one head.
    """

    @lru_cache(maxsize=1)  # a slider that moves needs no new run of the model
    def read(typed: str) -> Attention:
        return read_attention(tokenizer, model, typed)

    def draw(state: Mapping[str, Any]) -> Picture:
        tokens, weights = read(state["text"])
        return pictures.attention_picture(weights[state["layer"], state["head"]], tokens)

    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    return Live(
        "attention",
        {"text": text, "layer": layer, "head": head, "layers": layers, "heads": heads},
        draw,
        lambda state: results.attention_result(read(state["text"]), state["layer"], state["head"]),
    )


def gap_explorer(
    masked: tuple[PreTrainedTokenizerBase, PreTrainedModel],
    causal: tuple[PreTrainedTokenizerBase, PreTrainedModel],
    *,
    text: str = "The movie was [MASK], and I fell asleep.",
) -> Live:
    """Type a text with a gap and see what a masked and a causal language model put there.

    Parameters
    ----------
    masked : tuple of PreTrainedTokenizerBase and PreTrainedModel
        A masked language model behind its tokenizer.
    causal : tuple of PreTrainedTokenizerBase and PreTrainedModel
        A causal language model behind its tokenizer.
    text : str, default "The movie was [MASK], and I fell asleep."
        The text at the start. Without ``[MASK]``, the gap is at the end.

    Returns
    -------
    Live
        A text field above what each model sees and what it predicts.
    """

    def run(state: Mapping[str, Any]) -> dict[str, Prediction]:
        return {
            words("Masked: sees both sides of the gap"): predict_masked(*masked, state["text"]),
            words("Causal: sees what stands before the gap"): predict_next(*causal, state["text"]),
        }

    return Live(
        "gap",
        {"text": text},
        pictures.prediction_picture,
        results.gap_result,
        run=run,
        only_in_notebooks=words(
            "The published page has no language model to answer for another text."
        ),
    )


def pair_explorer(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, *, first: str, second: str
) -> Live:
    """Type two sentences and see whether a model takes them to mean the same.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model with a sequence-classification head, trained on pairs.
    first, second : str
        The sentences at the start.

    Returns
    -------
    Live
        Two text fields above the probability of each label, in both orders of the sentences. A
        notebook stores the labels alone: a model that was just trained differs in its numbers.
    """
    return Live(
        "pair",
        {"first": first, "second": second},
        pictures.pair_picture,
        asdict,
        run=lambda state: compare_pair(tokenizer, model, state["first"], state["second"]),
        stored=pictures.pair_labels_picture,
        only_in_notebooks=words(
            "The published page doesn't have the model, which the notebook has trained."
        ),
    )
