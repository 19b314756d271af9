"""What `make lab` adds to JupyterLab, so that reading and running a notebook doesn't change it."""

from __future__ import annotations

import copy
import sys

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

VERSION = ".".join(map(str, sys.version_info[:3]))  # as a kernel reports it
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class NotebookContents(AsyncLargeFileManager):
    """Read and write notebooks, leaving out what differs from machine to machine.

    JupyterLab copies the kernel's ``language_info`` into every notebook that it opens, and marks
    the notebook as changed if that isn't what is stored. The book doesn't store the Python
    version, so it is added on reading and dropped on writing. The random ids of widgets are not
    written if nothing else in a cell's output has changed.
    """

    async def get(self, path, content=True, type=None, format=None, require_hash=False):
        """Read a file or a folder; in a notebook, fill in the version."""
        model = await super().get(path, content, type, format, require_hash)
        if content and model["type"] == "notebook":
            language = model["content"]["metadata"].get("language_info", {})
            if language.get("name") == "python":
                language.setdefault("version", VERSION)
        return model

    async def save(self, model, path=""):
        """Write a file; in a notebook, leave out the version and new ids of the same widgets."""
        if model.get("type") == "notebook" and model.get("content"):
            model["content"]["metadata"].get("language_info", {}).pop("version", None)
            if await self.file_exists(path):
                stored = await super().get(path, type="notebook")
                keep_widget_ids(model["content"], stored["content"])
        return await super().save(model, path)


def keep_widget_ids(notebook: dict, stored: dict) -> None:
    """Keep the stored output of each cell whose new output differs in widgets' ids only.

    Parameters
    ----------
    notebook : dict
        The notebook to be saved, which is changed.
    stored : dict
        The notebook as it is on disk.
    """
    before = {cell["id"]: cell for cell in stored["cells"] if "id" in cell}
    for cell in notebook["cells"]:
        old = before.get(cell.get("id"), {})
        if cell.get("outputs") and _without_ids(cell) == _without_ids(old):
            cell["outputs"] = old["outputs"]


def _without_ids(cell: dict) -> list[dict]:
    outputs = copy.deepcopy(cell.get("outputs", []))
    for output in outputs:
        output.get("data", {}).get(WIDGET_VIEW, {}).pop("model_id", None)
    return outputs
