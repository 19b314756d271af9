"""What the stub of the Hub serves: tiny checkpoints, sixty pairs of sentences, and an adapter."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import warnings
from pathlib import Path

from helpers.sources.checksums import read_sums, verify

DATA = Path(__file__).parent / "data"
PAIRS = "sixty_pairs.csv"

# Beside the files that are wanted: what the originals' repositories hold too.
DECOYS = ("pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "onnx/config.json", "README.md")


def make_originals(folder: Path) -> dict[str, Path]:
    """Save small random checkpoints in the originals' architectures, with the originals' files.

    They are narrow, but have the originals' vocabulary, layers and heads: what a notebook looks up
    by its number is there. The BERT's weights are larger than usual, so that its answers depend on
    the text, and a notebook that sorts them finds some of each kind.

    Parameters
    ----------
    folder : Path
        Where to make a folder for each.

    Returns
    -------
    dict of str to Path
        The folder of each, by the checkpoint's short name.
    """
    import torch
    from transformers import (
        BertConfig,
        BertForPreTraining,
        BertTokenizer,
        DistilBertConfig,
        DistilBertForMaskedLM,
        DistilBertForSequenceClassification,
        GPT2Config,
        GPT2LMHeadModel,
    )

    from helpers.sources.standins import encoder_folder

    torch.manual_seed(0)
    words = (encoder_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    bert = BertConfig(hidden_size=96, intermediate_size=96, initializer_range=0.1)
    labels = {0: "NEGATIVE", 1: "POSITIVE"}
    distilbert = DistilBertConfig(dim=24, hidden_dim=24, id2label=labels)
    models = {
        "bert-base-uncased": BertForPreTraining(bert),
        "distilbert-base-uncased-finetuned-sst-2-english": DistilBertForSequenceClassification(
            distilbert
        ),
        "distilbert-base-uncased": DistilBertForMaskedLM(DistilBertConfig(dim=24, hidden_dim=24)),
        "gpt2": GPT2LMHeadModel(GPT2Config(n_embd=24)),
    }
    for name, model in models.items():
        model.save_pretrained(folder / name)
        if name != "gpt2":
            shutil.copy(encoder_folder() / "vocab.txt", folder / name)
        for decoy in DECOYS:
            (folder / name / decoy).parent.mkdir(exist_ok=True)
            (folder / name / decoy).write_bytes(b"never to be asked for")
    vocabulary = {word: index for index, word in enumerate(words)}
    settings = {"do_lower_case": True, "model_max_length": 512}
    BertTokenizer(vocab=vocabulary, **settings).save_pretrained(folder / "bert-base-uncased")
    for name in models:
        if name.startswith("distilbert"):  # the originals have no tokenizer.json
            (folder / name / "tokenizer_config.json").write_text(json.dumps(settings))
    _byte_tokenizer().save_pretrained(folder / "gpt2")
    return {name: folder / name for name in models}


def _byte_tokenizer():
    """Give a tokenizer of GPT-2's kind, with bytes only: the original's merges are not here."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import GPT2Tokenizer

    symbols = [*sorted(ByteLevel.alphabet()), "<|endoftext|>"]
    return GPT2Tokenizer(vocab={symbol: index for index, symbol in enumerate(symbols)}, merges=[])


def make_mrpc(folder: Path, *, rows: dict[str, int] | None = None) -> Path:
    """Save sixty pairs that aren't the book's under the names of GLUE's files, others beside them.

    They have other lengths than the book's, and fewer of them are equivalent: what holds only for
    the book's corpus doesn't hold for them.

    Parameters
    ----------
    folder : Path
        Where to make the folder.
    rows : dict of str to int, optional
        How many of a split. It has fewer different ones, which come again and again.

    Returns
    -------
    Path
        The folder.
    """
    from datasets import Dataset

    from helpers.sources.datasets import SPLITS, pair_features

    (folder / "glue" / "mrpc").mkdir(parents=True)
    for split in SPLITS:
        pairs = news_pairs(split)
        wanted = (rows or {}).get(split, len(pairs))
        repeated = [pairs[i % len(pairs)] | {"idx": i} for i in range(wanted)]
        pairs = Dataset.from_list(repeated, features=pair_features())
        pairs.to_parquet(folder / "glue" / "mrpc" / f"{split}-00000-of-00001.parquet")
    for decoy in ("README.md", "glue.py", "sst2/train-00000-of-00001.parquet"):
        (folder / "glue" / decoy).parent.mkdir(exist_ok=True)
        (folder / "glue" / decoy).write_bytes(b"never to be asked for")
    return folder / "glue"


def news_pairs(split: str) -> list[dict]:
    """Read the pairs of a split, each with its label and its two sentences."""
    verify(DATA, {PAIRS: read_sums(DATA / "SHA256SUMS")[PAIRS]}, remedy="Restore it with git")
    with (DATA / PAIRS).open(encoding="utf-8", newline="") as file:
        return [
            {
                "sentence1": row["sentence1"],
                "sentence2": row["sentence2"],
                "label": int(row["label"]),
            }
            for row in csv.DictReader(file)
            if row["split"] == split
        ]


def make_adapter(folder: Path, *, seed: int = 0) -> Path:
    """Save a random sentiment adapter in float16, with its list of checksums beside it.

    Parameters
    ----------
    folder : Path
        An empty folder; the adapter comes to lie in ``sentiment`` in it.
    seed : int, default=0
        Another seed gives another adapter.

    Returns
    -------
    Path
        The adapter's folder.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file, save_file

    from helpers.sources.standins import sentiment_base

    adapter = folder / "sentiment"
    torch.manual_seed(seed)
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=2,
        target_modules=["q_lin", "k_lin", "v_lin", "out_lin"],
        modules_to_save=["pre_classifier", "classifier"],
        init_lora_weights=False,  # random, where training would start from an adapter that is zero
    )
    with warnings.catch_warnings():
        # peft 0.21.2 asks transformers 5.23 for an attribute by its old name
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
        get_peft_model(sentiment_base()[0], config).save_pretrained(adapter)
    weights = adapter / "adapter_model.safetensors"
    halves = {name: tensor.half() for name, tensor in load_file(weights).items()}
    save_file(halves, weights, metadata={"format": "pt"})
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  sentiment/{path.name}\n"
        for path in sorted(adapter.iterdir())
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))
    return adapter
