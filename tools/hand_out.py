"""Pack the built site into one archive for an instructor to distribute.

    python -m tools.hand_out SITE TARGET.zip

Readers unpack it and double-click ``START-HERE.html``. To run the notebooks, they follow
``READ ME FIRST.txt``. The archive has the folders of a clone, so that the links of a notebook work:
``notebooks``, with the cell that installs the book from ``site``, and ``book``. The same site gives
the same bytes.
"""

from __future__ import annotations

import html
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

from tools.copies import copy_of
from tools.torch_index import INDEX

ROOT = Path(__file__).parents[1]
LEFT_OUT = {".buildinfo", "objects.inv", ".nojekyll"}  # for programs, not for readers
COMPRESSED = {".png", ".woff2", ".zip", ".jpg", ".whl"}
OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest date in a zip file

START = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="refresh" content="0; url=site/index.html">
    <title>{title}</title>
  </head>
  <body>
    <h1>{title}</h1>
    <p><a href="site/index.html">Read the book</a></p>
    <p>Keep this file and the folder <code>site</code> together. No network is needed.</p>
    <p>To run the notebooks, see <a href="READ%20ME%20FIRST.txt">READ ME FIRST.txt</a>.</p>
  </body>
</html>
"""

READ_ME = """{title}

To read the book, open START-HERE.html with a double click. No network is needed.

To run its notebooks, you need Python 3.11 or newer. Open a terminal in this folder, and type three
lines. The second needs a network, once, and takes a few minutes. Then JupyterLab opens; the
notebooks are in notebooks/en. The next time, the last line is enough.

{ways}
On Linux without an NVIDIA GPU, add this to the second line. It saves 3 GB:

    --extra-index-url {index}

With uv, add --torch-backend cpu instead.
"""


def title_of(site: Path) -> str:
    """Give the book's title, as plain text, from the first page of a built site."""
    page = (site / "index.html").read_text(encoding="utf-8")
    return html.unescape(re.search(r"<title>(.*?)</title>", page)[1])


def ways_to_install(wheel: str) -> str:
    """Give the README's lines for people without make, for the wheel instead of a clone."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Without make\n")[2].partition("\n## ")[0]
    ways = re.findall(r"(On [\w ]+|With \[?uv)\b[^\n]*\n\n```\w+\n(.*?)```", section, re.DOTALL)
    text = ""
    for name, lines in ways:
        indented = "".join(f"    {line}\n" for line in lines.splitlines())
        text += f"{name.replace('[', '')}:\n\n{indented}\n"
    return text.replace("-e .\n", f"site/{wheel}\n")


def hand_out(site: Path, target: Path) -> None:
    """Write the archive.

    Parameters
    ----------
    site : Path
        The built site, with its ``index.html``.
    target : Path
        The archive, whose name without ``.zip`` is also that of the folder in it.
    """
    title = title_of(site)
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w") as archive:
        start = START.format(title=html.escape(title)).encode()
        _add(archive, f"{target.stem}/START-HERE.html", start)
        for name, content in (*_to_run(site, title), *_files(site, "site")):
            _add(archive, f"{target.stem}/{name}", content)
    partial.replace(target)  # an interrupted run leaves the old archive


def _files(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Give every file below a folder, in an order that is the same everywhere."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.is_file() and path.name not in LEFT_OUT:
            yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _to_run(site: Path, title: str) -> Iterator[tuple[str, bytes]]:
    """Give what it takes to run the notebooks, and the pages and pictures that they point to."""
    (wheel,) = (path.name for path in site.glob("*.whl"))
    read_me = READ_ME.format(title=title, ways=ways_to_install(wheel), index=INDEX)
    yield "READ ME FIRST.txt", read_me.replace("\n", "\r\n").encode()
    yield "requirements.lock", (ROOT / "requirements.lock").read_bytes()
    for path in sorted((ROOT / "notebooks").glob("*/*/*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".ipynb":
            yield name, nbformat.writes(copy_of(path, wheel)).encode()
        elif path.suffix == ".py":
            yield name, path.read_bytes()
    for path in sorted((ROOT / "book").glob("*.md")):
        yield f"book/{path.name}", path.read_bytes()
    yield from _files(ROOT / "book" / "figures", "book/figures")


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file without its time and owner."""
    entry = zipfile.ZipInfo(name, OLDEST)
    entry.create_system = 3  # Unix, on every system
    entry.external_attr = 0o644 << 16
    packed = Path(name).suffix in COMPRESSED
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=9)


if __name__ == "__main__":
    hand_out(Path(sys.argv[1]), Path(sys.argv[2]))
