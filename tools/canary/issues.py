"""Keep one issue on GitHub for each culprit: a later run updates it and opens no second one.

Runs only in a workflow that passes ``GITHUB_TOKEN`` on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

from tools.canary.report import Stage, issue

LABEL = "canary"
LONGEST = 65_000  # GitHub takes 65,536 characters


def fingerprint(culprit: str) -> str:
    """Give what tells one issue from another: the packages and the versions that the lock has.

    It stays the same while newer and newer releases change the same, and differs once the lock has
    moved.
    """
    before = re.sub(r" → [^ ,]+", "", culprit)
    return hashlib.sha256(before.encode()).hexdigest()[:12]


def take_token() -> str:
    """Take GitHub's token out of the environment, or give "" if this is no workflow with one.

    What the canary starts runs new releases, and these needn't see it.
    """
    token = os.environ.pop("GITHUB_TOKEN", "")
    on_github = os.environ.get("GITHUB_ACTIONS") and os.environ.get("GITHUB_REPOSITORY")
    return token if on_github else ""


def publish(stages: list[Stage], token: str) -> list[str]:
    """Write an issue for each culprit, and give the address of each."""
    some = _issues(token)
    known = {mark: one["number"] for one in some for mark in _marks(one.get("body") or "")}
    addresses = []
    for stage in stages:
        for culprit in stage.by_culprit:
            title, text = issue(stage, culprit)
            mark = fingerprint(culprit)
            body = f"{text[:LONGEST]}\n\n<!-- canary: {mark} -->"
            content: dict[str, Any] = {"title": title, "body": body}
            if mark in known:  # also a closed one: somebody has decided, and isn't asked again
                answer = _call(token, "PATCH", f"issues/{known[mark]}", content)
            else:
                answer = _call(token, "POST", "issues", content | {"labels": [LABEL]})
            addresses.append(answer["html_url"])
    return addresses


def _marks(body: str) -> list[str]:
    return re.findall(r"<!-- canary: (\w+) -->", body)


def _issues(token: str) -> Iterator[dict[str, Any]]:
    page = 1
    while some := _call(token, "GET", f"issues?labels={LABEL}&state=all&per_page=100&page={page}"):
        yield from some
        page += 1


def _call(token: str, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
    server = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    request = urllib.request.Request(
        f"{server}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}",
        method=method,
        data=json.dumps(content).encode() if content else None,
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
