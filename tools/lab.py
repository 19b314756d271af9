"""What `make lab` adds to JupyterLab.

Reading and running a notebook doesn't change it. The first page has its title. Beside this file,
`lab_settings.json` has the settings: pages are shown, not their source, and nobody is asked whether
to look for news on the network.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import yaml
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

VERSION = ".".join(map(str, sys.version_info[:3]))  # as a kernel reports it
SETTINGS = Path(__file__).parents[1] / "_config.yml"
FIRST_PAGE = "book/welcome.md"
TITLE = "{{ book_title }}"  # in the source of that page; Sphinx fills it in on the site
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class NotebookContents(AsyncLargeFileManager):
    """Read and write notebooks, leaving out what differs from machine to machine.

    JupyterLab copies the kernel's ``language_info`` into every notebook that it opens, and marks
    the notebook as changed if that isn't what is stored. The book doesn't store the Python
    version, so it is added on reading and dropped on writing. The random ids of widgets are not
    written if nothing else in a cell's output has changed. The first page is shown with the title
    of the book, and saved without it.
    """

    async def get(self, path, content=True, type=None, format=None, require_hash=False):
        """Read a file or a folder; in a notebook, fill in the version."""
        model = await super().get(path, content, type, format, require_hash)
        if content and model["type"] == "notebook":
            language = model["content"]["metadata"].get("language_info", {})
            if language.get("name") == "python":
                language.setdefault("version", VERSION)
        elif content and path.strip("/") == FIRST_PAGE:
            model["content"] = model["content"].replace(TITLE, book_title(), 1)
        return model

    async def save(self, model, path=""):
        """Write a file; in a notebook, leave out the version and new ids of the same widgets."""
        if model.get("type") == "notebook" and model.get("content"):
            model["content"]["metadata"].get("language_info", {}).pop("version", None)
            if await self.file_exists(path):
                stored = await super().get(path, type="notebook")
                keep_widget_ids(model["content"], stored["content"])
        elif path.strip("/") == FIRST_PAGE and model.get("content"):
            heading = f"# {book_title()}\n"
            model["content"] = model["content"].replace(heading, f"# {TITLE}\n", 1)
        return await super().save(model, path)


def book_title() -> str:
    """Read the title of the book from the site's settings."""
    return yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["title"]


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
