"""Training subword tokenizers: what makes the result repeatable."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer


def single_characters(
    texts: Iterable[str],
    normalizer: Normalizer | None = None,
    *,
    prefix: str = "",
    suffix: str = "",
) -> list[str]:
    """List the characters of some texts, each also with a subword's mark, in alphabetical order.

    A trainer that is given these first numbers them alike on every run.

    Parameters
    ----------
    texts : iterable of str
        What the tokenizer will be trained on.
    normalizer : tokenizers.normalizers.Normalizer, optional
        What the tokenizer does to a text first.
    prefix : str, default ""
        The mark of a piece that continues a word, such as "##".
    suffix : str, default ""
        The mark of a piece that ends a word, such as "</w>".

    Returns
    -------
    list of str
        The characters, white space left out; then all of them again with the mark, if there is one.
    """
    if normalizer is not None:
        texts = map(normalizer.normalize_str, texts)
    characters = sorted({character for text in texts for character in text if character.strip()})
    marked = [prefix + character + suffix for character in characters]
    return characters + marked if prefix or suffix else characters


def make_deterministic(tokenizer: Tokenizer, *, special_tokens: Iterable[str] = ("[UNK]",)) -> Tokenizer:
    """Give a freshly trained tokenizer the same ids on every run.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        A tokenizer with a model of type BPE, WordPiece or Unigram.
    special_tokens : iterable of str, default ("[UNK]",)
        Which of the tokens that the trainer was given first are special indeed. The others become
        ordinary tokens.

    Returns
    -------
    tokenizers.Tokenizer
        A copy with the same vocabulary. Unigram's tokens are in the order of their scores, and
        where the scores are equal in that of the alphabet.

    Raises
    ------
    ValueError
        If a special token is not in the vocabulary.
    """
    from tokenizers import Tokenizer

    special_tokens = list(special_tokens)
    for token in special_tokens:
        if tokenizer.token_to_id(token) is None:
            raise ValueError(
                f"Expected special tokens of the vocabulary; got {token!r}, which is not in it. "
                "Give it to the trainer, too."
            )
    state = json.loads(tokenizer.to_str())
    model = state["model"]
    if model["type"] == "Unigram":
        unknown = model["vocab"][model["unk_id"]][0]
        model["vocab"] = _in_order(model["vocab"], special_tokens)
        model["unk_id"] = [token for token, _ in model["vocab"]].index(unknown)
    ids = (
        {token: number for number, (token, _) in enumerate(model["vocab"])}
        if model["type"] == "Unigram"
        else model["vocab"]
    )
    state["added_tokens"] = [
        {**added, "id": ids[added["content"]]}
        for added in state["added_tokens"]
        if added["content"] in special_tokens
    ]
    return Tokenizer.from_str(json.dumps(state))


def _in_order(vocabulary: list[list], special_tokens: list[str]) -> list[list]:
    """Sort Unigram's tokens by score, with what depends on the run taken out of the scores.

    Characters that are kept only so that every word can be written get the lowest score, each
    0.0001 less than the one before, in an order that differs from run to run.
    """
    scores = dict(vocabulary)
    first = [[token, scores.pop(token)] for token in special_tokens]
    lowest = min(scores.values())
    characters = [token for token in scores if len(token) == 1]
    for token in characters:
        if scores[token] - lowest < 0.0001 * (len(characters) + 1):
            scores[token] = lowest
    rest = sorted(scores.items(), key=lambda pair: (-round(pair[1], 6), pair[0]))
    return first + [list(pair) for pair in rest]
