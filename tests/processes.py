"""Run Python in its own process: a fresh one, or one with the libraries already loaded."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# PYTHONWARNINGS of a notebook's kernel: a library's deprecation warning is an error there, too.
# From Python 3.12 on, this is what a kernel's own event loop begins with; it would die of it.
KERNEL_WARNINGS = (
    "error::DeprecationWarning,error::FutureWarning,"
    "ignore:There is no current event loop:DeprecationWarning"
)


def start(code: str, *arguments, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments, **environment) -> tuple[int, str, str]:
    """Run code in a fresh process, with nothing loaded, as a second notebook would."""
    process = start(code, *arguments, **environment)
    out, err = process.communicate(timeout=90)
    return process.returncode, out, err


# Loading these takes longer than most tests. A server process loads them once, and each process
# below is a fork of it. Nothing of the book is among them.
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    [
        "accelerate",
        "evaluate",
        "matplotlib.pyplot",
        "nbval.plugin",
        "pandas",
        "torch",
        "transformers.models.auto.modeling_auto",
        "transformers.pipelines",
        "transformers.trainer",
    ]
)


def run_loaded(function: Callable, *arguments, **environment) -> tuple[int, str, str]:
    """Call a function of a module of this folder in a process that has the libraries loaded.

    An environment variable that a library reads while it loads has no effect here.
    """
    with tempfile.TemporaryDirectory() as folder:
        printed = [Path(folder, name) for name in ("stdout", "stderr")]
        process = _server.Process(target=_call, args=(printed, environment, function, arguments))
        process.start()
        process.join(timeout=300)
        if process.is_alive():
            process.kill()
            process.join()
        out, err = (path.read_text() if path.exists() else "" for path in printed)
    return process.exitcode, out, err


def _call(printed: list[Path], environment: dict, function: Callable, arguments: tuple) -> None:
    for number, path in enumerate(printed, start=1):
        with path.open("w") as file:
            os.dup2(file.fileno(), number)
    os.environ.update(environment)
    function(*arguments)


def run_code(code: str, *arguments) -> None:
    """Run code as `python -c` does."""
    sys.argv = ["-c", *map(str, arguments)]
    exec(compile(code, "<code>", "exec"), {"__name__": "__main__"})


def run_pytest(folder: Path, *arguments: str) -> None:
    """Run pytest in a folder, and import from that folder rather than from the book itself."""
    import pytest

    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]  # set by the pytest that started this
    os.environ["PYTHONPATH"] = str(folder)
    os.chdir(folder)
    sys.path.insert(0, str(folder))

    sys.exit(pytest.main(list(arguments)))
