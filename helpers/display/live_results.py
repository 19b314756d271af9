"""Results as the modules of ``live`` draw them: numbers, strings and lists, ready for JSON."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.text import (
    GAP,
    ORDERS,
    Attention,
    PairAnswer,
    batch_table,
    make_batches,
    padding_table,
    pieces,
    token_table,
)

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

    from helpers.text import Prediction, Steps

SHOWN_DIGITS = 4  # of a number that is stored: more are not the same on every machine
WIDEST = 20  # tokens that fit on a page
SMALL = 5_000  # tokens of a vocabulary that a page can carry in its own text
# the SHA-256 of the vocab.txt of bert-base-uncased, which the published page loads when asked
BERT_VOCABULARY = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

BATCH_SIZES = (4, 8, 16, 32, 64)
WIDTHS = (0, -1, 512)  # the longest row of the batch, the longest of all, what a BERT can read
BATCHES_DRAWN = 10


def sequences(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a token table into what the modules draw.

    Parameters
    ----------
    table : pandas.DataFrame
        What `helpers.text.token_table` returned.

    Returns
    -------
    list of dict
        For each sequence its columns as lists: ``token``, ``id``, ``token_type``, ``attention`` and
        ``kind``. A column that holds nothing is None.
    """
    columns = ("token", "id", "token_type", "attention", "kind")
    return [
        {name: None if rows[name].isna().any() else rows[name].tolist() for name in columns}
        for _, rows in table.groupby("sequence")
    ]


def padding_result(tokenizer: PreTrainedTokenizerBase, state: Mapping[str, Any]) -> dict[str, Any]:
    """Tokenize a batch as the controls of ``padding.js`` say.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer to run.
    state : mapping
        ``texts``, one a line; ``padding``, ``truncation`` and ``max_length`` as the tokenizer takes
        them.

    Returns
    -------
    dict
        The ``sequences``, the ``setting``, how long each row is (``lengths``), how many tokens were
        ``cut`` and how many are padding (``padded``), and what the library warned of (``notes``).

    Raises
    ------
    ValueError
        If there is no text.
    """
    batch = [line for line in state["texts"].splitlines() if line.strip()]
    setting = {name: state[name] for name in ("padding", "truncation", "max_length")}
    outcome = padding_table(tokenizer, batch, [setting]).iloc[0]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        inputs = tokenizer(batch, **setting)
    return {
        "sequences": sequences(token_table(tokenizer, inputs)),
        "setting": setting,
        "lengths": list(outcome["lengths"]),
        "cut": int(outcome["cut"]),
        "padded": int(outcome["padded"]),
        "notes": [str(warning.message) for warning in said],
    }


def steps_result(steps: Steps) -> dict[str, Any]:
    """Turn the three steps of a pipeline into what ``pipeline.js`` draws.

    Parameters
    ----------
    steps : Steps
        What `helpers.text.three_steps` returned.

    Returns
    -------
    dict
        The ``sequences`` with one sequence, ``labels``, ``logits``, ``probabilities`` and
        ``truncated``. Numbers have four digits: more are not the same on every machine.
    """
    return {
        "sequences": sequences(steps.table),
        "labels": list(steps.labels),
        "logits": [round(logit, SHOWN_DIGITS) for logit in steps.logits],
        "probabilities": [round(one, SHOWN_DIGITS) for one in steps.probabilities],
        "truncated": steps.truncated,
    }


def splits_result(
    tokenizers: Mapping[str, PreTrainedTokenizerBase], text: str
) -> dict[str, list[dict[str, Any]]]:
    """Cut one text with several tokenizers, for ``splits.js``.

    Parameters
    ----------
    tokenizers : mapping of str to PreTrainedTokenizerBase
        The tokenizers, each under the name to show.
    text : str
        The text.

    Returns
    -------
    dict
        ``splits``: for each tokenizer its ``name`` and, as lists, the ``token``, ``id``, ``word``
        and ``kind`` of each token.

    Raises
    ------
    ValueError
        If the text is empty.
    """
    splits = []
    for name, tokenizer in tokenizers.items():
        row = pieces(tokenizer, text)
        splits.append(
            {
                "name": name,
                "token": [piece.token for piece in row],
                "id": [piece.token_id for piece in row],
                "word": [piece.word for piece in row],
                "kind": [piece.kind for piece in row],
            }
        )
    return {"splits": splits}


def tokenizers_for_page(
    tokenizers: Mapping[str, PreTrainedTokenizerBase],
) -> dict[str, dict[str, Any] | str | None]:
    """Give the published page what it needs to run some tokenizers itself.

    Parameters
    ----------
    tokenizers : mapping of str to PreTrainedTokenizerBase
        The tokenizers, each under the name to show.

    Returns
    -------
    dict
        For each name the tokenizer as the library writes it to ``tokenizer.json``, the scores of a
        Unigram model rounded; or "bert-base-uncased", which the site has as a file; or None for any
        other one that is too large.
    """
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
    """Turn ordered sentences into what ``nearest.js`` draws.

    Parameters
    ----------
    ordered : sequence of (str, float)
        What `helpers.text.nearest` returned.

    Returns
    -------
    dict
        The ``sentences`` and, in the same order, their ``similarities`` and the ``percents`` of
        their bars, each with the digits that are drawn: more are not the same on every machine.
    """
    return {
        "sentences": [sentence for sentence, _ in ordered],
        "similarities": [round(similarity, 2) + 0.0 for _, similarity in ordered],
        "percents": [round(100 * max(similarity, 0), 1) for _, similarity in ordered],
    }


def attention_result(attention: Attention, layer: int, head: int) -> dict[str, Any]:
    """Turn the attention weights of one head into what ``attention.js`` draws.

    Parameters
    ----------
    attention : Attention
        What `helpers.text.read_attention` returned.
    layer : int
        Which layer.
    head : int
        Which of its heads.

    Returns
    -------
    dict
        The first ``tokens``, their weights in whole ``percents``, the ``largest`` of each row, and
        how many tokens there are (``length``).
    """
    percents = [[round(100 * float(one)) for one in row] for row in attention.weights[layer, head]]
    return {
        "tokens": attention.tokens[:WIDEST],
        "percents": [row[:WIDEST] for row in percents[:WIDEST]],
        "largest": [max(row) for row in percents[:WIDEST]],
        "length": len(attention.tokens),
    }


def gap_result(predictions: Mapping[str, Prediction]) -> dict[str, list[dict[str, Any]]]:
    """Turn the predictions of several models into what ``gap.js`` draws.

    Parameters
    ----------
    predictions : mapping of str to Prediction
        What `helpers.text` returned for each model, under the name to show.

    Returns
    -------
    dict
        ``models``: for each its ``name``, the ``tokens`` of the text, whether each of them is
        ``seen`` ("yes", "no" or "gap"), the ``candidates`` and their ``probabilities``.
    """
    return {
        "models": [
            {
                "name": name,
                "tokens": one.tokens,
                "seen": [
                    "gap" if token == GAP else ("yes" if seen else "no")
                    for token, seen in zip(one.tokens, one.seen, strict=True)
                ],
                "candidates": one.candidates,
                "probabilities": one.probabilities,
            }
            for name, one in predictions.items()
        ]
    }


def pair_result(answer: PairAnswer) -> dict[str, Any]:
    """Turn a model's answer to a pair into what ``pair.js`` draws.

    Parameters
    ----------
    answer : PairAnswer
        What `helpers.text.compare_pair` returned.

    Returns
    -------
    dict
        ``labels``, ``probabilities``, ``swapped`` and ``truncated``.
    """
    return {
        "labels": list(answer.labels),
        "probabilities": list(answer.probabilities),
        "swapped": list(answer.swapped),
        "truncated": answer.truncated,
    }


def batching_outcomes(lengths: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Make the batches of an epoch in each way that ``batching.js`` offers.

    There are few enough of them for the page to carry: it can't draw torch's random numbers.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.

    Returns
    -------
    dict
        By batch size, order and padding, joined by a slash: the number of ``batches``, of
        ``positions``, of those that are ``padding``, of different ``shapes``, the size of the
        ``largest`` batch, and the ``rows`` of a `helpers.text.batch_table` that are drawn. Or an
        ``error``, where the rows are longer than they can be.
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
    """Say how long each row is made for a choice of ``batching.js``.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    padding : {0, -1, 512}
        The choice.

    Returns
    -------
    int or None
        The width, None for the longest row of each batch.
    """
    return {0: None, -1: max(lengths)}.get(padding, padding)
