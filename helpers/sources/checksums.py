"""Is this the very file? SHA-256 sums, and the error when something keeps a checkpoint away."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

DATA = Path(__file__).parent / "data"  # what ships with the book


class CheckpointError(RuntimeError):
    """Something about the machine, a package, the disk or the Hub keeps a checkpoint away."""


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        The checksum, 64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(path: Path) -> dict[str, str]:
    """Read a list of checksums in the format of the program ``sha256sum``.

    Parameters
    ----------
    path : Path
        The list: one line a file, its checksum and its name.

    Returns
    -------
    dict of str to str
        The checksum of each file, by its name as it stands in the list.

    Raises
    ------
    CheckpointError
        If the list is missing or isn't such a list.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"Expected a list of checksums in {path}: {error}.") from error
    matches = [re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line) for line in lines]
    if not all(matches):
        raise CheckpointError(f"Expected lines like those of sha256sum in {path}, got others.")
    return {match[2]: match[1] for match in matches}


def verify(folder: Path, sums: dict[str, str], *, remedy: str) -> None:
    """Check that the files in a folder are the expected ones, byte for byte.

    Parameters
    ----------
    folder : Path
        Where the files are.
    sums : dict of str to str
        The SHA-256 expected of each file, by its name in the folder.
    remedy : str
        What a reader can do when a file is missing or wrong: the end of the error's message.

    Raises
    ------
    CheckpointError
        If a file can't be read or isn't the expected one.
    """
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
