"""Results as the modules of ``live`` draw them: numbers, strings and lists, ready for JSON."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.display.pictures.matrices import WIDEST
from helpers.text import GAP, ORDERS, batch_table, make_batches, padding_table, token_table

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

    from helpers.text import Attention, Piece, Prediction, Steps

SHOWN_DIGITS = 4  # of a number that is stored: more are not the same on every machine
SMALL = 5_000  # tokens of a vocabulary that a page can carry in its own text
# the SHA-256 of the vocab.txt of bert-base-uncased, which the published page loads when asked
BERT_VOCABULARY = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

BATCH_SIZES = (4, 8, 16, 32, 64)
WIDTHS = (0, -1, 512)  # the longest row of the batch, the longest of all, what a BERT can read
BATCHES_DRAWN = 10


def sequences(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a token table into lists, a dict for each sequence; an empty column is None."""
    columns = ("token", "id", "token_type", "attention", "kind")
    return [
        {name: None if rows[name].isna().any() else rows[name].tolist() for name in columns}
        for _, rows in table.groupby("sequence")
    ]


class PaddedBatch(NamedTuple):
    """A batch of texts: its tokens, its row of the padding table, and the library's warnings."""

    table: pd.DataFrame
    setting: dict[str, Any]
    outcome: pd.Series
    notes: list[str]


def pad(tokenizer: PreTrainedTokenizerBase, state: Mapping[str, Any]) -> PaddedBatch:
    """Tokenize the lines of a text as the controls of ``padding.js`` say."""
    batch = [line for line in state["texts"].splitlines() if line.strip()]
    setting = {name: state[name] for name in ("padding", "truncation", "max_length")}
    outcome = padding_table(tokenizer, batch, [setting]).iloc[0]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        inputs = tokenizer(batch, **setting)
    notes = [str(warning.message) for warning in said]
    return PaddedBatch(token_table(tokenizer, inputs), setting, outcome, notes)


def padding_result(batch: PaddedBatch) -> dict[str, Any]:
    """Turn a padded batch into what ``padding.js`` draws."""
    return {
        "sequences": sequences(batch.table),
        "setting": batch.setting,
        "lengths": list(batch.outcome["lengths"]),
        "cut": int(batch.outcome["cut"]),
        "padded": int(batch.outcome["padded"]),
        "notes": batch.notes,
    }


def steps_result(steps: Steps) -> dict[str, Any]:
    """Turn the three steps of a pipeline into what ``pipeline.js`` draws."""
    return {
        "sequences": sequences(steps.table),
        "labels": list(steps.labels),
        "logits": [round(logit, SHOWN_DIGITS) for logit in steps.logits],
        "probabilities": [round(one, SHOWN_DIGITS) for one in steps.probabilities],
        "truncated": steps.truncated,
    }


def splits_result(splits: Mapping[str, Sequence[Piece]]) -> dict[str, list[dict[str, Any]]]:
    """Turn the pieces of one text, by tokenizer, into what ``splits.js`` draws."""
    return {
        "splits": [
            {
                "name": name,
                "token": [piece.token for piece in row],
                "id": [piece.token_id for piece in row],
                "word": [piece.word for piece in row],
                "kind": [piece.kind for piece in row],
            }
            for name, row in splits.items()
        ]
    }


def tokenizers_for_page(
    tokenizers: Mapping[str, PreTrainedTokenizerBase],
) -> dict[str, dict[str, Any] | str | None]:
    """Give each tokenizer as JSON, as the name of a file of the site, or as None if too large."""
    given: dict[str, dict[str, Any] | str | None] = {}
    for name, tokenizer in tokenizers.items():
        tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        lines = "".join(f"{token}\n" for token, _ in tokens)
        if hashlib.sha256(lines.encode()).hexdigest() == BERT_VOCABULARY:
            given[name] = "bert-base-uncased"
        elif len(tokens) > SMALL:
            given[name] = None
        else:
            whole = json.loads(tokenizer.backend_tokenizer.to_str())
            if whole["model"]["type"] == "Unigram":
                scores = whole["model"]["vocab"]
                whole["model"]["vocab"] = [[one, round(score, 4)] for one, score in scores]
            given[name] = whole
    return given


def nearest_result(ordered: Sequence[tuple[str, float]]) -> dict[str, list[Any]]:
    """Turn ordered sentences into what ``nearest.js`` draws, each number with the digits drawn."""
    return {
        "sentences": [sentence for sentence, _ in ordered],
        "similarities": [round(similarity, 2) + 0.0 for _, similarity in ordered],
        "percents": [round(100 * max(similarity, 0), 1) for _, similarity in ordered],
    }


def attention_result(attention: Attention, layer: int, head: int) -> dict[str, Any]:
    """Turn the weights of one head into what ``attention.js`` draws: the first tokens each way."""
    percents = [[round(100 * float(one)) for one in row] for row in attention.weights[layer, head]]
    return {
        "tokens": attention.tokens[:WIDEST],
        "percents": [row[:WIDEST] for row in percents[:WIDEST]],
        "largest": [max(row) for row in percents[:WIDEST]],
        "length": len(attention.tokens),
    }


def gap_result(predictions: Mapping[str, Prediction]) -> dict[str, list[dict[str, Any]]]:
    """Turn the predictions of several models, by name, into what ``gap.js`` draws."""
    return {
        "models": [
            {
                "name": name,
                **one._asdict(),
                "seen": [
                    "gap" if token == GAP else ("yes" if seen else "no")
                    for token, seen in zip(one.tokens, one.seen, strict=True)
                ],
            }
            for name, one in predictions.items()
        ]
    }


def batching_outcomes(lengths: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Make the batches of an epoch for every choice in ``batching.js``, as ``size/order/padding``.

    There are few enough of them for the page to carry: it can't draw torch's random numbers.
    """
    outcomes: dict[str, dict[str, Any]] = {}
    for size in BATCH_SIZES:
        for order in ORDERS:
            batches = make_batches(lengths, size, order=order)
            for padding in WIDTHS:
                name = f"{size}/{order}/{padding}"
                try:
                    table = batch_table(lengths, batches, width=row_width(lengths, padding))
                except ValueError as error:
                    outcomes[name] = {"error": str(error)}
                    continue
                positions = table["tokens"] + table["padding"]
                outcomes[name] = {
                    "batches": len(table),
                    "positions": int(positions.sum()),
                    "padding": int(table["padding"].sum()),
                    "shapes": len(table[["rows", "width"]].drop_duplicates()),
                    "largest": int(positions.max()),
                    "rows": table.head(BATCHES_DRAWN).to_numpy().tolist(),
                }
    return outcomes


def row_width(lengths: Sequence[int], padding: int) -> int | None:
    """Give the width of every row for a value of ``WIDTHS``; None is the longest of its batch."""
    return {0: None, -1: max(lengths)}.get(padding, padding)
