"""The names that a piece of code finds in a notebook: runs the cells that it needs, in-process."""

import functools

import jupytext
import nbformat
from notebook_parts import needed
from repository import ROOT

from helpers.practice.exercises import CHECK

NOTEBOOKS = {path.name[:3]: path for path in sorted(ROOT.glob("notebooks/en/*/*.md"))}

_worlds: dict[str, dict] = {}
_done: dict[str, set[int]] = {}


@functools.cache
def code_cells(number: str) -> list[nbformat.NotebookNode]:
    """List the code cells of a notebook."""
    cells = jupytext.read(NOTEBOOKS[number], fmt="md:myst").cells
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def names_for(number: str, code: list[str], monkeypatch, *, before: str | None = None) -> dict:
    """Give the names of a notebook that some code uses, as they are where it stands.

    The cells that bind them run once in a test process, in the notebook's folder. Answers to
    exercises are left out. ``before`` is a text in the cell at which to stop.
    """
    cells = code_cells(number)
    end = next((n for n, cell in enumerate(cells) if before and before in cell.source), len(cells))
    places = [n for n, cell in enumerate(cells[:end]) if not is_practice(cells, n)]
    own = "answer = expected = None"  # a notebook may use these two names for something else
    parts = [*(cells[n] for n in places), nbformat.v4.new_code_cell("\n".join([own, *code]))]
    found, waiting = set(), [len(places)]
    while waiting:
        new = needed(parts, waiting.pop()) - found
        found |= new
        waiting += new
    monkeypatch.chdir(NOTEBOOKS[number].parent)
    monkeypatch.syspath_prepend(str(NOTEBOOKS[number].parent))
    world = _worlds.setdefault(number, {"__name__": "__main__"})
    done = _done.setdefault(number, set())
    for place in sorted({places[n] for n in found} - done):
        exec(compile(cells[place].source, f"<{number}, code cell {place}>", "exec"), world)
        done.add(place)
    return world


def is_practice(cells: list[nbformat.NotebookNode], place: int) -> bool:
    """Say whether a cell is a check, or the guess above one."""
    below = cells[place + 1].source if place + 1 < len(cells) else ""
    guess_above = CHECK.fullmatch(below.strip()) is not None
    return CHECK.search(cells[place].source) is not None or guess_above
