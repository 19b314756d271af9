"""The paraphrase corpus: its events as they were written, the pairs as they were drawn."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from transformers import TrainingArguments

from helpers.sources.datasets import SPLITS, load_dataset
from helpers.sources.paraphrases import FOLDER, changes, read_events, read_trainings
from helpers.text.pairs import word_overlap, words
from tools import sample_paraphrases, train_paraphrases
from tools.sample_paraphrases import all_texts

ROOT = Path(__file__).parents[2]

# What the data sheet calls each measured thing.
RULES = {
    "all_equivalent": 'always "equivalent"',
    "overlap_threshold": "overlap, one threshold",
    "overlap_band": "overlap, two thresholds",
    "cosine_threshold": "cosine of the untouched encoder, one threshold",
    "cosine_band": "cosine of the untouched encoder, two thresholds",
}

KINDS = {"number", "person", "place", "time", "direction", "certainty", "roles"}


@pytest.fixture(scope="module")
def events() -> list[dict]:
    return [event for topic in read_events().values() for event in topic]


@pytest.fixture(scope="module")
def sentences(events) -> dict[str, str]:
    """The event of each sentence."""
    return {text: event["id"] for event in events for text in all_texts(event)}


@pytest.fixture(scope="module")
def pairs():
    return load_dataset("glue", "mrpc", source="bundled")


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads((FOLDER / "results.json").read_text())


@pytest.fixture(scope="module")
def trained() -> dict:
    """What the answers of five trainings amount to."""
    return train_paraphrases.describe(read_trainings())


# The events


def test_every_event_has_five_wordings_and_four_near_misses_of_three_kinds(events):
    assert len(events) >= 300
    assert len({event["id"] for event in events}) == len(events)
    for event in events:
        assert set(event) == {"id", "wordings", "reworks", "near_misses"}
        assert len(event["wordings"]) == 5, event["id"]
        assert len(event["near_misses"]) == 4, event["id"]
        kinds = {miss["changed"] for miss in event["near_misses"]}
        assert kinds <= KINDS, event["id"]
        assert len(kinds) >= 3, event["id"]


def test_every_kind_of_change_occurs_often(events):
    counts = Counter(miss["changed"] for event in events for miss in event["near_misses"])
    assert min(counts[kind] for kind in KINDS) >= 100


def test_no_sentence_occurs_twice_and_each_is_one_of_10_to_35_words(events, sentences):
    assert len(sentences) == 14 * len(events)
    assert len({text.lower() for text in sentences}) == len(sentences)
    for text in sentences:
        assert 10 <= len(text.split()) <= 35, text
        assert text.isascii(), text
        assert text.endswith("."), text


def test_four_wordings_of_an_event_really_differ_and_the_second_reworks_the_first(events):
    for event in events:
        first, light, *others = event["wordings"]
        assert word_overlap(first, light) >= 0.6, event["id"]
        for one, other in combinations((first, *others), 2):
            assert word_overlap(one, other) <= 0.55, event["id"]


def test_the_other_wordings_and_two_near_misses_have_a_light_rework_each(events):
    """With other words, so that much overlap says nothing of the label."""
    for event in events:
        reworked = [miss for miss in event["near_misses"] if "rework" in miss]
        assert len(reworked) == 2, event["id"]
        pairs = [*zip(event["wordings"][2:], event["reworks"], strict=True)]
        pairs += [(miss["text"], miss["rework"]) for miss in reworked]
        for one, other in pairs:
            assert word_overlap(one, other) >= 0.6, other
            assert words(one) != words(other), other


def test_a_near_miss_keeps_most_words_of_a_wording_and_they_start_from_different_ones(events):
    for event in events:
        nearest = set()
        for miss in event["near_misses"]:
            overlaps = [word_overlap(miss["text"], wording) for wording in event["wordings"]]
            assert max(overlaps) >= 0.6, miss["text"]
            nearest.add(overlaps.index(max(overlaps)))
        assert len(nearest) >= 2, event["id"]


# The pairs


def test_the_pairs_are_those_that_the_script_draws(pairs):
    for split, drawn in sample_paraphrases.sample_splits(read_events()).items():
        rows = [(row["sentence1"], row["sentence2"], row["label"]) for row in pairs[split]]
        assert rows == [(pair.first, pair.second, pair.label) for pair in drawn]


def test_there_are_enough_pairs_two_thirds_of_them_equivalent(pairs):
    for split, least in (("train", 2000), ("validation", 300), ("test", 600)):
        labels = pairs[split]["label"][:]
        assert len(labels) >= least
        assert sum(labels) / len(labels) == pytest.approx(2 / 3, abs=0.02)


def test_all_pairs_of_an_event_are_in_one_split(pairs, sentences):
    split_of = {}
    for split in SPLITS:
        for row in pairs[split]:
            for event in (sentences[row["sentence1"]], sentences[row["sentence2"]]):
                assert split_of.setdefault(event, split) == split


def test_no_pair_occurs_twice_in_either_order(pairs):
    seen = [frozenset((r["sentence1"], r["sentence2"])) for rows in pairs.values() for r in rows]
    assert len(set(seen)) == len(seen)
    assert all(len(pair) == 2 for pair in seen)


def test_labels_are_what_the_events_say(pairs, sentences, events):
    """Equivalent are two true tellings of one event, and a near miss and its own rework."""
    misses = [miss for event in events for miss in event["near_misses"]]
    told = {text: text for text in changes(read_events())}  # what is not true has a name of its own
    told |= {miss["rework"]: miss["text"] for miss in misses if "rework" in miss}
    for rows in pairs.values():
        for row in rows:
            first, second = (
                (sentences[s], told.get(s)) for s in (row["sentence1"], row["sentence2"])
            )
            assert row["label"] == (first == second)


def test_the_order_of_the_two_sentences_tells_nothing(pairs):
    misses = set(changes(read_events()))
    rows = [r for r in pairs["train"] if len({r["sentence1"], r["sentence2"]} & misses) == 1]
    first = sum(row["sentence1"] in misses for row in rows)
    assert first / len(rows) == pytest.approx(0.5, abs=0.08)


def test_a_rule_on_the_overlap_of_words_gains_at_most_10_points(results):
    """With one threshold or two. Measured afresh, and as recorded."""
    measured = sample_paraphrases.rules(sample_paraphrases.sample_splits(read_events()))
    for name, rule in measured.items():
        assert rule == results["baselines"][name], name
    for split in ("validation", "test"):
        for name in ("overlap_threshold", "overlap_band"):
            gain = measured[name][split]["accuracy"]
            gain -= measured["all_equivalent"][split]["accuracy"]
            assert gain <= 0.10, name


def test_the_files_are_small():
    assert sum((FOLDER / f"{split}.parquet").stat().st_size for split in SPLITS) <= 1_500_000


# The data sheet


def test_what_is_recorded_is_what_the_corpus_is(results):
    topics = read_events()
    described = sample_paraphrases.describe(topics, sample_paraphrases.sample_splits(topics))
    assert {name: results[name] for name in described} == described


def test_fine_tuning_beats_every_rule_with_each_seed(results, trained):
    """By four points on the test pairs, and the interval of the paired difference is above 0."""
    rules = {name: rule["test"]["accuracy"] for name, rule in results["baselines"].items()}
    assert len(trained["seeds"]) == 5
    for seed, found in trained["seeds"].items():
        assert found["accuracy"] - max(rules.values()) >= 0.04, seed
        assert found["low"] > 0, seed


def test_the_cosine_that_it_is_compared_with_is_the_one_that_was_fitted(results):
    labels = np.array(load_dataset("glue", "mrpc", source="bundled")["test"]["label"])
    answers = read_trainings()["baselines"]
    for name, rule in (
        ("counting shared words", "overlap_threshold"),
        ("cosine", "cosine_threshold"),
    ):
        right = np.mean(train_paraphrases.to_labels(answers[name]) == labels)
        assert round(right, 3) == results["baselines"][rule]["test"]["accuracy"], name


def test_it_tells_near_misses_from_light_reworks(trained):
    """Both are much alike. Who can't tell them apart finds as many as they wrongly accuse."""
    shares = {}
    for sort in ("equivalent, alike", "near miss, alike"):
        right, of = map(int, trained["by_sort"][sort].split(" of "))
        shares[sort] = right / of
    found, accused = shares["near miss, alike"], 1 - shares["equivalent, alike"]
    assert found - accused > 0.3


def test_pretraining_and_fine_tuning_both_contribute():
    """As the three bars of 3-2 show: more than a pair or two of the validation set."""
    first = {}
    for training in read_trainings()["trainings"]:
        first.setdefault(training["start"], training["epochs"][-1]["validation_accuracy"])
    assert first["pretrained"] > max(first["frozen"], first["random"]) + 0.05


def test_the_settings_are_those_of_3_2():
    """So that a reader's training is one of the five."""
    recorded = read_trainings()["settings"]
    with TemporaryDirectory() as folder:
        ours = train_paraphrases.settings(folder, train_paraphrases.Training("pretrained", 42))
    code = (ROOT / "notebooks/en/3-fine-tuning/3-2-the-trainer.md").read_text()
    (call,) = re.findall(
        r"^training_args = TrainingArguments\(\n    output,\n.*?^\)", code, re.M | re.S
    )
    names = {"TrainingArguments": dict, "output": {}, "use_cpu": True}
    names["bfloat16_is_faster"] = lambda: False
    exec(call, names)
    theirs = TrainingArguments("unused", **names["training_args"])
    for name in ("num_train_epochs", "per_device_train_batch_size", "learning_rate", "seed"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert recorded["epochs"] == theirs.num_train_epochs
    assert recorded["batch_size"] == theirs.per_device_train_batch_size
    assert recorded["learning_rate"] == theirs.learning_rate
    assert "torch.manual_seed(42)" in code
    for name, value in train_paraphrases.MODEL.items():
        assert f"{name}={value}" in code or name == "attn_implementation", name


def test_the_data_sheet_says_what_was_measured(results, trained):
    """Each number of the results stands in the row that it belongs to."""
    sheet = (FOLDER / "README.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in sheet.splitlines()]

    def row(name: str) -> list[str]:
        (found,) = [cells for cells in rows if cells and cells[0] == name]
        return found[1:]

    for split in SPLITS:
        expected = [results["pairs"][split], results["equivalent"][split]]
        assert row(split)[:2] == [f"{number:,}" for number in expected]
    for kind, count in results["near_misses"].items():
        assert row(kind)[-2:] == [str(count), trained["by_kind_of_change"][kind]]
    for sort, right in trained["by_sort"].items():
        drawn = [results["sorts"][split][sort] for split in ("train", "test")]
        assert row(sort)[-3:] == [*(f"{count:,}" for count in drawn), right]
    for training in read_trainings()["trainings"]:
        last = training["epochs"][-1]["validation_accuracy"]
        if training["start"] == "pretrained":
            found = trained["seeds"][training["seed"]]
            numbers = [f"{number:.3f}" for number in (last, found["accuracy"], found["gain"])]
            between = f"{found['low']:.3f} to {found['high']:.3f}"
            assert row(str(training["seed"])) == [*numbers, between]
        else:
            assert f"{last:.3f}" in sheet
    measured = results["baselines"]
    for name, label in RULES.items():
        numbers = [measured[name][s][m] for s in ("validation", "test") for m in ("accuracy", "f1")]
        assert row(label) == [f"{number:.3f}" for number in numbers], name
    for text in (f"{results['events']} events", f"{results['sentences']:,} sentences"):
        assert text in sheet
    words = results["words"]
    assert f"{words['least']} to {words['most']} words, {words['mean']} on average" in sheet
    for name in ("not_equivalent", "equivalent"):
        assert row(name) == [
            f"{low:.2f} · {middle:.2f} · {high:.2f}"
            for low, middle, high in (results["overlap"][split][name] for split in SPLITS)
        ]
