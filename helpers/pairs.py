"""What a model that was trained on pairs of sentences says about one pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.decoding import softmax

if TYPE_CHECKING:
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
