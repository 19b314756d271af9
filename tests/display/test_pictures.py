"""The pictures: what they show is what went in, escaped, marked and the same every time."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from helpers.display.pictures import (
    attention_picture,
    batches_picture,
    diff_picture,
    mask_picture,
    measure_picture,
    padding_picture,
    pair_labels_picture,
    prediction_picture,
    probability_picture,
    progress_picture,
    similarity_picture,
    split_picture,
    steps_picture,
    token_picture,
)
from helpers.text.pairs import PairAnswer
from helpers.text.pipeline_steps import three_steps
from helpers.text.predictions import Prediction
from helpers.text.tokens import Piece, padding_table, token_table


def text_of(html: str) -> str:
    """Give what a reader without style sheets reads."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


def test_a_token_picture_holds_the_table(bert_tokenizer):
    table = token_table(bert_tokenizer, bert_tokenizer(["one two", "three"], padding=True))
    shown = BeautifulSoup(token_picture(table), "html.parser")
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in shown.find_all("tr")]

    assert rows == [
        ["position", "0", "1", "2", "3"],
        ["sequence 0"],
        ["token", "[CLS]", "one", "two", "[SEP]"],
        ["id", "101", "2028", "2048", "102"],
        ["token type", "0", "0", "0", "0"],
        ["attention mask", "1", "1", "1", "1"],
        ["sequence 1"],
        ["token", "[CLS]", "three", "[SEP]", "[PAD]"],
        ["id", "101", "2093", "102", "0"],
        ["token type", "0", "0", "0", "0"],
        ["attention mask", "1", "1", "1", "0"],
    ]


def test_marks_are_explained_and_only_those_that_occur(bert_tokenizer):
    padded = token_picture(
        token_table(bert_tokenizer, bert_tokenizer(["one two", "three"], padding=True))
    )
    assert "<td class='token padding'>[PAD]</td>" in padded
    assert "<td class='token special'>[CLS]</td>" in padded
    assert "padding, which the model is told to ignore" in text_of(padded)
    assert "not in the vocabulary" not in text_of(padded)
    unknown = token_picture(token_table(bert_tokenizer, bert_tokenizer("🤗")))
    assert "not in the vocabulary" in text_of(unknown)
    assert "padding" not in text_of(unknown)


def test_a_row_that_the_checkpoint_does_not_use_is_left_out(sentiment):
    tokenizer, _ = sentiment
    picture = token_picture(token_table(tokenizer, tokenizer("one two")))
    assert "token type" not in text_of(picture)
    assert "attention mask" in text_of(picture)


def test_padding_that_no_mask_hides_is_not_called_ignored(bert_tokenizer):
    inputs = bert_tokenizer(["one two", "three"], padding=True)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    for unmasked in ({"input_ids": ids}, {"input_ids": ids, "attention_mask": [[1] * 4] * 2}):
        shown = text_of(token_picture(token_table(bert_tokenizer, unmasked)))
        assert "padding, which no mask hides" in shown
        assert "told to ignore" not in shown
    masked = {"input_ids": ids, "attention_mask": mask}
    assert "told to ignore" in text_of(token_picture(token_table(bert_tokenizer, masked)))


def padded(tokenizer, texts, **setting):
    """Draw what one setting makes of some texts."""
    outcome = padding_table(tokenizer, texts, [setting]).iloc[0]
    return padding_picture(token_table(tokenizer, tokenizer(texts, **setting)), outcome)


def test_a_padding_picture_shows_the_call_and_its_outcome(bert_tokenizer):
    setting = {"padding": True, "truncation": True, "max_length": 4}
    shown = text_of(padded(bert_tokenizer, ["one two three", "four"], **setting))
    assert "tokenizer(texts, padding=True, truncation=True, max_length=4)" in shown
    assert "Shape (2, 4). Tokens cut: 1. Tokens of padding: 1." in shown
    assert "No tensor" not in shown


@pytest.mark.parametrize(
    ("setting", "lengths", "remedy"),
    [
        ({"truncation": True}, "5 and 3", "Set padding=True"),
        ({"padding": "max_length", "max_length": 4}, "5 and 4", "set truncation=True"),
    ],
)
def test_a_padding_picture_says_what_makes_no_tensor(bert_tokenizer, setting, lengths, remedy):
    picture = padded(bert_tokenizer, ["one two three", "four"], **setting)
    (alert,) = BeautifulSoup(picture, "html.parser").find_all(role="alert")
    assert f"No tensor: the rows have {lengths} tokens." in alert.text
    assert remedy in alert.text
    assert "Shape" not in text_of(picture)


def test_a_padding_picture_draws_no_more_than_fits(bert_tokenizer):
    picture = padded(bert_tokenizer, ["one", "two"], padding="max_length")
    assert "the first 20 positions of 512" in text_of(picture)
    assert "Shape (2, 512)" in text_of(picture)
    assert picture.count("[PAD]") == 2 * 17


def test_text_is_escaped(bert_tokenizer):
    picture = token_picture(token_table(bert_tokenizer, bert_tokenizer("<b> & </b>")))
    assert "<td class='token text'>&lt;</td>" in picture
    assert "<b>" not in picture


def test_bars_are_as_long_as_their_numbers():
    picture = probability_picture(["NO", "YES"], [0.25, 0.75], reference=[0.5, 0.5])
    assert re.findall(r"<span style='width: ([\d.]+)%'>", picture) == ["25.00", "75.00"]
    assert re.findall(r"<span class='faint' style='width: ([\d.]+)%'>", picture) == ["50.00"] * 2
    assert "<td class='number winner'>0.7500</td>" in picture
    assert "<td class='number'>0.2500</td>" in picture


@pytest.mark.parametrize(
    ("probabilities", "reference"), [([0.5], None), ([0.5, 0.5], [1.0]), ([1.5, -0.5], None)]
)
def test_bars_refuse_what_is_no_probability_for_each_label(probabilities, reference):
    with pytest.raises(ValueError, match="Expected"):
        probability_picture(["NO", "YES"], probabilities, reference=reference)


def test_the_steps_picture_shows_each_result(sentiment):
    steps = three_steps(*sentiment, "I hate this so much!")
    shown = text_of(steps_picture(steps))

    for result in (*steps.table["token"], *map(str, steps.table["id"])):
        assert result in shown
    for logit, probability in zip(steps.logits, steps.probabilities, strict=True):
        assert f"{logit:.4f}" in shown
        assert f"{probability:.4f}" in shown
    assert "was cut" not in shown
    assert "was cut" in text_of(steps_picture(three_steps(*sentiment, "good " * 600)))


def test_a_notebook_shows_it_as_html_with_its_style():
    picture = probability_picture(["NO", "YES"], [0.25, 0.75])
    assert picture._repr_html_() == picture
    assert picture.startswith("<style>")
    assert ".book-picture" in picture


def test_similarities_are_bars_with_numbers_and_the_highest_is_bold():
    picture = similarity_picture(["a < b", "c"], [0.756, -0.2])
    shown = BeautifulSoup(picture, "html.parser")
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in shown.find_all("tr")]

    assert rows == [
        ["sentence", "similarity", "number"],
        ["a < b", "", "0.76"],
        ["c", "", "-0.20"],
    ]
    assert [bar["style"] for bar in shown.select(".bar span")] == ["width: 75.6%", "width: 0.0%"]
    assert [cell.text for cell in shown.select(".winner")] == ["0.76"]


def test_a_similarity_that_is_nearly_nothing_has_no_minus():
    assert "-0.00" not in similarity_picture(["a", "b"], [0.5, -0.001])


def test_a_similarity_for_each_sentence_is_asked_for():
    with pytest.raises(
        ValueError, match="Expected a similarity for each of 2 sentences, and at least one; got 1"
    ):
        similarity_picture(["a", "b"], [0.5])


def test_what_is_asked_for_stands_below_the_token(bert_tokenizer):
    inputs = {"input_ids": [101, 103, 102], "labels": [-100, 2028, -100]}
    picture = token_picture(token_table(bert_tokenizer, inputs))
    shown = BeautifulSoup(picture, "html.parser")
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in shown.find_all("tr")]
    assert rows[-2:] == [["asked for", "", "one", ""], ["label", "-100", "2028", "-100"]]
    assert [cell.text for cell in shown.select(".asked")] == ["one"]
    assert "Label -100: not asked" in text_of(picture)

    nothing_asked = {"input_ids": [101, 102], "labels": [-100, -100]}
    assert "<th scope='row'>asked for" not in token_picture(
        token_table(bert_tokenizer, nothing_asked)
    )


def test_a_mask_is_dots_and_hatching_and_words():
    shown = BeautifulSoup(mask_picture([[True, False], [True, True]], ["a", "<b>"]), "html.parser")
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in shown.find_all("tr")]
    assert rows[1:] == [["a", "●yes", "no"], ["<b>", "●yes", "●yes"]]
    assert [cell.text for cell in shown.select("td.padding")] == ["no"]
    assert "may not" in shown.text
    assert "may not" not in text_of(mask_picture([[True]], ["a"]))


def test_attention_is_per_cent_with_the_largest_of_each_row_bold():
    shown = BeautifulSoup(attention_picture([[0.256, 0.744]], ["x"], ["a", "b"]), "html.parser")
    assert [cell.text for cell in shown.select("thead .token")] == ["a", "b"]
    assert [cell.text for cell in shown.select("tbody td")] == ["26", "74"]
    assert [cell.text for cell in shown.select(".winner")] == ["74"]
    tints = [float(cell["style"].split(",")[-1].rstrip(" )")) for cell in shown.select("td")]
    assert tints == sorted(tints)


def test_attention_of_a_long_text_is_cut_to_what_fits():
    picture = attention_picture([[1 / 25] * 25] * 25, ["w"] * 25)
    assert "Drawn are the first 20 tokens of 25." in text_of(picture)
    assert picture.count("<td class='number winner'") == 20 * 20


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[0.5, 0.5]], "2 rows of 2"),
        ([[1], [1]], "2 rows of 2"),
        ([[2, 0], [0, 1]], "between 0"),
        ([[0.5, 0.4], [0, 1]], "each row adds up to 1"),
    ],
)
def test_what_is_no_attention_between_these_tokens_is_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        attention_picture(weights, ["a", "b"])


def test_a_split_picture_joins_the_pieces_of_a_word():
    picture = split_picture(
        {
            "parts": [
                Piece("<s>", 7, None, "special"),
                Piece("un", 8, 0),
                Piece("##do", 9, 0),
                Piece("?", 1, 1, "unknown"),
            ],
            "words": ["undo", "?"],
        }
    )
    rows = BeautifulSoup(picture, "html.parser").find_all("tr")
    cells = [[cell.text for cell in row.find_all(["th", "td"])] for row in rows]
    assert cells == [
        ["split by", "tokens", "number"],
        ["parts", "<s>7 un8##do9 ?1", "4"],
        ["words", "undo ?", "2"],
    ]
    assert [span["class"][-1] for span in rows[1].find_all("span")] == [
        "special",
        "even",
        "even",
        "unknown",
    ]
    assert [span["class"][-1] for span in rows[2].find_all("span")] == ["even", "odd"]
    assert "special token" in text_of(picture)
    assert "not in the vocabulary" in text_of(picture)
    assert "<ul" not in split_picture({"words": ["undo"]})


def test_measures_have_bars_as_long_as_their_numbers():
    table = pd.DataFrame({"size": [1000, 2000], "rate": [0.25, 0.0]}, index=["<a>", "b"])
    picture = measure_picture(table, digits=2)
    assert re.findall(r"width: ([\d.]+)%", picture.split("</style>")[1]) == [
        "50.0",
        "100.0",
        "100.0",
        "0.0",
    ]
    shown = " ".join(text_of(picture).split())
    assert shown == "size rate &lt;a&gt; 1,000 0.25 b 2,000 0.00"


@pytest.mark.parametrize("number", [-1.0, float("nan")])
def test_measures_refuse_what_has_no_length(number):
    with pytest.raises(ValueError, match="0 or more"):
        measure_picture(pd.DataFrame({"size": [1.0, number]}))


def test_a_prediction_shows_what_was_seen_and_the_candidates():
    one = Prediction(["the", "[MASK]", "is"], [True, True, True], ["cat", "dog"], [0.5, 0.25])
    other = Prediction(["the", "[MASK]", "is"], [True, False, False], ["<b>"], [0.125])
    picture = prediction_picture({"both sides": one, "before": other})
    shown = BeautifulSoup(picture, "html.parser")
    first, second = shown.select("table.tokens")
    kinds = [[cell["class"][-1] for cell in table.select("td")] for table in (first, second)]
    assert kinds == [["special", "asked", "special"], ["special", "asked", "padding"]]
    text = text_of(picture)
    for part in ("both sides", "before", "cat", "0.5000", "dog", "0.2500", "0.1250", "not seen"):
        assert part in text
    assert "&lt;b&gt;" in picture


def test_a_prediction_from_the_whole_text_has_no_mark_for_what_is_not_seen():
    one = Prediction(["the", "[MASK]"], [True, True], ["cat"], [0.5])
    assert "not seen" not in text_of(prediction_picture({"both sides": one}))


def test_a_diff_marks_each_line_by_a_sign_and_a_tag():
    picture = diff_picture("a = 1\nb = a\nprint(b)\n", "a = 1\nb = a < 2\nc = b\nprint(b)\n")
    shown = BeautifulSoup(picture, "html.parser").pre
    assert shown.text == "  a = 1\n- b = a\n+ b = a < 2\n+ c = b\n  print(b)\n"
    assert [line.name for line in shown.find_all(True)] == ["span", "del", "ins", "ins", "span"]
    assert "&lt;" in picture
    assert not BeautifulSoup(diff_picture("a", "a"), "html.parser").pre.find_all(["ins", "del"])


def test_batches_have_bars_as_long_as_they_are_large():
    table = pd.DataFrame(
        {"rows": [2, 2, 1], "width": [5, 4, 5], "tokens": [8, 8, 5], "padding": [2, 0, 0]}
    )
    picture = batches_picture(table, shown=2)
    shown = BeautifulSoup(picture, "html.parser")
    text = " ".join(text_of(picture).split())
    assert "3 batches, 23 positions, 9% of them padding. Different shapes: 3." in text
    assert "Drawn are the first 2." in text
    assert [[cell.text for cell in row.select("th, td")] for row in shown.select("tbody tr")] == [
        ["0", "(2, 5)", "", "20%"],
        ["1", "(2, 4)", "", "0%"],
    ]
    widths = [
        [re.search(r"width: ([\d.]+)%", part["style"])[1] for part in bar.select("span")]
        for bar in shown.select("td.bar")
    ]
    assert widths == [["80.00", "20.00"], ["80.00", "0.00"]]
    assert "Drawn are" not in batches_picture(table)


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [
        (0, None, "step 0 of 1,200"),
        (7, 8.2, "step 7 of 1,200, about 9 s left"),
        (7, 125, "step 7 of 1,200, about 2 min 5 s left"),
        (1200, 3, "step 1,200 of 1,200"),
    ],
)
def test_progress_can_be_seen_and_heard(done, seconds, words):
    shown = BeautifulSoup(progress_picture(done, 1200, seconds=seconds), "html.parser")
    bar = shown.progress
    assert (bar["role"], bar["aria-label"]) == ("progressbar", "Training")
    assert (bar["value"], bar["max"]) == (str(done), "1200")
    assert bar["aria-valuetext"] == shown.span.text == words


def test_of_a_pair_the_label_is_given_in_both_orders():
    answer = PairAnswer(["no", "<yes>"], [0.2, 0.8], [0.9, 0.1], truncated=False)
    page = BeautifulSoup(pair_labels_picture(answer), "html.parser")
    cells = [cell.text for cell in page.select("th, td")]
    assert cells == ["As they stand", "<yes>", "Second sentence first", "no"]
    assert "was cut" not in str(page)
    longer = replace(answer, truncated=True)
    assert "was cut" in pair_labels_picture(longer)
