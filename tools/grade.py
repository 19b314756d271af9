"""Run the checks over a folder of students' notebooks, and write who got what right.

    python -m tools.grade FOLDER [--out grades.csv] [--seconds 900] [--cell-seconds 300]

FOLDER holds notebooks under any names, in subfolders if you like. Which notebook of the book it is
follows from the checks in it. Each one runs from its first cell to its last in a process and a
folder of its own; the files in FOLDER are only read. The table has a row for each file and a column
for each exercise:

- ``right`` or ``wrong``: what the check says of the answer;
- ``open``: the starter is unchanged;
- ``missing``: the notebook has no cell with this check;
- ``error``: there was nothing to judge. The cell failed, or the notebook couldn't be read or ran
  too long. The last column, ``problem``, says where.

A cell that raises an error doesn't stop the notebook. One that takes longer than ``--cell-seconds``
is interrupted. After ``--seconds``, or if the kernel dies, the notebook ends there.

The verdicts don't come from what a notebook prints. After each cell with a check, this program
judges the answer itself, with a fresh copy of the checks (`tools.verdicts`). That ignores a
redefined ``check``. It can't stop somebody who attacks the program from inside: a notebook is code
and runs with your rights. So grade notebooks of strangers in a container, or as another user.
"""

from __future__ import annotations

import argparse
import ast
import csv
import io
import json
import os
import queue
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from jupyter_client import KernelManager
from tqdm import tqdm

from helpers.practice.exercises import FOLDER, read_exercises
from tools.run_notebooks import write

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"\d+-\d+/\d+")
CALL = re.compile(r"""\bcheck\(\s*["'](\d+-\d+/\d+)["']""")
START = 120  # seconds that a kernel may take to start
PATIENCE = 10  # seconds that an interrupted cell may take to end
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute these


class KernelDiedError(Exception):
    """The process of a notebook has ended."""


class StuckError(Exception):
    """A cell doesn't end, not even when it is interrupted."""


@dataclass
class Row:
    """What is known about one file.

    Parameters
    ----------
    file : str
        Its path in the folder.
    notebook : str
        The number of the book's notebook, such as ``"2-3"``; empty if it isn't recognized.
    states : dict of str to str
        For each exercise "right", "wrong", "open", "missing" or "error".
    problem : str
        What went wrong, and in which code cell.
    otherwise : str
        The state for exercises that aren't in `states`.
    """

    file: str
    notebook: str = ""
    states: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    otherwise: str = ""


class Kernel:
    """A Jupyter kernel in a folder of its own, which is ended with all that it has started."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.manager.start_kernel(cwd=str(folder), **quiet)
        self.client = self.manager.client()
        # The output isn't read, so a notebook that prints without end fills nothing here.
        self.client.start_channels(iopub=False, stdin=False, hb=False)

    def wait_until_ready(self) -> None:
        """Wait for the first sign of life."""
        if self._reply(self.client.kernel_info(), time.monotonic() + START) is None:
            raise KernelDiedError

    def run(self, code: str, seconds: float, **options: Any) -> dict[str, Any]:
        """Run code and give the content of the reply; interrupt it when the time is up."""
        message = self.client.execute(code, allow_stdin=False, stop_on_error=False, **options)
        reply = self._reply(message, time.monotonic() + seconds)
        if reply is None:
            self.manager.interrupt_kernel()
            reply = self._reply(message, time.monotonic() + PATIENCE)
            if reply is None:
                raise StuckError
            # It may have caught the interrupt and ended well: it was too slow all the same.
            reply = {"status": "error", "ename": "TooSlow"}
        return reply

    def _reply(self, message: str, until: float) -> dict[str, Any] | None:
        """Wait for the reply to a message; None when the time is up."""
        while True:
            with suppress(queue.Empty):
                reply = self.client.get_shell_msg(timeout=0.5)
                if reply["parent_header"].get("msg_id") == message:
                    return reply["content"]
                continue
            if not self.manager.is_alive():
                raise KernelDiedError
            if time.monotonic() > until:
                return None

    def end(self) -> None:
        """Kill the kernel and the processes that it has started."""
        group = getattr(self.manager.provisioner, "pgid", None)
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        if group and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


@contextmanager
def kernel_in(folder: Path) -> Iterator[Kernel]:
    """Start a kernel, and end it whatever happens."""
    kernel = Kernel(folder)
    try:
        kernel.wait_until_ready()
        yield kernel
    finally:
        kernel.end()


def read_cells(path: Path) -> list[str]:
    """Read the source of a notebook's code cells.

    Parameters
    ----------
    path : Path
        The .ipynb, of any version.

    Returns
    -------
    list of str
        The sources.

    Raises
    ------
    Exception
        Of many kinds, if the file isn't a notebook.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about ids that old notebooks don't have
        notebook = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
    return [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def checks_in(source: str) -> list[tuple[str, str]]:
    """Find the checks in a cell: the name of each exercise, and the expression of the answer."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError):  # it can't run either
        return [(name, "...") for name in CALL.findall(source)]
    found = []
    for call in ast.walk(tree):
        match call:
            case ast.Call(args=[ast.Constant(str(name)), answer, *_]):
                pass
            case ast.Call(args=[ast.Constant(str(name))], keywords=[ast.keyword("answer", answer)]):
                pass
            case _:
                continue
        if NAME.fullmatch(name):
            found.append((name, ast.unparse(answer)))
    return found


def recognize(cells: list[str]) -> str:
    """Give the number of the notebook that most checks belong to, or an empty string."""
    there = {path.stem for path in FOLDER.glob("*.yaml")}
    names = [name.split("/")[0] for source in cells for name, _ in checks_in(source)]
    counted = Counter(name for name in names if name in there)
    return counted.most_common(1)[0][0] if counted else ""


def grade(path: Path, name: str, *, seconds: float, cell_seconds: float) -> Row:
    """Run a notebook and judge its answers.

    Parameters
    ----------
    path : Path
        The .ipynb, which is only read.
    name : str
        What the table calls it.
    seconds, cell_seconds : float
        How long the notebook and each of its cells may take.

    Returns
    -------
    Row
        Whatever the notebook does, there is one.
    """
    try:
        cells = read_cells(path)
    except Exception as error:
        problem = f"can't be read as a notebook ({type(error).__name__})"
        return Row(name, problem=problem, otherwise="error")
    row = Row(name, recognize(cells))
    if not row.notebook:
        return Row(name, problem="has no check of the book", otherwise="missing")
    row.states = dict.fromkeys(read_exercises(row.notebook), "missing")
    asked = {exercise for source in cells for exercise, _ in checks_in(source)}
    row.states |= dict.fromkeys(asked & set(row.states), "error")
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for script in ROOT.glob(f"notebooks/en/{row.notebook[0]}-*/*.py"):
                shutil.copyfile(script, Path(folder, script.name))
            with kernel_in(Path(folder)) as kernel:
                _run(kernel, cells, row, time.monotonic() + seconds, cell_seconds)
    except KernelDiedError:
        row.problem = row.problem or "the kernel didn't start"
    except Exception as error:  # of the program or the system: the other files aren't to blame
        row.problem = f"couldn't be graded ({type(error).__name__}: {error})"
    return row


def _run(kernel: Kernel, cells: list[str], row: Row, end: float, cell_seconds: float) -> None:
    """Run the cells one by one, and fill in the row."""
    for number, source in enumerate(cells, start=1):
        left = end - time.monotonic()
        wanted = [one for one in checks_in(source) if one[0] in row.states]
        if left <= 0:
            row.problem = f"the time was up before code cell {number}"
            return
        try:
            reply = kernel.run(source, min(left, cell_seconds))
            if reply["status"] == "ok":
                found = _judge(kernel, wanted, cell_seconds) if wanted else {}
                row.states |= {name: _better(row.states[name], found[name]) for name in found}
            elif reply.get("ename") == "TooSlow":
                row.problem = row.problem or f"code cell {number} takes too long"
            elif wanted:
                row.problem = row.problem or f"code cell {number}: {reply.get('ename')}"
        except KernelDiedError:
            row.problem = f"the kernel died in code cell {number}"
            return
        except StuckError:
            row.problem = f"code cell {number} takes too long and can't be interrupted"
            return


def _judge(kernel: Kernel, wanted: list[tuple[str, str]], seconds: float) -> dict[str, str]:
    """Let `tools.verdicts` judge, in the kernel. The result is the reply's own, not an output."""
    token = secrets.token_hex()
    script = str(Path(__file__).with_name("verdicts.py"))
    call = f'__import__("runpy").run_path({script!r})["verdicts"]({wanted!r}, {token!r})'
    reply = kernel.run("", seconds, silent=True, user_expressions={"verdicts": call})
    try:
        written = reply["user_expressions"]["verdicts"]["data"]["text/plain"]
        came, found = json.loads(ast.literal_eval(written))
        if came == token:
            return {name: found[name] for name, _ in wanted}
    except (KeyError, TypeError, ValueError, SyntaxError):
        pass
    return dict.fromkeys((name for name, _ in wanted), "error")


def _better(one: str, other: str) -> str:
    """Of two verdicts on the same exercise, take the better: a student may try again below."""
    return max(one, other, key=["missing", "error", "open", "wrong", "right"].index)


def table(rows: list[Row]) -> str:
    """Write the rows as CSV, with a column for each exercise of the notebooks among them.

    Parameters
    ----------
    rows : list of Row
        The rows.

    Returns
    -------
    str
        The table, with a mark at its start by which spreadsheets recognize UTF-8.
    """
    notebooks = sorted({row.notebook for row in rows if row.notebook})
    exercises = [name for notebook in notebooks for name in read_exercises(notebook)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "notebook", "right", *exercises, "problem"])
    for row in rows:
        states = [row.states.get(name, row.otherwise) for name in exercises]
        right = list(row.states.values()).count("right")
        cells = [row.file, row.notebook, right, *states, row.problem]
        writer.writerow([_no_formula(cell) if isinstance(cell, str) else cell for cell in cells])
    return f"\ufeff{text.getvalue()}"


def _no_formula(text: str) -> str:
    """Keep a spreadsheet from computing a name that a student has chosen."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(FORMULA) else line


def main(arguments: list[str] | None = None) -> int:
    """Grade a folder, and say where the table is."""
    options = _parser().parse_args(arguments)
    folder, out = options.folder, options.out
    paths = [
        path
        for path in sorted(folder.rglob("*.ipynb"))
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    ]
    if not paths:
        found = "no notebook there" if folder.is_dir() else "no such folder"
        print(f"expected a folder with notebooks (.ipynb); {folder}: {found}.", file=sys.stderr)
        return 2
    if not out.parent.is_dir() or out.is_dir():
        print(f"expected --out to name a file in a folder that exists; got {out}.", file=sys.stderr)
        return 2
    rows = []
    with tqdm(paths, desc="grading", unit="notebook") as bar:
        for path in bar:
            name = path.relative_to(folder).as_posix()
            bar.set_postfix_str(name)
            times = {"seconds": options.seconds, "cell_seconds": options.cell_seconds}
            rows.append(grade(path, name, **times))
    write(table(rows), out)
    troubled = sum(bool(row.problem) for row in rows)
    print(f"{len(rows)} notebooks, {troubled} with a problem. The table: {out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.grade",
        description="Run the checks over students' notebooks, and write who got what right.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the notebooks, only read")
    out = Path("grades.csv")
    parser.add_argument("--out", type=Path, default=out, help="the table (%(default)s)")
    helps = "how long a notebook may take (%(default)s)"
    parser.add_argument("--seconds", type=_positive, default=900, metavar="N", help=helps)
    helps = "how long one cell may take (%(default)s)"
    parser.add_argument("--cell-seconds", type=_positive, default=300, metavar="N", help=helps)
    return parser


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {text!r}")
    return number


if __name__ == "__main__":
    sys.exit(main())
