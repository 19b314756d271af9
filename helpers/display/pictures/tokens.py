"""Tokens side by side, with their kinds marked and their numbers below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from helpers.display.inputs import check_table, to_names, to_numbers
from helpers.text import IGNORE_INDEX, Piece
from helpers.words import words

from .html import Html, Picture, frame, heading, join, legend, make, make_table, note, row

if TYPE_CHECKING:
    import pandas as pd

WIDEST = 20  # positions that fit on a page
COLUMNS = ("sequence", "position", "token", "kind")
MAKER = "helpers.text.token_table(tokenizer, tokenizer(text))"


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

    Raises
    ------
    TypeError
        If it is no table.
    ValueError
        If it is empty, or a column is missing.
    """
    check_table(table, COLUMNS, MAKER)
    not_asked = "label" in table and (table["label"] == IGNORE_INDEX).any()
    remark = note(words("Label -100: not asked for here.")) if not_asked else Html()
    return frame(token_rows(table), token_legend(table), remark)


def padding_picture(
    table: pd.DataFrame, outcome: Mapping[str, Any] | pd.Series, *, notes: Sequence[str] = ()
) -> Picture:
    """Draw a batch below the call that made it, and say what was cut and what was padded."""
    check_table(table, COLUMNS, MAKER)
    needed = ("padding", "truncation", "max_length", "lengths", "shape", "cut", "padded")
    if missing := [name for name in needed if name not in outcome]:
        raise ValueError(
            f"Expected an outcome with {missing}; got {[*outcome.keys()]}. Pass one row: "
            "helpers.text.padding_table(tokenizer, texts, settings).iloc[0]."
        )
    given = [f"{name}={outcome[name]!r}" for name in needed[:3] if outcome[name] is not None]
    call = Html(escape(f"tokenizer({', '.join(['texts', *given])})", quote=False))
    lengths = [int(length) for length in to_numbers(outcome["lengths"], "lengths")]
    remarks = to_names(notes, "notes")
    longest = max(lengths, default=0)
    if longest > WIDEST:
        drawn = {"count": WIDEST, "all": longest}
        remarks.append(words("Drawn are the first {count} positions of {all}.", **drawn))
    counts = {"cut": outcome["cut"], "padded": outcome["padded"]}
    summary = words("Tokens cut: {cut}. Tokens of padding: {padded}.", **counts)
    if outcome["shape"] == "ragged":
        remarks.append(_no_tensor(lengths, outcome["padding"]))
    else:
        summary = words("Shape {shape}.", shape=outcome["shape"]) + f" {summary}"
    return frame(
        heading(make("code", call)),
        note(summary),
        *(note(remark, role="alert") for remark in remarks),
        token_rows(table[table["position"] < WIDEST]),
        token_legend(table),
    )


def _no_tensor(lengths: list[int], padding: object) -> Html:
    """Say why rows of several lengths make no tensor, and what would help."""
    *others, last = map(str, lengths)
    rows = words("{others} and {last}", others=", ".join(others), last=last)
    remedy = words("Set padding=True, so that the shorter ones are filled up.")
    if padding == "max_length":
        remedy = words("padding='max_length' cuts nothing: set truncation=True too.")
    why = words("the rows have {rows} tokens.", rows=rows)
    why = escape(f"{why} {remedy}", quote=False)
    return join(make("strong", words("No tensor:")), Html(f" {why}"))


def token_rows(tokens: pd.DataFrame) -> Html:
    """Make a table of all sequences, with the same column for the same position in each."""
    width = int(tokens["position"].max()) + 1
    several = tokens["sequence"].nunique() > 1
    bodies = []
    for sequence, part in tokens.groupby("sequence"):
        name = words("sequence {number}", number=sequence)
        title = make("th", name, scope="rowgroup", colspan=width + 1)
        lines = [make("tr", title)] if several else []
        for column, name in _row_names().items():
            if column in part and part[column].notna().any():
                cells = zip(part[column], part["kind"], strict=True)
                lines.append(row(name, *(_cell(column, value, kind) for value, kind in cells)))
        bodies.append(lines)
    positions = [make("th", f"{i}", scope="col", class_="number") for i in range(width)]
    return make_table([words("position"), *positions], *bodies, kind="tokens")


def _row_names() -> dict[str, str]:
    """Name the rows of a table of tokens, in their order."""
    return {
        "token": words("token"),
        "id": words("id"),
        "token_type": words("token type"),
        "attention": words("attention mask"),
        "answer": words("asked for"),
        "label": words("label"),
    }


def _cell(column: str, value: object, kind: str) -> Html:
    """Mark the token itself by its kind; the numbers below it are plain."""
    if column == "token":
        return make("td", f"{value}", class_=f"token {kind}")
    if column == "answer":
        asked = isinstance(value, str)  # it is missing where nothing is asked for
        return make("td", f"{value}", class_="token asked") if asked else make("td")
    return make("td", f"{value}", class_="number")


def token_legend(tokens: pd.DataFrame, *, ignored: bool | None = None) -> Html:
    """Explain the marks that occur. ``ignored``: whether no mask shows the padding."""
    if ignored is None:
        padding = tokens[tokens["kind"] == "padding"]
        masked = "attention" in padding and (padding["attention"] == 0).fillna(False).all()
        ignored = bool(masked) or padding.empty
    return _kind_legend(set(tokens["kind"]), ignored=ignored)


def _kind_legend(kinds: Iterable[str], *, ignored: bool = True) -> Html:
    names = {
        "special": words("special token"),
        "unknown": words("not in the vocabulary"),
        "padding": words("padding, which the model is told to ignore"),
    }
    if not ignored:
        names["padding"] = words("padding, which no mask hides")
    return legend((kind, name) for kind, name in names.items() if kind in kinds)


def split_picture(splits: Mapping[str, Sequence[str | Piece]]) -> Picture:
    """Draw how one text is split into tokens in several ways, a row for each way.

    Parameters
    ----------
    splits : mapping of str to sequence of str or Piece
        The tokens of each way. Pieces of a word have one tint; a string is a word of its own.

    Returns
    -------
    Picture
        A table with the name, the tokens, with their ids below if there are any, and their number.

    Raises
    ------
    ValueError
        If there is no split.
    """
    if not len(splits):
        raise ValueError("Expected at least one split; got none. Pass {'name': tokens}.")
    rows: list[Html] = []
    kinds: set[str] = set()
    for name, tokens in splits.items():
        if isinstance(tokens, str):
            to_names(tokens, f"tokens for {name!r}")  # raises: its letters would be drawn
        pieces = [
            token if isinstance(token, Piece) else Piece(str(token), word=i)
            for i, token in enumerate(tokens)
        ]
        kinds |= {piece.kind for piece in pieces}
        count = make("td", f"{len(pieces)}", class_="number")
        rows.append(row(str(name), make("td", *_pieces(pieces), class_="pieces"), count))
    table = make_table((words("split by"), words("tokens"), words("number")), rows, kind="splits")
    return frame(table, _kind_legend(kinds))


def _pieces(pieces: Sequence[Piece]) -> list[Html]:
    """Make a row of tokens with a gap wherever a word ends."""
    parts = []
    for i, piece in enumerate(pieces):
        kind = piece.kind
        if kind == "text":
            kind = "odd" if (piece.word or 0) % 2 else "even"
        small = [] if piece.token_id is None else [make("small", f"{piece.token_id}")]
        if i and (piece.word is None or piece.word != pieces[i - 1].word):
            parts.append(Html(" "))  # the row wraps here, and the gap shows without styles too
        parts.append(make("span", piece.token, *small, class_=f"token piece {kind}"))
    return parts
