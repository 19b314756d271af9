"""What models answer: to a text, to a pair of sentences, to a text with a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.display.inputs import to_names, to_numbers
from helpers.display.pictures.bars import bars
from helpers.display.pictures.html import (
    Html,
    Picture,
    frame,
    heading,
    legend,
    make,
    make_table,
    note,
    row,
)
from helpers.display.pictures.tokens import token_legend, token_rows
from helpers.text import GAP

if TYPE_CHECKING:
    from helpers.text import PairAnswer, Prediction, Steps


def steps_picture(steps: Steps) -> Picture:
    """Draw how a text goes through the three steps of the pipeline.

    Parameters
    ----------
    steps : Steps
        What `helpers.text.three_steps` returned.

    Returns
    -------
    Picture
        Tokens with ids, logits, and probabilities as bars, one below the other.
    """
    cut = "The text was longer than the model can read, and was cut."
    logits = to_numbers(steps.logits, "logits")
    cells = [make("td", f"{logit:.4f}", class_="text number") for logit in logits]
    return frame(
        heading("1. Tokenizer: text to tokens to ids"),
        note(cut) if steps.truncated else Html(),
        token_rows(steps.table),
        token_legend(steps.table, ignored=True),
        heading("2. Model: ids to logits"),
        make_table(["label", *map(str, steps.labels)], [row("logit", *cells)], reachable=False),
        heading("3. Post-processing: logits to probabilities"),
        bars(steps.labels, steps.probabilities),
    )


def prediction_picture(predictions: Mapping[str, Prediction]) -> Picture:
    """Draw what several models would put into the same gap, and what each of them could see.

    Parameters
    ----------
    predictions : mapping of str to Prediction
        What `helpers.text` returned for each model, under the name to show.

    Returns
    -------
    Picture
        For each model the text, in which what it can't see is hatched, above its candidates as
        bars.

    Raises
    ------
    ValueError
        If there is no prediction, or one doesn't say for each token whether it was seen.
    """
    if not len(predictions):
        raise ValueError("Expected at least one prediction; got none. Pass {'name': prediction}.")
    parts = []
    for name, one in predictions.items():
        if len(one.tokens) != len(one.seen):
            raise ValueError(
                f"Expected a value of seen for each of {len(one.tokens)} tokens; got "
                f"{len(one.seen)}."
            )
        cells = [
            make("td", token, class_=f"token {_sight(token, seen)}")
            for token, seen in zip(one.tokens, one.seen, strict=True)
        ]
        parts += [
            heading(str(name)),
            make_table(None, [row("sees", *cells)], kind="tokens"),
            bars(one.candidates, one.probabilities),
        ]
    marks = [("special", "seen by the model"), ("asked", "the gap")]
    if not all(seen for one in predictions.values() for seen in one.seen):
        marks.append(("padding", "hatched: not seen"))
    return frame(*parts, legend(marks))


def _sight(token: str, seen: bool) -> str:
    if token == GAP:
        return "asked"
    return "special" if seen else "padding"


def pair_picture(answer: PairAnswer) -> Picture:
    """Draw what a model says about two sentences, and about them the other way round.

    Parameters
    ----------
    answer : PairAnswer
        What `helpers.text.compare_pair` returned.

    Returns
    -------
    Picture
        A row for each label: its name, its bar with a thin one for the other order, its number.
    """
    return frame(
        _cut_pair(answer),
        bars(answer.labels, answer.probabilities, answer.swapped),
        note("Thin grey bars: the second sentence first."),
    )


def pair_labels_picture(answer: PairAnswer) -> Picture:
    """Say which label a model gives to two sentences, and to them the other way round.

    Parameters
    ----------
    answer : PairAnswer
        What `helpers.text.compare_pair` returned.

    Returns
    -------
    Picture
        A row for each order, without numbers: how sure a model is that was just trained depends on
        the machine that trained it.
    """
    labels = to_names(answer.labels, "labels")
    orders = {"As they stand": answer.probabilities, "Second sentence first": answer.swapped}
    rows = []
    for order, probabilities in orders.items():
        numbers = to_numbers(probabilities, "probabilities")
        label = labels[numbers.index(max(numbers))]
        rows.append(row(order, make("td", label, class_="text winner")))
    return frame(_cut_pair(answer), make("table", *rows))


def _cut_pair(answer: PairAnswer) -> Html:
    cut = "The pair was longer than the model can read, and was cut."
    return note(cut) if answer.truncated else Html()
