"""Pairs of sentences: a model's answer to one, and baselines that need no model."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from helpers.text.checks import check_text
from helpers.text.decoding import label_names, label_scores
from helpers.text.running import run_model, tokenize

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class PairAnswer:
    """A model's answer to a pair of sentences, in both orders.

    Parameters
    ----------
    labels : list of str
        The names of the answers.
    probabilities : list of float
        The probability of each, in the order given; for a regression, the model's plain numbers.
    swapped : list of float
        The same with the second sentence first.
    truncated : bool
        Whether the pair was cut to what the model can read.
    """

    labels: list[str]
    probabilities: list[float]
    swapped: list[float]
    truncated: bool


def compare_pair(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, first: str, second: str
) -> PairAnswer:
    """Run a model on two sentences, in both orders.

    Parameters
    ----------
    tokenizer, model : PreTrainedTokenizerBase, PreTrainedModel
        A checkpoint's tokenizer and its model, a sequence classifier trained on pairs.
    first, second : str
        The sentences. A pair longer than the model can read is cut, the longer sentence first.

    Returns
    -------
    PairAnswer
        The score of each label in both orders, computed as `decode` does.
    """
    for name, text in (("first", first), ("second", second)):
        check_text(text, name, remedy="Type a sentence in both fields.")
    inputs = tokenize(tokenizer, model, [first, second], [second, first], padding=True)  # (2, seq)
    logits = run_model(model, inputs)["logits"]  # (2, labels)
    scores = label_scores(logits.tolist(), problem_type=model.config.problem_type)
    whole = len(tokenizer(first, second, verbose=False)["input_ids"])
    return PairAnswer(
        labels=label_names(model.config.id2label or {}, scores.shape[1]),
        probabilities=scores[0].tolist(),
        swapped=scores[1].tolist(),
        truncated=whole > inputs["input_ids"].shape[1],
    )


def words(text: str) -> list[str]:
    """Split an English text into words, in lower case and without punctuation."""
    text = check_text(text, remedy=None)
    return re.findall(r"[a-z0-9']+", text.lower())


def word_overlap(first: str, second: str) -> float:
    """Compute the share of two sentences' words that are in both.

    Parameters
    ----------
    first, second : str
        The sentences. Upper case and punctuation don't count.

    Returns
    -------
    float
        From 0, no word in common, to 1, the same words: the Jaccard index of the two sets [1]_.

    Raises
    ------
    ValueError
        If neither sentence holds a word.

    References
    ----------
    .. [1] P. Jaccard (1912), "The distribution of the flora in the alpine zone".
    """
    one, other = set(words(first)), set(words(second))
    if not one | other:
        raise ValueError(
            "first and second must hold a word between them; got "
            f"{first!r:.60} and {second!r:.60}. Type a sentence."
        )
    return len(one & other) / len(one | other)


def pair_baselines(
    data: DatasetDict, split: str = "validation", *, metric: Callable | None = None
) -> dict[str, float]:
    """Measure two simple rules as baselines for a model.

    Parameters
    ----------
    data : datasets.DatasetDict
        Its splits hold the columns ``sentence1``, ``sentence2`` and ``label``, 0 or 1.
    split : str, default "validation"
        The split to measure on. The second rule is fitted to the split ``train``.
    metric : callable, optional
        From predicted and true labels, ``(rows,)``, to a number. None means accuracy.

    Returns
    -------
    dict of str to float
        The metric of ``always equivalent`` and of ``counting shared words``: equivalent on one side
        of a limit of `word_overlap`, in hundredths, whichever side and limit are right most often
        in training.

    Raises
    ------
    ValueError
        If a split is missing or empty, lacks a column, or has labels other than 0 and 1.
    """
    if not {"train", split} <= set(data):
        raise ValueError(
            f"data must have the splits 'train' and {split!r}; got {', '.join(data)}. Pick one."
        )
    overlaps, labels = {}, {}
    for name in {"train", split}:
        _check_pairs(data[name], name)
        pairs = zip(data[name]["sentence1"], data[name]["sentence2"], strict=True)
        overlaps[name] = np.array([word_overlap(*pair) for pair in pairs]).round(2)
        labels[name] = np.array(data[name]["label"])
    side, limit = max(
        product((1, -1), np.unique(overlaps["train"])),
        key=lambda rule: np.mean(
            (rule[0] * overlaps["train"] >= rule[0] * rule[1]) == labels["train"]
        ),
    )
    rules = {
        "always equivalent": np.ones_like(labels[split]),
        "counting shared words": side * overlaps[split] >= side * limit,
    }
    metric = metric or (lambda predicted, true: np.mean(predicted == true))
    return {name: float(metric(rule, labels[split])) for name, rule in rules.items()}


def _check_pairs(data: Dataset, name: str) -> None:
    """Refuse a split that the baselines can't be computed on."""
    columns = {"sentence1", "sentence2", "label"}
    if not columns <= set(data.column_names):
        raise ValueError(
            f"{name} must have the columns {', '.join(sorted(columns))}; got "
            f"{', '.join(data.column_names)}. Rename them with rename_columns."
        )
    if found := set(data["label"]) - {0, 1}:
        raise ValueError(f"label must be 0 or 1 in {name}; got {found.pop()!r}. Drop other pairs.")
    if len(data) == 0:
        raise ValueError(f"{name} must hold at least one pair; got none. Was it filtered?")
