"""Build the book's stand-ins from the one set of weights that comes with the installation.

A *stand-in* is a small real model that takes the place of a checkpoint which cannot be shipped.
All stand-ins share the encoder of ``sentence-transformers/all-MiniLM-L6-v2``; this module moves its
weights into another architecture, exactly, and merges a low-rank adapter into them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

SENTIMENT_ADAPTER = Path(__file__).parent / "bundled" / "sentiment"

SENTIMENT_LABELS = {0: "NEGATIVE", 1: "POSITIVE"}

# BERT's name for a part of the encoder, and DistilBERT's name for the same part.
BERT_TO_DISTILBERT = (
    (r"^embeddings\.(word_embeddings|LayerNorm)\.", r"embeddings.\1."),
    (r"^encoder\.layer\.(\d+)\.attention\.self\.query\.", r"transformer.layer.\1.attention.q_lin."),
    (r"^encoder\.layer\.(\d+)\.attention\.self\.key\.", r"transformer.layer.\1.attention.k_lin."),
    (r"^encoder\.layer\.(\d+)\.attention\.self\.value\.", r"transformer.layer.\1.attention.v_lin."),
    (
        r"^encoder\.layer\.(\d+)\.attention\.output\.dense\.",
        r"transformer.layer.\1.attention.out_lin.",
    ),
    (
        r"^encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\.",
        r"transformer.layer.\1.sa_layer_norm.",
    ),
    (r"^encoder\.layer\.(\d+)\.intermediate\.dense\.", r"transformer.layer.\1.ffn.lin1."),
    (r"^encoder\.layer\.(\d+)\.output\.dense\.", r"transformer.layer.\1.ffn.lin2."),
    (r"^encoder\.layer\.(\d+)\.output\.LayerNorm\.", r"transformer.layer.\1.output_layer_norm."),
)


def distilbert_state(bert_state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename the weights of a BERT encoder to those of a DistilBERT encoder.

    DistilBERT has no token types. BERT adds the same type-0 vector to every token of a single
    sentence, so adding that vector to the position embeddings once gives the same sums.

    Parameters
    ----------
    bert_state : dict of str to torch.Tensor
        The state dict of a ``BertModel``. Its pooler, which DistilBERT lacks, is left out.

    Returns
    -------
    dict of str to torch.Tensor
        The state dict of a ``DistilBertModel`` with the same hidden states for token type 0.

    References
    ----------
    Sanh et al. (2019), "DistilBERT, a distilled version of BERT", section 3.
    """
    types = bert_state["embeddings.token_type_embeddings.weight"]  # (2, dim)
    positions = bert_state["embeddings.position_embeddings.weight"]  # (512, dim)
    state = {"embeddings.position_embeddings.weight": positions + types[0]}
    for name, tensor in bert_state.items():
        for pattern, replacement in BERT_TO_DISTILBERT:
            renamed, hits = re.subn(pattern, replacement, name)
            if hits:
                state[renamed] = tensor
    return state


def distilbert_config(bert_config: dict, **overrides) -> DistilBertConfig:
    """Describe a BERT encoder in DistilBERT's words.

    Parameters
    ----------
    bert_config : dict
        What the ``config.json`` of a BERT checkpoint holds.
    **overrides
        Further fields of the configuration, such as ``id2label``.

    Returns
    -------
    DistilBertConfig
        The configuration of the same encoder as a ``DistilBertModel``.
    """
    from transformers import DistilBertConfig

    return DistilBertConfig(
        vocab_size=bert_config["vocab_size"],
        max_position_embeddings=bert_config["max_position_embeddings"],
        dim=bert_config["hidden_size"],
        hidden_dim=bert_config["intermediate_size"],
        n_layers=bert_config["num_hidden_layers"],
        n_heads=bert_config["num_attention_heads"],
        activation=bert_config["hidden_act"],
        dropout=bert_config["hidden_dropout_prob"],
        attention_dropout=bert_config["attention_probs_dropout_prob"],
        **overrides,
    )
