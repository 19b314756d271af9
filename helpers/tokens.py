"""Token tables: what a tokenizer made of a text, token by token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

KINDS = ("text", "special", "unknown", "padding")


def token_table(tokenizer: PreTrainedTokenizerBase, inputs: Mapping) -> pd.DataFrame:
    """List the tokens of one encoded text, pair or batch, a row for each.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer that made ``inputs``.
    inputs : mapping
        What ``tokenizer(...)`` returned: ``input_ids``, ``(seq,)`` or ``(batch, seq)``, as lists,
        arrays or tensors; ``token_type_ids`` and ``attention_mask`` of the same shape if they are
        there. The rows of a batch given as lists may differ in length.

    Returns
    -------
    pandas.DataFrame
        One row a token, with the columns ``sequence`` (row of the batch), ``position``, ``id``,
        ``token``, ``token_type``, ``attention`` and ``kind``, which is one of ``text``,
        ``special``, ``unknown`` and ``padding``. What ``inputs`` lack is ``<NA>``.

    Raises
    ------
    TypeError
        If ``inputs`` are not a mapping with ``input_ids``; a text has to be tokenized first.
    ValueError
        If there is no token; if ``input_ids`` have more than two axes or are no whole numbers; if
        another entry differs from them in shape; if an id is not in the tokenizer's vocabulary.
    """
    import pandas as pd

    if not isinstance(inputs, Mapping) or "input_ids" not in inputs:
        raise TypeError(
            "inputs must be what the tokenizer returned, with input_ids; got "
            f"{type(inputs).__name__}. Call token_table(tokenizer, tokenizer(text))."
        )
    ids = _rows(inputs, "input_ids")
    if not any(ids):
        raise ValueError("input_ids must hold at least one token; got none.")
    types = _like(ids, inputs, "token_type_ids")
    masks = _like(ids, inputs, "attention_mask")
    columns = {name: [] for name in ("sequence", "position", "id", "token_type", "attention")}
    for sequence, row in enumerate(ids):
        columns["sequence"] += [sequence] * len(row)
        columns["position"] += range(len(row))
        columns["id"] += row
        columns["token_type"] += types[sequence]
        columns["attention"] += masks[sequence]
    tokens = _tokens(tokenizer, columns["id"])
    table = pd.DataFrame(columns).astype({"token_type": "Int64", "attention": "Int64"})
    table.insert(3, "token", tokens)
    table["kind"] = [_kind(tokenizer, token_id) for token_id in columns["id"]]
    return table


def _rows(inputs: Mapping, key: str) -> list[list[int]]:
    """Give one entry of the inputs as a list of rows, whatever it came as."""
    value = inputs[key]
    value = value.tolist() if hasattr(value, "tolist") else list(value)
    # a tensor inside a list, as a data set gives it
    value = [row.tolist() if hasattr(row, "tolist") else row for row in value]
    rows = value if any(isinstance(row, list | tuple) for row in value) else [value]
    for row in rows:
        if not isinstance(row, list | tuple) or any(
            isinstance(number, bool) or not isinstance(number, int) for number in row
        ):
            raise ValueError(
                f"{key} must be whole numbers, (seq,) or (batch, seq); got {row!r:.60} in them."
            )
    return [list(row) for row in rows]


def _like(ids: list[list[int]], inputs: Mapping, key: str) -> list[list]:
    """Give an optional entry in the shape of ``ids``, or as many missing values."""
    if key not in inputs:
        return [[None] * len(row) for row in ids]
    rows = _rows(inputs, key)
    shape, expected = [len(row) for row in rows], [len(row) for row in ids]
    if shape != expected:
        raise ValueError(
            f"{key} must have the shape of input_ids: rows of {expected}; got rows of {shape}."
        )
    return rows


def _tokens(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[str]:
    """Name each id, or say which one has no name."""
    size = len(tokenizer)
    for token_id in ids:
        if not 0 <= token_id < size:
            raise ValueError(
                f"input_ids must be in the tokenizer's vocabulary, 0 to {size - 1}; got "
                f"{token_id}. Were they made by another tokenizer?"
            )
    return tokenizer.convert_ids_to_tokens(ids)


def _kind(tokenizer: PreTrainedTokenizerBase, token_id: int) -> str:
    """Tell text from what the tokenizer added, could not name, or filled up with."""
    if token_id == tokenizer.pad_token_id:
        return "padding"
    if token_id == tokenizer.unk_token_id:
        return "unknown"
    return "special" if token_id in tokenizer.all_special_ids else "text"
