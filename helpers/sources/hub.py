"""The way to the Hub: a pinned revision, safetensors and text only, an error within seconds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.sources.checksums import CheckpointError

if TYPE_CHECKING:
    import httpx2

# What is fetched from the Hub: weights as safetensors and text files, nothing that runs code.
HUB_FILES = (
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)

HUB_SECONDS = 5  # without a byte, before a request to the Hub is given up


def download(repository: str, revision: str) -> Path:
    """Fetch a checkpoint's files, or find them in the cache of huggingface_hub.

    Parameters
    ----------
    repository : str
        The repository on the Hub, with its organisation.
    revision : str
        The commit to take the files from, 40 hexadecimal digits.

    Returns
    -------
    Path
        A folder for ``from_pretrained``.

    Raises
    ------
    CheckpointError
        If the Hub can't be reached, does not have the revision, gives no answer in time, or gives
        files that are cut off.
    """
    folder = _snapshot("model", repository, revision, HUB_FILES)
    _check(repository, revision, folder)
    return folder


def download_data(repository: str, revision: str, files: tuple[str, ...]) -> Path:
    """Fetch files of a data set, or find them in the cache of huggingface_hub.

    Parameters
    ----------
    repository : str
        The data set's repository on the Hub, with its organisation.
    revision : str
        The commit to take the files from, 40 hexadecimal digits.
    files : tuple of str
        Their names in the repository.

    Returns
    -------
    Path
        The folder in which they have these names.

    Raises
    ------
    CheckpointError
        If the Hub can't be reached, does not have the revision, gives no answer in time, or gives
        files that are cut off.
    """
    folder = _snapshot("dataset", repository, revision, files)
    _check_lengths("dataset", repository, revision, folder, files)
    return folder


def _snapshot(kind: str, repository: str, revision: str, files: tuple[str, ...]) -> Path:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        with _impatient_hub(repository):
            folder = snapshot_download(
                repository,
                repo_type=kind,
                revision=revision,
                allow_patterns=list(files),
                token=False,  # the originals are public, and an expired token must not bar the way
            )
    except RevisionNotFoundError as error:
        why = f"it has no revision {revision} ({error.response.status_code})"
        raise _hub_error(repository, why) from error
    except RepositoryNotFoundError as error:
        why = f"it has no such repository ({error.response.status_code})"
        raise _hub_error(repository, why) from error
    except HfHubHTTPError as error:
        raise _hub_error(repository, f"it answered {error.response.status_code}") from error
    except ValueError as error:  # no JSON where the list of files was expected
        why = "its answer is not one of the Hub's (does this network want a login?)"
        raise _hub_error(repository, why) from error
    except (OSError, httpx2.HTTPError) as error:
        offline = isinstance(error.__cause__, OfflineModeIsEnabled)
        why = "HF_HUB_OFFLINE is set, and its cache lacks the files" if offline else str(error)
        raise _hub_error(repository, why) from error
    return Path(folder)


def _hub_error(repository: str, why: str) -> CheckpointError:
    return CheckpointError(
        f"{repository} could not be had from the Hub: {why}.\n"
        "To go on without the network, unset COURSE_SOURCE or set COURSE_SOURCE=bundled: you get "
        "the stand-in that comes with the book."
    )


@contextmanager
def _impatient_hub(repository: str) -> Iterator[None]:
    """Make huggingface_hub give up within seconds, and use nothing but plain requests, for a while.

    By itself it asks up to six times with growing pauses, waits without limit for the list of
    files, and may hand the weights to a second program (Xet) that has its own long waits.
    """
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils import _http

    factory = _http._GLOBAL_CLIENT_FACTORY
    settings = ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY")
    before = {name: getattr(constants, name) for name in settings}

    def impatient_client():
        client = factory()
        client.send = _impatient_send(client.send, repository)
        return client

    set_client_factory(impatient_client)
    for name in settings:
        setattr(constants, name, True)
    try:
        yield
    finally:
        set_client_factory(factory)
        for name, value in before.items():
            setattr(constants, name, value)


def _impatient_send(send: Callable, repository: str) -> Callable:
    """Wrap a client's method that sends a request: a request that gets no answer is not repeated.

    One whose answer breaks off is sent once more. A download that made progress meanwhile asks for
    the rest only, by its ``Range``: that is another request, so it may go on as often as it takes.
    """
    import httpx2

    seconds = float(os.environ.get("HF_HUB_DOWNLOAD_TIMEOUT") or HUB_SECONDS)
    patience = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    sent = Counter()

    def impatient_send(request: httpx2.Request, **options) -> httpx2.Response:
        this = (request.method, str(request.url), request.headers.get("Range"))
        sent[this] += 1
        if sent[this] > 2:
            raise _hub_error(repository, "its answer broke off, twice")
        request.extensions["timeout"] = patience
        try:
            response = send(request, **options)
        except httpx2.TimeoutException as error:
            why = f"no answer within {seconds:g} s (HF_HUB_DOWNLOAD_TIMEOUT sets another limit)"
            raise _hub_error(repository, why) from error
        except httpx2.TransportError as error:
            raise _hub_error(repository, f"it can't be reached: {error}") from error
        if response.status_code in (408, 429) or response.status_code >= 500:
            response.close()
            raise _hub_error(repository, f"it answered {response.status_code}")
        return response

    return impatient_send


def _check(repository: str, revision: str, folder: Path) -> None:
    """Check that the files are there, as long as the Hub's list says, and that the weights open."""
    from safetensors import SafetensorError, safe_open

    remedy = f"Delete {folder.parents[1]} and run this again"
    for alternatives in (("config.json",), ("model.safetensors",), ("tokenizer.json", "vocab.txt")):
        if not any((folder / name).is_file() for name in alternatives):
            raise _hub_error(repository, f"no {' or '.join(alternatives)} in {folder}. {remedy}")
    names = tuple(path.name for path in folder.iterdir())
    _check_lengths("model", repository, revision, folder, names)
    try:
        with safe_open(folder / "model.safetensors", framework="np"):
            pass  # opening compares the header with the length of the file
    except SafetensorError as error:
        raise _hub_error(repository, f"model.safetensors is damaged: {error}. {remedy}") from error


def _check_lengths(
    kind: str, repository: str, revision: str, folder: Path, names: tuple[str, ...]
) -> None:
    """Check that files are there and as long as the Hub's list says."""
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        tree = get_cached_repo_tree(repository, repo_type=kind, revision=revision)
    except CachedRepoTreeNotFoundError:
        tree = []  # a cache that was filled by an older huggingface_hub has no list of files
    expected = {file.path: file.size for file in tree}
    remedy = f"Delete {folder.parents[1]} and run this again"
    for name in names:
        found = (folder / name).stat().st_size if (folder / name).exists() else 0
        if not found or found != expected.get(name, found):
            wanted = expected.get(name, "more")
            why = f"{folder / name} has {found} bytes, expected {wanted}. {remedy}"
            raise _hub_error(repository, why)
