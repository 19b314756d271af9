"""Take some cells out of notebooks, with all the earlier cells that they need."""

import ast

import nbformat
from nbformat import NotebookNode


def cut(notebook: NotebookNode, *wanted: str) -> NotebookNode:
    """Keep only the code cells that contain one of the texts, and what they depend on.

    Each text has to be in one cell and no other.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    kept = {find(cells, text) for text in wanted}
    waiting = list(kept)
    while waiting:
        number = waiting.pop()
        new = needed(cells, number) - kept
        kept |= new
        waiting += new
    return nbformat.v4.new_notebook(
        metadata=notebook.metadata, cells=[cells[number] for number in sorted(kept)]
    )


def find(cells: list[NotebookNode], text: str) -> int:
    """Give the number of the one cell that contains a text."""
    found = [number for number, cell in enumerate(cells) if text in cell.source]
    assert len(found) == 1, f"{len(found)} cells contain {text!r}: bring the table up to date"
    return found[0]


def needed(cells: list[NotebookNode], number: int) -> set[int]:
    """Number the earlier cells that bind a name which a cell uses, or call a method of it."""
    found = set()
    for name in names(cells[number].source)[0]:
        for earlier in range(number - 1, -1, -1):
            _, bound, called = names(cells[earlier].source)
            if name in bound | called:
                found.add(earlier)
            if name in bound:
                break
    return found


def names(source: str) -> tuple[set[str], set[str], set[str]]:
    """Give the names that a cell takes from before it, those it binds, those it may change.

    A cell may change what it calls a method of in a line of its own: ``torch.set_printoptions(…)``.
    """
    taken, bound, called = set(), set(), set()
    for statement in ast.parse(source).body:
        nodes = list(ast.walk(statement))
        loads = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        taken |= loads - bound
        bound |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        bound |= {(n.asname or n.name).split(".")[0] for n in nodes if isinstance(n, ast.alias)}
        match statement:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(name)))):
                called.add(name)
    return taken, bound, called
