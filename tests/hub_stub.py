"""A small Hub on loopback, for the tests of ``sources``. ``hub_contents`` makes what it serves.

The first part of a request's path names the way in which the stub behaves, so that one server is
enough: ``HF_ENDPOINT=http://127.0.0.1:PORT/500`` is a Hub that answers 500.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

LARGE = (".safetensors", ".parquet")  # what the Hub keeps as Git LFS

# A busy Hub refuses these and the list of files, each at the first request: one of each kind, since
# the client pauses for a second after each.
REFUSED_ONCE = ("/config.json", "/model.safetensors")


@dataclass
class HubStub:
    """A Hub with a few repositories, each at one revision.

    Parameters
    ----------
    repositories : dict of str to tuple of (str, Path)
        The revision and the folder of each repository, by its name with the organization.
    """

    repositories: dict[str, tuple[str, Path]]
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # behavior, method, path
    times: list[float] = field(default_factory=list)  # when each of them came
    tokens: set[str] = field(default_factory=set)  # what came in the header Authorization
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> HubStub:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.stub = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def endpoint(self, behavior: str) -> str:
        """Give the HF_ENDPOINT of a Hub that behaves in this way."""
        return f"http://127.0.0.1:{self.server.server_port}/{behavior}"

    def seen(self, behavior: str) -> list[str]:
        """List the requests made to the Hub that behaves in this way."""
        return [f"{method} {path}" for way, method, path in self.requests if way == behavior]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        stub = self.server.stub
        self.behavior, _, path = urlsplit(self.path).path.lstrip("/").partition("/")
        self.wanted = path
        before = stub.seen(self.behavior).count(f"{self.command} {path}")
        refused = not before and ("/tree/" in path or path.endswith(REFUSED_ONCE))
        stub.requests.append((self.behavior, self.command, path))
        stub.times.append(time.monotonic())
        token = self.headers.get("Authorization", "")
        stub.tokens.add(token)
        if self.behavior == "stalled":
            stub.stopping.wait(60)
        elif self.behavior == "500":
            self.reply(500, b"out of order")
        elif self.behavior == "busy" and refused:
            self.reply(503, b"come back")
        elif self.behavior == "limited" and refused:
            self.reply(429, b"too many requests", {"Retry-After": "1"})
        elif self.behavior == "crowded" and not token:
            self.reply(429, b"too many requests")
        elif self.behavior == "expired" and token:
            self.reply(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif self.behavior in ("401", "403"):
            self.reply(int(self.behavior), b"")
        elif self.behavior == "gated":
            self.reply(401 if not token else 403, b"", {"X-Error-Code": "GatedRepo"})
        elif self.behavior == "portal":
            self.reply(200, b"<html>Welcome! Please log in.</html>")
        elif self.behavior == "404":
            self.reply(404, b"", {"X-Error-Code": "RepoNotFound"})
        else:
            self.route(path)

    def route(self, path: str) -> None:
        pattern = r"(api/models/|(?:api/)?datasets/)?([^/]+/[^/]+)/(tree|resolve)/([^/]+)/?(.*)"
        match = re.fullmatch(pattern, path)
        if match is None or match[2] not in self.server.stub.repositories:
            return self.reply(404, b"", {"X-Error-Code": "RepoNotFound"})
        revision, folder = self.server.stub.repositories[match[2]]
        if match[4] != revision or self.behavior == "no-revision":
            return self.reply(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if match[3] == "tree":
            return self.reply(200, json.dumps([_entry(folder, path) for path in _files(folder)]))
        if not (folder / match[5]).is_file():
            return self.reply(404, b"", {"X-Error-Code": "EntryNotFound"})
        return self.send_file(folder / match[5], match[2], revision)

    def send_file(self, path: Path, repository: str, revision: str) -> None:
        data = path.read_bytes()
        etag = _git_id(data) if path.suffix not in LARGE else hashlib.sha256(data).hexdigest()
        headers = {"X-Repo-Commit": revision, "ETag": f'"{etag}"'}
        if self.behavior == f"wrong-{path.name}":
            data = flipped(data)
        if path.suffix not in LARGE:
            return self.reply(200, data, headers)
        # Like the Hub, offer the other way to the weights, which nobody should take.
        headers["X-Xet-Hash"] = hashlib.sha256(data).hexdigest()
        headers["X-Xet-Refresh-Route"] = f"/api/models/{repository}/xet-read-token/{revision}"
        half = len(data) // 2
        if self.behavior == "short":
            return self.reply(200, data[:half], headers)
        times = self.server.stub.seen(self.behavior).count(f"GET {self.wanted}")
        breaks_off = {"cut": True, "stalled-file": True, "hiccup": times == 1}
        if self.command == "GET" and self.behavior.startswith("slow"):
            return self.dribble(data, headers)
        if self.command == "GET" and breaks_off.get(self.behavior):
            self.reply(200, data[:half], headers, length=len(data))
            if self.behavior == "stalled-file":
                self.server.stub.stopping.wait(60)
            self.close_connection = True
            return None
        return self.reply(200, data, headers)

    def dribble(self, data: bytes, headers: dict) -> None:
        """Send a byte ten times a second, for as long as somebody listens."""
        self.reply(200, data[:1], headers, length=len(data))
        for byte in data[1:]:
            if self.server.stub.stopping.wait(0.1):
                break
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                break
        self.close_connection = True

    def reply(
        self, status: int, body: bytes | str, headers: dict | None = None, *, length: int = -1
    ) -> None:
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
            self.wfile.flush()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _entry(folder: Path, path: Path) -> dict:
    """Describe a file as the Hub's list of a repository's files does."""
    path = folder / path
    data = path.read_bytes()
    entry = {"type": "file", "path": path.relative_to(folder).as_posix(), "size": len(data)}
    if path.suffix not in LARGE:
        return entry | {"oid": _git_id(data)}
    digest = hashlib.sha256(data).hexdigest()
    # what Git itself holds of a large file
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"
    ).encode()
    lfs = {"oid": digest, "size": len(data), "pointerSize": len(pointer)}
    return entry | {"oid": _git_id(pointer), "lfs": lfs, "xetHash": digest}


def _git_id(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def flipped(data: bytes) -> bytes:
    """Turn every bit of 64 bytes in the middle of a file."""
    middle = len(data) // 2
    return data[:middle] + bytes(255 - b for b in data[middle : middle + 64]) + data[middle + 64 :]
