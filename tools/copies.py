"""Publish copies of the notebooks that run where there is no clone of the book.

    python -m tools.copies SITE ADDRESS REPOSITORY

A copy starts with one more cell, which installs the book's wheel where ``helpers`` is missing. Its
links and pictures are those of the site at ADDRESS. ADDRESS and REPOSITORY may be empty. The copies
take the place of the notebooks in SITE/_sources: that is what the download button of a page leads
to.
"""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")  # a relative one

FIRST_CELL = """\
# This cell was added to the published notebook. Where the book is installed, it does nothing.
import importlib.util
import subprocess
import sys
from pathlib import Path

WHEEL = "{wheel}"
PLACES = {places}  # on the network

if importlib.util.find_spec("helpers") is None:
    print("Installing the book's package, and what it needs. That can take minutes.")
    # first the wheel in this folder, or in the folder of the book's zip
    wheels = [Path(folder, WHEEL) for folder in (".", "../../../site")]
    places = [str(wheel) for wheel in wheels if wheel.is_file()] + PLACES
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not any(subprocess.run([*pip, place]).returncode == 0 for place in places):
        raise ModuleNotFoundError(
            "This notebook needs the book's package helpers, and it couldn't be installed. Without "
            f"a network, copy {{WHEEL}} from the book's site or its zip to this folder, on a "
            "machine that has the libraries already, and run this cell again."
        )
    importlib.invalidate_caches()
    print("Installed. If a cell below can't import something, restart the kernel.")
"""
BESIDE = """
if not Path("{name}").exists():  # it belongs beside this notebook, and comes with the package
    from importlib.metadata import files

    packed = next(file for file in files("transformers-course-book") if file.name == "{name}")
    Path("{name}").write_bytes(packed.locate().read_bytes())
"""


def copy_of(
    notebook: Path, wheel: str, *, address: str = "", places: tuple[str, ...] = ()
) -> nbformat.NotebookNode:
    """Make the published copy of a notebook.

    Parameters
    ----------
    notebook : Path
        The .ipynb, in this repository.
    wheel : str
        The file name of the book's wheel.
    address : str, default=""
        Where the site is published, ending with a slash. Relative links lead there; without an
        address they stay as they are.
    places : tuple of str, default=()
        What pip can install the package from, if the wheel isn't beside the copy.

    Returns
    -------
    nbformat.NotebookNode
        The copy, with the outputs of the notebook.
    """
    copy = nbformat.read(notebook, as_version=4)
    copy.metadata.pop("jupytext", None)  # or JupyterLab would write an .md beside it
    if address:
        follow = partial(_on_the_site, notebook.parent, address)
        for cell in copy.cells:
            if cell.cell_type == "markdown":
                cell.source = LINK.sub(follow, cell.source)
    code = FIRST_CELL.format(wheel=wheel, places=json.dumps(places, indent=4))
    for path in _read_by(copy, notebook.parent):
        code += BESIDE.format(name=path.name)
    copy.cells.insert(0, nbformat.v4.new_code_cell(code.strip(), id="get-the-book"))
    return copy


def _on_the_site(folder: Path, address: str, link: re.Match) -> str:
    """Replace a relative link by the address of that page or picture on the site."""
    path = (folder / link[1]).resolve()
    if path.suffix == ".svg":
        return f"]({address}_images/{path.name})"
    page = path.relative_to(ROOT).with_suffix(".html").as_posix()
    return f"]({address}{page}{link[2] or ''})"


def _read_by(notebook: nbformat.NotebookNode, folder: Path) -> list[Path]:
    """List the files beside a notebook that its code names, such as train.py, and their imports."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    others = [path for path in folder.iterdir() if path.suffix not in (".md", ".ipynb")]
    found = {path for path in others if path.is_file() and f'"{path.name}"' in code}
    for path in list(found):
        found |= _imported_by(path)
    return sorted(found)


def _imported_by(script: Path) -> set[Path]:
    """Find the files beside a script that it imports, and what these import."""
    names = re.findall(r"^(?:from|import) (\w+)", script.read_text(encoding="utf-8"), re.MULTILINE)
    paths = {script.with_name(f"{name}.py") for name in names}
    beside = {path for path in paths if path.is_file()}
    return beside.union(*map(_imported_by, beside))


def publish(site: Path, address: str, repository: str) -> None:
    """Replace the notebooks in a site's _sources by their copies."""
    (wheel,) = site.glob("*.whl")
    places = (f"{address}{wheel.name}",) if address else ()
    if repository:
        places += (f"git+{repository}",)
    for path in sorted((site / "_sources" / "notebooks").rglob("*.ipynb")):
        notebook = ROOT / path.relative_to(site / "_sources")
        copy = copy_of(notebook, wheel.name, address=address, places=places)
        path.write_text(nbformat.writes(copy) + "\n", encoding="utf-8")


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
