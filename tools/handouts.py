"""Write the notebooks for a class: once to be solved, and once with solutions.

    python -m tools.handouts [FOLDER]

FOLDER (``_build/handouts``) gets two folders. ``students`` has the notebooks as they are in the
book, with open exercises. In ``teachers``, each starter is replaced by its solution, and the check
below it stays, so that the notebook runs from top to bottom. Both have the pages and pictures that
the notebooks link to, and the scripts that they read. The book itself has to be installed where
they run.

The solutions also come with the package `helpers`: ``solution("2-3/1", anyway=True)`` shows one.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from helpers.practice.exercises import CHECK, Exercise, find_exercise

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "_build" / "handouts"
KINDS = {"students": False, "teachers": True}  # whether the exercises are solved


def handout(notebook: Path, *, solved: bool) -> NotebookNode:
    """Make the copy of a notebook for a class.

    Parameters
    ----------
    notebook : Path
        The .ipynb.
    solved : bool
        Whether the solutions take the place of the starters.

    Returns
    -------
    nbformat.NotebookNode
        The copy. Cells with a check have no outputs; the others have those of the book.

    Raises
    ------
    ValueError
        If the file can't be read, or a check has no starter above it.
    """
    try:
        copy = nbformat.read(notebook, as_version=4)
    except Exception as error:
        raise ValueError(
            f"expected a notebook in {notebook.name}; it can't be read ({type(error).__name__}). "
            "Run it again: make notebooks"
        ) from error
    copy.metadata.pop("jupytext", None)  # or JupyterLab would write an .md beside it
    cells = [cell for cell in copy.cells if cell.cell_type == "code"]
    for place, cell in enumerate(cells):
        for name, _ in CHECK.findall(cell.source):
            cell.outputs, cell.execution_count = [], None
            if solved:
                _solve(cells[: place + 1], find_exercise(name))
    return copy


def _solve(cells: list[NotebookNode], exercise: Exercise) -> None:
    """Replace a starter, in the last of these cells or the one before it, by the solution."""
    start = exercise.start.strip()
    for cell in reversed(cells[-2:]):
        if start in cell.source:
            cell.source = cell.source.replace(start, exercise.solution.strip())
            cell.outputs, cell.execution_count = [], None
            return
    raise ValueError(
        f"expected the starter of exercise {exercise.name} above its check; the notebook has other "
        "code there. Run it again: make notebooks"
    )


def write_handouts(notebooks: list[Path], target: Path) -> None:
    """Write both folders. If anything fails, the target stays as it was.

    Parameters
    ----------
    notebooks : list of Path
        The .ipynb of the book.
    target : Path
        The folder for ``students`` and ``teachers``. Those from an earlier time are replaced.

    Raises
    ------
    ValueError
        If the target has other files, or a notebook can't be made.
    """
    if not notebooks:
        raise ValueError(f"expected notebooks in {ROOT / 'notebooks'}; there are none.")
    there = {path.name for path in target.iterdir()} if target.is_dir() else set()
    if target.is_file() or there - set(KINDS):
        found = ", ".join(sorted(there - set(KINDS))[:3]) or "a file"
        raise ValueError(
            f"expected {target} to be empty or to hold earlier handouts; got {found}. Name another "
            "folder."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".handouts-") as folder:
        made = Path(folder, target.name)
        tasks = [(kind, path) for kind in KINDS for path in notebooks]
        for kind, path in tqdm(tasks, desc="handouts", unit="notebook"):
            copy = made / kind / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = nbformat.writes(handout(path, solved=KINDS[kind]))
            copy.write_text(f"{text}\n", encoding="utf-8")
            for script in path.parent.glob("*.py"):
                shutil.copyfile(script, copy.with_name(script.name))
        for kind in KINDS:
            _copy_pages(made / kind / "book")
        if target.exists():
            shutil.rmtree(target)
        made.replace(target)


def _copy_pages(folder: Path) -> None:
    """Copy the pages and pictures that notebooks link to."""
    folder.mkdir(parents=True)
    for page in (ROOT / "book").glob("*.md"):
        shutil.copyfile(page, folder / page.name)
    shutil.copytree(ROOT / "book" / "figures", folder / "figures")


def main(arguments: list[str]) -> int:
    """Write the handouts, and say where they are."""
    if len(arguments) > 1 or any(word.startswith("-") for word in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    target = Path(*arguments).resolve() if arguments else TARGET
    try:
        write_handouts(sorted(ROOT.glob("notebooks/*/*/*.ipynb")), target)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The notebooks to distribute are in {target / 'students'},")
    print(f"those with solutions in {target / 'teachers'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
