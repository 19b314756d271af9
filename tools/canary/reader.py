"""Say what a difference does to the reader: which sentences, rows and answers it makes untrue."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from tools.canary.comparing import Difference, shows
from tools.canary.running import code_cells
from tools.numerals import one_of, read

THEN_AND_NOW = Path("book", "then-and-now.md")
EXERCISES = "## Try it yourself"
NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
CODE = re.compile(r"`+([^`]+)`+")
DECORATION = re.compile(r"^(?::::|```|:class:|#|\(.*\)=$).*$", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*`\[])|\n\s*\n|\n(?=[-|] ?)")


class Passage(NamedTuple):
    """Words for the reader that a difference makes untrue, or that may be."""

    place: str
    text: str
    lost: tuple[str, ...]  # the numbers and names that no output holds any more


def lost(text: str, before: str, after: str) -> tuple[str, ...]:
    """List the numbers and names in a text that one printed text holds and another doesn't."""
    numbers = [
        number.text
        for number in read(text)
        if one_of(number, _read(before)) and not one_of(number, _read(after))
    ]
    were, are = set(NAME.findall(before)), set(NAME.findall(after))
    return tuple(dict.fromkeys(numbers + [n for n in _names(text) if n in were and n not in are]))


_read = functools.cache(read)  # the same outputs, for each sentence


def _names(text: str) -> list[str]:
    """List what is a name beyond doubt: words in code, and words such as DistilBERT or a_b."""
    plain = NAME.findall(CODE.sub(" ", text))
    return NAME.findall(" ".join(CODE.findall(text))) + [
        word for word in plain if "_" in word or re.search("[a-z0-9][A-Z]|[A-Z]{2}", word)
    ]


def printed(notebook: NotebookNode, cell: NotebookNode) -> str:
    """Give what a reader sees of a cell's outputs as words."""
    shown = shows(cell, notebook)
    return "\n".join([shown["text"], shown["warning"], shown["error"]])


def passages(
    root: Path, old: NotebookNode, new: NotebookNode, difference: Difference
) -> list[Passage]:
    """Find what a difference makes untrue.

    Parameters
    ----------
    root : Path
        The book.
    old, new : NotebookNode
        The notebook, executed before and after the upgrade.
    difference : Difference
        One of its differences.

    Returns
    -------
    list of Passage
        Sentences around the cell, exercises and answers of its notebook, rows of *Then and now*.
    """
    before = printed(old, difference.old)
    after = "\n".join(printed(new, cell) for cell in code_cells(new))
    complaint = shows(difference.new, new)
    # of an error or a warning: what its words have in common with the code
    complaint = complaint["error"] + complaint["warning"]
    blamed = set(NAME.findall(complaint)) & set(NAME.findall(difference.old.source))
    found = []
    for place, text in _places(root, old, difference.old):
        words = lost(text, before, after)
        if difference.kind in ("error", "warning"):
            words += tuple(word for word in dict.fromkeys(_names(text)) if word in blamed)
        if words:
            found.append(Passage(place, text, words))
    return found


def _places(root: Path, notebook: NotebookNode, cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Give each sentence around a cell, each exercise and answer, and each row of the table."""
    for part in around(notebook, cell):
        if EXERCISES not in part.source:
            yield from (("sentence", one) for one in sentences(part.source))
    yield from exercises(notebook)
    table = root / THEN_AND_NOW
    for line in table.read_text(encoding="utf-8").splitlines() if table.exists() else ():
        if line.startswith("|"):
            yield "row of Then and now", line.strip("| ")


def around(notebook: NotebookNode, cell: NotebookNode) -> list[NotebookNode]:
    """Give the prose between the code cells before and after a cell."""
    place = next(i for i, one in enumerate(notebook.cells) if one.id == cell.id)
    found = []
    for direction in (reversed(notebook.cells[:place]), notebook.cells[place + 1 :]):
        for one in direction:
            if one.cell_type == "code":
                break
            found.append(one)
    return found


def sentences(source: str) -> list[str]:
    """Cut prose into sentences, and tables and lists into rows."""
    parts = SENTENCE_END.split(DECORATION.sub("", source))
    return [" ".join(part.split()) for part in parts if part.strip()]


def exercises(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Give each sentence of the exercises at the end of a notebook, and of their answers."""
    prose = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    section = prose.partition(EXERCISES)[2].partition("\n## ")[0]
    for number, text in re.findall(r"^\*\*(\d+)\.\*\*(.*?)(?=^\*\*\d+\.|\Z)", section, re.M | re.S):
        question, _, answer = text.partition(":::{admonition}")
        for place, part in (("exercise", question), ("answer to exercise", answer)):
            yield from ((f"{place} {number}", one) for one in sentences(part))
