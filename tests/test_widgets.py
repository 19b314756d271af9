"""The widgets: what the reader moves reaches the picture, and the picture is stored for pages."""

import pytest

from helpers.decoding import softmax
from helpers.pictures import probability_picture, steps_picture
from helpers.steps import three_steps
from helpers.widgets import pipeline_explorer, temperature_explorer

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
