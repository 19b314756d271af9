"""How a language model fills a gap: from the text on both sides, or from the text before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from helpers.text.checks import check_integer, check_text
from helpers.text.decoding import softmax
from helpers.text.running import longest_input, run_model

if TYPE_CHECKING:
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
    tokenizer, model : PreTrainedTokenizerBase, PreTrainedModel
        A checkpoint's tokenizer and its model, such as ``BertForMaskedLM``.
    text : str
        The text, with ``[MASK]`` where the gap is; without it, the gap is at the end.
    top : int, default 5
        How many candidates to give, at most the size of the vocabulary.

    Returns
    -------
    Prediction
        The candidates; every token of the text is seen.

    Raises
    ------
    ValueError
        If the text has two gaps, nothing but the gap, or too many tokens; if the tokenizer has no
        mask token.
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
    tokens[place] = GAP
    best = _candidates(tokenizer, model, inputs, place, top)
    return Prediction(tokens, [True] * len(tokens), *best)


def predict_next(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str, *, top: int = 5
) -> Prediction:
    """Fill the gap of a text with a causal language model, which sees only the text before it.

    Parameters
    ----------
    tokenizer, model : PreTrainedTokenizerBase, PreTrainedModel
        A checkpoint's tokenizer and a model such as ``BertLMHeadModel`` with ``is_decoder=True``.
    text : str
        The text, with ``[MASK]`` where the gap is; without it, the gap is at the end.
    top : int, default 5
        How many candidates to give, at most the size of the vocabulary.

    Returns
    -------
    Prediction
        The candidates; the gap and the text after it are not seen.

    Raises
    ------
    ValueError
        If the text has two gaps, nothing but the gap, or too many tokens; if the tokenizer has no
        token for the beginning, and nothing is before the gap.
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
    best = _candidates(tokenizer, model, inputs, -1, top)
    return Prediction(seen + hidden, [True] * len(seen) + [False] * len(hidden), *best)


def _sides(text: str, mask: str | None) -> tuple[str, str]:
    """Split a text at its gap, which may also be marked by the tokenizer's own mask token."""
    remedy = f"Type a sentence, with {GAP} where a word is missing."
    check_text(text, remedy=remedy)
    before, *after = (text.replace(mask, GAP) if mask else text).split(GAP)
    if len(after) > 1:
        raise ValueError(f"text must have at most one {GAP}; got {len(after)}. Leave only one.")
    rest = after[0] if after else ""
    if not (before + rest).strip():
        raise ValueError(f"text must hold more than {GAP}; got {text!r:.60}. {remedy}")
    return before.strip(), rest.rstrip()


def _candidates(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    inputs: BatchEncoding,
    place: int,
    top: int,
) -> tuple[list[str], list[float]]:
    """Give the most likely tokens that a model predicts at a place, and their probabilities."""
    length, longest = inputs["input_ids"].shape[1], longest_input(tokenizer, model)
    if longest is not None and length > longest:
        raise ValueError(
            f"text must have at most {longest} tokens, the most that this model reads; got "
            f"{length}. Shorten the text."
        )
    scores = run_model(model, inputs)["logits"][0, place]  # (vocabulary,)
    size = len(scores)
    if check_integer(top, "top") > size:
        raise ValueError(f"top must be at most {size}, the vocabulary; got {top}. Ask for fewer.")
    best = softmax(scores).topk(top)
    candidates = [str(tokenizer.decode([token_id])).strip() for token_id in best.indices.tolist()]
    return candidates, best.values.tolist()
