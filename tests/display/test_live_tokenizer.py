"""The tokenizer of the published page: typed into and compared with Python's."""
# ruff: noqa: RUF001  # letters that look like others are what a tokenizer has to tell apart

import re

import pytest
from browser_pictures import shape, wait_for
from live_pages import ANSWER_ALL, in_module, moving, stored
from tokenizers import Tokenizer, models, normalizers, trainers
from tokenizers.pre_tokenizers import BertPreTokenizer, Metaspace
from transformers import PreTrainedTokenizerFast

from helpers.display.live_results import (
    pad,
    padding_result,
    splits_result,
    tokenizers_for_page,
)
from helpers.display.pictures import (
    padding_picture,
    split_picture,
    token_picture,
)
from helpers.text.tokens import padding_table, pieces, token_table

TEXTS = [
    "", " ", "\t\n", "a", "a" * 99, "a" * 100, "a" * 101, "é" * 101, "x" * 600, "😀" * 60,
    "naïve café Ångström", "e\u0301tude", "İstanbul ıI", "ﬁne ½ ² ①", "Straße ẞ", "ΑΒΓ ς Σ",
    "电影很好看。", "我爱电影 and films", "日本語のテキスト、カタカナ", "한국어 문장", "𠀀𪛟 rare",
    "Привет, мир", "שלום עולם", "مرحبا", "नमस्ते", "ไทย", "🤗 Hugging", "👨‍👩‍👧 family", "🇫🇷 x",
    "a\u200bb", "a\u00adb", "\ufeffstart", "a\u0000b\ufffd", "x\u2028y", "x\u3000y", "x\u00a0y",
    "[MASK] it", "[mask]", "[CLS][SEP]", "x[MASK]y", "[PAD] [UNK]", "$100 #tag @user 1,000.5%",
    "don't can't", "...!!!???", "—–‐ “quotes” ‘so’", "foo_bar a^b `code` ~|", "𝔘𝔫𝔦 𝟙",
    "unwatchable", "antidisestablishmentarianism", "HuggingFace", "\\n <b>&amp;</b>",
]  # fmt: skip


def test_the_tokenizer_gives_pythons_ids(browser, bert_tokenizer, sentences):
    texts = TEXTS + [text for text, _ in sentences[:500]]
    pairs = [(text, "") for text in texts]
    pairs += list(zip(texts[:100], reversed(texts), strict=False))
    assert len(pairs) > 600
    found = in_module(
        browser,
        "tokenizer.js",
        """async ({ encode, tokenizer }, pairs) => {
          const one = await tokenizer();
          return pairs.map(([text, pair]) => encode(one, text, pair));
        }""",
        pairs,
    )
    for (text, pair), one in zip(pairs, found, strict=True):
        expected = bert_tokenizer(text, pair or None)
        assert one["ids"] == expected["input_ids"], (text, pair)
        assert one["types"] == expected["token_type_ids"], (text, pair)
        # the package counts the words of the second text from 0, as Python does
        assert one["words"] == expected.word_ids(), (text, pair)


def test_a_typed_text_gets_pythons_kinds(browser, bert_tokenizer):
    """Padding depends on the mask, so a typed "[PAD]" is none."""
    texts = ["one 𝔘 two", "a [SEP] b", "[MASK] [CLS]", "[UNK]", "[PAD] x", "<b>"]
    state = {"texts": "\n".join(texts), "padding": True, "truncation": True, "max_length": 8}
    (found,) = in_module(browser, "tokenizer.js", ANSWER_ALL, "padding", {}, [state])
    expected = padding_result(pad(bert_tokenizer, state))
    for text, one, other in zip(texts, found["sequences"], expected["sequences"], strict=True):
        assert one["kind"] == other["kind"], text
        filled = [mask == 0 for mask in one["attention"]]
        assert [kind == "padding" for kind in one["kind"]] == filled


@pytest.fixture(scope="module")
def trained(sentences):
    """A tokenizer of each algorithm, small enough for a page, trained as 2-3 does."""
    texts = [text for text, _ in sentences[:400]]
    size = {"vocab_size": 800, "show_progress": False, "special_tokens": ["[UNK]"]}
    recipes = {
        "BPE": (
            models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"),
            trainers.BpeTrainer(end_of_word_suffix="</w>", **size),
            BertPreTokenizer(),
        ),
        "WordPiece": (
            models.WordPiece(unk_token="[UNK]"),
            trainers.WordPieceTrainer(**size),
            BertPreTokenizer(),
        ),
        "Unigram": (
            models.Unigram(),
            trainers.UnigramTrainer(unk_token="[UNK]", **size),
            Metaspace(),
        ),
    }
    made = {}
    for name, (model, trainer, splitter) in recipes.items():
        one = Tokenizer(model)
        one.normalizer, one.pre_tokenizer = normalizers.BertNormalizer(), splitter
        one.train_from_iterator(texts, trainer)
        made[name] = PreTrainedTokenizerFast(tokenizer_object=one, unk_token="[UNK]")
    return made


def test_trained_tokenizers_cut_as_pythons_do(browser, bert_tokenizer, trained, sentences):
    tokenizers = trained | {"BERT": bert_tokenizer}
    # Of a run of one letter, Unigram has cuts that are equally good, and rounding chooses.
    equally_good = re.compile(r"(.)\1{20}")
    texts = [text for text in TEXTS if text.strip() and not equally_good.search(text)]
    texts += [text for text, _ in sentences[400:600]]
    page = {"tokenizers": tokenizers_for_page(tokenizers)}
    states = [{"text": text} for text in texts]
    found = in_module(browser, "tokenizer.js", ANSWER_ALL, "splits", page, states)
    for text, one in zip(texts, found, strict=True):
        splits = {name: pieces(tokenizer, text) for name, tokenizer in tokenizers.items()}
        assert one == {**splits_result(splits), "missing": []}, text


def test_a_tokenizer_too_large_for_the_page_is_named(browser, trained):
    page = {"tokenizers": {"small": tokenizers_for_page(trained)["BPE"], "large": None}}
    (found,) = in_module(browser, "tokenizer.js", ANSWER_ALL, "splits", page, [{"text": "a"}])
    assert [one["name"] for one in found["splits"]] == ["small"]
    assert found["missing"] == ["large"]


def body_rows(elements):
    """Give the rows in the body of a table that `shape` has reduced."""
    rows = []
    for element in elements:
        if isinstance(element, tuple):
            name, _, _, children = element
            rows += children if name == "tbody" else body_rows(children)
    return rows


def test_the_cuts_follow_what_is_typed(browser, address, bert_tokenizer):
    with moving(browser, address, "splits") as (tab, place, _):
        text = "unwatchable <b>films</b> & 電影 🤗"
        place.get_by_label("Text").fill(text)
        tokens = pieces(bert_tokenizer, text)
        row = place.locator("tr", has=tab.get_by_role("rowheader", name="BERT", exact=True))
        row.locator("td.number", has_text=str(len(tokens))).wait_for()
        alone = f"<table><tbody>{row.evaluate('(one) => one.outerHTML')}</tbody></table>"
        expected = body_rows(shape(split_picture({"BERT": tokens})))
        assert body_rows(shape(f"<div class='book-picture'>{alone}</div>")) == expected
        assert place.locator("tbody tr").count() == 4
        place.get_by_label("Text").fill(" ")
        place.get_by_role("alert").wait_for()
        assert "an empty text has no tokens" in place.get_by_role("alert").inner_text()


def test_a_typed_pair_shows_tokens_ids_types_and_mask(browser, address, bert_tokenizer):
    with moving(browser, address, "encoding") as (tab, place, _):
        for text, pair in [("Ça va, 电影 🤗?", "unwatchable 𠀀"), ("<b>alone</b>", ""), ("", "")]:
            place.get_by_label("Text", exact=True).fill(text)
            place.get_by_label("Second text").fill(pair)
            table = token_table(bert_tokenizer, bert_tokenizer(text, pair or None))
            wait_for(tab, place, token_picture(table))
        tab.wait_for_timeout(600)
        assert place.get_by_role("status").inner_text() == "2 tokens"


def test_every_combination_of_padding_gives_pythons_result(browser, bert_tokenizer):
    batches = ["one two three\nfour", "a\n\n  \nb c", "I've been waiting " * 12 + "\nshort", "x"]
    batches.append("word " * 600 + "\nshort")
    states = [
        {"texts": texts, "padding": padding, "truncation": truncation, "max_length": length}
        for texts in batches
        for padding in (False, True, "max_length")
        for truncation in (False, True)
        for length in (None, 4, 6, 8, 12, 16, 20, 32)
    ]
    found = in_module(browser, "tokenizer.js", ANSWER_ALL, "padding", {}, states)
    for state, one in zip(states, found, strict=True):
        assert one == padding_result(pad(bert_tokenizer, state)), state


def test_the_padding_table_follows_its_buttons(browser, address, bert_tokenizer):
    state = stored("padding")[1]["state"]
    state["texts"] = "one two three four five six seven eight\n<four>"
    with moving(browser, address, "padding") as (tab, place, _):
        place.get_by_label("Texts").fill(state["texts"])
        for name, label, value in [
            ("padding", "'max_length'", "max_length"),
            ("truncation", "False", False),
            ("max_length", "32", 32),
            ("max_length", "not given", None),
            ("padding", "False", False),
            ("max_length", "8", 8),
            ("padding", "True", True),
        ]:
            group = place.get_by_role("group", name=name, exact=True)
            group.get_by_role("radio", name=label, exact=True).check()
            state[name] = value
            wait_for(tab, place, padding_picture_of(bert_tokenizer, state))
        place.get_by_label("Texts").fill("")
        tab.wait_for_timeout(500)
        assert "at least one text" in place.get_by_role("alert").inner_text()


def padding_picture_of(tokenizer, state):
    batch = [line for line in state["texts"].splitlines() if line.strip()]
    setting = {name: state[name] for name in ("padding", "truncation", "max_length")}
    outcome = padding_table(tokenizer, batch, [setting]).iloc[0]
    table = token_table(tokenizer, tokenizer(batch, verbose=False, **setting))
    return padding_picture(table, outcome, notes=pad(tokenizer, state).notes)
