"""Verify SHA-256 checksums: of the data that ships, of the encoder, of what was built from them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).parent / "data"  # what ships with the book
LIST = "SHA256SUMS"  # beside each folder of data, and in each folder that was built
RESTORE = "Restore it: 'git checkout -- helpers/sources/data' in a clone, or install the book again"


class CheckpointError(RuntimeError):
    """A checkpoint or a data set can't be used: a file is missing or wrong, or can't be reached."""


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(path: Path) -> dict[str, str]:
    """Read a list of checksums in the format of the program ``sha256sum``."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"Expected a list of checksums in {path}: {error}.") from error
    sums = {}
    for line in lines:
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if match is None:
            raise CheckpointError(
                f"Expected lines like those of sha256sum in {path}, got {line!r}."
            )
        sums[match[2]] = match[1]
    return sums


def listed_sums(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Look up the checksums of a folder's files in the list ``SHA256SUMS`` beside the folder."""
    path = folder.parent / LIST
    sums = read_sums(path)
    try:
        return {name: sums[f"{folder.name}/{name}"] for name in names}
    except KeyError as error:
        raise CheckpointError(
            f"Expected a line for {error.args[0]} in {path}, found none. {RESTORE}."
        ) from error


def verify(folder: Path, sums: dict[str, str], *, remedy: str) -> None:
    """Compare the files in a folder with their SHA-256; an error ends with the remedy."""
    for name, expected in sums.items():
        path = folder / name
        try:
            found = sha256(path)
        except OSError as error:
            raise CheckpointError(
                f"Expected the file {path}: {error.strerror}. {remedy}"
            ) from error
        if found != expected:
            raise CheckpointError(
                f"The file {path} is not the one that this book was made with.\n"
                f"  expected SHA-256: {expected}\n"
                f"  found SHA-256:    {found}\n"
                f"{remedy}"
            )
