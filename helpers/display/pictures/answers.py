"""What models answer: to a text, to a pair of sentences, to a text with a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.display.inputs import check_each, to_names, to_numbers
from helpers.text import GAP

from .bars import bars
from .html import Html, Picture, frame, heading, legend, make, make_table, note, row
from .tokens import token_legend, token_rows

if TYPE_CHECKING:
    from helpers.text import PairAnswer, Prediction, Steps


def steps_picture(steps: Steps) -> Picture:
    """Draw how a text goes through the three steps of the pipeline."""
    logits = to_numbers(steps.logits, "logits")
    cells = [make("td", f"{logit:.4f}", class_="text number") for logit in logits]
    return frame(
        heading("1. Tokenizer: text to tokens to ids"),
        _cut("text", steps.truncated),
        token_rows(steps.table),
        token_legend(steps.table, ignored=True),
        heading("2. Model: ids to logits"),
        make_table(["label", *map(str, steps.labels)], [row("logit", *cells)], reachable=False),
        heading("3. Post-processing: logits to probabilities"),
        bars(steps.labels, steps.probabilities),
    )


def prediction_picture(predictions: Mapping[str, Prediction]) -> Picture:
    """Draw what models would put into the same gap, and what each of them could see."""
    if not len(predictions):
        raise ValueError("Expected at least one prediction; got none. Pass {'name': prediction}.")
    parts = []
    for name, one in predictions.items():
        check_each(one.seen, one.tokens, "value of seen", "tokens")
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
    """Draw what a model says about two sentences, in both orders, as bars."""
    return frame(
        _cut("pair", answer.truncated),
        bars(answer.labels, answer.probabilities, answer.swapped),
        note("Thin gray bars: the second sentence first."),
    )


def pair_labels_picture(answer: PairAnswer) -> Picture:
    """Say which label a model gives to two sentences, in both orders, without numbers."""
    # how sure a newly trained model is depends on the machine that trained it
    labels = to_names(answer.labels, "labels")
    orders = {"As they stand": answer.probabilities, "Second sentence first": answer.swapped}
    rows = []
    for order, probabilities in orders.items():
        numbers = to_numbers(probabilities, "probabilities")
        label = labels[numbers.index(max(numbers))]
        rows.append(row(order, make("td", label, class_="text winner")))
    return frame(_cut("pair", answer.truncated), make("table", *rows))


def _cut(what: str, truncated: bool) -> Html:
    cut = f"The {what} was longer than the model can read, and was cut."
    return note(cut) if truncated else Html()
