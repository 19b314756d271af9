"""token_table: one sentence, a pair and a batch, against the numbers that the notes print."""

import numpy as np
import pandas as pd
import pytest
import torch
from recorded import (
    IDS,
    PAIR,
    PAIR_CALL,
    PAIR_TOKENS,
    PAIRS,
    PAIRS_CALL,
    SECOND_PAIR_TOKENS,
    SENTENCES,
)

from helpers.text.tokens import Piece, padding_table, pieces, token_table


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


@pytest.mark.parametrize("kind", [tuple, np.array, torch.tensor, pd.Series, np.uint8])
def test_the_ids_come_in_any_kind(bert_tokenizer, kind):
    expected = token_table(bert_tokenizer, {"input_ids": [101, 102]})
    for ids in [kind([101, 102]), [kind([101, 102])], list(kind([101, 102]))]:
        table = token_table(bert_tokenizer, {"input_ids": ids})
        pd.testing.assert_frame_equal(table, expected)


def test_a_mask_may_be_made_of_booleans(bert_tokenizer):
    inputs = {"input_ids": [101, 102, 0], "attention_mask": torch.tensor([True, True, False])}
    table = token_table(bert_tokenizer, inputs)
    assert table["attention"].tolist() == [1, 1, 0]
    assert table["kind"].tolist() == ["special", "special", "padding"]


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


def test_the_notes_pair_and_batch_of_pairs_value_by_value(bert_tokenizer):
    assert dict(bert_tokenizer(*PAIR)) == PAIR_CALL
    table = token_table(bert_tokenizer, bert_tokenizer(*PAIR))
    assert table["token"].tolist() == PAIR_TOKENS

    inputs = bert_tokenizer(*PAIRS, padding=True)
    assert dict(inputs) == PAIRS_CALL
    table = token_table(bert_tokenizer, inputs)
    assert table["token"].tolist() == PAIR_TOKENS + SECOND_PAIR_TOKENS
    types, masks = PAIRS_CALL["token_type_ids"], PAIRS_CALL["attention_mask"]
    assert table["token_type"].tolist() == types[0] + types[1]
    assert table["attention"].tolist() == masks[0] + masks[1]


def test_labels_of_tokens_are_named_and_minus_100_is_ignored(bert_tokenizer):
    inputs = {"input_ids": [[101, 103, 102]], "labels": np.array([[-100, 2028, -100]])}
    table = token_table(bert_tokenizer, inputs)
    assert list(table.columns)[-2:] == ["label", "answer"]
    assert table["label"].tolist() == [-100, 2028, -100]
    assert table["answer"].fillna("").tolist() == ["", "one", ""]

    one = token_table(bert_tokenizer, {"input_ids": [101, 102], "labels": [101, -100]})
    assert one["answer"].fillna("").tolist() == ["[CLS]", ""]


@pytest.mark.parametrize("labels", [1, [1], [1, 0], np.array([1, 0])], ids=str)
def test_labels_of_whole_texts_are_left_out(bert_tokenizer, labels):
    inputs = {"input_ids": [[101, 2028, 102], [101, 2048, 102]], "labels": labels}
    assert "label" not in token_table(bert_tokenizer, inputs)


@pytest.mark.parametrize(
    ("labels", "message"),
    [([[-100, -100]], "labels must have the shape"), ([[-100, -1, -100]], "labels must be in")],
)
def test_labels_that_fit_no_token_are_refused(bert_tokenizer, labels, message):
    with pytest.raises(ValueError, match=message):
        token_table(bert_tokenizer, {"input_ids": [[101, 103, 102]], "labels": labels})


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
        ({"input_ids": None}, ValueError, "whole numbers"),
        ({"input_ids": 101}, ValueError, "whole numbers"),
        ({"input_ids": "101"}, ValueError, "whole numbers"),
        ({"input_ids": [True]}, ValueError, "whole numbers"),
        ({"input_ids": np.array([101.0])}, ValueError, "whole numbers"),
        ({"input_ids": [30522]}, ValueError, "0 to 30521; got 30522"),
        ({"input_ids": [-100]}, ValueError, "got -100"),
        ({"input_ids": [101], "attention_mask": [1, 1]}, ValueError, "shape of input_ids"),
        ({"input_ids": [101], "token_type_ids": [[0], [0]]}, ValueError, r"rows of \[1\]; got"),
    ],
)
def test_it_refuses(bert_tokenizer, inputs, error, says):
    with pytest.raises(error, match=says):
        token_table(bert_tokenizer, inputs)


TEXTS = [SENTENCES[0], "So have I!"]  # 16 tokens and 6


@pytest.mark.parametrize(
    ("setting", "lengths", "shape", "cut", "padded"),
    [
        # what the notes say of each, in their order; where it is not all there is to say, a remark
        ({"padding": True}, [16, 16], "(2, 16)", 0, 10),
        ({"padding": "longest"}, [16, 16], "(2, 16)", 0, 10),
        ({"padding": "max_length"}, [512, 512], "(2, 512)", 0, 1002),
        ({"padding": "max_length", "max_length": 8}, [16, 8], "ragged", 0, 2),  # cuts nothing
        ({"truncation": True}, [16, 6], "ragged", 0, 0),
        ({"truncation": True, "max_length": 8}, [8, 6], "ragged", 8, 0),
        ({"padding": True, "truncation": True, "max_length": 8}, [8, 8], "(2, 8)", 8, 2),
        ({"padding": True, "truncation": True}, [16, 16], "(2, 16)", 0, 10),
        ({}, [16, 6], "ragged", 0, 0),
        ({"max_length": 8}, [8, 6], "ragged", 8, 0),  # cuts, though nobody asked for it
    ],
)
def test_what_each_setting_makes_of_the_rows(bert_tokenizer, setting, lengths, shape, cut, padded):
    (row,) = padding_table(bert_tokenizer, TEXTS, [setting]).to_dict("records")
    assert row == {
        "padding": setting.get("padding"),
        "truncation": setting.get("truncation"),
        "max_length": setting.get("max_length"),
        "lengths": lengths,
        "shape": shape,
        "cut": cut,
        "padded": padded,
    }


def test_the_shape_is_that_of_the_tensor_and_ragged_rows_make_none(bert_tokenizer):
    settings = [
        {"padding": True},
        {"padding": True, "truncation": True, "max_length": 8},
        {"truncation": True},
        {"padding": "max_length", "max_length": 8},
    ]
    for setting, shape in zip(
        settings, padding_table(bert_tokenizer, TEXTS, settings)["shape"], strict=True
    ):
        if shape == "ragged":
            with pytest.raises(ValueError, match="Unable to create tensor"):
                bert_tokenizer(TEXTS, return_tensors="pt", **setting)
        else:
            made = bert_tokenizer(TEXTS, return_tensors="pt", **setting)["input_ids"]
            assert str(tuple(made.shape)) == shape


def test_padding_to_the_longest_does_not_reach_max_length(bert_tokenizer):
    setting = {"padding": True, "truncation": True, "max_length": 8}
    assert padding_table(bert_tokenizer, ["So have I!"], [setting])["shape"].tolist() == ["(1, 6)"]


@pytest.mark.parametrize(
    ("texts", "setting", "error", "says"),
    [
        ("So have I!", {}, TypeError, "list of strings"),
        ([1], {}, TypeError, "list of strings"),
        ([], {}, ValueError, "at least one text"),
        (TEXTS, {"pad": True}, ValueError, r"got \['pad'\]"),
        (TEXTS, "longest", TypeError, "settings must be a list of mappings"),
    ],
)
def test_the_padding_table_refuses(bert_tokenizer, texts, setting, error, says):
    with pytest.raises(error, match=says):
        padding_table(bert_tokenizer, texts, [setting])


def test_pieces_say_which_word_they_belong_to(bert_tokenizer):
    assert pieces(bert_tokenizer, "tokenization 🤗") == [
        Piece("[CLS]", 101, None, "special"),
        Piece("token", 19204, 0, "text"),
        Piece("##ization", 3989, 0, "text"),
        Piece("[UNK]", 100, 1, "unknown"),
        Piece("[SEP]", 102, None, "special"),
    ]


def test_settings_must_be_a_list_with_something_in_it(bert_tokenizer):
    with pytest.raises(TypeError, match="settings must be a list of mappings"):
        padding_table(bert_tokenizer, TEXTS, {"padding": True})
    with pytest.raises(ValueError, match="settings must hold at least one run"):
        padding_table(bert_tokenizer, TEXTS, [])


@pytest.mark.parametrize("kind", [tuple, np.array, pd.Series])
def test_texts_come_in_any_kind(bert_tokenizer, kind):
    expected = padding_table(bert_tokenizer, TEXTS, [{"padding": True}])
    found = padding_table(bert_tokenizer, kind(TEXTS), [{"padding": True}])
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("text", [None, 5, ["one"]])
def test_pieces_of_something_else_are_refused(bert_tokenizer, text):
    with pytest.raises(TypeError, match="text must be one string; got"):
        pieces(bert_tokenizer, text)


def test_pieces_of_nothing_are_refused(bert_tokenizer):
    with pytest.raises(ValueError, match="Type a sentence"):
        pieces(bert_tokenizer, " ")
