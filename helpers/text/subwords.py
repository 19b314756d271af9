"""Subword tokenizers: get the same vocabulary and ids from every training run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from helpers.text.checks import check_strings

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
    """List the characters of some texts in alphabetical order, also with a subword's mark.

    A trainer that gets them as its first tokens gives them the same ids on every run.

    Parameters
    ----------
    texts : iterable of str
        The texts that the tokenizer will be trained on.
    normalizer : tokenizers.normalizers.Normalizer, optional
        The normalizer of the tokenizer.
    prefix : str, default ""
        The mark of a piece that continues a word, such as "##".
    suffix : str, default ""
        The mark of a piece that ends a word, such as "</w>".

    Returns
    -------
    list of str
        The characters without white space; then all of them again with the mark, if there is one.
    """
    texts = check_strings(texts, "texts")
    if normalizer is not None:
        texts = map(normalizer.normalize_str, texts)
    characters = sorted({character for text in texts for character in text if character.strip()})
    marked = [prefix + character + suffix for character in characters]
    return characters + marked if prefix or suffix else characters


def make_deterministic(
    tokenizer: Tokenizer, *, special_tokens: Iterable[str] = ("[UNK]",)
) -> Tokenizer:
    """Give a trained tokenizer ids that are the same in every training run.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        A tokenizer with a model of type BPE, WordPiece or Unigram.
    special_tokens : iterable of str, default ("[UNK]",)
        The special tokens to keep. Others become ordinary tokens, such as single characters.

    Returns
    -------
    tokenizers.Tokenizer
        A copy with the same vocabulary. Unigram's tokens are in the order of their scores, those
        with equal scores in alphabetical order.

    Raises
    ------
    TypeError
        If ``tokenizer`` comes from another library.
    ValueError
        If a special token is not in the vocabulary.
    """
    from tokenizers import Tokenizer

    if not isinstance(tokenizer, Tokenizer):
        raise TypeError(
            f"tokenizer must be a tokenizers.Tokenizer; got {type(tokenizer).__name__}. A fast "
            "tokenizer of transformers has one as its backend_tokenizer."
        )
    special_tokens = check_strings(special_tokens, "special_tokens")
    if missing := [token for token in special_tokens if tokenizer.token_to_id(token) is None]:
        raise ValueError(
            f"special_tokens must be in the vocabulary; got {missing[0]!r}. Train with it too."
        )
    state = json.loads(tokenizer.to_str())
    model = state["model"]
    if model["type"] == "Unigram":
        unknown = None if model["unk_id"] is None else model["vocab"][model["unk_id"]][0]
        model["vocab"] = _in_order(model["vocab"], special_tokens)
        ids = {token: number for number, (token, _) in enumerate(model["vocab"])}
        model["unk_id"] = ids.get(unknown)
    else:
        ids = model["vocab"]
    state["added_tokens"] = [
        # a token that was added after the training isn't in the model, and keeps its id
        {**added, "id": ids.get(added["content"], added["id"])}
        for added in state["added_tokens"]
        if added["content"] in special_tokens
    ]
    return Tokenizer.from_str(json.dumps(state))


def _in_order(vocabulary: list[list], special_tokens: list[str]) -> list[list]:
    """Sort Unigram's tokens by score, after removing what depends on the run from the scores.

    The trainer keeps rare characters so that it can spell every word. It gives them the lowest
    scores, each 0.0001 less than the one before, in an order that differs from run to run.
    """
    scores = dict(vocabulary)
    first = [[token, scores.pop(token)] for token in special_tokens if token in scores]
    lowest = min(scores.values())
    characters = [token for token in scores if len(token) == 1]
    for token in characters:
        if scores[token] - lowest < 0.0001 * (len(characters) + 1):
            scores[token] = lowest
    rest = sorted(scores.items(), key=lambda pair: (-round(pair[1], 6), pair[0]))
    return first + [list(pair) for pair in rest]
