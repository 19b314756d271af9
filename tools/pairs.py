"""Check that the .md and the .ipynb of every notebook hold the same cells.

    python -m tools.pairs

Authors edit the .md; the site and nbval read the .ipynb. `make book` runs this first, because it
would publish the old page after an edit to a .md. `make lab` runs it to tell you which file of a
pair is the newer one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from tools.run_notebooks import NOTEBOOKS, read_source

# as in [tool.jupytext] of pyproject.toml
KEPT_METADATA = ("mystnb", "tags", "reason", "source", "tolerance")

WHAT_TO_DO = """\
To keep what is in the .md, run the notebooks again: make notebooks
To keep what is in the .ipynb, write it to the .md: .venv/bin/jupytext --to md:myst NAME.ipynb"""


def difference(source: Path) -> str | None:
    """Describe the first difference between a .md and its .ipynb.

    Parameters
    ----------
    source : Path
        The .md of a notebook.

    Returns
    -------
    str or None
        Such as ``cell 3 (code) has 'import os' in the .md and 'import sys' in the .ipynb``; None
        if all cells agree. Outputs are not compared: nbval does that.
    """
    target = source.with_suffix(".ipynb")
    for path in (source, target):
        if not path.is_file():
            return f"there is no {path.suffix}"
    ours, theirs = read_source(source).cells, nbformat.read(target, as_version=4).cells
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if one.source != other.source:
            line, instead = _first_change(one.source, other.source)
            where = f"cell {number} ({one.cell_type})"
            return f"{where} has {line!r} in the .md and {instead!r} in the .ipynb"
        if (one.cell_type, _metadata(one)) != (other.cell_type, _metadata(other)):
            return f"cell {number} has another type or other metadata"
    if len(ours) != len(theirs):
        return f"the .md has {len(ours)} cells and the .ipynb has {len(theirs)}"
    return None


def _metadata(cell: nbformat.NotebookNode) -> dict:
    return {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}


def _first_change(text: str, other: str) -> tuple[str, str]:
    lines, others = text.splitlines(), other.splitlines()
    length = max(len(lines), len(others))
    lines, others = (part + [""] * (length - len(part)) for part in (lines, others))
    pairs = zip(lines, others, strict=True)
    return next((pair for pair in pairs if pair[0] != pair[1]), (text, other))


def differences(folder: Path = NOTEBOOKS) -> dict[Path, str]:
    """Describe the pairs that differ.

    Parameters
    ----------
    folder : Path, default=NOTEBOOKS
        The folder with the notebooks of each language.

    Returns
    -------
    dict of Path to str
        The .md of each pair that differs, whether it exists or not, and the first difference.
    """
    files = [path for suffix in ("md", "ipynb") for path in folder.glob(f"*/*/*.{suffix}")]
    sources = sorted({path.with_suffix(".md") for path in files})
    return {source: found for source in sources if (found := difference(source))}


def main() -> int:
    """Print the pairs that differ. Return 1 if there are any."""
    found = differences()
    for source, what in found.items():
        pair = [path for path in (source, source.with_suffix(".ipynb")) if path.is_file()]
        newer = max(pair, key=lambda path: path.stat().st_mtime).suffix
        print(f"{source.stem}: {what} (the {newer} is newer).", file=sys.stderr)
    if found:
        print(WHAT_TO_DO, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
