"""What role each token plays where it is: text, special, unknown or padding.

An id alone doesn't tell. GPT-2 has one token, ``<|endoftext|>``, for the beginning, the end and, as
most people set it up, for padding; its tokenizer calls it the unknown token too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

TOKEN_KINDS = ("text", "special", "unknown", "padding")


def token_kinds(
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int],
    *,
    mask: Sequence[int | None] | None = None,
    encoding: Encoding | None = None,
    text: str | None = None,
) -> list[str]:
    """Say what each token of one row is, from all that is known of the row besides its ids."""
    if encoding is not None and encoding.ids != list(ids):
        encoding = None  # the ids were changed afterwards, as a collator does
    padding = _padding(tokenizer, ids, None if mask is None or None in mask else mask, encoding)
    # of the tokens added to a vocabulary, some are ordinary words
    extra = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    special, unknown = extra.union(tokenizer.all_special_ids), _unknown_id(tokenizer)
    if encoding is None and _has_other_role(tokenizer, unknown, "unk"):
        unknown = None  # the ids are all that is known, and the other role is more likely
    added = encoding.special_tokens_mask if encoding else [0] * len(ids)  # by the tokenizer
    typed = set()  # places where the text holds the name of the unknown token itself
    if encoding and text and unknown is not None:
        name = tokenizer.convert_ids_to_tokens(unknown)
        spelled = [text[start:end].strip() for start, end in encoding.offsets]
        typed = {place for place, one in enumerate(spelled) if one == name}
    kinds = []
    for place, token_id in enumerate(ids):
        if place in padding:
            kinds.append("padding")
        elif token_id == unknown and not added[place] and place not in typed:
            kinds.append("unknown")
        elif token_id in special or added[place]:
            kinds.append("special")
        else:
            kinds.append("text")
    return kinds


def _padding(
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int],
    mask: Sequence | None,
    encoding: Encoding | None,
) -> set[int]:
    """Find the places that are filled up."""
    pad_id = tokenizer.pad_token_id
    masks = [mask or [], encoding.attention_mask if encoding else []]
    hidden = {place for one in masks for place, seen in enumerate(one) if not seen}
    if pad_id is None:  # padded by hand, with any id
        return _ends([place in hidden for place in range(len(ids))])
    if hidden or encoding:
        return {place for place in hidden if ids[place] == pad_id}
    # No mask, or one that forgets the padding. The same id with another role is what the mask says.
    if mask is not None and _has_other_role(tokenizer, pad_id, "pad"):
        return set()
    return _ends([one == pad_id for one in ids])


def _ends(filled: list[bool]) -> set[int]:
    """Find the places at the beginning and the end of a row that are filled up without a gap."""
    seen = [place for place, one in enumerate(filled) if not one]
    return {place for place in range(len(filled)) if not seen or not seen[0] <= place <= seen[-1]}


def _has_other_role(tokenizer: PreTrainedTokenizerBase, token_id: int | None, role: str) -> bool:
    """Tell whether a special token has a second role."""
    others = {"bos", "eos", "sep", "cls", "mask", "pad", "unk"} - {role}
    return token_id in [getattr(tokenizer, f"{other}_token_id") for other in others]


def _unknown_id(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Give the id that replaces what the vocabulary can't spell, or None if it spells everything.

    GPT-2's tokenizer has an ``unk_token`` and never uses it: bytes spell every text.
    """
    from tokenizers.pre_tokenizers import ByteLevel

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not hasattr(backend.model, "unk_token"):
        return tokenizer.unk_token_id  # a slow tokenizer, or Unigram, which doesn't tell
    token = backend.model.unk_token
    if token is None:
        return None
    alphabets: list[list[str]] = [ByteLevel.alphabet()]
    if getattr(backend.model, "byte_fallback", False):
        alphabets.append([f"<0x{byte:02X}>" for byte in range(256)])
    if any(all(backend.token_to_id(one) is not None for one in every) for every in alphabets):
        return None
    return backend.token_to_id(token)
