"""Pictures in HTML, readable in a light and in a dark theme, and without any style at all.

Each function takes plain results and gives a string of HTML that is the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.text import GAP, IGNORE_INDEX, Piece

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from helpers.text import PairAnswer, Prediction, Steps

LEGEND = {
    "special": "special token",
    "unknown": "not in the vocabulary",
    "padding": "padding, which the model is told to ignore",
}

WIDEST = 20  # positions that fit on a page

ROWS = {
    "token": "token",
    "id": "id",
    "token_type": "token type",
    "attention": "attention mask",
    "answer": "asked for",
    "label": "label",
}


class Picture(str):
    """HTML that a notebook shows as a picture, and everything else as the string that it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Picture: {len(self)} characters of HTML>"


def token_picture(table: pd.DataFrame) -> Picture:
    """Draw a token table with the tokens side by side, special ones and padding marked.

    Parameters
    ----------
    table : pandas.DataFrame
        What `helpers.text.token_table` returned.

    Returns
    -------
    Picture
        A table with a column for each position. Rows that hold nothing are left out.
    """
    asked = (
        "<p class='note'>Label -100: not asked for here.</p>"
        if "label" in table and (table["label"] == IGNORE_INDEX).any()
        else ""
    )
    return _framed(_token_rows(table) + _legend(table["kind"], ignored=_ignored(table)) + asked)


def padding_picture(table: pd.DataFrame, outcome: Mapping, *, notes: Sequence[str] = ()) -> Picture:
    """Draw a batch below the call that made it, and say what was cut and what was filled up.

    Parameters
    ----------
    table : pandas.DataFrame
        The batch, as `helpers.text.token_table` lists it. Its first 20 positions are drawn.
    outcome : mapping
        One row of what `helpers.text.padding_table` returned for the same batch.
    notes : sequence of str, optional
        Further remarks, such as a warning of the library.

    Returns
    -------
    Picture
        The call, its outcome in words, and the tokens. Where the rows make no tensor, it says so.
    """
    given = [
        f"{name}={outcome[name]!r}"
        for name in ("padding", "truncation", "max_length")
        if outcome[name] is not None
    ]
    remarks = [escape(note) for note in notes]
    longest = max(outcome["lengths"])
    if longest > WIDEST:
        remarks.append(f"Drawn are the first {WIDEST} positions of {longest}.")
    if outcome["shape"] == "ragged":
        remedy = (
            "padding='max_length' cuts nothing: set truncation=True too."
            if outcome["padding"] == "max_length"
            else "Set padding=True, so that the shorter ones are filled up."
        )
        *others, last = map(str, outcome["lengths"])
        rows = f"{', '.join(others)} and {last}"
        remarks.append(f"<strong>No tensor:</strong> the rows have {rows} tokens. {remedy}")
        summary = ""
    else:
        summary = f"Shape {outcome['shape']}. "
    summary += f"Tokens cut: {outcome['cut']}. Tokens of padding: {outcome['padded']}."
    return _framed(
        f"<p class='step'><code>tokenizer({', '.join(['texts', *given])})</code></p>"
        + f"<p class='note'>{summary}</p>"
        + "".join(f"<p class='note' role='alert'>{remark}</p>" for remark in remarks)
        + _token_rows(table[table["position"] < WIDEST])
        + _legend(table["kind"], ignored=_ignored(table))
    )


def probability_picture(
    labels: Sequence[str],
    probabilities: Sequence[float],
    *,
    reference: Sequence[float] | None = None,
) -> Picture:
    """Draw probabilities as bars.

    Parameters
    ----------
    labels : sequence of str
        A name for each bar.
    probabilities : sequence of float
        As many numbers between 0 and 1.
    reference : sequence of float, optional
        Further probabilities, drawn as a thin bar below each, for comparison.

    Returns
    -------
    Picture
        A row for each label: its name, its bar, its number.

    Raises
    ------
    ValueError
        If the lengths differ, or a number is not between 0 and 1.
    """
    return _framed(_bars(labels, probabilities, reference))


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
    return _framed(
        _cut_pair(answer)
        + _bars(answer.labels, answer.probabilities, answer.swapped)
        + "<p class='note'>Thin grey bars: the second sentence first.</p>"
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
    rows = ""
    orders = {"As they stand": answer.probabilities, "Second sentence first": answer.swapped}
    for order, probabilities in orders.items():
        label = answer.labels[probabilities.index(max(probabilities))]
        rows += f"<tr><th scope='row'>{order}</th><td class='text winner'>{escape(label)}</td></tr>"
    return _framed(f"{_cut_pair(answer)}<table>{rows}</table>")


def _cut_pair(answer: PairAnswer) -> str:
    cut = "<p class='note'>The pair was longer than the model can read, and was cut.</p>"
    return cut if answer.truncated else ""


def steps_picture(steps: Steps) -> Picture:
    """Draw the way of a text through the three steps of the pipeline.

    Parameters
    ----------
    steps : Steps
        What `helpers.text.three_steps` returned.

    Returns
    -------
    Picture
        Tokens with ids, logits, and probabilities as bars, one below the other.
    """
    cut = "<p class='note'>The text was longer than the model can read, and was cut.</p>"
    header = "".join(f"<th scope='col'>{escape(label)}</th>" for label in steps.labels)
    logits = "".join(f"<td class='text number'>{logit:.4f}</td>" for logit in steps.logits)
    return _framed(
        "<p class='step'>1. Tokenizer: text to tokens to ids</p>"
        + (cut if steps.truncated else "")
        + _token_rows(steps.table)
        + _legend(steps.table["kind"])
        + "<p class='step'>2. Model: ids to logits</p>"
        + f"<div class='scroll'><table><thead><tr><th scope='col'>label</th>{header}</tr></thead>"
        + f"<tbody><tr><th scope='row'>logit</th>{logits}</tr></tbody></table></div>"
        + "<p class='step'>3. Post-processing: logits to probabilities</p>"
        + _bars(steps.labels, steps.probabilities, None)
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
        For each model the text, what it can't see being hatched, above its candidates as bars.
    """
    parts = []
    for name, prediction in predictions.items():
        cells = "".join(
            f"<td class='token {_sight(token, seen)}'>{escape(token)}</td>"
            for token, seen in zip(prediction.tokens, prediction.seen, strict=True)
        )
        parts.append(
            f"<p class='step'>{escape(name)}</p><div class='scroll' tabindex='0'>"
            f"<table class='tokens'><tbody><tr><th scope='row'>sees</th>{cells}</tr></tbody>"
            f"</table></div>{_bars(prediction.candidates, prediction.probabilities, None)}"
        )
    legend = (
        "<li><span class='special'></span>seen by the model</li>"
        "<li><span class='asked'></span>the gap</li>"
    )
    if not all(seen for one in predictions.values() for seen in one.seen):
        legend += "<li><span class='padding'></span>hatched: not seen</li>"
    return _framed("".join(parts) + f"<ul class='legend'>{legend}</ul>")


def _sight(token: str, seen: bool) -> str:
    if token == GAP:
        return "asked"
    return "special" if seen else "padding"


def similarity_picture(sentences: Sequence[str], similarities: Sequence[float]) -> Picture:
    """Draw similarities as bars, one for each sentence.

    Parameters
    ----------
    sentences : sequence of str
        The sentences, in the order in which they are to be shown.
    similarities : sequence of float
        As many numbers between -1 and 1. What is not above 0 has no bar.

    Returns
    -------
    Picture
        A row for each sentence: itself, its bar, its number. The highest number is bold.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    if len(sentences) != len(similarities):
        raise ValueError(
            f"expected a similarity for each of {len(sentences)} sentences; "
            f"got {len(similarities)}."
        )
    rows = "".join(
        f"<tr><th scope='row'>{escape(sentence)}</th>"
        f"<td class='bar'><span style='width: {max(similarity, 0):.1%}'></span></td>"
        f"<td class='number{' winner' if similarity == max(similarities) else ''}'>"
        f"{round(similarity, 2) + 0.0:.2f}</td></tr>"
        for sentence, similarity in zip(sentences, similarities, strict=True)
    )
    names = ("sentence", "similarity", "number")
    head = "".join(f"<th scope='col'>{name}</th>" for name in names)
    return _framed(
        "<div class='scroll' tabindex='0'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def split_picture(splits: Mapping[str, Sequence[str | Piece]]) -> Picture:
    """Draw how one text is cut in several ways, a row for each way.

    Parameters
    ----------
    splits : mapping of str to sequence of str or Piece
        The tokens under the name of each way. Pieces of the same word stand close together in one
        tint; a plain string counts as a word of its own.

    Returns
    -------
    Picture
        A table with the name, the tokens, with their ids below if there are any, and their number.
    """
    rows = []
    kinds = set()
    for name, tokens in splits.items():
        row = [
            Piece(token, word=i) if isinstance(token, str) else token
            for i, token in enumerate(tokens)
        ]
        kinds.update(piece.kind for piece in row)
        rows.append(
            f"<tr><th scope='row'>{escape(name)}</th><td class='pieces'>{_pieces(row)}</td>"
            f"<td class='number'>{len(row)}</td></tr>"
        )
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("cut by", "tokens", "number"))
    marks = "".join(
        f"<li><span class='{kind}'></span>{LEGEND[kind]}</li>" for kind in LEGEND if kind in kinds
    )
    return _framed(
        f"<div class='scroll' tabindex='0'><table class='splits'><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        + (f"<ul class='legend'>{marks}</ul>" if marks else "")
    )


def _pieces(row: Sequence[Piece]) -> str:
    """Give a row of tokens, with a gap wherever a word ends."""
    parts = []
    for i, piece in enumerate(row):
        starts = i == 0 or piece.word is None or piece.word != row[i - 1].word
        classes = ["token", "piece"]
        if piece.kind == "text":
            classes.append("odd" if (piece.word or 0) % 2 else "even")
        else:
            classes.append(piece.kind)
        number = "" if piece.token_id is None else f"<small>{piece.token_id}</small>"
        # a space between words lets the row wrap there, and lets a reader without styles see it
        parts.append(
            f"{' ' if starts and i else ''}"
            f"<span class='{' '.join(classes)}'>{escape(piece.token)}{number}</span>"
        )
    return "".join(parts)


def measure_picture(table: pd.DataFrame, *, digits: int = 1) -> Picture:
    """Draw a table of measurements, each number with a bar beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each thing that was measured, a column for each measure; no number negative.
    digits : int, default 1
        How many digits after the point a fraction is shown with.

    Returns
    -------
    Picture
        The table. In each column the longest bar is the largest number.

    Raises
    ------
    ValueError
        If a number is negative or missing.
    """
    if not (table >= 0).all(axis=None):
        raise ValueError(f"expected numbers of 0 or more; got {table.to_dict()}.")
    head = "".join(f"<th scope='col'>{escape(str(name))}</th>" for name in ("", *table.columns))
    head = head.replace("<th scope='col'></th>", "<td></td>", 1)
    columns = [
        [_measure(value, column.max(), digits) for value in column.tolist()]
        for _, column in table.items()
    ]
    rows = "".join(
        f"<tr><th scope='row'>{escape(str(name))}</th>{''.join(cells)}</tr>"
        for name, *cells in zip(table.index, *columns, strict=True)
    )
    return _framed(
        f"<div class='scroll' tabindex='0'><table class='measures'><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _measure(value: float, largest: float, digits: int) -> str:
    """Give one number under its bar."""
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    width = value / largest if largest else 0
    return f"<td class='bar'><span style='width: {width:.1%}'></span>{shown}</td>"


# how the parts of a bar look; inline, so that no other picture changes with them
REAL = "background: rgba(48, 122, 222, .75); border-radius: 0"
FILLED = (
    "background: repeating-linear-gradient(135deg, rgba(128, 128, 128, .45) 0 4px, "
    "transparent 4px 9px); border-radius: 0; box-shadow: inset 0 0 0 1px rgba(128, 128, 128, .6)"
)


def batches_picture(table: pd.DataFrame, *, shown: int = 10) -> Picture:
    """Draw batches as bars, what is padding in them being hatched.

    Parameters
    ----------
    table : pandas.DataFrame
        What `helpers.text.batch_table` returned.
    shown : int, default 10
        How many batches are drawn; the summary is over all of them.

    Returns
    -------
    Picture
        A summary, and a row for each batch: its shape, a bar as long as the batch is large, and
        how much of it is padding.
    """
    sizes = table["tokens"] + table["padding"]
    shapes = table[["rows", "width"]].drop_duplicates()
    summary = (
        f"{len(table)} batches, {sizes.sum():,} positions, "
        f"{table['padding'].sum() / sizes.sum():.0%} of them padding. "
        f"Different shapes: {len(shapes)}."
    )
    rows = []
    for i, line in enumerate(table.head(shown).itertuples()):
        real, padding = (100 * part / sizes.max() for part in (line.tokens, line.padding))
        rows.append(
            f"<tr><th scope='row'>{i}</th><td class='number'>({line.rows}, {line.width})</td>"
            f"<td class='bar' style='width: 22rem; border: 0'><div style='display: flex'>"
            f"<span style='width: {real:.2f}%; {REAL}'></span>"
            f"<span style='width: {padding:.2f}%; {FILLED}'></span></div></td>"
            f"<td class='number'>{line.padding / (line.tokens + line.padding):.0%}</td></tr>"
        )
    head = "".join(
        f"<th scope='col'>{name}</th>" for name in ("batch", "shape", "positions", "padding")
    )
    if len(table) > shown:
        summary += f" Drawn are the first {shown}."
    return _framed(
        f"<p class='note'>{summary}</p><div class='scroll' tabindex='0'><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f"<ul class='legend'><li><span style='{REAL}'></span>tokens</li>"
        f"<li><span style='{FILLED}'></span>hatched: padding</li></ul>"
    )


# Of these two pictures alone: pictures.css stands in every stored picture of the book.
CURVES = """
.curves { display: block; width: 100%; max-width: 40rem; height: auto; font-size: 13px; }
.curves text { fill: currentColor; font-variant-numeric: tabular-nums; }
.curves .title { font-weight: 600; }
.curves .end { text-anchor: end; }
.curves path, .curves polyline { fill: none; stroke: rgba(128, 128, 128, .9); }
.curves .curve { stroke: rgb(48, 122, 222); stroke-width: 2; stroke-linejoin: round; }
.curves .dashed { stroke-dasharray: 5 4; stroke-width: 1.5; }
.curves circle { fill: rgb(48, 122, 222); }
"""
PROGRESS = """
.progress-line { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; margin: 0; }
.progress-line progress { width: min(20rem, 60%); height: 1rem; accent-color: rgb(48, 122, 222); }
"""


def progress_picture(done: int, steps: int, *, seconds: float | None = None) -> Picture:
    """Draw how far a training is.

    Parameters
    ----------
    done : int
        How many steps are done.
    steps : int
        The number of all steps; 0 where it is not known yet.
    seconds : float, optional
        How long the rest may take.

    Returns
    -------
    Picture
        A progress bar, and the same in words.
    """
    words = f"step {done:,} of {steps:,}" if steps else "not begun yet"
    if seconds is not None and done < steps:
        minutes, rest = divmod(math.ceil(seconds), 60)
        words += f", about {f'{minutes} min ' if minutes else ''}{rest} s left"
    return _framed(
        f"<style>{PROGRESS}</style><p class='progress-line'>"
        f"<progress role='progressbar' aria-label='Training' "
        f"max='{max(steps, 1)}' value='{done}' aria-valuetext='{words}'></progress>"
        f"<span class='number'>{words}</span></p>"
    )


def curve_picture(
    losses: Sequence[float],
    evaluations: Sequence[Mapping[str, float]],
    steps: int,
    *,
    metric: str = "f1",
    baselines: Mapping[str, float] | None = None,
) -> Picture:
    """Draw how a training goes: its loss so far, and a metric after each evaluation.

    Parameters
    ----------
    losses : sequence of float
        The loss of each step done.
    evaluations : sequence of mapping of str to float
        What each evaluation gave, with the number of steps before it under ``step``.
    steps : int
        The number of all steps, done or not.
    metric : str, default "f1"
        Which number of the evaluations to draw, between 0 and 1.
    baselines : mapping of str to float, optional
        What the metric is without training, by name.

    Returns
    -------
    Picture
        The loss beside the metric, both over the steps; the baselines are dashed.
    """
    loss = _mean_losses(losses, math.ceil(max(steps, 1) / 60))  # no more can be told apart
    measured = [(one["step"], one[metric]) for one in evaluations if metric in one]
    baselines = dict(sorted((baselines or {}).items(), key=lambda item: -item[1]))
    lowest = min([value for _, value in measured] + [*baselines.values(), 0.9])
    floor = max(0.0, math.floor(lowest * 10 - 0.2) / 10)

    numbers = ", ".join(f"{value:.2f}" for _, value in measured) or "not yet measured"
    spoken = f"Loss: {f'{loss[0][1]:.2f} to {loss[-1][1]:.2f}' if loss else 'no step done yet'}. "
    spoken += f"{metric} after each evaluation: {numbers}."
    top = math.ceil(10 * max([1.0] + [value for _, value in loss])) / 10
    below = "; ".join(f"{escape(name)} {value:.2f}" for name, value in baselines.items())
    return _framed(
        f"<style>{CURVES}</style>"
        f"<svg class='curves' viewBox='0 0 640 190' role='img' aria-label='{escape(spoken)}'>"
        + _panel(45, "loss", loss, (0.0, top), steps)
        + _panel(375, metric, measured, (floor, 1.0), steps, dashed=[*baselines.values()])
        + "</svg>"
        + (f"<p class='note'>Dashed, from the top: {below}.</p>" if below else "")
    )


def _mean_losses(losses: Sequence[float], stretch: int) -> list[tuple[float, float]]:
    """Give the mean loss of each stretch of steps, behind its middle."""
    chunks = [losses[i : i + stretch] for i in range(0, len(losses), stretch)]
    means = [(i * stretch + len(part) / 2, sum(part) / len(part)) for i, part in enumerate(chunks)]
    return [point for point in means if math.isfinite(point[1])]


def _panel(
    left: int,
    title: str,
    points: Sequence[tuple[float, float]],
    limits: tuple[float, float],
    steps: int,
    *,
    dashed: Sequence[float] = (),
) -> str:
    """Draw one line in one frame, with its scales."""
    width, top, bottom = 255, 24, 165
    low, high = limits

    def place(step: float, value: float) -> str:
        down = (high - value) / (high - low)
        return f"{left + width * step / max(steps, 1):.1f},{top + (bottom - top) * down:.1f}"

    lines = "".join(
        f"<polyline class='dashed' points='{place(0, value)} {place(steps, value)}'/>"
        for value in dashed
    )
    marks = "".join(
        "<circle r='3.5' cx='{}' cy='{}'/>".format(*place(*point).split(",")) for point in points
    )
    curve = " ".join(place(*point) for point in points)
    counted = f"{steps:,} steps" if steps else "steps"
    return (
        f"<text x='{left}' y='14' class='title'>{escape(title)}</text>"
        f"<path class='axes' d='M{left},{top} V{bottom} H{left + width}'/>"
        f"<text x='{left - 6}' y='{top + 4}' class='end'>{high:.1f}</text>"
        f"<text x='{left - 6}' y='{bottom + 4}' class='end'>{low:.1f}</text>"
        f"<text x='{left}' y='{bottom + 18}'>0</text>"
        f"<text x='{left + width}' y='{bottom + 18}' class='end'>{counted}</text>"
        f"{lines}<polyline class='curve' points='{curve}'/>{marks if title != 'loss' else ''}"
    )


def mask_picture(
    mask: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str] | None = None
) -> Picture:
    """Draw which token may attend to which.

    Parameters
    ----------
    mask : array_like
        Booleans, ``(rows, columns)``, as `helpers.text.attention_mask` gives them.
    rows : sequence of str
        The tokens that attend.
    columns : sequence of str, optional
        The tokens that are attended to, if they are other ones.

    Returns
    -------
    Picture
        A table with a dot where a token may attend, and hatching where it may not.
    """
    columns = rows if columns is None else columns
    _check_matrix(mask, rows, columns)
    marks = {
        True: "<td class='special'><span aria-hidden='true'>●</span>"
        "<span class='unseen'>yes</span></td>",
        False: "<td class='padding'><span class='unseen'>no</span></td>",
    }
    cells = [[marks[bool(allowed)] for allowed in row] for row in mask]
    legend = "<li><span class='special'></span>● may attend</li>"
    if any(not allowed for row in mask for allowed in row):
        legend += "<li><span class='padding'></span>hatched: may not</li>"
    return _framed(_matrix(cells, rows, columns) + f"<ul class='legend'>{legend}</ul>")


def attention_picture(
    weights: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str] | None = None
) -> Picture:
    """Draw how much each token takes from each, in per cent.

    Parameters
    ----------
    weights : array_like
        Numbers between 0 and 1, ``(rows, columns)``. Each row adds up to 1.
    rows : sequence of str
        The tokens that attend.
    columns : sequence of str, optional
        The tokens that are attended to, if they are other ones.

    Returns
    -------
    Picture
        A table of whole numbers, tinted by their size, the largest of each row bold. Drawn are the
        first 20 tokens each way.

    Raises
    ------
    ValueError
        If there is not a row of weights for each token, or a weight is not between 0 and 1.
    """
    columns = rows if columns is None else columns
    _check_matrix(weights, rows, columns)
    percents = [[round(100 * float(weight)) for weight in row] for row in weights]
    if any(not 0 <= percent <= 100 for row in percents for percent in row):
        raise ValueError("expected weights between 0 and 1, as softmax gives them.")
    cells = [
        [
            f"<td class='number{' winner' if percent == max(row) else ''}' "
            f"style='background: rgba(48, 122, 222, {0.7 * percent / 100:.2f})'>{percent}</td>"
            for percent in row[:WIDEST]
        ]
        for row in percents[:WIDEST]
    ]
    note = "Per cent; each row adds up to 100, but for rounding. Bold: the largest of its row."
    if max(len(rows), len(columns)) > WIDEST:
        note += f" Drawn are the first {WIDEST} tokens of {max(len(rows), len(columns))}."
    return _framed(_matrix(cells, rows[:WIDEST], columns[:WIDEST]) + f"<p class='note'>{note}</p>")


def _check_matrix(matrix: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse numbers that are not one for each pair of tokens."""
    lengths = [len(row) for row in matrix]
    if lengths != [len(columns)] * len(rows):
        raise ValueError(
            f"expected {len(rows)} rows of {len(columns)} numbers, one for each pair of tokens; "
            f"got rows of {lengths}."
        )


def _matrix(cells: list[list[str]], rows: Sequence[str], columns: Sequence[str]) -> str:
    """Give a table with the attending tokens at its left and the others on top."""
    head = "".join(f"<th scope='col' class='token'>{escape(token)}</th>" for token in columns)
    body = "".join(
        f"<tr><th scope='row' class='token'>{escape(token)}</th>{''.join(row)}</tr>"
        for token, row in zip(rows, cells, strict=True)
    )
    return (
        "<div class='scroll' tabindex='0'><table class='matrix'><thead><tr>"
        f"<th scope='col' class='corner'>from&nbsp;↓ to&nbsp;→</th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def diff_picture(before: str, after: str) -> Picture:
    """Draw which lines of a piece of code were taken out, put in, and left as they were.

    Parameters
    ----------
    before : str
        The code as it was.
    after : str
        The code as it is.

    Returns
    -------
    Picture
        Both in one: a line with a minus was taken out, one with a plus was put in.
    """
    old, new = before.splitlines(), after.splitlines()
    lines = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [("span", "", f"  {line}") for line in old[i:i_end]]
        else:
            lines += [("del", " class='unknown'", f"- {line}") for line in old[i:i_end]]
            lines += [("ins", " class='special'", f"+ {line}") for line in new[j:j_end]]
    # the end of the line stands inside: it counts where there is no style, and only there
    shown = "".join(
        f"<{tag}{mark} style='display: block; text-decoration: none'>{escape(line)}\n</{tag}>"
        for tag, mark, line in lines
    )
    legend = (
        "<li><span class='unknown'></span>- taken out</li>"
        "<li><span class='special'></span>+ put in</li>"
    )
    pre = "margin: 0; padding: 0; border: 0; background: none; color: inherit; width: max-content"
    return _framed(
        f"<div class='scroll' tabindex='0'><pre style='{pre}'>{shown}</pre></div>"
        f"<ul class='legend'>{legend}</ul>"
    )


@cache
def _css() -> str:
    return (Path(__file__).parent / "pictures.css").read_text(encoding="utf-8")


def _framed(body: str) -> Picture:
    """Put the style beside the picture, so that it looks the same wherever it is shown."""
    return Picture(f"<style>\n{_css()}</style>\n<div class='book-picture'>{body}</div>")


def _token_rows(table: pd.DataFrame) -> str:
    """Give a table for all sequences, so that the same position stands in the same column."""
    width = int(table["position"].max()) + 1
    positions = "".join(f"<th scope='col' class='number'>{i}</th>" for i in range(width))
    head = f"<thead><tr><th scope='col'>position</th>{positions}</tr></thead>"
    bodies = []
    for sequence, tokens in table.groupby("sequence"):
        title = ""
        if table["sequence"].nunique() > 1:
            title = f"<tr><th scope='rowgroup' colspan='{width + 1}'>sequence {sequence}</th></tr>"
        rows = [
            f"<tr><th scope='row'>{name}</th>"
            + "".join(map(partial(_cell, column), tokens[column], tokens["kind"]))
            + "</tr>"
            for column, name in ROWS.items()
            if column in tokens and tokens[column].notna().any()
        ]
        bodies.append(f"<tbody>{title}{''.join(rows)}</tbody>")
    rows = head + "".join(bodies)
    # a box that scrolls must be within reach of the keyboard
    return f"<div class='scroll' tabindex='0'><table class='tokens'>{rows}</table></div>"


def _cell(column: str, value: object, kind: str) -> str:
    """Mark the token itself by its kind; the numbers below it stay plain."""
    if column == "token":
        return f"<td class='token {kind}'>{escape(str(value))}</td>"
    if column == "answer":
        asked = isinstance(value, str)  # where nothing is asked for it is missing
        return f"<td class='token asked'>{escape(value)}</td>" if asked else "<td></td>"
    return f"<td class='number'>{value}</td>"


def _ignored(table: pd.DataFrame) -> bool:
    """Tell whether an attention mask hides all padding from the model."""
    return bool((table.loc[table["kind"] == "padding", "attention"] == 0).fillna(False).all())


def _legend(kinds: pd.Series, *, ignored: bool = True) -> str:
    """Explain the marks that the picture holds, and no other."""
    names = LEGEND if ignored else LEGEND | {"padding": "padding, which no mask hides"}
    present = [kind for kind in LEGEND if (kinds == kind).any()]
    items = "".join(f"<li><span class='{kind}'></span>{names[kind]}</li>" for kind in present)
    return f"<ul class='legend'>{items}</ul>" if items else ""


def _bars(
    labels: Sequence[str],
    probabilities: Sequence[float],
    reference: Sequence[float] | None,
) -> str:
    """Give a row for each label: its name, its bar, its number."""
    for numbers in (probabilities, reference if reference is not None else probabilities):
        if len(numbers) != len(labels):
            raise ValueError(f"expected a probability for each of {labels}; got {len(numbers)}.")
        if not all(0 <= number <= 1 for number in numbers):
            raise ValueError(f"expected probabilities between 0 and 1; got {list(numbers)}.")
    rows = []
    for i, (label, probability) in enumerate(zip(labels, probabilities, strict=True)):
        winner = " winner" if probability == max(probabilities) else ""
        faint = (
            f"<span class='faint' style='width: {reference[i]:.2%}'></span>" if reference else ""
        )
        rows.append(
            f"<tr><th scope='row'>{escape(label)}</th>"
            f"<td class='bar'><span style='width: {probability:.2%}'></span>{faint}</td>"
            f"<td class='number{winner}'>{probability:.4f}</td></tr>"
        )
    head = "<th scope='col'>label</th><th scope='col'>probability</th><th scope='col'>number</th>"
    return (
        f"<div class='scroll'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
