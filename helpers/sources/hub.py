"""Download from the Hub: pinned revisions, safetensors and text only, every byte verified."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.sources.checksums import sha256
from helpers.sources.hub_errors import check_settings, hub_error, plain_error

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub.hf_api import RepoFile

# What is downloaded: weights as safetensors and text files, nothing that runs code.
MODEL_FILES = (
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

NEEDED = (("config.json",), ("model.safetensors",), ("tokenizer.json", "vocab.txt"))

PAUSES = (1, 2)  # seconds before a second and a third try, unless a busy Hub asks for others


def download(
    repository: str, revision: str, files: tuple[str, ...] = MODEL_FILES, *, kind: str = "model"
) -> Path:
    """Download files of a repository, or find them in the cache of huggingface_hub.

    Parameters
    ----------
    repository : str
        The repository on the Hub, with its organization.
    revision : str
        The commit to take the files from, 40 hexadecimal digits.
    files : tuple of str, default=MODEL_FILES
        Their names in the repository.
    kind : str, default="model"
        "model", of which some files may be missing, or "dataset".

    Returns
    -------
    Path
        The folder in which they have these names.

    Raises
    ------
    ValueError
        If an environment variable of huggingface_hub has a value that it can't read.
    CheckpointError
        If the Hub can't be reached, doesn't have the revision or denies access, if the disk is
        full, or if a file isn't the one that the Hub lists.
    """
    check_settings()
    import httpx2

    folder, listing = _find(kind, repository, revision, files)
    if folder is None or not listing:
        try:
            _download(kind, repository, revision, files)
        except (OSError, ValueError, ImportError, httpx2.HTTPError) as error:
            # A cache that an older huggingface_hub has filled holds no list of the files.
            if folder is None:
                raise plain_error(error, repository, revision) from error
        else:
            folder, listing = _find(kind, repository, revision, files)
            assert folder is not None, "snapshot_download finds all files"
    remedy = f"Delete {folder.parents[1]} and run this again"
    for file in listing:
        if file.path in files and (difference := _difference(folder / file.path, file)):
            raise hub_error(repository, f"{difference}. {remedy}")
    for names in NEEDED if kind == "model" else [(name,) for name in files]:
        if not any((folder / name).is_file() for name in names):
            raise hub_error(repository, f"{folder} has no {' or '.join(names)}. {remedy}")
    return folder


def _find(
    kind: str, repository: str, revision: str, files: tuple[str, ...]
) -> tuple[Path | None, list[RepoFile]]:
    """Look in the cache for a folder with all the files, and for the Hub's list of them."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError

    try:
        listing = get_cached_repo_tree(repository, repo_type=kind, revision=revision)
    except CachedRepoTreeNotFoundError:
        listing = []
    try:
        folder = snapshot_download(
            repository,
            repo_type=kind,
            revision=revision,
            allow_patterns=list(files),
            local_files_only=True,
        )
    except LocalEntryNotFoundError:
        return None, listing
    return Path(folder), listing


def _download(kind: str, repository: str, revision: str, files: tuple[str, ...]) -> None:
    """Download file after file in this thread, where Ctrl-C stops it at once."""
    from huggingface_hub import HfApi, hf_hub_download, hf_hub_url, snapshot_download
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import tqdm

    class NoBar(tqdm):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options | {"disable": True})

    with _plain_requests():
        first = hf_hub_url(repository, files[0], repo_type=kind, revision=revision)
        token = _accepted_token(first)
        tree = HfApi(token=token).list_repo_tree(
            repository, repo_type=kind, revision=revision, recursive=True
        )
        wanted = [file for file in tree if isinstance(file, RepoFile) and file.path in files]
        # The small ones first: after a failure only the weights are left to download.
        for file in sorted(wanted, key=lambda file: file.size):
            _retry(
                partial(
                    hf_hub_download,
                    repository,
                    file.path,
                    repo_type=kind,
                    revision=revision,
                    token=token,
                    tqdm_class=None if file.lfs else NoBar,
                )
            )
        # Nothing is left to download: this stores the list of files, for use without a network.
        snapshot_download(
            repository,
            repo_type=kind,
            revision=revision,
            allow_patterns=list(files),
            token=token,
            tqdm_class=NoBar,
        )


def _accepted_token(url: str) -> bool | None:
    """Ask for one file before all else: a Hub that isn't there is noticed within seconds.

    The token is the reader's own, which raises the limit of requests. The originals are public, so
    one that has expired or lacks a right must not bar the way: then none is sent.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

    def ask(token: bool | None) -> httpx2.Response:
        return http_backoff(
            "HEAD",
            url,
            headers=build_hf_headers(token=token),
            follow_redirects=False,
            max_retries=len(PAUSES),
            retry_on_exceptions=(),  # those are raised
        )

    response, token = ask(None), None
    if response.status_code in (401, 403) and get_token() and not (without := ask(False)).is_error:
        response, token = without, False
    hf_raise_for_status(response)
    commit = response.headers.get(constants.HUGGINGFACE_HEADER_X_REPO_COMMIT)
    if commit is None and not response.has_redirect_location:
        raise ValueError("the answer doesn't name a commit")
    return token


def _retry(download: Callable[[], object]) -> None:
    """Try again when the Hub is overloaded in the middle; huggingface_hub does it for 429 only."""
    from huggingface_hub.errors import HfHubHTTPError

    for pause in (*PAUSES, None):
        try:
            download()
            return
        except HfHubHTTPError as error:
            if pause is None or error.response.status_code < 500:
                raise
            asked = error.response.headers.get("Retry-After", "")
            time.sleep(int(asked) if asked.isdigit() else pause)


@contextmanager
def _plain_requests() -> Iterator[None]:
    """Change how huggingface_hub asks, for a while.

    Each request gets a timeout: by itself it waits for the list of files without limit. Weights
    come by the same way as the other files, through the reader's mirror or proxy, and not by Xet.
    What it says while it waits for another process is shown. It sends no statistics.
    """
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import logging

    seconds = dict.fromkeys(
        ("connect", "read", "write", "pool"), float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
    )

    def add_timeout(request: httpx2.Request) -> None:
        request.extensions["timeout"] = seconds

    client = get_session()
    hooks, verbosity = client.event_hooks, logging.get_verbosity()
    switches = ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY")
    before = {name: getattr(constants, name) for name in switches}
    client.event_hooks = {**hooks, "request": [*hooks["request"], add_timeout]}
    for name in switches:
        setattr(constants, name, True)
    logging.set_verbosity(min(verbosity, logging.INFO))
    try:
        yield
    finally:
        client.event_hooks = hooks
        for name, value in before.items():
            setattr(constants, name, value)
        logging.set_verbosity(verbosity)


def _difference(path: Path, file: RepoFile) -> str:
    """Compare a file with its id in the Hub's list and with its ETag, its name in the cache.

    Both are the SHA-1 that Git gives a small file. Of a large file, the ETag is the SHA-256. Git
    holds a pointer with that SHA-256 in its place (Git LFS), and the id is the pointer's.
    """
    size = path.stat().st_size
    if size != file.size:
        return f"{path} has {size} bytes, expected {file.size}"
    expected = {file.blob_id, path.resolve().name}
    digest = sha256(path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n"
    if {digest, _git_id(pointer.encode())} & expected or _git_id(path.read_bytes()) in expected:
        return ""
    return f"{path} is not the file that the Hub lists: its checksum differs"


def _git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
