"""Sample the rated film sentences of notebook 3-5 again.

    make reviews

Takes the film-review sentences out of the sdist of vaderSentiment 3.3.2, turns the mean of their
ratings into one of three labels, and writes ``train.csv`` and ``test.csv`` into the folder
``film_reviews``. Seeded.

The test sentences are those that the sentiment adapter has never seen (``sentiment/held_out.csv``)
and, in their natural share, sentences rated near 0, which that file leaves out.
"""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path
from typing import NamedTuple

from helpers.sources.checksums import DATA
from tools.adapters import fetch_sdist, read_ratings, write_checksums
from tools.train_sentiment import LEAST_RATING, RATINGS, read_csv

FOLDER = DATA / "film_reviews"
HELD_OUT = DATA / "sentiment" / "held_out.csv"

SEED = 0
SIZES = {"train": 2500, "test": 1000}
NEUTRAL = 1.0  # of 4; a mean rating nearer to 0 is neutral


class Review(NamedTuple):
    """A sentence and the mean of its ratings, from -4 to 4."""

    text: str
    rating: float

    @property
    def label(self) -> str:
        """The side of the rating, or neutral."""
        if abs(self.rating) < NEUTRAL:
            return "neutral"
        return "positive" if self.rating > 0 else "negative"


def main() -> None:
    """Sample and write."""
    held_out = [row["text"] for row in read_csv(HELD_OUT)]
    train, test = sample(read_reviews(fetch_sdist()), held_out)
    FOLDER.mkdir(exist_ok=True)
    write(FOLDER / "train.csv", train)
    write(FOLDER / "test.csv", test)
    write_checksums()


def read_reviews(archive: bytes) -> list[Review]:
    """Read the sentences, each once, less those that were damaged before they got into the file."""
    reviews: dict[str, Review] = {}
    for rating, text in read_ratings(archive, RATINGS):
        if "\ufffd" not in text:
            # rounded as it is stored, so that the label follows from the stored rating
            reviews.setdefault(plain(text), Review(text, round(rating, 2)))
    return list(reviews.values())


def plain(text: str) -> str:
    """Give the words of a text alone: two texts that differ in punctuation are one."""
    return " ".join(re.findall(r"\w+", text.lower()))


def sample(reviews: list[Review], held_out: list[str]) -> tuple[list[Review], list[Review]]:
    """Sample the two splits, with the natural share of sentences rated near 0 in both."""
    chance = random.Random(SEED)
    unseen = set(map(plain, held_out))
    near_zero = [review for review in reviews if abs(review.rating) < LEAST_RATING]
    few = round(SIZES["test"] * len(near_zero) / len(reviews))
    from_held_out = [review for review in reviews if plain(review.text) in unseen]
    clear = [review for review in from_held_out if abs(review.rating) >= LEAST_RATING]
    test = chance.sample(clear, SIZES["test"] - few)
    test += chance.sample([r for r in near_zero if plain(r.text) not in unseen], few)
    taken = unseen | {plain(review.text) for review in test}
    rest = [review for review in reviews if plain(review.text) not in taken]
    return chance.sample(rest, SIZES["train"]), chance.sample(test, len(test))


def write(path: Path, reviews: list[Review]) -> None:
    """Write sentences with their ratings and labels."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "rating", "label"])
        writer.writerows([r.text, f"{r.rating:.2f}", r.label] for r in reviews)


if __name__ == "__main__":
    main()
