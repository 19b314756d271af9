"""What a language model would put into a gap: from both sides of it, or from what stands before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from helpers.text.decoding import softmax

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

GAP = "[MASK]"  # how a text marks its gap, whatever the model's own mask token is called


class Prediction(NamedTuple):
    """The likeliest tokens for a gap, and what they were predicted from.

    Parameters
    ----------
    tokens : list of str
        The tokens of the whole text, the gap being ``[MASK]``.
    seen : list of bool
        For each of them, whether the model could see it.
    candidates : list of str
        The likeliest tokens for the gap, the likeliest first.
    probabilities : list of float
        The probability of each candidate.
    """

    tokens: list[str]
    seen: list[bool]
    candidates: list[str]
    probabilities: list[float]


def predict_masked(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str, *, top: int = 5
) -> Prediction:
    """Fill the gap of a text with a masked language model, which sees both sides of the gap.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model such as ``BertForMaskedLM``.
    text : str
        The text, with ``[MASK]`` where the gap is; without it, the gap is at the end.
    top : int, default 5
        How many candidates to give.

    Returns
    -------
    Prediction
        The candidates; every token of the text is seen.

    Raises
    ------
    ValueError
        If the text has two gaps or more, or nothing but the gap, or is too long for the model.
    """
    before, after = _sides(text)
    inputs = tokenizer(f"{before} {tokenizer.mask_token}{after}".strip(), return_tensors="pt")
    ids = inputs["input_ids"][0].tolist()
    tokens = tokenizer.convert_ids_to_tokens(ids)
    place = ids.index(tokenizer.mask_token_id)
    scores = _scores(tokenizer, model, inputs)[place]
    tokens[place] = GAP
    return Prediction(tokens, [True] * len(tokens), *_best(tokenizer, scores, top))


def predict_next(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str, *, top: int = 5
) -> Prediction:
    """Fill the gap of a text with a causal language model, which sees only what stands before.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model such as ``BertLMHeadModel`` with ``is_decoder=True``.
    text : str
        The text, with ``[MASK]`` where the gap is; without it, the gap is at the end.
    top : int, default 5
        How many candidates to give.

    Returns
    -------
    Prediction
        The candidates; the gap and what stands after it are not seen.

    Raises
    ------
    ValueError
        If the text has two gaps or more, or nothing but the gap, or is too long for the model.
    """
    before, after = _sides(text)
    inputs = tokenizer(before, return_tensors="pt")
    if inputs["input_ids"].shape[1] == 0:  # a tokenizer that puts nothing before a text, as GPT-2's
        inputs = tokenizer(tokenizer.bos_token, return_tensors="pt")
    seen = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    hidden = [GAP, *tokenizer.tokenize(after)]
    scores = _scores(tokenizer, model, inputs)[-1]
    return Prediction(
        seen + hidden,
        [True] * len(seen) + [False] * len(hidden),
        *_best(tokenizer, scores, top),
    )


def _sides(text: str) -> tuple[str, str]:
    """Give what stands before the gap and what stands after it."""
    before, *after = text.split(GAP)
    if len(after) > 1:
        raise ValueError(f"expected one {GAP} in the text; got {len(after)}. Leave one of them.")
    rest = after[0] if after else ""
    if not (before + rest).strip():
        raise ValueError(f"Type a sentence, with {GAP} where a word is missing.")
    return before.strip(), rest.rstrip()


def _scores(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, inputs: dict
) -> torch.Tensor:
    """Give the scores of the whole vocabulary at each position, ``(seq, vocabulary)``."""
    import torch

    length = inputs["input_ids"].shape[1]
    longest = tokenizer.model_max_length
    if length > longest:
        raise ValueError(
            f"expected at most {longest} tokens, the most this model reads; got {length}. "
            "Shorten the text."
        )
    with torch.no_grad():
        return model(**inputs).logits[0]


def _best(
    tokenizer: PreTrainedTokenizerBase, scores: torch.Tensor, top: int
) -> tuple[list[str], list[float]]:
    """Give the likeliest tokens, as they would stand in a text, with their probabilities."""
    best = softmax(scores).topk(top)
    candidates = [tokenizer.decode([token_id]).strip() for token_id in best.indices.tolist()]
    return candidates, best.values.tolist()
