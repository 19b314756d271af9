"""Throw-away environments: on the lock, on the newest releases, or anywhere in between.

uv resolves and installs, and takes its settings from its own variables: ``UV_FIND_LINKS``,
``UV_CONSTRAINT`` and so on. Its cache has to be on the same disk: then an environment is made of
hard links, in seconds.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager

from tools.run_notebooks import PERSONAL
from tools.torch_index import INDEX, has_nvidia, is_reachable

# show what a library announces to remove, which Python hides: `make test` would fail on it
ANNOUNCED = "default::DeprecationWarning,default::PendingDeprecationWarning"
INSTALLERS = {"pip", "wheel"}  # `make lock` leaves them out, too
OLDEST_PYTHON = "3.11.2"  # Debian 12; `make lock` writes the lock for it, too


class InstallError(RuntimeError):
    """uv couldn't install, or couldn't reach the registry: says nothing about the releases."""


class Environment(NamedTuple):
    """An environment, and the version of each package in it."""

    folder: Path
    versions: Mapping[str, str]

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.folder / _programs() / ("python.exe" if os.name == "nt" else "python")

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a kernel: its own programs first, and stand-ins built by itself."""
        mine = {n: v for n, v in os.environ.items() if n not in (*PERSONAL, "PYTHONPATH")}
        mine["PYTHONWARNINGS"] = ANNOUNCED
        mine["PATH"] = f"{self.python.parent}{os.pathsep}{mine.get('PATH', '')}"
        mine["COURSE_CACHE"] = str(self.folder / "cache")
        return mine

    def kernel(self) -> AsyncKernelManager:
        """Give the manager of a kernel that runs in this environment."""
        specs = KernelSpecManager(kernel_dirs=[str(self.folder)], ensure_native_kernel=False)
        return AsyncKernelManager(
            kernel_spec_manager=specs, kernel_name="book", transport_encryption="auto"
        )


def _programs() -> str:
    return "Scripts" if os.name == "nt" else "bin"


@functools.cache
def _sources() -> tuple[str, ...]:
    """Leave PyTorch's own index out where it isn't reached, or a GPU wants the other build."""
    known = "UV_NO_SOURCES" in os.environ or sys.platform != "linux"
    return () if known or (not has_nvidia() and is_reachable(INDEX)) else ("--no-sources",)


def _uv(*words: str | Path) -> str:
    command = [sys.executable, "-m", "uv", "--quiet", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(f"uv {' '.join(map(str, words[:2]))} failed:\n{done.stderr.strip()}")
    return done.stdout


def canonical(name: str) -> str:
    """Spell a package's name in the one way in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(lock: Path) -> dict[str, str]:
    """Read the version of each package in a lock file, by its canonical name."""
    pins = (line.split("==") for line in lock.read_text(encoding="utf-8").splitlines())
    return {canonical(name): version for name, version in pins}


def resolve(root: Path, lock: Path, target: Path, *options: str) -> Path:
    """Write the lock that `options` of uv make of `lock`: it keeps what it need not upgrade."""
    shutil.copyfile(lock, target)  # uv prefers the versions that it finds where it writes
    wanted = [root / "pyproject.toml", "--extra", "dev", "--python-version", OLDEST_PYTHON]
    layout = ["--no-header", "--no-annotate", "--output-file", target]
    _uv("pip", "compile", *wanted, *layout, *_sources(), *options)
    names = (line.partition("==")[0] for line in lock.read_text(encoding="utf-8").splitlines())
    spelled = {canonical(name): name for name in names}
    # no label such as +cpu: the lock is for machines with a GPU, too
    pins = {name: version.partition("+")[0] for name, version in read_lock(target).items()}
    kept = [name for name in pins if name not in INSTALLERS]
    return write_lock({spelled.get(name, name): pins[name] for name in kept}, target)


def write_lock(pins: Mapping[str, str], target: Path) -> Path:
    """Write a lock file in the order of `pip freeze`."""
    lines = sorted((f"{name}=={version}\n" for name, version in pins.items()), key=str.lower)
    target.write_text("".join(lines), encoding="utf-8")
    return target


def install(root: Path, lock: Path, folder: Path) -> Environment:
    """Make an environment for a reader of the book, or exchange the packages in one."""
    python = Environment(folder, {}).python
    if not python.exists():
        _uv("venv", "--python", sys.executable, folder)
    here = ["--python", python, *_sources()]
    _uv("pip", "install", "--exact", *here, "-r", root / "pyproject.toml", "-c", lock)
    shutil.rmtree(folder / "cache", ignore_errors=True)  # stand-ins that other packages built
    layout = sysconfig.get_path("purelib", "venv", {"base": str(folder)})
    Path(layout, "book.pth").write_text(f"{root}\n", encoding="utf-8")  # helpers
    launcher = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": launcher, "display_name": folder.name, "language": "python"}
    spec["metadata"] = {"supported_encryption": ["curve"]}
    (folder / "book").mkdir(exist_ok=True)
    (folder / "book" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    listed = json.loads(_uv("pip", "list", "--format", "json", "--python", python))
    return Environment(folder, {canonical(one["name"]): one["version"] for one in listed})
