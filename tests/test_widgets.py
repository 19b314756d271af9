"""The widgets: what the reader moves reaches the picture, and the picture is stored for pages."""

import pytest

from helpers.attention import attention_mask, read_attention
from helpers.decoding import softmax
from helpers.pictures import (
    attention_picture,
    mask_picture,
    padding_picture,
    prediction_picture,
    probability_picture,
    similarity_picture,
    split_picture,
    steps_picture,
)
from helpers.predictions import predict_masked, predict_next
from helpers.steps import three_steps
from helpers.tokens import padding_table, pieces, token_table
from helpers.widgets import (
    attention_explorer,
    gap_explorer,
    mask_explorer,
    nearest_explorer,
    padding_explorer,
    pipeline_explorer,
    temperature_explorer,
    tokenizer_explorer,
)

LOGITS = [-1.5607, 1.6123]
LABELS = {0: "NEGATIVE", 1: "POSITIVE"}


def test_typing_a_sentence_redraws_the_steps(sentiment):
    explorer = pipeline_explorer(*sentiment)
    before = explorer.picture.value
    assert before == steps_picture(three_steps(*sentiment, "I hate this so much!"))

    explorer.control.value = "I love this."

    assert explorer.picture.value == steps_picture(three_steps(*sentiment, "I love this."))
    assert explorer.picture.value != before


def test_an_empty_field_says_what_to_do(sentiment):
    explorer = pipeline_explorer(*sentiment)
    explorer.control.value = ""
    assert "Type a sentence" in explorer.picture.value
    assert "role='alert'" in explorer.picture.value


def test_moving_the_temperature_redraws_the_bars():
    explorer = temperature_explorer(LOGITS, LABELS)
    assert explorer.picture.value == probability_picture(
        ["NEGATIVE", "POSITIVE"], softmax(LOGITS), reference=softmax(LOGITS)
    )

    explorer.control.value = 10

    assert explorer.picture.value == probability_picture(
        ["NEGATIVE", "POSITIVE"], softmax(LOGITS, temperature=10), reference=softmax(LOGITS)
    )


@pytest.mark.parametrize("make", ["pipeline", "temperature"])
def test_controls_are_labelled_and_the_picture_is_stored(sentiment, make):
    explorer = (
        pipeline_explorer(*sentiment)
        if make == "pipeline"
        else temperature_explorer(LOGITS, LABELS)
    )
    bundle = explorer._repr_mimebundle_()

    assert explorer.control.description
    assert bundle["text/html"] == explorer.picture.value
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert explorer.model_id not in bundle["text/plain"]  # it differs from run to run


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
    assert explorer.picture.value == text_and(bert_tokenizer, *texts, **state)

    for name, value in [("padding", False), ("max_length", 6), ("truncation", False)]:
        explorer.control.controls[name].label = str(value)
        state[name] = value
        assert explorer.control.value["texts"] == "one two three\nfour"
        assert explorer.picture.value == text_and(bert_tokenizer, *texts, **state)

    explorer.control.controls["max_length"].label = "not given"
    state["max_length"] = None
    explorer.control.controls["texts"].value = "five\n\nsix"
    assert explorer.picture.value == text_and(bert_tokenizer, "five", "six", **state)


def test_the_padding_explorer_passes_on_what_the_library_says(bert_tokenizer):
    explorer = padding_explorer(bert_tokenizer, ["one"], truncation=False)
    assert "`max_length` is ignored" in explorer.picture.value
    explorer.control.controls["texts"].value = " "
    assert "at least one text" in explorer.picture.value
    assert "role='alert'" in explorer.picture.value


def test_each_control_of_the_padding_explorer_is_labelled(bert_tokenizer):
    explorer = padding_explorer(bert_tokenizer, ["one"])
    assert [control.description for control in explorer.control.children] == [
        "Texts", "padding", "truncation", "max_length",
    ]  # fmt: skip
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/html"] == explorer.picture.value
    assert bundle["text/plain"].startswith("Explorer('Padding and truncation', {")


def test_each_control_of_the_mask_explorer_reaches_the_picture():
    explorer = mask_explorer(kind="causal", text="a b", target="x y z")
    words = ["a", "b"]
    assert explorer.picture.value == mask_picture(attention_mask("causal", 2), words)

    controls = explorer.control.controls
    controls["kind"].value = "cross"
    cross = mask_picture(attention_mask("cross", 3, 2), ["x", "y", "z"], words)
    assert explorer.picture.value == cross
    controls["target"].value = "x"
    assert explorer.picture.value == mask_picture(attention_mask("cross", 1, 2), ["x"], words)
    controls["text"].value = " "
    assert "Type a sentence" in explorer.picture.value
    assert all(control.description for control in controls.values())


def test_each_control_of_the_attention_explorer_reaches_the_picture(bert_tokenizer):
    from transformers import AutoModel

    from helpers.checkpoints import resolve

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
    assert "expected one [MASK]" in explorer.picture.value
    assert "role='alert'" in explorer.picture.value
