"""Training subword tokenizers: the same result in every process, and nothing lost on the way."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from recorded import CASED_CALL, CASED_DECODED, CASED_IDS, CASED_TOKENS, SPLITS
from tokenizers import Tokenizer, models, trainers
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, Metaspace

from helpers.text.subwords import make_deterministic, single_characters

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks/en/2-using-transformers/2-3-tokenizers.ipynb"

TEXTS = ["low lower lowest", "new newer newest", "wide wider widest", "Über alles"] * 3


def train(kind, texts=TEXTS, size=60):
    """Train as notebook 2-3 does."""
    model, trainer, mark, pre_tokenizer = {
        "BPE": (
            models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"),
            trainers.BpeTrainer,
            {"suffix": "</w>"},
            BertPreTokenizer(),
        ),
        "WordPiece": (
            models.WordPiece(unk_token="[UNK]"),
            trainers.WordPieceTrainer,
            {"prefix": "##"},
            BertPreTokenizer(),
        ),
        "Unigram": (models.Unigram(), trainers.UnigramTrainer, None, Metaspace()),
    }[kind]
    special, more = ["[UNK]"], {}
    if mark is None:
        more["unk_token"] = "[UNK]"
    else:
        special += single_characters(texts, BertNormalizer(), **mark)
    if kind == "BPE":
        more["end_of_word_suffix"] = "</w>"
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(
        texts, trainer(vocab_size=size, special_tokens=special, show_progress=False, **more)
    )
    return tokenizer


KINDS = ["BPE", "WordPiece", "Unigram"]


def test_single_characters_come_in_order_and_with_the_mark():
    assert single_characters(["b a", "ac"]) == ["a", "b", "c"]
    assert single_characters(["ba"], prefix="##") == ["a", "b", "##a", "##b"]
    assert single_characters(["ba"], suffix="</w>") == ["a", "b", "a</w>", "b</w>"]
    assert single_characters(["Á"], BertNormalizer()) == ["a"]


@pytest.mark.parametrize("kind", KINDS)
def test_settling_keeps_the_vocabulary_and_the_cuts(kind):
    before = train(kind)
    vocabulary, cuts = before.get_vocab(), [before.encode(text).tokens for text in TEXTS]

    after = make_deterministic(before)

    assert set(after.get_vocab()) == set(vocabulary)
    assert sorted(after.get_vocab().values()) == list(range(len(vocabulary)))
    if kind == "Unigram":
        # before, each was cut the same; only the ids had no order
        assert [after.encode(text).tokens for text in TEXTS] == cuts
        scores = [score for _, score in json.loads(after.to_str())["model"]["vocab"][1:]]
        assert scores == sorted(scores, reverse=True)
    else:
        assert after.get_vocab() == vocabulary
        # before, each character was a special token, and cut out of every word
        assert all(len(token) == 1 for token in before.encode("lowest").tokens)
        assert len(after.encode("lowest").tokens) < len("lowest")
    assert [token.content for token in after.get_added_tokens_decoder().values()] == ["[UNK]"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_character_is_the_unknown_token(kind):
    tokenizer = make_deterministic(train(kind))
    assert tokenizer.encode("low 🤗").ids[-1] == tokenizer.token_to_id("[UNK]") == 0


def test_a_special_token_must_be_in_the_vocabulary():
    with pytest.raises(ValueError, match=r"got '\[CLS\]'"):
        make_deterministic(train("BPE"), special_tokens=["[UNK]", "[CLS]"])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: single_characters("abc"), "texts must be a list of strings; got one string"),
        (lambda: single_characters(["abc", None]), "texts must be .*; got NoneType"),
        (lambda: make_deterministic(train("BPE"), special_tokens="[UNK]"), "got one string"),
        (lambda: make_deterministic("bert-base-uncased"), "a tokenizers.Tokenizer; got str"),
    ],
)
def test_other_types_are_refused(call, says):
    with pytest.raises(TypeError, match=says):
        call()


@pytest.mark.parametrize("kind", [iter, tuple, np.array, pd.Series])
def test_texts_come_in_any_kind(kind):
    assert single_characters(kind(["b a", "ac"]), BertNormalizer()) == ["a", "b", "c"]


def test_a_token_that_was_added_after_the_training_keeps_its_id():
    tokenizer = train("Unigram")
    tokenizer.add_special_tokens(["[CLS]"])
    number = tokenizer.token_to_id("[CLS]")
    after = make_deterministic(tokenizer, special_tokens=["[UNK]", "[CLS]"])
    assert after.token_to_id("[CLS]") == number
    assert after.encode("low[CLS]").ids[-1] == number


def test_unigram_may_do_without_an_unknown_token():
    tokenizer = Tokenizer(models.Unigram([("b", -2.0), ("a", -1.0)]))
    assert make_deterministic(tokenizer, special_tokens=[]).get_vocab() == {"a": 0, "b": 1}


def test_three_processes_train_the_same():
    """The library numbers characters by a hash with a random seed: other processes, other ids."""
    program = (
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('test_subwords', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "spec.loader.exec_module(module)\n"
        "from helpers.sources import film_reviews\n"
        "texts = film_reviews()['text'].tolist()[:200]\n"
        "for kind in module.KINDS:\n"
        "    vocabulary = module.make_deterministic(module.train(kind, texts, 700)).get_vocab()\n"
        "    print(sorted(vocabulary.items()))\n"
    )
    folder = str(ROOT / "tests")
    command = [sys.executable, "-c", program, __file__, folder]
    results = {
        subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
        for _ in range(3)
    }
    assert len(results) == 1
    assert len(results.pop()) > 10_000


def test_notebook_2_3_cuts_as_the_notes_do_and_quotes_what_they_record():
    """What the notes print, value by value: live where it can be, else recorded as it was."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    pictures = "".join(
        output["data"].get("text/html", "")
        for cell in cells
        for output in cell.get("outputs", [])
        if "data" in output
    )
    for name, tokens in SPLITS.items():
        spans = "".join(
            f"{' ' if i else ''}<span class='token piece {'odd' if i % 2 else 'even'}'>"
            f"{token.replace(chr(39), '&#x27;')}</span>"
            for i, token in enumerate(tokens)
        )
        assert f"{name}</th><td class='pieces'>{spans}</td>" in pictures
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert str(CASED_CALL).replace("], ", "],\n ") in prose
    for recorded in (CASED_TOKENS, CASED_IDS, CASED_CALL["input_ids"][1:-1], CASED_DECODED):
        assert str(recorded) in prose
