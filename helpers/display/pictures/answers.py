"""What models answer: to a text, to a pair of sentences, to a text with a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.display.inputs import check_each, to_names, to_numbers
from helpers.text import GAP
from helpers.words import words

from .bars import bars
from .html import Html, Picture, frame, heading, legend, make, make_table, note, row
from .tokens import token_legend, token_rows

if TYPE_CHECKING:
    from helpers.text import PairAnswer, Prediction, Steps


def steps_picture(steps: Steps) -> Picture:
    """Draw how a text goes through the three steps of the pipeline."""
    logits = to_numbers(steps.logits, "logits")
    cut = words("The text was longer than the model can read, and was cut.")
    cells = [make("td", f"{logit:.4f}", class_="text number") for logit in logits]
    return frame(
        heading(words("1. Tokenizer: text to tokens to ids")),
        note(cut) if steps.truncated else Html(),
        token_rows(steps.table),
        token_legend(steps.table, ignored=True),
        heading(words("2. Model: ids to logits")),
        make_table(
            [words("label"), *map(str, steps.labels)],
            [row(words("logit"), *cells)],
            reachable=False,
        ),
        heading(words("3. Post-processing: logits to probabilities")),
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
            make_table(None, [row(words("sees"), *cells)], kind="tokens"),
            bars(one.candidates, one.probabilities),
        ]
    marks = [("special", words("seen by the model")), ("asked", words("the gap"))]
    if not all(seen for one in predictions.values() for seen in one.seen):
        marks.append(("padding", words("hatched: not seen")))
    return frame(*parts, legend(marks))


def _sight(token: str, seen: bool) -> str:
    if token == GAP:
        return "asked"
    return "special" if seen else "padding"


def pair_picture(answer: PairAnswer) -> Picture:
    """Draw what a model says about two sentences, in both orders, as bars."""
    return frame(
        _pair_truncated(answer),
        bars(answer.labels, answer.probabilities, answer.swapped),
        note(words("Thin gray bars: the second sentence first.")),
    )


def pair_labels_picture(answer: PairAnswer) -> Picture:
    """Say which label a model gives to two sentences, in both orders, without numbers."""
    # how sure a newly trained model is depends on the machine that trained it
    labels = to_names(answer.labels, "labels")
    orders = {
        words("As they stand"): answer.probabilities,
        words("Second sentence first"): answer.swapped,
    }
    rows = []
    for order, probabilities in orders.items():
        numbers = to_numbers(probabilities, "probabilities")
        label = labels[numbers.index(max(numbers))]
        rows.append(row(order, make("td", label, class_="text winner")))
    return frame(_pair_truncated(answer), make("table", *rows))


def _pair_truncated(answer: PairAnswer) -> Html:
    cut = words("The pair was longer than the model can read, and was cut.")
    return note(cut) if answer.truncated else Html()
