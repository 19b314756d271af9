"""The rated film sentences of notebook 3-5: what the card says of them is so."""

import csv
import random
import re

import pytest

from helpers.sources.checksums import DATA, listed_sums, verify
from tools.sample_film_reviews import NEUTRAL, SIZES, Review, plain, sample

FOLDER = DATA / "film_reviews"
LABELS = ["negative", "neutral", "positive"]


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def splits():
    return {name: read(FOLDER / f"{name}.csv") for name in SIZES}


@pytest.fixture(scope="module")
def held_out():
    return {plain(row["text"]) for row in read(DATA / "sentiment" / "held_out.csv")}


def test_the_files_are_the_ones_with_the_checksums_and_are_small():
    names = [f"{name}.csv" for name in SIZES]
    verify(FOLDER, listed_sums(FOLDER, names), remedy="make reviews")
    assert sum((FOLDER / name).stat().st_size for name in names) < 500_000


def test_a_label_follows_from_the_rating(splits):
    for row in splits["train"] + splits["test"]:
        assert list(row) == ["text", "rating", "label"]
        rating = float(row["rating"])
        assert -4 <= rating <= 4
        side = "positive" if rating > 0 else "negative"
        assert row["label"] == ("neutral" if abs(rating) < NEUTRAL else side), row


def test_no_text_is_empty_damaged_or_there_twice(splits):
    texts = [row["text"] for row in splits["train"] + splits["test"]]
    assert not any("\ufffd" in text for text in texts)
    assert all(plain(text) for text in texts)
    assert len(set(map(plain, texts))) == len(texts) == sum(SIZES.values())


def test_nothing_that_is_held_out_is_in_the_training_file(splits, held_out):
    assert not held_out & {plain(row["text"]) for row in splits["train"]}
    of_held_out = [row for row in splits["test"] if plain(row["text"]) in held_out]
    assert len(of_held_out) == 950
    others = [row for row in splits["test"] if row not in of_held_out]
    assert all(abs(float(row["rating"])) < 0.5 for row in others)


def test_the_card_has_the_counts(splits):
    card = (FOLDER / "README.md").read_text()
    for label in [*LABELS, "all"]:
        (counts,) = re.findall(rf"\| {label} \| ([\d,]+) \| ([\d,]+) \|", card)
        found = [
            sum(label in (row["label"], "all") for row in splits[name])
            for name in ("train", "test")
        ]
        assert [int(count.replace(",", "")) for count in counts] == found, label


def test_the_splits_are_drawn_apart_and_the_same_each_time(monkeypatch):
    monkeypatch.setattr("tools.sample_film_reviews.SIZES", {"train": 300, "test": 100})
    chance = random.Random(1)
    reviews = [Review(f"Sentence number {n}.", round(chance.uniform(-4, 4), 2)) for n in range(800)]
    clear = [review for review in reviews if abs(review.rating) >= 0.5]
    held_out = [review.text.upper() for review in clear[:150]]  # capitals make no other sentence
    train, test = sample(reviews, held_out)
    assert (len(train), len(test)) == (300, 100)
    unseen = set(map(plain, held_out))
    assert not {plain(r.text) for r in train} & (unseen | {plain(r.text) for r in test})
    near_zero = [sum(abs(r.rating) < 0.5 for r in part) / len(part) for part in (reviews, test)]
    assert near_zero[1] == pytest.approx(near_zero[0], abs=0.006)
    assert sample(reviews, held_out) == (train, test)
