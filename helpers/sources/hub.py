"""Download from the Hub: pinned revisions, safetensors and text only, every byte verified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    """Download files of a repository, or find them in the cache, and return their folder."""
    check_settings()
    import httpx2

    where = {"repo_type": kind, "revision": revision}
    folder, listing = _find(repository, files, where)
    if folder is None or not listing:
        try:
            _download(repository, files, where)
        except (OSError, ValueError, ImportError, httpx2.HTTPError) as error:
            # A cache that an older huggingface_hub has filled holds no list of the files.
            if folder is None:
                raise plain_error(error, repository, revision) from error
        else:
            folder, listing = _find(repository, files, where)
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
    repository: str, files: tuple[str, ...], where: dict[str, str]
) -> tuple[Path | None, list[RepoFile]]:
    """Look in the cache for a folder with all the files, and for the Hub's list of them."""
    from huggingface_hub import errors, get_cached_repo_tree, snapshot_download

    folder, listing = None, []
    with suppress(errors.CachedRepoTreeNotFoundError):
        listing = get_cached_repo_tree(repository, **where)
    with suppress(errors.LocalEntryNotFoundError):
        wanted = {"allow_patterns": list(files), "local_files_only": True}
        folder = Path(snapshot_download(repository, **wanted, **where))
    return folder, listing


def _download(repository: str, files: tuple[str, ...], where: dict[str, str]) -> None:
    """Download file after file in this thread, where Ctrl-C stops it at once."""
    from huggingface_hub import HfApi, hf_hub_download, hf_hub_url, snapshot_download
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import tqdm

    class NoBar(tqdm):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options | {"disable": True})

    with _plain_requests():
        token = _accepted_token(hf_hub_url(repository, files[0], **where))
        options = {"token": token, **where}
        tree = HfApi().list_repo_tree(repository, recursive=True, **options)
        wanted = [file for file in tree if isinstance(file, RepoFile) and file.path in files]
        # The small ones first: after a failure only the weights are left to download.
        for file in sorted(wanted, key=lambda file: file.size):
            bar = None if file.lfs else NoBar
            _retry(partial(hf_hub_download, repository, file.path, tqdm_class=bar, **options))
        # Nothing is left to download: this stores the list of files, for use without a network.
        snapshot_download(repository, allow_patterns=list(files), tqdm_class=NoBar, **options)


def _accepted_token(url: str) -> bool | None:
    """Ask for one file before all else: a Hub that isn't there is noticed within seconds.

    The token is the reader's own, which raises the limit of requests. The originals are public, so
    one that has expired or lacks a right must not bar the way: then none is sent.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

    def ask(token: bool | None) -> httpx2.Response:
        tries = {"max_retries": len(PAUSES), "retry_on_exceptions": ()}  # those are raised
        headers = build_hf_headers(token=token)
        return http_backoff("HEAD", url, headers=headers, follow_redirects=False, **tries)

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
    import httpx2
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import logging

    def add_timeout(request: httpx2.Request) -> None:
        request.extensions["timeout"] = timeout

    timeout = httpx2.Timeout(float(constants.HF_HUB_DOWNLOAD_TIMEOUT)).as_dict()
    client, verbosity = get_session(), logging.get_verbosity()
    hooks, xet = client.event_hooks, constants.HF_HUB_DISABLE_XET
    telemetry = constants.HF_HUB_DISABLE_TELEMETRY
    client.event_hooks = {**hooks, "request": [*hooks["request"], add_timeout]}
    constants.HF_HUB_DISABLE_XET = constants.HF_HUB_DISABLE_TELEMETRY = True
    logging.set_verbosity(min(verbosity, logging.INFO))
    try:
        yield
    finally:
        client.event_hooks = hooks
        constants.HF_HUB_DISABLE_XET, constants.HF_HUB_DISABLE_TELEMETRY = xet, telemetry
        logging.set_verbosity(verbosity)


def _difference(path: Path, file: RepoFile) -> str:
    """Compare a file with its id in the Hub's list and with its ETag, its name in the cache.

    Both are the SHA-1 that Git gives a small file. Of a large file, the ETag is the SHA-256. Git
    holds a pointer with that SHA-256 in its place (Git LFS), and the id is the pointer's.
    """
    from huggingface_hub.utils.sha import git_hash

    size = path.stat().st_size
    if size != file.size:
        return f"{path} has {size} bytes, expected {file.size}"
    expected = {file.blob_id, path.resolve().name}
    digest = sha256(path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n"
    if {digest, git_hash(pointer.encode())} & expected or git_hash(path.read_bytes()) in expected:
        return ""
    return f"{path} is not the file that the Hub lists: its checksum differs"
