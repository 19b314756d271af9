"""Token tables: what a tokenizer made of a text, token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

TOKEN_KINDS = ("text", "special", "unknown", "padding")

IGNORE_INDEX = -100  # the label that the library's losses pass over


class Piece(NamedTuple):
    """One token as a picture shows it.

    Parameters
    ----------
    token : str
        The token.
    token_id : int, default=None
        Its number in the vocabulary, where there is one.
    word : int, default=None
        Which word of the text it belongs to.
    kind : str, default="text"
        One of ``TOKEN_KINDS``.
    """

    token: str
    token_id: int | None = None
    word: int | None = None
    kind: str = "text"


def pieces(tokenizer: PreTrainedTokenizerBase, text: str) -> list[Piece]:
    """Cut one text into tokens, and say of each which word it belongs to.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        A tokenizer of the fast kind, which knows the words.
    text : str
        The text.

    Returns
    -------
    list of Piece
        The tokens, special ones included.

    Raises
    ------
    ValueError
        If the text is empty.
    """
    if not text.strip():
        raise ValueError("Type a sentence: an empty text has no tokens of its own.")
    encoded = tokenizer(text)
    table = token_table(tokenizer, encoded)
    rows = zip(table["token"], table["id"].tolist(), encoded.word_ids(), table["kind"], strict=True)
    return [Piece(*row) for row in rows]


SETTINGS = ("padding", "truncation", "max_length")


def token_table(tokenizer: PreTrainedTokenizerBase, inputs: Mapping) -> pd.DataFrame:
    """List the tokens of one encoded text, pair or batch, a row for each.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer that made ``inputs``.
    inputs : mapping
        What ``tokenizer(...)`` returned: ``input_ids``, ``(seq,)`` or ``(batch, seq)``, as lists,
        arrays or tensors; ``token_type_ids``, ``attention_mask`` and ``labels`` of the same shape
        if they are there. The rows of a batch given as lists may differ in length.

    Returns
    -------
    pandas.DataFrame
        One row a token, with the columns ``sequence`` (row of the batch), ``position``, ``id``,
        ``token``, ``token_type``, ``attention`` and ``kind``, which is one of ``text``,
        ``special``, ``unknown`` and ``padding``. What ``inputs`` lack is ``<NA>``. Labels, one for
        each token, add the columns ``label`` and ``answer``, the token that the label names;
        ``answer`` is missing where the label is -100, which means not asked.

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
    if _one_a_token(inputs.get("labels"), ids):
        labels = [label for row in _like(ids, inputs, "labels") for label in row]
        asked = [label for label in labels if label != IGNORE_INDEX]
        answers = iter(_tokens(tokenizer, asked, name="labels"))
        table["label"] = pd.array(labels, dtype="Int64")
        table["answer"] = [None if label == IGNORE_INDEX else next(answers) for label in labels]
    return table


def _one_a_token(labels: object, ids: list[list[int]]) -> bool:
    """Tell labels of tokens from labels of whole texts, of which a row has only one."""
    if labels is None:
        return False
    values = labels.tolist() if hasattr(labels, "tolist") else labels
    if not isinstance(values, list | tuple):
        return False  # one text, one label
    nested = any(isinstance(row, list | tuple) or getattr(row, "ndim", 0) for row in values)
    return nested or (len(ids) == 1 and len(values) == len(ids[0]))


def padding_table(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], settings: Sequence[Mapping]
) -> pd.DataFrame:
    """Tokenize the same texts with several settings, and count what was cut and what was filled up.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer to run.
    texts : sequence of str
        The texts of one batch.
    settings : sequence of mapping
        For each run, any of ``padding``, ``truncation`` and ``max_length``, as the tokenizer takes
        them. What is left out is not passed on.

    Returns
    -------
    pandas.DataFrame
        One row a run, with the columns ``padding``, ``truncation`` and ``max_length`` (None where
        not given), ``lengths`` (tokens in each row of the batch), ``shape`` (of the tensor that
        the rows make, as text, or ``ragged`` where they make none), ``cut`` and ``padded`` (tokens
        of the whole batch).

    Raises
    ------
    TypeError
        If ``texts`` is a single string or holds something else than strings.
    ValueError
        If there is no text, or a setting has another name.
    """
    import pandas as pd

    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"texts must be a list of strings, one a row; got {texts!r:.60}.")
    if not texts:
        raise ValueError("texts must hold at least one text; got none. Type a sentence.")
    texts = list(texts)
    whole = [len(row) for row in tokenizer(texts, verbose=False)["input_ids"]]
    runs = []
    for setting in settings:
        if unknown := sorted(set(setting) - set(SETTINGS)):
            raise ValueError(f"expected settings among {SETTINGS}; got {unknown}.")
        inputs = tokenizer(texts, return_attention_mask=True, verbose=False, **setting)
        lengths = [len(row) for row in inputs["input_ids"]]
        kept = [sum(row) for row in inputs["attention_mask"]]  # without padding
        same = len(set(lengths)) == 1
        runs.append(
            {
                **{name: setting.get(name) for name in SETTINGS},
                "lengths": lengths,
                "shape": f"({len(lengths)}, {lengths[0]})" if same else "ragged",
                "cut": sum(whole) - sum(kept),
                "padded": sum(lengths) - sum(kept),
            }
        )
    # dtype object, or a missing max_length would turn the others into floats
    return pd.DataFrame(runs, dtype=object)


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


def _tokens(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], name: str = "input_ids"
) -> list[str]:
    """Name each id, or say which one has no name."""
    size = len(tokenizer)
    for token_id in ids:
        if not 0 <= token_id < size:
            raise ValueError(
                f"{name} must be in the tokenizer's vocabulary, 0 to {size - 1}; got "
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
