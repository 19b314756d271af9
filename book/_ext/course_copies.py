"""Publish the book's wheel beside the pages, and copies of the notebooks that install it.

``tools/wheel.py`` and ``tools/copies.py`` do the work. They run in processes of their own, because
Sphinx doesn't look for modules in the repository's root.
"""

import subprocess
import sys
from pathlib import Path

from sphinx.errors import ExtensionError

ROOT = Path(__file__).parents[2]


def build_wheel(app):
    """Build the wheel before the pages, whose download buttons name it."""
    if app.builder.format == "html":
        _run("tools.wheel", app.outdir)


def publish_copies(app, exception):
    """Replace the notebooks that Sphinx has copied."""
    if exception is None and app.builder.format == "html":
        repository = app.config.html_theme_options["repository_url"]
        _run("tools.copies", app.outdir, app.config.html_baseurl, repository)


def _run(module, *arguments):
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ExtensionError(f"{module} failed:\n{done.stderr}")


def setup(app):
    app.connect("builder-inited", build_wheel)
    app.connect("build-finished", publish_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
