"""What the tests of the ways in share: an environment without the book, and ordinary users."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from repository import ROOT

PIPELINE = ROOT / "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.ipynb"
# Not copied with a Python: what is installed in it, and its own tests.
NOT_NEEDED = ("site-packages", "test", "__pycache__", "idlelib", "*.a")

# Run a notebook as a reader would, and print what its first cell prints.
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
for output in notebook.cells[0].outputs:
    print(output["text"])
"""


def link_libraries(folder: Path) -> Path:
    """Link to every installed library, without the book's own package.

    The folder is called site-packages: dill knows by that name that a module is installed.
    """
    folder /= "site-packages"
    folder.mkdir(parents=True)
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("__editable__", "transformers_course_book")):
            (folder / path.name).symlink_to(path)
    return folder


def own_variables(folder: Path) -> dict[str, str]:
    """Give the environment variables of a reader whose files are in a folder."""
    passed_on = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return passed_on | {
        "HOME": str(folder),
        "PIP_NO_INDEX": "1",  # all but the wheel must be there already
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def save_first_cells(notebook: nbformat.NotebookNode, path: Path, cells: int | None = None) -> None:
    """Save the first cells of a notebook, and one that looks where helpers come from."""
    notebook.cells = notebook.cells[:cells]
    look = "import helpers, sys; assert helpers.__file__.startswith(sys.prefix), helpers"
    notebook.cells.append(nbformat.v4.new_code_cell(look))
    nbformat.write(notebook, path)


@dataclass
class Person:
    """An ordinary user of this machine, with a home."""

    name: str
    home: Path
    python: Path

    def start(self, *command, umask: int = 0o022, **environment) -> subprocess.Popen:
        """Start a command in the home, or in the folder that PWD names."""
        program = {
            "PATH": str(self.python.parent),
            "LD_LIBRARY_PATH": str(self.python.parents[1] / "lib"),  # of the copied Python
        }
        settings = own_variables(self.home) | program | environment
        return subprocess.Popen(
            list(map(str, command)),
            cwd=settings.get("PWD", self.home),
            env=settings,
            user=self.name,
            group=self.name,
            extra_groups=[],
            umask=umask,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command, **options) -> str:
        """Run a command, and give what it prints."""
        process = self.start(*command, **options)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, f"{command}\n{out[-2000:]}{err[-3000:]}"
        return out


@contextmanager
def people(count: int) -> Iterator[SimpleNamespace]:
    """Make ordinary users, and a folder that they can reach; and remove them afterwards.

    The folder also holds a Python and the libraries, because root's own may be out of their reach.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("useradd") is None:
        pytest.skip("only root can make users, with useradd")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        python = _copy_python(folder / "python")
        libraries = link_libraries(folder / "libraries")
        made = []
        try:
            for number in range(count):
                name = f"reader-{os.getpid()}-{number}"
                home = folder / name
                home.mkdir()
                add = ["useradd", "--no-create-home", "--user-group", "--home-dir", home, name]
                subprocess.run(add, check=True, capture_output=True)
                made.append(Person(name, home, python))
                shutil.chown(home, name, name)
                home.chmod(0o700)
            _check_reach(made[0], libraries)
            yield SimpleNamespace(folder=folder, libraries=libraries, users=made)
        finally:
            for person in made:
                subprocess.run(["userdel", person.name], check=True, capture_output=True)


def _copy_python(folder: Path) -> Path:
    """Copy the Python that runs this, without its libraries. Give the path of its program."""
    base = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(
        base / "lib" / version,
        folder / "lib" / version,
        ignore=shutil.ignore_patterns(*NOT_NEEDED),
        symlinks=True,
    )
    for path in (base / "lib").glob("libpython*.so*"):
        shutil.copy(path, folder / "lib", follow_symlinks=False)
    program = folder / "bin" / "python3"
    program.parent.mkdir()
    shutil.copy(Path(sys.executable).resolve(), program)
    return program


def _check_reach(person: Person, libraries: Path) -> None:
    """Skip if a user can't read the libraries, for example because they are in root's home."""
    process = person.start(person.python, "-c", "import torch", PYTHONPATH=str(libraries))
    _, err = process.communicate(timeout=300)
    if process.returncode:
        pytest.skip(f"other users can't load the libraries here: {err.splitlines()[-1]}")
