"""Sample the pairs of the paraphrase corpus again, and score simple rules on them.

    make corpus

Reads the events in ``paraphrases/events``. Each has five wordings and four near misses, most with a
light rework. Samples the pairs of the three splits, and writes a parquet file for each into
the folder ``paraphrases``, with what they are and the scores of simple rules. Seeded. What a
fine-tuned model makes of them is measured by ``make trainings``.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from transformers import AutoModel, AutoTokenizer

from helpers.sources.checkpoints import resolve
from helpers.sources.datasets import SPLITS, pair_features
from helpers.sources.metrics import accuracy, f1
from helpers.sources.paraphrases import FOLDER, changes, read_events, tellings
from helpers.text.pairs import word_overlap, words
from tools.adapters import write_checksums

SEED = 0

# How many events of each topic's 48 go to each split.
EVENTS = {"train": 32, "validation": 6, "test": 10}

# How many pairs of each sort: their label, and whether they are much alike. Two thirds are
# equivalent, as in MRPC. The training pairs hold more near misses than those that measure, or a
# model would learn only to tell two events apart.
PAIRS = {
    "train": {(1, True): 1200, (1, False): 1200, (0, True): 840, (0, False): 60},
    "validation": {(1, True): 40, (1, False): 160, (0, True): 40, (0, False): 10},
    "test": {(1, True): 80, (1, False): 320, (0, True): 80, (0, False): 20},
}
# Besides, pairs of two different events that share as many words as two events of a split do.
TWO_EVENTS = {"train": 300, "validation": 50, "test": 100}

ALIKE = 0.6  # pairs with at least this overlap of words count as much alike
MOST_OF_AN_EVENT = 8  # how many pairs of two events an event may be in

MEASURED = ("validation", "test")
QUANTILES = (0.05, 0.5, 0.95)  # of the overlaps, in the description


@dataclass(frozen=True)
class Pair:
    """Two sentences, mostly about one event.

    Parameters
    ----------
    first, second : str
        The sentences.
    label : int
        1 if they say the same.
    """

    first: str
    second: str
    label: int

    @property
    def overlap(self) -> float:
        """The share of their words that both have."""
        return word_overlap(self.first, self.second)


def main() -> None:
    """Sample, write and measure."""
    disable_progress_bars()
    topics = read_events()
    splits = sample_splits(topics)
    for split, pairs in splits.items():
        write(FOLDER / f"{split}.parquet", pairs)
    write_checksums()
    results = {
        **describe(topics, splits),
        "baselines": {**rules(splits), **cosine_rules(splits)},
    }
    (FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


def sample_splits(topics: dict[str, list[dict]], seed: int = SEED) -> dict[str, list[Pair]]:
    """Sample the pairs of each split."""
    return {
        split: sample_pairs(
            events, PAIRS[split], TWO_EVENTS[split], random.Random(f"{seed} {split}")
        )
        for split, events in split_events(topics, seed).items()
    }


def split_events(topics: dict[str, list[dict]], seed: int) -> dict[str, list[dict]]:
    """Distribute the events of each topic over the splits."""
    events_of = {split: [] for split in SPLITS}
    for topic, events in topics.items():
        shuffled = random.Random(f"{seed} {topic}").sample(events, len(events))
        for split in SPLITS:
            events_of[split] += shuffled[: EVENTS[split]]
            del shuffled[: EVENTS[split]]
    return events_of


def sample_pairs(
    events: list[dict], wanted: dict[tuple[int, bool], int], two_events: int, random: random.Random
) -> list[Pair]:
    """Sample pairs of each sort, and shuffle them and the two sentences of each pair."""
    candidates = [pair for event in events for pair in all_pairs(event)]
    sampled = []
    for (label, much), count in wanted.items():
        fitting = [p for p in candidates if p.label == label and (p.overlap >= ALIKE) == much]
        sampled += random.sample(fitting, count)
    sampled += pairs_of_two_events(events, two_events)
    random.shuffle(sampled)
    return [Pair(*random.sample([pair.first, pair.second], 2), pair.label) for pair in sampled]


def pairs_of_two_events(events: list[dict], number: int) -> list[Pair]:
    """Pair wordings of two events, those that share the most words first, two events once."""
    tellings = [(event["id"], wording) for event in events for wording in event["wordings"]]
    ids, sentences = zip(*tellings, strict=True)
    overlaps = all_overlaps(sentences)
    uses: Counter[str] = Counter()
    paired = set()
    pairs = []
    for place in np.argsort(-overlaps, axis=None, kind="stable"):
        i, j = divmod(int(place), len(sentences))
        two = (ids[i], ids[j])
        if i < j and ids[i] != ids[j] and two not in paired:
            if max(uses[event] for event in two) == MOST_OF_AN_EVENT:
                continue
            paired.add(two)
            uses.update(two)
            pairs.append(Pair(sentences[i], sentences[j], 0))
            if len(pairs) == number:
                return pairs
    raise ValueError(f"Expected enough events for {number} pairs of two; got {len(events)} events.")


def all_overlaps(sentences: Sequence[str]) -> np.ndarray:
    """Compute the overlap of every sentence with every other one, ``(n, n)``."""
    columns: dict[str, int] = {}
    rows = [[columns.setdefault(word, len(columns)) for word in set(words(s))] for s in sentences]
    holds = np.zeros((len(rows), len(columns)), dtype=np.float32)
    for row, present in enumerate(rows):
        holds[row, present] = 1
    both = holds @ holds.T
    sizes = holds.sum(axis=1)
    return both / (sizes[:, None] + sizes - both)


def all_pairs(event: dict) -> Iterator[Pair]:
    """Yield all equivalent pairs, then each wording with each near miss."""
    true = event["wordings"] + event["reworks"]
    for first, second in combinations(true, 2):
        yield Pair(first, second, 1)
    for miss in event["near_misses"]:
        if "rework" in miss:
            yield Pair(miss["text"], miss["rework"], 1)
    for telling, miss in product(true, event["near_misses"]):
        for text in tellings(miss):
            yield Pair(telling, text, 0)


def all_texts(event: dict) -> list[str]:
    """List all sentences about an event."""
    misses = [text for miss in event["near_misses"] for text in tellings(miss)]
    return event["wordings"] + event["reworks"] + misses


def write(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs as parquet, with MRPC's columns."""
    rows = [
        {"sentence1": pair.first, "sentence2": pair.second, "label": pair.label, "idx": index}
        for index, pair in enumerate(pairs)
    ]
    Dataset.from_list(rows, features=pair_features()).to_parquet(path)


# Describe the corpus


def describe(topics: dict[str, list[dict]], splits: dict[str, list[Pair]]) -> dict:
    """Count events, sentences, words, kinds of change, pairs by sort, and their overlaps."""
    events = [event for topic in topics.values() for event in topic]
    misses = [miss for event in events for miss in event["near_misses"]]
    lengths = [len(text.split()) for event in events for text in all_texts(event)]
    sorts = {split: sorts_of(topics, pairs) for split, pairs in splits.items()}
    return {
        "events": len(events),
        "sentences": len(lengths),
        "words": {
            "least": min(lengths),
            "mean": round(float(np.mean(lengths)), 1),
            "most": max(lengths),
        },
        "near_misses": dict(sorted(Counter(miss["changed"] for miss in misses).items())),
        "pairs": {split: len(pairs) for split, pairs in splits.items()},
        "equivalent": {split: sum(p.label for p in pairs) for split, pairs in splits.items()},
        "sorts": {split: dict(sorted(Counter(found).items())) for split, found in sorts.items()},
        "overlap": {
            split: {
                name: [
                    round(float(share), 2)
                    for share in np.quantile(
                        [p.overlap for p in pairs if p.label == label], QUANTILES
                    )
                ]
                for label, name in enumerate(("not_equivalent", "equivalent"))
            }
            for split, pairs in splits.items()
        },
    }


def sorts_of(topics: dict[str, list[dict]], pairs: Sequence[Pair]) -> list[str]:
    """Name the kind of each pair."""
    changed = changes(topics)

    def sort(pair: Pair) -> str:
        much = "alike" if pair.overlap >= ALIKE else "unlike"
        if pair.label:
            return f"equivalent, {much}"
        missed = pair.first in changed or pair.second in changed
        return f"near miss, {much}" if missed else "two events"

    return [sort(pair) for pair in pairs]


# Measure simple rules


def rules(splits: dict[str, list[Pair]]) -> dict:
    """Measure always answering "equivalent", and rules on the overlap of words."""
    everything = {split: [1] * len(pairs) for split, pairs in splits.items()}
    overlaps = {split: np.array([p.overlap for p in pairs]) for split, pairs in splits.items()}
    return {
        "all_equivalent": {split: scores(everything[split], splits[split]) for split in MEASURED},
        "overlap_threshold": best_rule(overlaps, splits, band=False),
        "overlap_band": best_rule(overlaps, splits, band=True),
    }


def cosine_rules(splits: dict[str, list[Pair]]) -> dict:
    """Measure rules on the cosine of the untouched encoder's mean-pooled hidden states."""
    cosines = {split: untouched_cosines(pairs) for split, pairs in splits.items()}
    return {
        "cosine_threshold": best_rule(cosines, splits, band=False),
        "cosine_band": best_rule(cosines, splits, band=True),
    }


def best_rule(values: dict[str, np.ndarray], splits: dict[str, list[Pair]], *, band: bool) -> dict:
    """Find the rule that is right most often in training: at least, at most, or between."""
    values = {split: np.round(found, 2) for split, found in values.items()}
    labels = np.array([pair.label for pair in splits["train"]])
    cuts = np.unique(values["train"])
    if band:
        options = list(combinations(cuts, 2))
    else:
        options = [(cut, np.inf) for cut in cuts] + [(-np.inf, cut) for cut in cuts]
    least, most = max(
        options,
        key=lambda o: ((values["train"] >= o[0]) & (values["train"] <= o[1]) == labels).mean(),
    )
    rule = {split: (values[split] >= least) & (values[split] <= most) for split in MEASURED}
    return {
        "least": None if np.isinf(least) else round(float(least), 2),
        "most": None if np.isinf(most) else round(float(most), 2),
        **{split: scores(rule[split].astype(int), splits[split]) for split in MEASURED},
    }


def scores(predictions: Sequence[int], pairs: Sequence[Pair]) -> dict[str, float]:
    """Compute accuracy and F1 to three digits."""
    labels = [pair.label for pair in pairs]
    return {
        "accuracy": round(accuracy(predictions, labels), 3),
        "f1": round(f1(predictions, labels), 3),
    }


@torch.inference_mode()
def untouched_cosines(pairs: Sequence[Pair]) -> np.ndarray:
    """Compute the cosine of each pair's two sentences, ``(pairs,)``."""
    checkpoint = resolve("bert-base-uncased")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    encoder = AutoModel.from_pretrained(checkpoint).eval()
    sentences = sorted({text for pair in pairs for text in (pair.first, pair.second)}, key=len)
    vectors = {}
    for start in range(0, len(sentences), 32):
        group = sentences[start : start + 32]
        inputs = tokenizer(group, padding=True, return_tensors="pt")
        hidden = encoder(**inputs).last_hidden_state  # (batch, seq, hidden)
        real = inputs["attention_mask"].unsqueeze(-1)  # (batch, seq, 1)
        means = (hidden * real).sum(1) / real.sum(1)  # (batch, hidden)
        vectors |= dict(zip(group, torch.nn.functional.normalize(means, dim=1), strict=True))
    return np.array([float(vectors[pair.first] @ vectors[pair.second]) for pair in pairs])


if __name__ == "__main__":
    main()
