"""How a language model fills a gap: from the text on both sides, or from the text before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from helpers.text.checks import check_integer, check_text
from helpers.text.decoding import softmax
from helpers.text.running import longest_input, run_model

if TYPE_CHECKING:
    import torch
    from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

GAP = "[MASK]"  # how a text marks its gap, whatever the model's own mask token is called


class Prediction(NamedTuple):
    """The most likely tokens for a gap, and what they were predicted from.

    Parameters
    ----------
    tokens : list of str
        The tokens of the whole text, with ``[MASK]`` for the gap.
    seen : list of bool
        For each token, whether the model could see it.
    candidates : list of str
        The most likely tokens for the gap, the best one first.
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
    TypeError
        If the text is not a string, or ``top`` is not a whole number.
    ValueError
        If the text has two gaps or more, or nothing but the gap, or is too long for the model; if
        ``top`` is below 1 or above the size of the vocabulary; if the tokenizer has no mask token.
    """
    mask = tokenizer.mask_token
    if mask is None:
        raise ValueError(
            "tokenizer must have a mask token; got one without. Use the tokenizer and the model "
            "of a masked language model, or predict_next for a causal one."
        )
    before, after = _sides(text, mask)
    inputs = tokenizer(f"{before} {mask}{after}".strip(), return_tensors="pt")
    ids = inputs["input_ids"][0].tolist()
    tokens = list(tokenizer.convert_ids_to_tokens(ids))
    place = ids.index(tokenizer.mask_token_id)
    scores = _scores(tokenizer, model, inputs)[place]
    tokens[place] = GAP
    return Prediction(tokens, [True] * len(tokens), *_best(tokenizer, scores, top))


def predict_next(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str, *, top: int = 5
) -> Prediction:
    """Fill the gap of a text with a causal language model, which sees only the text before it.

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
        The candidates; the gap and the text after it are not seen.

    Raises
    ------
    TypeError
        If the text is not a string, or ``top`` is not a whole number.
    ValueError
        If the text has two gaps or more, or nothing but the gap, or is too long for the model; if
        ``top`` is below 1 or above the size of the vocabulary; if nothing is before the gap and
        the tokenizer has no token for the beginning.
    """
    before, after = _sides(text, tokenizer.mask_token)
    inputs = tokenizer(before, return_tensors="pt")
    if inputs["input_ids"].shape[1] == 0:  # a tokenizer that adds no special tokens, as GPT-2's
        if tokenizer.bos_token is None:
            raise ValueError(
                "text must have a word before the gap, because this tokenizer has no token for "
                f"the beginning; got {text!r:.60}. Type a word before {GAP}."
            )
        inputs = tokenizer(tokenizer.bos_token, return_tensors="pt")
    seen = list(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()))
    hidden = [GAP, *tokenizer.tokenize(after)]
    scores = _scores(tokenizer, model, inputs)[-1]
    return Prediction(
        seen + hidden,
        [True] * len(seen) + [False] * len(hidden),
        *_best(tokenizer, scores, top),
    )


def _sides(text: str, mask: str | None) -> tuple[str, str]:
    """Split a text at its gap, which may also be marked by the tokenizer's own mask token."""
    remedy = f"Type a sentence, with {GAP} where a word is missing."
    check_text(text, remedy=remedy)
    before, *after = (text.replace(mask, GAP) if mask else text).split(GAP)
    if len(after) > 1:
        raise ValueError(
            f"text must have at most one {GAP}; got {len(after)}. Leave only one of them."
        )
    rest = after[0] if after else ""
    if not (before + rest).strip():
        raise ValueError(f"text must hold more than {GAP}; got {text!r:.60}. {remedy}")
    return before.strip(), rest.rstrip()


def _scores(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, inputs: BatchEncoding
) -> torch.Tensor:
    """Give the scores of the whole vocabulary at each position, ``(seq, vocabulary)``."""
    length = inputs["input_ids"].shape[1]
    longest = longest_input(tokenizer, model)
    if longest is not None and length > longest:
        raise ValueError(
            f"text must have at most {longest} tokens, the most that this model reads; got "
            f"{length}. Shorten the text."
        )
    return run_model(model, inputs)["logits"][0]


def _best(
    tokenizer: PreTrainedTokenizerBase, scores: torch.Tensor, top: int
) -> tuple[list[str], list[float]]:
    """Decode the most likely tokens, and give their probabilities."""
    size = scores.shape[-1]
    if check_integer(top, "top") > size:
        raise ValueError(
            f"top must be at most {size}, the size of the vocabulary; got {top}. Ask for fewer."
        )
    best = softmax(scores).topk(top)
    candidates = [str(tokenizer.decode([token_id])).strip() for token_id in best.indices.tolist()]
    return candidates, best.values.tolist()
