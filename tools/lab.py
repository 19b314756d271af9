"""What `make lab` adds to JupyterLab, so that reading a notebook doesn't change it."""

from __future__ import annotations

import sys

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

VERSION = ".".join(map(str, sys.version_info[:3]))  # as a kernel reports it


class NotebookContents(AsyncLargeFileManager):
    """Read and write notebooks. The Python version is added on reading and dropped on writing.

    JupyterLab copies the kernel's ``language_info`` into every notebook that it opens, and marks
    the notebook as changed if that differs from what is stored. The version differs from machine
    to machine, so the book doesn't store it.
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
        """Write a file; in a notebook, leave out the version."""
        if model.get("type") == "notebook" and model.get("content"):
            model["content"]["metadata"].get("language_info", {}).pop("version", None)
        return await super().save(model, path)
