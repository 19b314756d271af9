"""The widgets: what the reader moves reaches the picture, and the picture is stored for pages."""

import json
import re

import pytest
from bs4 import BeautifulSoup

from helpers.display.explorers import (
    attention_explorer,
    batching_explorer,
    encoding_explorer,
    gap_explorer,
    mask_explorer,
    nearest_explorer,
    padding_explorer,
    pair_explorer,
    pipeline_explorer,
    temperature_explorer,
    tokenizer_explorer,
)
from helpers.display.live import steps_result
from helpers.display.pictures import (
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
from helpers.text.attention import attention_mask, read_attention
from helpers.text.batching import batch_table, make_batches
from helpers.text.decoding import softmax
from helpers.text.pairs import compare_pair
from helpers.text.pipeline_steps import three_steps
from helpers.text.predictions import predict_masked, predict_next
from helpers.text.tokens import padding_table, pieces, token_table

LOGITS = [-1.5607, 1.6123]
LABELS = {0: "NEGATIVE", 1: "POSITIVE"}


def test_typing_a_sentence_redraws_the_steps(sentiment):
    explorer = pipeline_explorer(*sentiment)
    before = explorer.picture
    assert before == steps_picture(three_steps(*sentiment, "I hate this so much!"))

    explorer.state = {"text": "I love this."}

    steps = three_steps(*sentiment, "I love this.")
    assert explorer.picture == steps_picture(steps) != before
    assert explorer.result == steps_result(steps)
    assert explorer.result["probabilities"] == pytest.approx(steps.probabilities, abs=1e-4)
    assert explorer.result["sequences"][0]["id"] == steps.table["id"].tolist()
    assert explorer.result["sequences"][0]["token_type"] is None  # a DistilBERT has none


def test_an_empty_field_says_what_to_do(sentiment):
    explorer = pipeline_explorer(*sentiment)
    explorer.state = {"text": ""}
    assert "Type a sentence" in explorer.picture
    assert "role='alert'" in explorer.picture
    assert "Type a sentence" in explorer.result["error"]


def test_moving_the_temperature_redraws_the_bars():
    explorer = temperature_explorer(LOGITS, LABELS)
    assert explorer.picture == probability_picture(
        ["NEGATIVE", "POSITIVE"], softmax(LOGITS), reference=softmax(LOGITS)
    )

    explorer.state = {**explorer.state, "temperature": 10}

    assert explorer.picture == probability_picture(
        ["NEGATIVE", "POSITIVE"], softmax(LOGITS, temperature=10), reference=softmax(LOGITS)
    )


def test_logits_are_stored_with_the_digits_that_are_the_same_everywhere():
    assert temperature_explorer([1.00004999, -2], LABELS).state["logits"] == [1.0, -2.0]


def live_things(sentiment, bert_tokenizer):
    return [
        pipeline_explorer(*sentiment),
        temperature_explorer(LOGITS, LABELS),
        encoding_explorer(bert_tokenizer, text="It's <b>", pair="'two'"),
        padding_explorer(bert_tokenizer, ["one", "two three"]),
        mask_explorer(),
    ]


def test_a_live_thing_is_stored_with_its_picture_and_its_state(sentiment, bert_tokenizer):
    for live in live_things(sentiment, bert_tokenizer):
        bundle, _ = live._repr_mimebundle_()
        place = BeautifulSoup(bundle["text/html"], "html.parser").select_one(".book-live")
        assert place["data-live"] == live.kind
        start = json.loads(place["data-state"])
        assert start["state"] == live.state
        assert start.get("result", {}) == live.result
        assert live.picture in bundle["text/html"]
        assert "Where JavaScript runs" in place.select_one(".still").get_text()
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert live.model_id not in bundle["text/plain"]  # it differs from run to run
        assert live.model_id not in bundle["text/html"]


def test_a_live_thing_brings_its_whole_program(sentiment, bert_tokenizer):
    for live in live_things(sentiment, bert_tokenizer):
        assert "import" not in re.findall(r"^\w+", live._esm, flags=re.MULTILINE)
        assert live._esm.count("export default") == 1
        assert ".book-live-view" in live._css
        assert ".book-picture" in live._css


def count_letters(texts):
    """Stand in for an encoder: how many a, b and c a text has."""
    return [[text.count(letter) for letter in "abc"] for text in texts]


def test_typing_a_sentence_puts_the_nearest_first():
    explorer = nearest_explorer(count_letters, ["a", "b", "c"], text="aab")
    before = explorer.picture.value
    assert before == similarity_picture(["a", "b", "c"], [2 / 5**0.5, 1 / 5**0.5, 0])

    explorer.control.value = "c"

    assert explorer.picture.value == similarity_picture(["c", "a", "b"], [1, 0, 0])
    assert explorer.control.description

    explorer.control.value = " "
    assert "Type a sentence" in explorer.picture.value


def text_and(tokenizer, *texts, **setting):
    """Give what the padding explorer should show for a state of its controls."""
    outcome = padding_table(tokenizer, texts, [setting]).iloc[0]
    inputs = tokenizer(list(texts), verbose=False, **setting)
    return padding_picture(token_table(tokenizer, inputs), outcome)


def test_each_control_of_the_padding_explorer_reaches_the_picture(bert_tokenizer):
    explorer = padding_explorer(bert_tokenizer, ["one two three", "four"], max_length=4)
    state = {"padding": True, "truncation": True, "max_length": 4}
    texts = ["one two three", "four"]
    assert explorer.picture == text_and(bert_tokenizer, *texts, **state)

    for name, value in [("padding", False), ("max_length", 6), ("truncation", False)]:
        state[name] = value
        explorer.state = {**explorer.state, name: value}
        assert explorer.picture == text_and(bert_tokenizer, *texts, **state)
        assert explorer.result["setting"] == state
        outcome = padding_table(bert_tokenizer, texts, [state]).iloc[0]
        assert [explorer.result[key] for key in ("lengths", "cut", "padded")] == [
            outcome[key] for key in ("lengths", "cut", "padded")
        ]

    state["max_length"] = None
    explorer.state = {"texts": "five\n\nsix", **state}
    assert explorer.picture == text_and(bert_tokenizer, "five", "six", **state)


def test_the_padding_explorer_passes_on_what_the_library_says(bert_tokenizer):
    explorer = padding_explorer(bert_tokenizer, ["one"], truncation=False)
    assert "`max_length` is ignored" in explorer.picture
    assert "`max_length` is ignored" in explorer.result["notes"][0]
    explorer.state = {**explorer.state, "texts": " "}
    assert "at least one text" in explorer.picture
    assert "role='alert'" in explorer.picture
    assert "at least one text" in explorer.result["error"]


def test_the_encoding_explorer_takes_a_text_or_a_pair(bert_tokenizer):
    explorer = encoding_explorer(bert_tokenizer, text="one two")

    def table(*texts):
        return token_table(bert_tokenizer, bert_tokenizer(*texts))

    assert explorer.picture == token_picture(table("one two"))
    explorer.state = {"text": "one", "pair": "two"}
    assert explorer.picture == token_picture(table("one", "two"))
    assert explorer.result["sequences"][0]["token_type"] == [0, 0, 0, 1, 1]
    explorer.state = {"text": "", "pair": ""}
    assert explorer.result["sequences"][0]["token"] == ["[CLS]", "[SEP]"]


def test_each_control_of_the_mask_explorer_reaches_the_picture():
    explorer = mask_explorer(kind="causal", text="a b", target="x y z")
    words = ["a", "b"]
    assert explorer.picture == mask_picture(attention_mask("causal", 2), words)

    explorer.state = {**explorer.state, "kind": "cross"}
    cross = mask_picture(attention_mask("cross", 3, 2), ["x", "y", "z"], words)
    assert explorer.picture == cross
    explorer.state = {**explorer.state, "target": "x"}
    assert explorer.picture == mask_picture(attention_mask("cross", 1, 2), ["x"], words)
    explorer.state = {**explorer.state, "text": " "}
    assert "Type a sentence" in explorer.picture


def test_each_control_of_the_attention_explorer_reaches_the_picture(bert_tokenizer):
    from transformers import AutoModel

    from helpers.sources.checkpoints import resolve

    model = AutoModel.from_pretrained(resolve("bert-base-uncased"), attn_implementation="eager")
    explorer = attention_explorer(bert_tokenizer, model, text="one two", layer=1, head=2)

    def drawn(text, layer, head):
        tokens, weights = read_attention(bert_tokenizer, model, text)
        return attention_picture(weights[layer, head], tokens)

    assert explorer.picture.value == drawn("one two", 1, 2)
    controls = explorer.control.controls
    assert (controls["layer"].max, controls["head"].max) == (5, 11)
    controls["layer"].value = 5
    assert explorer.picture.value == drawn("one two", 5, 2)
    controls["head"].value = 11
    assert explorer.picture.value == drawn("one two", 5, 11)
    controls["text"].value = "three"
    assert explorer.picture.value == drawn("three", 5, 11)
    controls["text"].value = ""
    assert "Type a sentence" in explorer.picture.value
    assert all(control.description for control in controls.values())


def test_typing_a_text_redraws_the_cuts_of_each_tokenizer(sentiment, bert_tokenizer):
    tokenizers = {"one": bert_tokenizer, "two": sentiment[0]}
    explorer = tokenizer_explorer(tokenizers)

    explorer.control.value = "unwatchable"

    assert explorer.picture.value == split_picture(
        {name: pieces(tokenizer, "unwatchable") for name, tokenizer in tokenizers.items()}
    )
    assert explorer.control.description
    explorer.control.value = ""
    assert "role='alert'" in explorer.picture.value


def test_typing_a_text_redraws_what_both_models_put_into_its_gap(masked_model, causal_model):
    explorer = gap_explorer(masked_model, causal_model)
    before = explorer.picture.value
    assert "asleep" in before

    text = "I would [MASK] see it again."
    explorer.control.value = text

    assert explorer.picture.value != before
    assert explorer.picture.value == prediction_picture(
        {
            "Masked: sees both sides of the gap": predict_masked(*masked_model, text),
            "Causal: sees what stands before the gap": predict_next(*causal_model, text),
        }
    )


def test_a_text_with_two_gaps_says_what_to_do(masked_model, causal_model):
    explorer = gap_explorer(masked_model, causal_model, text="[MASK] and [MASK]")
    assert "at most one [MASK]" in explorer.picture.value
    assert "role='alert'" in explorer.picture.value


def test_each_control_of_the_batching_explorer_reaches_the_picture():
    lengths = [10 + i * i % 37 for i in range(100)]

    def expected(size, order, width):
        batches = make_batches(lengths, size, order=order)
        return batches_picture(batch_table(lengths, batches, width=width))

    explorer = batching_explorer(lengths)
    assert explorer.picture.value == expected(16, "shuffled", None)
    controls = explorer.control.controls
    controls["batch_size"].value = 8
    assert explorer.picture.value == expected(8, "shuffled", None)
    controls["order"].value = "by length"
    assert explorer.picture.value == expected(8, "by length", None)
    controls["padding"].label = "longest of all"
    assert explorer.picture.value == expected(8, "by length", 46)
    controls["padding"].label = "512"
    assert explorer.picture.value == expected(8, "by length", 512)
    assert all(control.description for control in controls.values())

    start = {"batch_size": 4, "order": "by length", "padding": -1}
    assert batching_explorer(lengths, **start).picture.value == expected(4, "by length", 46)


def test_typing_two_sentences_redraws_the_answer(sentiment):
    explorer = pair_explorer(*sentiment, first="It is good.", second="It is not bad.")
    answer = compare_pair(*sentiment, "It is good.", "It is not bad.")
    assert explorer.picture.value == pair_picture(answer)

    explorer.control.controls["first"].value = "It is bad."
    explorer.control.controls["second"].value = "It is good."

    answer = compare_pair(*sentiment, "It is bad.", "It is good.")
    assert explorer.picture.value == pair_picture(answer)
    assert f">{answer.probabilities[0]:.4f}<" in explorer.picture.value
    assert [control.description for control in explorer.control.children] == ["First", "Second"]
    explorer.control.controls["first"].value = ""
    assert "Type a sentence in both fields" in explorer.picture.value


def test_of_the_answer_to_two_sentences_the_label_is_stored(sentiment):
    explorer = pair_explorer(*sentiment, first="It is good.", second="It is not bad.")
    answer = compare_pair(*sentiment, "It is good.", "It is not bad.")
    stored = explorer._repr_mimebundle_()["text/html"]
    assert stored == pair_labels_picture(answer) != explorer.picture.value
    explorer.control.controls["first"].value = ""
    assert "role='alert'" in explorer._repr_mimebundle_()["text/html"]
