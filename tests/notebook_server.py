"""Run the cells of notebooks one after another, each notebook in a copy of this process.

    python tests/notebook_server.py

A kernel loads the libraries for longer than most notebooks take. This process loads them once,
after the environment is set, and forks for each notebook whose path it reads from its input. It
answers with a line: the exit status, and the files that hold what was printed to stdout and stderr.
In both, a line from `mark` precedes what a cell printed.
"""

import os
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

import numpy as np

# Left out where a notebook only imports the libraries again in processes of its own, for results
# that don't depend on the source of checkpoints, and where it trains on: a model with random
# weights learns nothing from more steps. nbval runs these cells whole and compares them.
SHORTER = {
    "for name, (command, environment) in ways.items():": (
        "for name, (command, environment) in list(ways.items())[3:]:"
    ),
    "speeds(1, 1, cores, 8 * cores)\nhalf_each, all_each = speeds(2, cores // 2, cores)": (
        "[1, 1, 1]\nhalf_each, all_each = [1, 1]"
    ),
    "num_train_epochs=1,\n        per_device_train_batch_size=16,": (
        "max_steps=8,\n        per_device_train_batch_size=16,"
    ),
}


LIBRARIES = (
    "accelerate",
    "datasets",
    "evaluate",
    "matplotlib.pyplot",
    "pandas",
    "transformers.models.auto.modeling_auto",
    "transformers.pipelines",
    "transformers.trainer",
)


def mark(cell: int) -> None:
    """Separate what a cell prints from what the one before it printed."""
    for stream in (sys.stdout, sys.stderr):
        print(f"\x1e{cell}", file=stream, flush=True)


def describe(figure: object) -> str:
    """Describe a figure as matplotlib does, and count the axes on which nothing is drawn."""
    limits = [axes.dataLim.get_points() for axes in figure.axes]
    blank = sum(not np.isfinite(points).all() for points in limits)
    return f"{figure}" + blank * f", {blank} of its axes are BLANK"


def run(path: Path) -> None:
    """Run the code cells in the notebook's folder, and stop at the first that fails."""
    import jupytext
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib.figure import Figure
    from traitlets.config import Config

    os.chdir(path.parent)
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    plain = shell.display_formatter.formatters["text/plain"]
    plain.for_type(Figure, lambda figure, printer, cycle: printer.text(describe(figure)))
    for number, cell in enumerate(jupytext.read(path, fmt="md:myst").cells):
        if cell.cell_type == "code":
            mark(number)
            source = cell.source
            for long, short in SHORTER.items():
                source = source.replace(long, short)
            result = shell.run_cell(source)
            if "raises-exception" not in cell.metadata.get("tags", []):
                result.raise_error()


def main() -> None:
    """Answer each path with a line."""
    for name in LIBRARIES:
        import_module(name)
    for line in sys.stdin:
        files = [tempfile.mkstemp() for _ in ("stdout", "stderr")]
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for number, (handle, _) in enumerate(files, start=1):
                    os.dup2(handle, number)
                run(Path(line.strip()))
                status = 0
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        for handle, _ in files:
            os.close(handle)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, *(name for _, name in files), flush=True)


if __name__ == "__main__":
    main()
