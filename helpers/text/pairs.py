"""Pairs of sentences: what a trained model says about one, and what takes no model to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.text.decoding import softmax

if TYPE_CHECKING:
    from datasets import DatasetDict
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class PairAnswer:
    """A model's answer to a pair of sentences, in both orders.

    Parameters
    ----------
    labels : list of str
        The names of the answers.
    probabilities : list of float
        The probability of each, the sentences in the order they were given in.
    swapped : list of float
        The same, the second sentence first.
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
    """Ask a model what it makes of two sentences.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model with a sequence-classification head, trained on pairs. It is left in the mode,
        training or not, it was in; the answer is that of evaluation.
    first, second : str
        The sentences. A pair longer than the model can read is cut, the longer sentence first.

    Returns
    -------
    PairAnswer
        The probability of each label, in both orders.

    Raises
    ------
    TypeError
        If a sentence is not a string.
    ValueError
        If a sentence holds nothing but white space.
    """
    import torch

    for name, text in (("first", first), ("second", second)):
        if not isinstance(text, str):
            raise TypeError(f"{name} must be one string; got {type(text).__name__}.")
        if not text.strip():
            raise ValueError(
                f"the {name} sentence must hold at least one word; got an empty text. "
                "Type a sentence in both fields."
            )
    inputs = tokenizer(  # input_ids: (2, seq)
        [first, second], [second, first], padding=True, truncation=True, return_tensors="pt"
    ).to(model.device)
    trains = model.training
    model.eval()
    try:
        with torch.inference_mode():
            given, swapped = model(**inputs).logits.tolist()  # (2, labels)
    finally:
        model.train(trains)
    whole = len(tokenizer(first, second, verbose=False)["input_ids"])
    return PairAnswer(
        labels=[model.config.id2label[column] for column in range(len(given))],
        probabilities=softmax(given),
        swapped=softmax(swapped),
        truncated=whole > inputs["input_ids"].shape[1],
    )


def words(text: str) -> list[str]:
    """Give the words of a text.

    Parameters
    ----------
    text : str
        English text.

    Returns
    -------
    list of str
        In their order, in lower case, without punctuation.
    """
    return re.findall(r"[a-z0-9']+", text.lower())


def word_overlap(first: str, second: str) -> float:
    """Compute the share of two sentences' words that both have.

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
    .. [1] P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11(2),
       1912.
    """
    one, other = set(words(first)), set(words(second))
    if not one | other:
        raise ValueError(f"Expected sentences with words in them; got {first!r} and {second!r}.")
    return len(one & other) / len(one | other)


def pair_baselines(
    data: DatasetDict, split: str = "validation", *, metric: Callable | None = None
) -> dict[str, float]:
    """Measure two rules that understand nothing, for a model to be compared with.

    Parameters
    ----------
    data : datasets.DatasetDict
        Its splits hold the columns ``sentence1``, ``sentence2`` and ``label``, 0 or 1.
    split : str, default "validation"
        On which to measure. The second rule is fitted to the split ``train``.
    metric : callable, optional
        From predicted and true labels, ``(rows,)``, to a number, such as
        `helpers.sources.f1`. None means accuracy.

    Returns
    -------
    dict of str to float
        The metric of ``always equivalent`` and of ``counting shared words``: equivalent on one side
        of a limit of `word_overlap`, whichever side and limit are right most often in training.

    Raises
    ------
    ValueError
        If there is no such split.
    """
    import numpy as np

    def accuracy(predictions: np.ndarray, references: np.ndarray) -> float:
        return float((predictions == references).mean())

    if missing := {"train", split} - set(data):
        raise ValueError(f"Expected the splits {', '.join(data)}; got {missing.pop()!r}.")
    overlaps, labels = {}, {}
    for name in {"train", split}:
        pairs = zip(data[name]["sentence1"], data[name]["sentence2"], strict=True)
        overlaps[name] = np.array([word_overlap(*pair) for pair in pairs])
        labels[name] = np.array(data[name]["label"])
    _, side, limit = max(
        (accuracy(side * overlaps["train"] >= side * limit, labels["train"]), side, limit)
        for side in (1, -1)
        for limit in np.unique(overlaps["train"])
    )
    rules = {
        "always equivalent": np.ones_like(labels[split]),
        "counting shared words": side * overlaps[split] >= side * limit,
    }
    return {name: float((metric or accuracy)(rule, labels[split])) for name, rule in rules.items()}
