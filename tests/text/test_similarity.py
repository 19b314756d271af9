"""The nearest sentence: order and numbers as calculated by hand, and refusals that say why."""

import pytest
import torch

from helpers.text.similarity import nearest

VECTORS = {"east": [2.0, 0.0], "north": [0.0, 5.0], "west": [-1.0, 0.0], "north-east": [3.0, 3.0]}


def encode(texts):
    """Give each direction as a vector, of any length."""
    return torch.tensor([VECTORS[text] for text in texts])


def test_the_nearest_comes_first_whatever_the_lengths():
    ordered = nearest(encode, "east", ["west", "north", "north-east", "east"])
    assert [sentence for sentence, _ in ordered] == ["east", "north-east", "north", "west"]
    assert [number for _, number in ordered] == pytest.approx([1, 0.5**0.5, 0, -1])


def test_equally_near_ones_keep_their_order():
    ordered = nearest(encode, "north-east", ["north", "east"])
    assert [sentence for sentence, _ in ordered] == ["north", "east"]


@pytest.mark.parametrize(
    ("text", "sentences", "message"),
    [("  ", ["east"], "Type a sentence"), ("east", [], "at least one sentence")],
)
def test_nothing_to_compare_is_refused(text, sentences, message):
    with pytest.raises(ValueError, match=message):
        nearest(encode, text, sentences)
