"""The nearest sentence: order and numbers as calculated by hand, and refusals that say why."""

import numpy as np
import pandas as pd
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
    [
        ("  ", ["east"], "Type a sentence"),
        ("east", [], "at least one sentence"),
        ("east", np.array([]), "at least one sentence"),
    ],
)
def test_nothing_to_compare_is_refused(text, sentences, message):
    with pytest.raises(ValueError, match=message):
        nearest(encode, text, sentences)


@pytest.mark.parametrize(
    ("text", "sentences", "message"),
    [
        ("east", "north", "sentences must be a list of strings; got one string"),
        ("east", ["north", None], "sentences must be a list of strings; got NoneType"),
        (["east"], ["north"], "text must be one str"),
    ],
)
def test_other_types_are_refused(text, sentences, message):
    with pytest.raises(TypeError, match=message):
        nearest(encode, text, sentences)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 0.0]], r"one vector for each of 2 texts; got the shape \(1, 2\)"),
        ([1.0, 0.0], r"got the shape \(2,\)"),
        ([[1.0, 0.0], [1.0]], "vectors must have rows of one length"),
        ([[1.0, 0.0], [0.0, 0.0]], "without a direction"),
        ([[1.0, 0.0], [float("nan"), 0.0]], "without a direction"),
    ],
)
def test_vectors_that_have_no_similarity_are_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        nearest(lambda texts: vectors, "east", ["north"])


@pytest.mark.parametrize(
    "convert",
    [
        lambda vectors: vectors,
        lambda vectors: vectors.requires_grad_(),
        lambda vectors: vectors.to(torch.bfloat16),
        lambda vectors: vectors.numpy(),
        lambda vectors: vectors.tolist(),
    ],
    ids=["tensor", "with a gradient", "bfloat16", "numpy", "lists"],
)
@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_vectors_and_sentences_come_in_any_kind(convert, kind):
    vectors = convert(encode(["east", "west", "north"]))
    ordered = nearest(lambda texts: vectors, "east", kind(["west", "north"]))
    assert ordered == [("north", 0.0), ("west", -1.0)]
    assert torch.is_tensor(vectors) is False or vectors[0, 0] == 2  # and are left alone
