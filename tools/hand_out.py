"""Pack the built site into one archive for an instructor to distribute.

    python -m tools.hand_out SITE TARGET.zip

Readers unpack it and double-click ``START-HERE.html``. The same site gives the same bytes.
"""

from __future__ import annotations

import html
import re
import sys
import zipfile
from pathlib import Path

LEFT_OUT = {".buildinfo", "objects.inv", ".nojekyll"}  # for programs, not for readers
COMPRESSED = {".png", ".woff2", ".zip", ".jpg"}
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
  </body>
</html>
"""


def title_of(site: Path) -> str:
    """Give the book's title, as plain text, from the first page of a built site."""
    page = (site / "index.html").read_text(encoding="utf-8")
    return html.unescape(re.search(r"<title>(.*?)</title>", page)[1])


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
        for path in sorted(site.rglob("*"), key=lambda path: path.relative_to(site).as_posix()):
            if path.is_file() and path.name not in LEFT_OUT:
                name = f"{target.stem}/site/{path.relative_to(site).as_posix()}"
                _add(archive, name, path.read_bytes())
    partial.replace(target)  # an interrupted run leaves the old archive


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
