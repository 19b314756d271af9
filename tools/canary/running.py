"""Run one notebook in several environments at the same time: their seconds can be compared."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from tqdm import tqdm

from tools.canary.environments import Environment
from tools.run_notebooks import CELL_TIMEOUT, drop_live_pictures, read_source


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """List the cells that hold code. The first one is cell 1, as in the brackets beside it."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def run(source: Path, environments: Sequence[Environment]) -> list[nbformat.NotebookNode]:
    """Run the .md of a notebook to its end, whatever fails, once in each environment."""
    total = len(code_cells(read_source(source))) * len(environments)
    with tqdm(total=total, desc=source.stem, unit="cell") as bar:
        try:
            return run_sync(_run_all)(source, environments, bar)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _run_all(
    source: Path, environments: Sequence[Environment], bar: tqdm
) -> list[nbformat.NotebookNode]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def listen(**_) -> None:
        """Let Ctrl-C end the run. nbclient would only end a kernel, which looks like a crash."""
        with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows, or a thread
            loop.add_signal_handler(signal.SIGINT, task.cancel)

    runs = (_run_one(source, environment, bar, listen) for environment in environments)
    return await asyncio.gather(*runs)


async def _run_one(source: Path, environment: Environment, bar: tqdm, listen):
    notebook = read_source(source)
    running: list[nbformat.NotebookNode] = []
    client = NotebookClient(
        notebook,
        km=environment.kernel(),
        timeout=CELL_TIMEOUT,
        allow_errors=True,
        coalesce_streams=True,
        store_widget_state=True,
        resources={"metadata": {"path": str(source.parent)}},
        on_notebook_start=listen,
        on_cell_execute=lambda cell, **_: running.append(cell),
        on_cell_executed=lambda **_: bar.update(),
    )
    try:
        await client.async_execute(env=environment.variables, cleanup_kc=True)
    except (DeadKernelError, CellTimeoutError) as error:
        kind = type(error).__name__
        running[-1].outputs.append(
            nbformat.v4.new_output("error", ename=kind, evalue=str(error), traceback=[])
        )
    drop_live_pictures(notebook)
    return notebook
