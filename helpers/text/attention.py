"""Attention: which token may look at which, and how much it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from helpers.text.checks import check_choice, check_integer, check_text
from helpers.text.running import run_model, tokenize

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ATTENTION_KINDS = ("bidirectional", "causal", "cross")


class Attention(NamedTuple):
    """How much each token of one text took from each other token, in every layer and head.

    Parameters
    ----------
    tokens : list of str
        The tokens, special ones included.
    weights : numpy.ndarray
        The weights, ``(layers, heads, seq, seq)``: ``weights[layer, head, i, j]`` is how much token
        ``i`` takes from token ``j``. Each row adds up to 1.
    """

    tokens: list[str]
    weights: np.ndarray


def attention_mask(kind: str, rows: int, columns: int | None = None) -> np.ndarray:
    """Say which tokens each token may attend to.

    Parameters
    ----------
    kind : {"bidirectional", "causal", "cross"}
        Each token to all of the same text, as in an encoder; each to itself and those before it, as
        in a decoder; each of one text to all of another, as from a decoder to its encoder.
    rows : int
        How many tokens attend.
    columns : int, optional
        How many tokens the other text has: needed for "cross", and only there.

    Returns
    -------
    numpy.ndarray
        Booleans, ``(rows, columns)``: True at ``[i, j]`` where token ``i`` may attend to ``j``.

    Raises
    ------
    ValueError
        If the kind is another one, a number is below 1, or ``columns`` doesn't fit the kind.
    """
    check_choice(kind, "kind", ATTENTION_KINDS)
    if columns is None and kind == "cross":
        raise ValueError("columns must be given for cross attention; got None. Pass a number.")
    rows = check_integer(rows, "rows", least=None)
    columns = rows if columns is None else check_integer(columns, "columns", least=None)
    if min(rows, columns) < 1:
        raise ValueError(
            f"rows and columns must be at least 1, a token each; got {rows} and {columns}. Type a "
            "sentence."
        )
    if kind != "cross" and columns != rows:
        raise ValueError(
            f"columns must equal rows, {rows}, in {kind} attention; got {columns}. For two texts, "
            "use 'cross'."
        )
    allowed = np.ones((rows, columns), dtype=bool)
    return np.tril(allowed) if kind == "causal" else allowed


def read_attention(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str
) -> Attention:
    """Run one text through a model and keep the attention weights of every layer and head.

    Parameters
    ----------
    tokenizer, model : PreTrainedTokenizerBase, PreTrainedModel
        A checkpoint's tokenizer and its model, loaded with ``attn_implementation="eager"``.
    text : str
        The text. What is longer than the model can read is cut.

    Returns
    -------
    Attention
        The tokens and the weights.

    Raises
    ------
    ValueError
        If the text is blank, or the model doesn't return its attention weights.
    """
    inputs = tokenize(tokenizer, model, check_text(text))
    layers = run_model(model, inputs, output_attentions=True).get("attentions")
    if not layers or any(layer is None for layer in layers):
        raise ValueError(
            "model must return its attention weights; got none, as from any implementation but "
            "'eager'. Load it with from_pretrained(..., attn_implementation='eager')."
        )
    tokens = list(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()))
    # each layer is (1, heads, seq, seq)
    return Attention(tokens, np.stack([layer[0].numpy() for layer in layers]))


def attention_shares(attention: Attention) -> pd.DataFrame:
    """Measure, for each head, where the tokens of the text look on average.

    Parameters
    ----------
    attention : Attention
        What `read_attention` returned, for a model that puts one special token at either end.

    Returns
    -------
    pandas.DataFrame
        One row a head: ``layer``, ``head``, and the mean weight that a token of the text gives to
        ``itself``, the ``previous``, ``next``, ``first`` and ``last`` token of the input.

    Raises
    ------
    ValueError
        If there is no token between the special ones.
    """
    layers, heads, seq, _ = attention.weights.shape
    if seq < 3:
        raise ValueError(
            f"attention must have a token between two special ones; got {attention.tokens}. Use a "
            "text of at least one word, and a tokenizer that adds special tokens."
        )
    own = np.arange(1, seq - 1)  # without the special tokens at both ends
    layer, head = np.indices((layers, heads))
    places = {"itself": own, "previous": own - 1, "next": own + 1, "first": 0, "last": seq - 1}
    columns = {"layer": layer.ravel(), "head": head.ravel()}
    for name, place in places.items():
        columns[name] = attention.weights[:, :, own, place].mean(axis=-1).ravel()
    return pd.DataFrame(columns)
