"""Run the notebooks from their .md and store the outputs beside it.

    python -m tools.run_notebooks [NAME.md ...]

The .md is the source, the .ipynb holds its cells with their outputs. What is
written is the same on every run, byte for byte: no times, no random ids. A
notebook is written only after it has run to its end.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CELL_TIMEOUT = 900  # seconds; a training takes minutes


def sources() -> list[Path]:
    """List the .md of every notebook, in the order of the book."""
    return sorted(NOTEBOOKS.glob("*/*/*.md"))


def read_source(source: Path) -> nbformat.NotebookNode:
    """Read a .md as a notebook without outputs, its cell ids being stable."""
    notebook = jupytext.read(source, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03}"
    return notebook


def run(source: Path) -> nbformat.NotebookNode:
    """Run a notebook in its own folder, as a reader does."""
    notebook = read_source(source)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # how often a kernel flushes says nothing
        store_widget_state=True,
        resources={"metadata": {"path": str(source.parent)}},
    )
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    with tqdm(total=code_cells, desc=source.stem, unit="cell") as bar:
        client.on_cell_executed = lambda **_: bar.update()
        client.execute()
    # The kernel adds its exact Python version, which says nothing of the book.
    notebook.metadata.pop("language_info", None)
    return notebook


def stable_text(notebook: nbformat.NotebookNode) -> str:
    """Give a notebook as text, widgets numbered where they had random ids."""
    text = nbformat.writes(notebook)
    for state in notebook.metadata.get("widgets", {}).values():
        for number, model_id in enumerate(state["state"]):
            text = text.replace(model_id, f"{number:032x}")
    # written again, since its keys were put in order by the random ids
    return nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def write(text: str, target: Path) -> None:
    """Put a file in its place in one step, or leave the old one."""
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink()
        raise


def main(names: list[str]) -> int:
    """Run the named notebooks, or all of them."""
    for source in [Path(name).resolve() for name in names] or sources():
        if source.suffix != ".md" or not source.is_file():
            print(
                f"expected the .md of a notebook; got {source}",
                file=sys.stderr,
            )
            return 2
        try:
            text = stable_text(run(source))
        except CellExecutionError as error:
            print(
                f"{source.name}: a cell failed; the .ipynb stays as it was.\n{error}",
                file=sys.stderr,
            )
            return 1
        json.loads(text)
        write(text, source.with_suffix(".ipynb"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
