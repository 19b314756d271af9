"""Attention: who may look at whom, and who does, token by token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ATTENTION_KINDS = ("bidirectional", "causal", "cross")


class Attention(NamedTuple):
    """What each token of one text took from each other one, in every layer and head.

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
    """Say which token may attend to which.

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
        If the kind is another one; if a number is below 1; if ``columns`` is missing for "cross",
        or differs from ``rows`` for another kind.
    """
    import numpy as np

    if kind not in ATTENTION_KINDS:
        raise ValueError(f"expected a kind of attention among {ATTENTION_KINDS}; got {kind!r}.")
    if columns is None and kind == "cross":
        raise ValueError("cross attention needs columns too, the tokens of the other text.")
    columns = rows if columns is None else columns
    if min(rows, columns) < 1:
        raise ValueError(
            f"expected at least one token; got {rows} rows and {columns} columns. Type a sentence."
        )
    if kind != "cross" and columns != rows:
        raise ValueError(
            f"in {kind} attention a text attends to itself: expected as many columns as rows, "
            f"{rows}; got {columns}. For two texts, use 'cross'."
        )
    allowed = np.ones((rows, columns), dtype=bool)
    return np.tril(allowed) if kind == "causal" else allowed


def read_attention(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str
) -> Attention:
    """Run one text through a model and keep the attention weights of every layer and head.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model loaded with ``attn_implementation="eager"``: the faster ways keep no weights.
    text : str
        The text. It is cut where the model can read no more.

    Returns
    -------
    Attention
        The tokens and the weights.

    Raises
    ------
    ValueError
        If the text is empty, or the model was loaded in a way that keeps no weights.
    """
    import numpy as np
    import torch

    if not text.strip():
        raise ValueError("Type a sentence: an empty text has no tokens of its own.")
    if model.config._attn_implementation != "eager":
        raise ValueError(
            "expected a model that keeps its attention weights; got one with "
            f"{model.config._attn_implementation!r} attention. Load it with "
            "from_pretrained(..., attn_implementation='eager')."
        )
    inputs = tokenizer(text, truncation=True, return_tensors="pt")
    with torch.no_grad():
        layers = model(**inputs, output_attentions=True).attentions
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
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
        One row a head, with the columns ``layer``, ``head``, and the mean weight that a token of
        the text gives to ``itself``, the ``previous`` and the ``next`` token, and the ``first`` and
        the ``last`` one of the input.
    """
    import numpy as np
    import pandas as pd

    layers, heads, seq, _ = attention.weights.shape
    own = np.arange(1, seq - 1)  # without the special tokens at both ends
    layer, head = np.indices((layers, heads))
    places = {"itself": own, "previous": own - 1, "next": own + 1, "first": 0, "last": seq - 1}
    return pd.DataFrame(
        {"layer": layer.ravel(), "head": head.ravel()}
        | {
            name: attention.weights[:, :, own, place].mean(axis=-1).ravel()
            for name, place in places.items()
        }
    )
