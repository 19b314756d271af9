"""Run the notebooks from their .md and store the outputs in the .ipynb.

    python -m tools.run_notebooks [--prose] [NAME.md ...]

The .md is the source; the .ipynb holds the same cells with their outputs. Every run writes the
same bytes: no times, no random ids, no Python version. A notebook is written only if all its
cells ran.

With ``--prose`` nothing is run: the stored outputs stay, and the rest comes from the .md. That
takes a second where a training takes minutes. It refuses if the code has changed. Live things get
today's JavaScript and style, which decide how a result looks and not what it is.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import sys
import tempfile
from difflib import SequenceMatcher
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from helpers.display.live_widget import program, style

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CELL_TIMEOUT = 1800  # seconds; on a busy machine a training takes many minutes
EMPTY_PNG = (  # one transparent pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNgYAAAAAMAASsJTYQAAAAASUVORK5CYII="
)
# Settings with which libraries print more, warn less, or draw or load something else. No result in
# the book may depend on whoever runs the notebooks.
PERSONAL = (
    "COURSE_LANGUAGE",
    "COURSE_SOURCE",
    "DATASETS_VERBOSITY",
    "HF_HUB_OFFLINE",
    "HF_HUB_VERBOSITY",
    "MPLBACKEND",
    "PYTHONWARNINGS",
    "TRANSFORMERS_VERBOSITY",
)
# Runs after a notebook's last cell, and isn't stored: do its questions have the right keys?
KEY_CHECK = """
from helpers.practice.quizzes import FOLDER, verify
if FOLDER.joinpath("{0}.yaml").is_file():
    verify("{0}", globals())
"""
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def sources() -> list[Path]:
    """List the .md of every notebook, in the order of the book."""
    return sorted(NOTEBOOKS.glob("*/*/*.md"))


def read_source(source: Path) -> nbformat.NotebookNode:
    """Read a .md as a notebook without outputs, with the ids that its .ipynb has."""
    notebook = jupytext.read(source, fmt="md:myst")
    notebook.metadata.kernelspec = KERNEL
    # JupyterLab doesn't store this either
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)
    target = source.with_suffix(".ipynb")
    stored = nbformat.read(target, as_version=4).cells if target.is_file() else []
    for cell, name in zip(notebook.cells, lasting_ids(notebook.cells, stored), strict=True):
        cell["id"] = name
    return notebook


def lasting_ids(
    cells: list[nbformat.NotebookNode], stored: list[nbformat.NotebookNode]
) -> list[str]:
    """Name each cell as its counterpart in the .ipynb, and new cells by what they hold.

    Whatever is inserted, removed or edited, the other cells keep their ids. So a link, a diff
    or a translation that names a cell still means the same one.
    """
    ours, theirs = ([(one.cell_type, one.source) for one in each] for each in (cells, stored))
    names: list[str | None] = [None] * len(cells)
    for _, start, end, start_theirs, end_theirs in SequenceMatcher(
        a=ours, b=theirs, autojunk=False
    ).get_opcodes():
        # an edited cell is the counterpart of the one in its place if it has the same type
        for place, other in zip(range(start, end), range(start_theirs, end_theirs), strict=False):
            if ours[place][0] == theirs[other][0]:
                names[place] = stored[other].id
    taken = {name for name in names if name}
    for place, name in enumerate(names):
        if name is None:
            digest = hashlib.sha256(repr(ours[place]).encode()).hexdigest()
            new = (f"cell-{digest[:6]}{'-' * bool(n)}{n or ''}" for n in itertools.count())
            names[place] = next(one for one in new if one not in taken)
            taken.add(names[place])
    return names


def run(source: Path) -> nbformat.NotebookNode:
    """Run a notebook in its own folder, as a reader does."""
    notebook = read_source(source)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # when a kernel flushes its output is random
        store_widget_state=True,
        resources={"metadata": {"path": str(source.parent)}},
    )
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    notebook.cells.append(nbformat.v4.new_code_cell(KEY_CHECK.format(source.stem[:3])))
    with tqdm(total=code_cells, desc=source.stem, unit="cell") as bar:
        client.on_cell_executed = lambda **_: bar.update()
        client.execute()
    notebook.cells.pop()
    # Every patch release of Python would change the file. tools/lab.py adds it for JupyterLab.
    notebook.metadata.language_info.pop("version")
    drop_live_pictures(notebook)
    return notebook


def keep_outputs(source: Path) -> nbformat.NotebookNode:
    """Put the outputs that are stored in the .ipynb between the prose of the .md."""
    notebook = read_source(source)
    stored = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    ours, theirs = (
        [cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, stored)
    )
    if [cell.source for cell in ours] != [cell.source for cell in theirs]:
        raise ValueError(
            f"expected the code of {source.name} to be that of its .ipynb; it has changed. "
            f"Run it: python -m tools.run_notebooks {source.name}"
        )
    for cell, old in zip(ours, theirs, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    notebook.metadata = {**stored.metadata, "jupytext": notebook.metadata.jupytext}
    renew_programs(notebook)
    return notebook


def renew_programs(notebook: nbformat.NotebookNode) -> None:
    """Give each stored live thing today's JavaScript and style."""
    states = {
        model_id: model["state"]
        for widgets in notebook.metadata.get("widgets", {}).values()
        for model_id, model in widgets["state"].items()
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if kind := re.match(r"Live\('(\w+)'", data.get("text/plain", "")):
                view = data["application/vnd.jupyter.widget-view+json"]
                states[view["model_id"]] |= {"_esm": program(kind[1]), "_css": style()}


def drop_live_pictures(notebook: nbformat.NotebookNode) -> None:
    """Leave an empty picture where a widget has drawn one: it is large, and differs each time.

    A notebook stores the last learning curve as the plot of the cell that follows.
    """
    for state in notebook.metadata.get("widgets", {}).values():
        for model in state["state"].values():
            if model["model_name"] == "ImageModel":
                for buffer in model.get("buffers", []):
                    buffer["data"] = EMPTY_PNG


def stable_text(notebook: nbformat.NotebookNode) -> str:
    """Serialize a notebook, with numbers in place of the widgets' random ids."""
    if "widgets" in notebook.metadata:  # JupyterLab would save a widget's 2.0 as 2
        widgets = json.loads(json.dumps(notebook.metadata.widgets), parse_float=_number)
        notebook.metadata["widgets"] = nbformat.from_dict(widgets)
    text = nbformat.writes(notebook)
    for state in notebook.metadata.get("widgets", {}).values():
        for number, model_id in enumerate(state["state"]):
            text = text.replace(model_id, f"{number:032x}")
    # serialized again, because the keys were sorted by the random ids
    return nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def _number(text: str) -> int | float:
    return int(float(text)) if float(text).is_integer() else float(text)


def write(text: str, target: Path) -> None:
    """Replace a file in one step: an interrupted run leaves the old one."""
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
    for name in PERSONAL:
        os.environ.pop(name, None)
    make = keep_outputs if "--prose" in names else run
    names = [name for name in names if name != "--prose"]
    for source in [Path(name).resolve() for name in names] or sources():
        if source.suffix != ".md" or not source.is_file():
            print(f"expected the .md of a notebook; got {source}", file=sys.stderr)
            return 2
        try:
            text = stable_text(make(source))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
        except CellExecutionError as error:
            print(
                f"{source.name}: a cell failed, so the .ipynb was not changed.\n{error}",
                file=sys.stderr,
            )
            return 1
        write(text, source.with_suffix(".ipynb"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
