"""What can go wrong on the way to the Hub, in plain words and with what to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from helpers.sources.checksums import CheckpointError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError


def check_settings() -> None:
    """Check the settings that end the import of huggingface_hub with a bare traceback."""
    for name in ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"):
        seconds = os.environ.get(name)
        if seconds is not None and not seconds.strip().isdigit():
            raise ValueError(
                f"Expected the environment variable {name} to be a whole number of seconds, got "
                f"{seconds!r}. Unset it or set it to 10, and restart Python."
            )
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        is_address = urlsplit(endpoint).scheme in ("http", "https") and urlsplit(endpoint).hostname
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(
            "Expected the environment variable HF_ENDPOINT to be an address that starts with "
            f"https:// or http://, got {endpoint!r}. Unset it, and restart Python."
        )


def hub_error(repository: str, why: str) -> CheckpointError:
    """Make the error for a download that failed: why, and the way on."""
    return CheckpointError(
        f"Couldn't download {repository} from the Hub: {why}.\n"
        "To go on without the network, unset COURSE_SOURCE or set COURSE_SOURCE=bundled: you get "
        "the stand-in that comes with the book."
    )


def plain_error(error: BaseException, repository: str, revision: str) -> CheckpointError:
    """Say what an error of huggingface_hub, httpx2 or the system means, and what to do."""
    from huggingface_hub import constants
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and error.__cause__:
        error = error.__cause__
    if isinstance(error, OSError) and error.errno is not None:
        return CheckpointError(
            f"Couldn't write {repository} to the cache of downloads in {constants.HF_HUB_CACHE}: "
            f"{error.strerror}. Free 1 GB there, or set HF_HOME to a folder that you may write to, "
            "and restart Python."
        )
    return hub_error(repository, _reason(error, revision))


def _reason(error: BaseException, revision: str) -> str:
    """Say why nothing was downloaded."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HfHubHTTPError):
        return _refusal(error, revision)
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, and its cache lacks the files"
    if isinstance(error, httpx2.TimeoutException):
        limit = f"{constants.HF_HUB_DOWNLOAD_TIMEOUT} s"
        return f"no answer within {limit} (HF_HUB_DOWNLOAD_TIMEOUT sets another limit)"
    if isinstance(error, httpx2.RemoteProtocolError):
        return f"the connection dropped while downloading: {error}"
    if isinstance(error, httpx2.HTTPError):
        return f"it can't be reached: {error}"
    if "socksio" in str(error):
        return "a SOCKS proxy needs one more package: pip install socksio"
    if isinstance(error, ImportError) or "proxy" in str(error):
        return f"the proxy in ALL_PROXY or HTTPS_PROXY can't be used: {error}"
    if isinstance(error, ValueError):
        return "its answer is not one of the Hub's (does this network want a login?)"
    return str(error)


def _refusal(error: HfHubHTTPError, revision: str) -> str:
    """Say what an answer other than 200 means."""
    from huggingface_hub import errors

    status = error.response.status_code
    if isinstance(error, errors.GatedRepoError):
        return (
            f"the repository is gated ({status}). Ask for access on its page, and set HF_TOKEN to "
            "a token of an account that has it"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"it has no revision {revision} ({status})"
    if status in (401, 403):
        return (
            f"access is denied ({status}): the repository is private, gated or not there. If your "
            "account has access to it, set HF_TOKEN to a token of that account"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"it has no such repository ({status})"
    if status == 429:
        return "it answered 429, too many requests. Set HF_TOKEN to a token of your account"
    return f"it answered {status}"
