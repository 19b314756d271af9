"""token_table: one sentence, a pair and a batch, against the numbers that the notes print."""

import numpy as np
import pandas as pd
import pytest
from recorded import IDS, SENTENCES

from helpers.tokens import token_table


def test_one_sentence(bert_tokenizer):
    table = token_table(bert_tokenizer, bert_tokenizer(SENTENCES[1]))

    assert list(table.columns) == [
        "sequence", "position", "id", "token", "token_type", "attention", "kind",
    ]  # fmt: skip
    assert table["id"].tolist() == IDS[1]
    assert table["token"].tolist() == ["[CLS]", "i", "hate", "this", "so", "much", "!", "[SEP]"]
    assert table["position"].tolist() == list(range(8))
    assert table["sequence"].tolist() == [0] * 8
    assert table["attention"].tolist() == [1] * 8
    assert table["kind"].tolist() == ["special", *["text"] * 6, "special"]


@pytest.mark.parametrize("kind", [None, "np", "pt"], ids=["lists", "numpy", "torch"])
def test_a_batch_with_padding(bert_tokenizer, kind):
    inputs = bert_tokenizer(SENTENCES, padding=True, return_tensors=kind)
    table = token_table(bert_tokenizer, inputs)

    second = table[table["sequence"] == 1]
    assert table.loc[table["sequence"] == 0, "id"].tolist() == IDS[0]
    assert second["id"].tolist() == IDS[1] + [0] * 8
    assert second["position"].tolist() == list(range(16))
    assert second["attention"].tolist() == [1] * 8 + [0] * 8
    assert second["kind"].tolist() == ["special", *["text"] * 6, "special", *["padding"] * 8]


def test_a_batch_of_lists_without_padding_may_be_ragged(bert_tokenizer):
    table = token_table(bert_tokenizer, bert_tokenizer(SENTENCES))
    assert table.groupby("sequence").size().tolist() == [16, 8]


def test_a_pair_has_two_token_types(bert_tokenizer):
    inputs = bert_tokenizer("This is the first sentence.", "This is the second one.")
    table = token_table(bert_tokenizer, inputs)

    # the ids and types that the notes print for this pair
    assert table["id"].tolist() == [
        101, 2023, 2003, 1996, 2034, 6251, 1012, 102, 2023, 2003, 1996, 2117, 2028, 1012, 102,
    ]  # fmt: skip
    assert table["token_type"].tolist() == [0] * 8 + [1] * 7


def test_what_the_inputs_lack_is_missing_not_zero(bert_tokenizer):
    table = token_table(bert_tokenizer, {"input_ids": [101, 102]})
    assert table["token_type"].isna().all()
    assert table["attention"].isna().all()


def test_an_unknown_word_is_marked(bert_tokenizer):
    table = token_table(bert_tokenizer, bert_tokenizer("a 🤗"))
    assert table["kind"].tolist() == ["special", "text", "unknown", "special"]


def test_a_tensor_in_a_list_is_a_row(bert_tokenizer):
    rows = {"input_ids": [np.array([101, 102]), np.array([101])]}
    table = token_table(bert_tokenizer, rows)
    assert table["id"].tolist() == [101, 102, 101]
    assert isinstance(table, pd.DataFrame)


@pytest.mark.parametrize(
    ("inputs", "error", "says"),
    [
        ("I hate this so much!", TypeError, r"token_table\(tokenizer, tokenizer\(text\)\)"),
        ({"attention_mask": [1]}, TypeError, "input_ids"),
        ({"input_ids": []}, ValueError, "at least one token"),
        ({"input_ids": [[], []]}, ValueError, "at least one token"),
        ({"input_ids": [[[101]]]}, ValueError, "whole numbers"),
        ({"input_ids": [[101], 102]}, ValueError, "whole numbers"),
        ({"input_ids": [1.5]}, ValueError, "whole numbers"),
        ({"input_ids": [30522]}, ValueError, "0 to 30521; got 30522"),
        ({"input_ids": [-100]}, ValueError, "got -100"),
        ({"input_ids": [101], "attention_mask": [1, 1]}, ValueError, "shape of input_ids"),
        ({"input_ids": [101], "token_type_ids": [[0], [0]]}, ValueError, r"rows of \[1\]; got"),
    ],
)
def test_it_refuses(bert_tokenizer, inputs, error, says):
    with pytest.raises(error, match=says):
        token_table(bert_tokenizer, inputs)
