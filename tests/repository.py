"""The files of the book, for the tests that read them as text."""

import functools
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_OURS = {".git", ".venv", "_build", "_vendor", "node_modules", "__pycache__"}
TEXT = {".py", ".pyi", ".md", ".ipynb", ".yml", ".yaml", ".toml", ".js", ".html", ".cfg", ""}


@functools.cache
def files() -> list[Path]:
    """List the files of the book: those that git knows, or all of them where there is no clone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return sorted({ROOT / name for name in listing.stdout.split("\0") if name})
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in NOT_OURS and not name.endswith("_cache")
        ]
        found += [Path(folder, name) for name in names]
    return sorted(found)


def texts(*suffixes: str) -> dict[Path, str]:
    """Read the text files of the book, or only those with these suffixes."""
    wanted = set(suffixes) or TEXT
    return {
        path: path.read_text(encoding="utf-8")
        for path in files()
        if path.suffix in wanted and path.is_file()
    }
