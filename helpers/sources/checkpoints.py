"""From a checkpoint's name to a local folder for ``from_pretrained``.

By default a name leads to its *stand-in*, a small real model that comes with the installation and
needs no network. With ``COURSE_SOURCE=hub`` it leads to the original on the Hugging Face Hub.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from helpers.sources.checksums import (
    DATA,
    LIST,
    CheckpointError,
    listed_sums,
    read_sums,
    sha256,
    verify,
)
from helpers.sources.hub import download
from helpers.sources.standins import (
    ADAPTER_FILES,
    ENCODER_SUMS,
    build_standin,
    encoder_folder,
    language_base,
    sentiment_base,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SOURCES = ("bundled", "hub")

# Count up when the code that builds a stand-in changes its result: old folders are not used then.
RECIPE = 1

LOCK_SECONDS = 300  # a build takes about two seconds; a slow disk may need many more


@dataclass(frozen=True)
class Checkpoint:
    """Where a checkpoint's original is, and what stands in for it."""

    repository: str  # on the Hub
    revision: str  # the commit that the book was written with
    standin: str  # what it is, in a few words: they have to fit on a line of a page
    # what returns a model and a tokenizer made from the bundled encoder; None is the encoder itself
    base: Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]] | None = None
    adapter: Path | None = None  # the folder of the adapter to merge into that model


CHECKPOINTS = {
    "bert-base-uncased": Checkpoint(
        repository="google-bert/bert-base-uncased",
        revision="86b5e0934494bd15c9632b12f734a8a67f723594",
        standin="all-MiniLM-L6-v2, a BERT encoder with 6 layers instead of 12",
    ),
    "distilbert-base-uncased-finetuned-sst-2-english": Checkpoint(
        repository="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        revision="714eb0fa89d2f80546fda750413ed43d93601a13",
        standin="all-MiniLM-L6-v2 as a DistilBERT, with a sentiment head of this book",
        base=sentiment_base,
        adapter=DATA / "sentiment",
    ),
    "distilbert-base-uncased": Checkpoint(
        repository="distilbert/distilbert-base-uncased",
        revision="12040accade4e8a0f71eabdb258fecc2e7e948be",
        standin="all-MiniLM-L6-v2 with a masked-language head of this book",
        base=partial(language_base, "masked"),
        adapter=DATA / "masked",
    ),
    "gpt2": Checkpoint(
        repository="openai-community/gpt2",
        revision="607a30d783dfa663caf39e06633721c8d4cfcd7e",
        standin="all-MiniLM-L6-v2 made causal, with a language head of this book",
        base=partial(language_base, "causal"),
        adapter=DATA / "causal",
    ),
}


def resolve(name: str, *, source: str | None = None) -> str:
    """Turn a checkpoint's name into a local folder, and print where it comes from.

    Parameters
    ----------
    name : str
        The checkpoint's name on the Hub, with its organization or without.
    source : str or None, default=None
        "bundled" for the stand-in that needs no network, "hub" for the original. None means what
        the environment variable ``COURSE_SOURCE`` says, or "bundled" if it isn't set.

    Returns
    -------
    str
        The folder: what to give to ``from_pretrained`` and to ``pipeline(model=...)``.

    Raises
    ------
    TypeError
        If the name is not a string.
    ValueError
        If the name or the source is not a known one.
    CheckpointError
        If the checkpoint can't be used: a missing package, a wrong checksum, an unwritable cache,
        an unreachable Hub.
    """
    name = _known_name(name)
    checkpoint = CHECKPOINTS[name]
    if announce(name, checkpoint.revision, checkpoint.standin, source) == "hub":
        return str(download(checkpoint.repository, checkpoint.revision))
    return str(_standin(name, checkpoint))


def _known_name(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"Expected the name of a checkpoint, a str; got {type(name).__name__}.")
    names = {entry.repository: short for short, entry in CHECKPOINTS.items()}
    names |= {short: short for short in CHECKPOINTS}
    if name in names:
        return names[name]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"Expected one of {', '.join(map(repr, CHECKPOINTS))}; got {name!r}.{hint} Any other "
        "checkpoint on the Hub needs the network: give its name to from_pretrained directly."
    )


def announce(name: str, revision: str, standin: str, source: str | None) -> str:
    """Print and return where a thing comes from: ``source``, or what COURSE_SOURCE says."""
    origin = "source"
    if source is None:
        origin = "the environment variable COURSE_SOURCE"
        source = os.environ.get("COURSE_SOURCE") or "bundled"
    if source not in SOURCES:
        raise ValueError(
            f"Expected {origin} to be 'bundled' or 'hub', got {source!r}. "
            "Use 'bundled', the default, if you have no network."
        )
    # Printed before the work and the same whether there is work to do or not, so that the stored
    # outputs of a notebook agree with those of a first run and of every later one.
    print(name)
    if source == "hub":
        print("  source: the Hugging Face Hub")
        print(f"  what:   the original, revision {revision[:8]}", flush=True)
    else:
        print("  source: bundled with the book: a stand-in, not the original")
        print(f"  what:   {standin}")
        print("  For the original, set COURSE_SOURCE=hub before you start Python.", flush=True)
    return source


# The stand-ins, built once and kept


def cache_folder() -> Path:
    """Find where built stand-ins are kept: in ``COURSE_CACHE``, or in the user's cache folder."""
    chosen = os.environ.get("COURSE_CACHE")
    if not chosen and sys.platform == "win32":
        chosen = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif not chosen and sys.platform == "darwin":
        chosen = "~/Library/Caches"
    elif not chosen:
        chosen = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(chosen).expanduser().absolute() / "transformers-course-book"
    except RuntimeError as error:
        raise CheckpointError(
            "Expected a home folder to keep the stand-ins in; this user has none, and HOME isn't "
            "set. Set COURSE_CACHE to a folder that you may write to, and run this again."
        ) from error


def _standin(name: str, checkpoint: Checkpoint) -> Path:
    if checkpoint.base is None or checkpoint.adapter is None:
        return encoder_folder()
    folder = cache_folder() / f"{name}-{_key(checkpoint.adapter)}"
    if not _is_intact(folder):
        build = partial(build_standin, checkpoint.base, adapter=checkpoint.adapter)
        _build(name, build, folder)
    return folder


def _key(adapter: Path) -> str:
    """Hash everything that the built folder depends on: after a change it has another name."""
    parts = [RECIPE, ENCODER_SUMS, listed_sums(adapter, ADAPTER_FILES)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _is_intact(folder: Path) -> bool:
    """Compare a built folder with its list of checksums, written last: 0.3 s for 90 MB."""
    try:
        sums = read_sums(folder / LIST)
        verify(folder, sums, remedy="")
    except CheckpointError:
        return False  # the reader sees no error: it is built again
    return "model.safetensors" in sums


def _build(name: str, build: Callable[[Path], None], folder: Path) -> None:
    """Build a stand-in in a temporary folder and rename that in one step, under a lock."""
    from filelock import FileLock, Timeout
    from safetensors import SafetensorError  # what a full disk raises while weights are written

    cache = folder.parent
    lock = cache / f"{name}.lock"
    try:
        _share(cache, lock)
        with FileLock(lock, timeout=LOCK_SECONDS):
            if _is_intact(folder):
                return  # another process built it while this one waited for the lock
            # a damaged folder, and what killed builds left behind
            for leftover in (*cache.glob(folder.name), *cache.glob(f"{name}.tmp-*")):
                shutil.rmtree(leftover, ignore_errors=True)  # another user's may have to stay
            with TemporaryDirectory(
                prefix=f"{name}.tmp-", dir=cache, ignore_cleanup_errors=True
            ) as temporary:
                part = Path(temporary, folder.name)
                part.mkdir()
                build(part)
                _seal(part)
                part.rename(folder)
    except Timeout as error:
        raise CheckpointError(
            f"Another process has been building {name} in {cache} for {LOCK_SECONDS} s. "
            "Wait for it or end it, and run this again."
        ) from error
    except (OSError, SafetensorError, NotImplementedError) as error:  # the last: no locks there
        raise CheckpointError(
            f"Couldn't write the stand-in to {cache}: {error}. Free 200 MB there, or set "
            "COURSE_CACHE to a folder that you may write to, and run this again."
        ) from error


def _share(cache: Path, lock: Path) -> None:
    """Make the folder and the lock as open to other users as the folder above them.

    So one ``COURSE_CACHE`` works for a class, whatever the umask of the user who comes first. The
    folder isn't sticky: there, filelock refuses a lock that another user has made.
    """
    cache.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(cache.parent.stat().st_mode) & 0o777
    umask = os.umask(0)  # not chmod: between the two, another user would be refused
    try:
        cache.mkdir(mode=mode, exist_ok=True)
        if not lock.exists():
            lock.touch(mode=mode & 0o666)
    finally:
        os.umask(umask)


def _seal(folder: Path) -> None:
    """Write the list of checksums, last: files that never reach the disk are noticed.

    Other users of a shared cache can read all of it, whatever the umask; safetensors, too, makes
    files for their owner only.
    """
    paths = sorted(folder.iterdir())
    sums = folder / LIST
    sums.write_text("".join(f"{sha256(path)}  {path.name}\n" for path in paths))
    for path in (*paths, sums):
        path.chmod(0o644)
    folder.chmod(0o755)
