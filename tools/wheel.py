"""Build the wheel of the book: the package helpers, its data, and train.py with its two parts.

    python -m tools.wheel FOLDER

The same files give the same bytes, whatever their dates and modes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What setuptools reads, and the folders that hold what it packs.
NEEDED = [
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "helpers",
    "notebooks/en/3-fine-tuning/own_data.py",
    "notebooks/en/3-fine-tuning/progress.py",
    "notebooks/en/3-fine-tuning/train.py",
]
OLDEST = "315532800"  # 1980, the earliest date in a zip file
BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder, and give its path.

    It is built from a copy, because setuptools writes into the folder that it builds from.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary)
        for name in NEEDED:
            _copy(ROOT / name, source / name)
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(folder)],
            cwd=source,
            env=os.environ | {"SOURCE_DATE_EPOCH": OLDEST},
            umask=0o022,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"setuptools couldn't build the wheel:\n{done.stdout}{done.stderr}")
    return folder / done.stdout.split()[-1]


def _copy(path: Path, target: Path) -> None:
    """Copy a file or a folder, with the modes that a wheel is to have."""
    if path.is_dir():
        for below in sorted(path.iterdir()):
            if below.name != "__pycache__":
                _copy(below, target / below.name)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o644)


if __name__ == "__main__":
    print(build_wheel(Path(sys.argv[1])))
