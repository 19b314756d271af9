"""The pictures: what they show is what went in, escaped, marked and the same every time."""

import re

import pytest
from bs4 import BeautifulSoup

from helpers.pictures import probability_picture, steps_picture, token_picture
from helpers.steps import three_steps
from helpers.tokens import token_table


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
    with pytest.raises(ValueError, match="expected"):
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
