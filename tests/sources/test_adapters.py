"""The adapters that ship: checksums, sizes, and model cards that agree with a measurement."""

import json
import math
import re
from pathlib import Path

import pytest

from helpers.sources.checksums import DATA as BUNDLED
from helpers.sources.checksums import read_sums, verify
from tools import train_language
from tools.train_sentiment import COURSE_SENTENCES, LABEL_IDS, measure, read_csv

SENTIMENT = BUNDLED / "sentiment"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads((SENTIMENT / "results.json").read_text())


@pytest.fixture(scope="module")
def held_out() -> list[tuple[str, int]]:
    return [(row["text"], LABEL_IDS[row["label"]]) for row in read_csv(SENTIMENT / "held_out.csv")]


@pytest.fixture(scope="module")
def measured(sentiment, held_out) -> dict:
    tokenizer, model = sentiment
    return measure(model, tokenizer, validation=held_out[:1], test=held_out)


@pytest.mark.parametrize(
    ("folder", "pattern"), [(BUNDLED, "*.safetensors"), (BUNDLED, "*.csv"), (DATA, "*.csv")]
)
def test_every_data_file_has_its_checksum(folder, pattern):
    sums = read_sums(folder / "SHA256SUMS")
    shipped = {path.relative_to(folder).as_posix() for path in folder.rglob(pattern)}
    assert shipped
    assert shipped <= set(sums)
    verify(folder, sums, remedy="")


@pytest.mark.parametrize("name", ["sentiment", "masked", "causal"])
def test_an_adapter_is_at_most_3_megabytes(name):
    assert (BUNDLED / name / "adapter_model.safetensors").stat().st_size <= 3_000_000


def test_nothing_that_is_pickled_ships():
    pickled = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}
    assert not [path for path in BUNDLED.rglob("*") if path.suffix in pickled]


def test_held_out_sentences_are_distinct_and_none_is_of_the_course(held_out):
    texts = [text.lower() for text, _ in held_out]
    assert len(texts) == len(set(texts)) == 1000
    assert not {sentence.lower() for sentence in COURSE_SENTENCES} & set(texts)


def test_held_out_accuracy_is_at_least_85_percent_and_as_recorded(measured, results):
    assert measured["test_accuracy"] >= 0.85
    # another processor may turn a sentence or two that stand on the edge
    assert measured["test_accuracy"] == pytest.approx(results["test_accuracy"], abs=0.002)


def test_the_courses_two_sentences_get_the_right_label_above_0_9(measured, results):
    first, second = measured["course_sentences"]
    assert (first["label"], second["label"]) == ("POSITIVE", "NEGATIVE")
    assert min(first["score"], second["score"]) > 0.9
    recorded = [answer["score"] for answer in results["course_sentences"]]
    assert [first["score"], second["score"]] == pytest.approx(recorded, abs=2e-4)


def test_sixty_sentences_are_sixty_of_five_kinds_with_both_labels():
    rows = read_csv(DATA / "sixty_sentences.csv")
    assert len({row["text"] for row in rows}) == 60
    kinds = {row["kind"] for row in rows}
    assert kinds == {"plain", "negation", "not bad", "mixed", "irony"}
    for kind in kinds:
        assert {row["label"] for row in rows if row["kind"] == kind} == {"NEGATIVE", "POSITIVE"}


def test_sixty_sentences_come_out_as_recorded(measured, results):
    assert measured["sixty_sentences"] == results["sixty_sentences"]


def test_the_card_says_what_was_measured(results):
    card = (SENTIMENT / "README.md").read_text()
    assert f"{results['test_accuracy']:.1%}" in card
    assert f"{results['validation_accuracy']:.1%}" in card
    for kind, count in results["sixty_sentences"].items():
        assert re.search(rf"\| {kind} .*\| {count} \|", card), kind
    for answer in results["course_sentences"]:
        assert f"{answer['score']:.4f}" in card
    for split, number in results["sentences"].items():
        assert re.search(rf"\| {split} \| {number:,} ", card), split
    assert f"{results['trainable_parameters']:,}" in card


@pytest.mark.parametrize("objective", ["masked", "causal"])
def test_held_out_loss_is_as_recorded_and_on_the_card(objective, request):
    tokenizer, model = request.getfixturevalue(f"{objective}_model")
    rows = read_csv(train_language.HELD_OUT)
    texts = [row["text"] for row in rows]
    some = texts[: train_language.QUICK]  # all 800 take most of a minute
    found = train_language.held_out_loss(model, tokenizer, some, objective)
    results = json.loads((BUNDLED / objective / "results.json").read_text())
    assert found == pytest.approx(results["held_out_loss_of_the_first_200"], abs=0.002)
    assert found == pytest.approx(results["held_out_loss"], abs=0.2)
    assert results["perplexity"] == pytest.approx(math.exp(results["held_out_loss"]), abs=0.06)
    assert found < results["held_out_loss_of_frequencies"] - 1
    card = (BUNDLED / objective / "README.md").read_text()
    assert f"{results['held_out_loss']:.2f}" in card
    assert f"{results['held_out_loss_of_frequencies']:.2f}" in card
    assert f"{results['perplexity']:.0f}" in card
    assert f"{results['trainable_parameters']:,}" in card
    assert f"{results['sentences']['train']:,}" in card
    assert results["sentences"]["held_out"] == len(texts) == len({t.lower() for t in texts})
