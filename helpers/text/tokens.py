"""Token tables: what a tokenizer made of a text, token by token."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.text.checks import check_strings, check_text
from helpers.text.token_kinds import token_kinds

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # PyTorch's name for the label that its losses leave out
SETTINGS = ("padding", "truncation", "max_length")


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
        One of ``text``, ``special``, ``unknown`` and ``padding``.
    """

    token: str
    token_id: int | None = None
    word: int | None = None
    kind: str = "text"


def pieces(tokenizer: PreTrainedTokenizerBase, text: str) -> list[Piece]:
    """Cut one text into tokens, and say which word each one belongs to.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        A fast tokenizer: slow ones don't record the words.
    text : str
        The text.

    Returns
    -------
    list of Piece
        The tokens, special ones included.
    """
    encoded = tokenizer(check_text(text))
    ids, words = encoded["input_ids"], encoded.word_ids()
    kinds = token_kinds(tokenizer, ids, encoding=encoded.encodings[0], text=text)
    rows = zip(_tokens(tokenizer, ids), ids, words, kinds, strict=True)
    return [Piece(*row) for row in rows]


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
        One row a token: ``sequence`` (row of the batch), ``position``, ``id``, ``token``,
        ``token_type``, ``attention`` and ``kind``, the token's role at that place: ``text``,
        ``special``, ``unknown`` or ``padding``. What ``inputs`` lack is ``<NA>``. Labels of tokens
        add ``label`` and ``answer``, the token that it names, missing where the loss ignores it.

    Raises
    ------
    TypeError
        If ``inputs`` are not a mapping with ``input_ids``; a text has to be tokenized first.
    ValueError
        If there is no token, an id is not in the vocabulary, or the entries differ in shape.
    """
    import pandas as pd

    if not isinstance(inputs, Mapping) or "input_ids" not in inputs:
        raise TypeError(
            "inputs must be what the tokenizer returned, with input_ids; got "
            f"{type(inputs).__name__}. Call token_table(tokenizer, tokenizer(text))."
        )
    ids = _rows(inputs, "input_ids")
    if not any(ids):
        raise ValueError("input_ids must hold at least one token; got none. Was the text empty?")
    types, masks = [_like(ids, inputs, key) for key in ("token_type_ids", "attention_mask")]
    encodings = dict(enumerate(getattr(inputs, "encodings", None) or []))
    names = ("sequence", "position", "id", "token_type", "attention", "kind")
    columns: dict[str, list] = {name: [] for name in names}
    for sequence, row in enumerate(ids):
        columns["sequence"] += [sequence] * len(row)
        columns["position"] += range(len(row))
        columns["id"] += row
        columns["token_type"] += types[sequence]
        columns["attention"] += masks[sequence]
        encoding = encodings.get(sequence)
        columns["kind"] += token_kinds(tokenizer, row, mask=masks[sequence], encoding=encoding)
    table = pd.DataFrame(columns).astype({"token_type": "Int64", "attention": "Int64"})
    table.insert(3, "token", _tokens(tokenizer, columns["id"]))
    if _one_a_token(inputs.get("labels"), ids):
        labels = [label for row in _like(ids, inputs, "labels") for label in row]
        counted = [label for label in labels if label != IGNORE_INDEX]
        answers = dict(zip(counted, _tokens(tokenizer, counted, name="labels"), strict=True))
        table["label"] = pd.array(labels, dtype="Int64")
        table["answer"] = [answers.get(label) for label in labels]
    return table


def _one_a_token(labels: object, ids: list[list[int]]) -> bool:
    """Tell labels of tokens from labels of whole texts, of which a row has only one."""
    values = _as_list(labels)
    if not isinstance(values, list | tuple):
        return False  # no label, or one for one text
    nested = any(isinstance(_as_list(row), list | tuple) for row in values)
    return nested or [len(row) for row in ids] == [len(values)]


def padding_table(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], settings: Sequence[Mapping]
) -> pd.DataFrame:
    """Tokenize the same texts with several settings, and count the tokens cut and padded.

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
        One row a run: ``padding``, ``truncation``, ``max_length`` (None where not given),
        ``lengths`` (tokens in each row of the batch), ``shape`` (of the tensor that the rows make,
        as text, or ``ragged``), ``cut`` and ``padded`` (tokens of the whole batch).

    Raises
    ------
    TypeError
        If ``settings`` is not a list of mappings.
    ValueError
        If there is no text or no setting, or a setting has another name.
    """
    import pandas as pd

    texts = check_strings(texts, "texts")
    if not texts:
        raise ValueError("texts must hold at least one text; got none. Type a sentence.")
    if isinstance(settings, Mapping) or not all(isinstance(one, Mapping) for one in settings):
        raise TypeError(
            f"settings must be a list of mappings; got {settings!r:.60}. Put one into a list."
        )
    if len(settings) == 0:
        raise ValueError("settings must hold at least one run; got none. [{}] has no settings.")
    if unknown := sorted(set().union(*settings) - set(SETTINGS)):
        raise ValueError(
            f"settings must be among {SETTINGS}; got {unknown}. Use the tokenizer's names."
        )
    whole = [len(row) for row in tokenizer(texts, verbose=False)["input_ids"]]
    runs = []
    for setting in settings:
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
    value = _as_list(inputs[key])
    if isinstance(value, list | tuple):
        # an array inside a list, as a data set gives it
        value = [_as_list(row) for row in value]
        nested = any(isinstance(row, list | tuple) for row in value)
        try:
            return [[_whole(one, key) for one in row] for row in (value if nested else [value])]
        except TypeError:
            pass
    raise ValueError(
        f"{key} must be whole numbers, (seq,) or (batch, seq); got {value!r:.60}. Pass what the "
        "tokenizer returned."
    )


def _as_list(value: Any) -> Any:
    """Turn an array, a tensor or a column of a table into lists; leave the rest as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _whole(number: Any, key: str) -> int:
    """Give a whole number as an int. A mask may be made of booleans."""
    if isinstance(number, bool) and key != "attention_mask":
        raise TypeError("a bool")
    return operator.index(number)


def _like(ids: list[list[int]], inputs: Mapping, key: str) -> list[list]:
    """Give an optional entry in the shape of ``ids``; None for each value if it is missing."""
    if key not in inputs:
        return [[None] * len(row) for row in ids]
    rows = _rows(inputs, key)
    shape, expected = [len(row) for row in rows], [len(row) for row in ids]
    if shape != expected:
        raise ValueError(
            f"{key} must have the shape of input_ids: rows of {expected}; got rows of {shape}. "
            "Take both from one call of the tokenizer."
        )
    return rows


def _tokens(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], name: str = "input_ids"
) -> list[str]:
    """Convert ids to tokens, after checking that each is in the vocabulary."""
    size = len(tokenizer)
    if wrong := [token_id for token_id in ids if not 0 <= token_id < size]:
        raise ValueError(
            f"{name} must be in the tokenizer's vocabulary, 0 to {size - 1}; got {wrong[0]}. Were "
            "they made by another tokenizer?"
        )
    return list(tokenizer.convert_ids_to_tokens(ids))
