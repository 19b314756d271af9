"""The widgets: what the reader moves reaches the picture, and the picture is stored for pages."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from helpers.display.explorers import (
    batching_explorer,
    encoding_explorer,
    mask_explorer,
    padding_explorer,
    temperature_explorer,
    tokenizer_explorer,
)
from helpers.display.live_results import (
    attention_result,
    nearest_result,
    splits_result,
    steps_result,
    tokenizers_for_page,
)
from helpers.display.model_explorers import (
    attention_explorer,
    gap_explorer,
    nearest_explorer,
    pair_explorer,
    pipeline_explorer,
)
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
from helpers.text.attention import Attention, attention_mask, read_attention
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


def test_labels_may_be_numbered_by_strings_as_in_config_json():
    strings = {str(number): name for number, name in reversed(LABELS.items())}
    assert temperature_explorer(LOGITS, strings).state == temperature_explorer(LOGITS, LABELS).state
    with pytest.raises(ValueError, match="keys 0 to 1"):
        temperature_explorer(LOGITS, {1: "NEGATIVE", 2: "POSITIVE"})


def test_a_model_runs_once_for_the_result_and_the_picture():
    runs = []

    def encode(texts):
        runs.append(texts)
        return count_letters(texts)

    explorer = nearest_explorer(encode, ["a", "b", "c"], text="aab")
    once = len(runs)
    assert once
    assert explorer.picture == explorer.picture
    explorer._repr_mimebundle_()
    assert len(runs) == once
    explorer.state = {"text": "c"}
    assert "winner" in explorer.picture
    assert len(runs) == 2 * once


def live_things(sentiment, bert_tokenizer):
    return [
        pipeline_explorer(*sentiment),
        temperature_explorer(LOGITS, LABELS),
        encoding_explorer(bert_tokenizer, text="It's <b>", pair="'two'"),
        padding_explorer(bert_tokenizer, ["one", "two three"]),
        mask_explorer(),
        tokenizer_explorer({"it's <b>": bert_tokenizer}, text='It\'s <b> & "so on"'),
        nearest_explorer(count_letters, ["a'b", "<b>", "c"], text="aab"),
        batching_explorer([3, 5, 4]),
    ]


def things_only_in_notebooks(sentiment, masked_model, causal_model):
    return [
        gap_explorer(masked_model, causal_model),
        pair_explorer(*sentiment, first="It is good.", second="It is not bad."),
    ]


def test_a_live_thing_is_stored_with_its_picture_and_its_state(sentiment, bert_tokenizer):
    for live in live_things(sentiment, bert_tokenizer):
        bundle, _ = live._repr_mimebundle_()
        place = BeautifulSoup(bundle["text/html"], "html.parser").select_one(".book-live")
        assert place["data-live"] == live.kind
        start = json.loads(place["data-state"])
        assert not set(place.attrs) - {"class", "data-live", "data-state"}
        assert start["state"] == live.state
        assert start.get("result", {}) == live.result
        assert live.picture in bundle["text/html"]
        assert "Where JavaScript runs" in place.select_one(".still").get_text()
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert live.model_id not in bundle["text/plain"]  # it differs from run to run
        assert live.model_id not in bundle["text/html"]


def test_what_moves_only_in_a_notebook_says_so_and_gives_the_page_nothing_to_start(
    sentiment, masked_model, causal_model
):
    for live in things_only_in_notebooks(sentiment, masked_model, causal_model):
        bundle, _ = live._repr_mimebundle_()
        html = BeautifulSoup(bundle["text/html"], "html.parser")
        assert not html.select("[data-live], [data-state], .book-live")
        assert "Open the notebook in JupyterLab" in html.select_one("em").get_text()
        assert html.select_one(".book-picture")
        assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_live_thing_brings_its_whole_program(
    sentiment, bert_tokenizer, masked_model, causal_model
):
    for live in live_things(sentiment, bert_tokenizer) + things_only_in_notebooks(
        sentiment, masked_model, causal_model
    ):
        assert "import" not in re.findall(r"^\w+", live._esm, flags=re.MULTILINE)
        assert live._esm.count("export default") == 1
        assert ".book-live-view" in live._css
        assert ".book-picture" in live._css


def count_letters(texts):
    """Stand in for an encoder: how many a, b and c a text has."""
    return [[text.count(letter) for letter in "abc"] for text in texts]


def test_typing_a_sentence_puts_the_nearest_first():
    explorer = nearest_explorer(count_letters, ["a", "b", "c"], text="aab")
    assert explorer.picture == similarity_picture(["a", "b", "c"], [2 / 5**0.5, 1 / 5**0.5, 0])

    explorer.state = {"text": "c"}

    assert explorer.picture == similarity_picture(["c", "a", "b"], [1, 0, 0])
    assert explorer.result == {
        "sentences": ["c", "a", "b"],
        "similarities": [1, 0, 0],
        "percents": [100, 0, 0],
    }

    explorer.state = {"text": " "}
    assert "Type a sentence" in explorer.picture
    assert "Type a sentence" in explorer.result["error"]


def test_a_similarity_is_stored_with_the_digits_that_are_the_same_everywhere():
    result = nearest_result([("a", 0.04447), ("b", -0.001)])
    assert result["similarities"] == [0.04, 0.0]
    assert result["percents"] == [4.4, 0.0]  # as the picture has them, rounded once


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

    state = {"text": "one two", "layer": 1, "head": 2, "layers": 6, "heads": 12}
    assert explorer.state == state
    assert explorer.picture == drawn("one two", 1, 2)
    for name, value in [("layer", 5), ("head", 11), ("text", "three")]:
        state[name] = value
        explorer.state = dict(state)
        assert explorer.picture == drawn(state["text"], state["layer"], state["head"])
        read = read_attention(bert_tokenizer, model, state["text"])
        assert explorer.result == attention_result(read, state["layer"], state["head"])
    assert explorer.result["tokens"] == ["[CLS]", "three", "[SEP]"]
    assert all(99 <= sum(row) <= 101 for row in explorer.result["percents"])
    explorer.state = {**state, "text": ""}
    assert "Type a sentence" in explorer.picture
    assert "Type a sentence" in explorer.result["error"]


def test_of_a_long_text_the_first_tokens_are_drawn_and_the_largest_is_of_the_whole_row():
    weights = np.full((1, 1, 30, 30), 0.01)
    weights[0, 0, :, 25] = 0.71
    result = attention_result(Attention([f"t{i}" for i in range(30)], weights), 0, 0)
    assert result["length"] == 30
    assert result["tokens"] == [f"t{i}" for i in range(20)]
    assert result["percents"] == [[1] * 20] * 20
    assert result["largest"] == [71] * 20


def test_typing_a_text_redraws_the_cuts_of_each_tokenizer(sentiment, bert_tokenizer):
    tokenizers = {"one": bert_tokenizer, "two": sentiment[0]}
    explorer = tokenizer_explorer(tokenizers)

    explorer.state = {"text": "unwatchable"}

    splits = {name: pieces(tokenizer, "unwatchable") for name, tokenizer in tokenizers.items()}
    assert explorer.picture == split_picture(splits)
    assert explorer.result == splits_result(splits)
    assert explorer.result["splits"][0]["token"] == ["[CLS]", "un", "##watch", "##able", "[SEP]"]
    assert explorer.result["splits"][0]["word"] == [None, 0, 0, 0, None]
    explorer.state = {"text": ""}
    assert "role='alert'" in explorer.picture
    assert "Type a sentence" in explorer.result["error"]


def test_the_page_is_given_small_tokenizers_and_told_which_are_too_large(bert_tokenizer):
    def made(model):
        return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), unk_token="?")

    small = made(models.WordLevel({"?": 0, "one": 1}, unk_token="?"))
    scores = [("?", 0.0), ("a", -1.23456789)]
    large = made(models.WordLevel({str(i): i for i in range(5001)}, unk_token="?"))
    given = tokenizers_for_page(
        {
            "small": small,
            "unigram": made(models.Unigram(scores, unk_id=0)),
            "large": large,
            "BERT": bert_tokenizer,
        }
    )
    assert given["small"] == json.loads(small.backend_tokenizer.to_str())
    assert given["unigram"]["model"]["vocab"] == [["?", 0.0], ["a", -1.2346]]
    assert given["large"] is None
    assert given["BERT"] == "bert-base-uncased"
    explorer = tokenizer_explorer({"BERT": bert_tokenizer})
    html = BeautifulSoup(explorer._repr_mimebundle_()[0]["text/html"], "html.parser")
    page = json.loads(html.select_one(".book-live")["data-state"])["page"]
    assert page == {"tokenizers": {"BERT": "bert-base-uncased"}}
    assert "tokenizers" not in explorer.state  # a notebook stores the state once more


def test_typing_a_text_redraws_what_both_models_put_into_its_gap(masked_model, causal_model):
    explorer = gap_explorer(masked_model, causal_model)
    before = explorer.picture
    assert "asleep" in before

    text = "I would [MASK] see it again."
    explorer.state = {"text": text}

    assert explorer.picture != before
    predictions = {
        "Masked: sees both sides of the gap": predict_masked(*masked_model, text),
        "Causal: sees what stands before the gap": predict_next(*causal_model, text),
    }
    assert explorer.picture == prediction_picture(predictions)
    masked, causal = explorer.result["models"]
    assert [masked["name"], causal["name"]] == list(predictions)
    assert masked["seen"] == ["yes"] * 3 + ["gap"] + ["yes"] * 5
    assert causal["seen"] == ["yes"] * 3 + ["gap"] + ["no"] * 4
    for one, prediction in zip(explorer.result["models"], predictions.values(), strict=True):
        assert one["candidates"] == prediction.candidates
        assert one["probabilities"] == prediction.probabilities


def test_a_text_with_two_gaps_says_what_to_do(masked_model, causal_model):
    explorer = gap_explorer(masked_model, causal_model, text="[MASK] and [MASK]")
    assert "at most one [MASK]" in explorer.picture
    assert "role='alert'" in explorer.picture
    assert "at most one [MASK]" in explorer.result["error"]


def test_each_control_of_the_batching_explorer_reaches_the_picture():
    lengths = [10 + i * i % 37 for i in range(100)]

    def expected(size, order, width):
        batches = make_batches(lengths, size, order=order)
        return batches_picture(batch_table(lengths, batches, width=width))

    explorer = batching_explorer(lengths)
    state = {"batch_size": 16, "order": "shuffled", "padding": 0}
    assert explorer.state == state
    assert explorer.picture == expected(16, "shuffled", None)
    changes = [("batch_size", 8, None), ("order", "by length", None)]
    for name, value, width in [*changes, ("padding", -1, 46), ("padding", 512, 512)]:
        state[name] = value
        explorer.state = dict(state)
        assert explorer.picture == expected(state["batch_size"], state["order"], width)

    start = {"batch_size": 4, "order": "by length", "padding": -1}
    assert batching_explorer(lengths, **start).picture == expected(4, "by length", 46)


def test_the_page_has_the_batches_of_every_choice():
    lengths = [10 + i * i % 37 for i in range(100)]
    outcomes = batching_explorer(lengths).result
    assert len(outcomes) == 5 * 2 * 3
    for name, outcome in outcomes.items():
        size, order, padding = name.split("/")
        batches = make_batches(lengths, int(size), order=order)
        width = {"0": None, "-1": 46, "512": 512}[padding]
        table = batch_table(lengths, batches, width=width)
        assert outcome["rows"] == table.head(10).to_numpy().tolist()
        assert outcome["batches"] == len(batches)
        assert outcome["padding"] == table["padding"].sum()
        assert outcome["positions"] == (table["tokens"] + table["padding"]).sum()
        assert outcome["largest"] == (table["tokens"] + table["padding"]).max()
        assert outcome["shapes"] == len({*zip(table["rows"], table["width"], strict=True)})
    json.dumps(outcomes)  # plain numbers


def test_rows_longer_than_a_bert_can_read_say_so():
    explorer = batching_explorer([600, 3], padding=512)
    assert "width must be at least 600" in explorer.picture
    assert "width must be at least 600" in explorer.result["16/shuffled/512"]["error"]


def test_typing_two_sentences_redraws_the_answer(sentiment):
    explorer = pair_explorer(*sentiment, first="It is good.", second="It is not bad.")
    answer = compare_pair(*sentiment, "It is good.", "It is not bad.")
    assert explorer.picture == pair_picture(answer)

    explorer.state = {"first": "It is bad.", "second": "It is good."}

    answer = compare_pair(*sentiment, "It is bad.", "It is good.")
    assert explorer.picture == pair_picture(answer)
    assert f">{answer.probabilities[0]:.4f}<" in explorer.picture
    assert explorer.result["probabilities"] == answer.probabilities
    assert explorer.result["swapped"] == answer.swapped
    explorer.state = {"first": "", "second": "It is good."}
    assert "Type a sentence in both fields" in explorer.picture
    assert "Type a sentence in both fields" in explorer.result["error"]


def test_of_the_answer_to_two_sentences_the_label_is_stored(sentiment):
    explorer = pair_explorer(*sentiment, first="It is good.", second="It is not bad.")
    answer = compare_pair(*sentiment, "It is good.", "It is not bad.")

    def stored():
        return explorer._repr_mimebundle_()[0]["text/html"]

    assert pair_labels_picture(answer) in stored()
    assert explorer.picture not in stored()
    assert f"{answer.probabilities[0]:.4f}" not in stored()
    explorer.state = {"first": "", "second": "It is good."}
    assert "role='alert'" in stored()
