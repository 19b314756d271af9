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
    """Say what each token of one sequence is.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer that made the ids.
    ids : sequence of int
        The ids of one row, ``(seq,)``.
    mask : sequence of int, optional
        Its attention mask, ``(seq,)``. Without it and an encoding, padding tokens at either end of
        the row are padding. So are they under a mask that hides nothing, unless the token has
        another role too.
    encoding : tokenizers.Encoding, optional
        What the fast tokenizer recorded about the row, as in ``inputs.encodings``. It tells the
        special tokens that the tokenizer added from the same ids in the text.
    text : str, optional
        The text that the encoding is of. It tells a typed ``[UNK]`` from an unknown word.

    Returns
    -------
    list of str
        For each token, one of ``TOKEN_KINDS``: "padding" fills the row up, and a mask should hide
        it; "unknown" replaces a text that the vocabulary can't spell; "special" is any
        other token with a special meaning, whether the tokenizer added it or somebody typed it.
    """
    if encoding is not None and encoding.ids != list(ids):
        encoding = None  # the ids were changed afterwards, as a collator does
    padding = _padding(tokenizer, ids, None if mask is None or None in mask else mask, encoding)
    special, unknown = _special_ids(tokenizer), _unknown_id(tokenizer)
    kinds = []
    for place, token_id in enumerate(ids):
        if place in padding:
            kinds.append("padding")
        elif token_id == unknown and _replaces_text(tokenizer, token_id, place, encoding, text):
            kinds.append("unknown")
        elif token_id in special or (encoding and encoding.special_tokens_mask[place]):
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
    if all(filled):
        return set(range(len(filled)))
    first, last = filled.index(False), len(filled) - filled[::-1].index(False)
    return {*range(first), *range(last, len(filled))}


def _has_other_role(tokenizer: PreTrainedTokenizerBase, token_id: int, role: str) -> bool:
    """Tell whether a special token has a second role."""
    others = {"bos", "eos", "sep", "cls", "mask", "pad", "unk"} - {role}
    return token_id in [getattr(tokenizer, f"{other}_token_id") for other in others]


def _special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """List the ids with a special meaning. Of the added tokens, some are ordinary words."""
    added = tokenizer.added_tokens_decoder.items()
    return {*tokenizer.all_special_ids, *(number for number, token in added if token.special)}


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


def _replaces_text(
    tokenizer: PreTrainedTokenizerBase,
    token_id: int,
    place: int,
    encoding: Encoding | None,
    text: str | None,
) -> bool:
    """Tell an unknown piece of text from the same id where it plays another role."""
    if encoding is None:
        # only the id is known: if it has another role too, that one is more likely
        return not _has_other_role(tokenizer, token_id, "unk")
    if encoding.special_tokens_mask[place]:
        return False  # the tokenizer added it
    if text is None:
        return True
    start, end = encoding.offsets[place]
    return text[start:end].strip() != tokenizer.convert_ids_to_tokens(token_id)
