"""A Hub on loopback that takes uploads, and keeps what was uploaded, as `hub_stub` gives files out.

It speaks the three requests of a commit: which files are large, the upload of the large ones with
Git LFS, and the commit itself. A repository has to be created first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = (".safetensors", ".bin", ".pt")


@dataclass
class UploadStub:
    """A Hub with no repositories yet.

    Parameters
    ----------
    repositories : dict of str to dict
        The files of each repository, by its name: their content by their path.
    private : dict of str to bool
        Whether each was created as a private one.
    requests : list of str
        The method and path of each request.
    tokens : set of str
        What came in the header Authorization.
    """

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    objects: dict[str, bytes] = field(default_factory=dict)  # large files, by their SHA-256

    def __enter__(self) -> UploadStub:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.stub = self
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(b"")

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.body())

    def do_PUT(self) -> None:
        self.answer(self.body())

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, body: bytes) -> None:
        stub, path = self.server.stub, self.path.partition("?")[0]
        stub.requests.append(f"{self.command} {path}")
        if path.startswith("/object/"):  # a signed address: it takes no token
            stub.objects[path.removeprefix("/object/")] = body
            return self.reply(200, b"")
        stub.tokens.add(self.headers.get("Authorization", ""))
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path == "/api/validate-yaml":
            return self.reply(200, {"errors": [], "warnings": []})
        routes = {
            r"/api/models/([^/]+/[^/]+)/preupload/main": self.sort_files,
            r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch": self.give_addresses,
            r"/api/models/([^/]+/[^/]+)/commit/main": self.commit,
            r"/api/models/([^/]+/[^/]+)": self.describe,
        }
        for pattern, route in routes.items():
            match = re.fullmatch(pattern, path)
            if match and match[1] in stub.repositories:
                return route(match[1], body)
        code = "EntryNotFound" if "/resolve/" in path else "RepoNotFound"
        return self.reply(404, b"", {"X-Error-Code": code})

    def create(self, wanted: dict) -> None:
        name = f"{wanted.get('organization') or 'reader'}/{wanted['name']}"
        if name in self.server.stub.repositories:
            return self.reply(409, {"url": f"{self.server.stub.endpoint}/{name}"})
        self.server.stub.repositories[name] = {}
        self.server.stub.private[name] = wanted.get("visibility") == "private"
        return self.reply(200, {"url": f"{self.server.stub.endpoint}/{name}", "name": name})

    def describe(self, name: str, _: bytes) -> None:
        self.reply(200, {"id": name, "sha": "0" * 40, "siblings": []})

    def sort_files(self, name: str, body: bytes) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
        ]
        self.reply(200, {"files": files})

    def give_addresses(self, name: str, body: bytes) -> None:
        wanted = json.loads(body)["objects"]
        objects = [
            {**one, "actions": {"upload": {"href": self.address(one["oid"])}}} for one in wanted
        ]
        self.reply(200, {"transfer": "basic", "objects": objects})

    def address(self, digest: str) -> str:
        return f"{self.server.stub.endpoint}/object/{digest}"

    def commit(self, name: str, body: bytes) -> None:
        """Keep the files, if the large ones have arrived undamaged."""
        stub = self.server.stub
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                stub.repositories[name][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                data = stub.objects.get(value["oid"], b"")
                if hashlib.sha256(data).hexdigest() != value["oid"]:
                    return self.reply(400, {"error": f"{value['path']} was not uploaded"})
                stub.repositories[name][value["path"]] = data
        address = f"{stub.endpoint}/{name}/commit/{'0' * 40}"
        return self.reply(
            200, {"success": True, "commitUrl": address, "commitOid": "0" * 40, "hookOutput": ""}
        )

    def reply(self, status: int, body: bytes | dict, headers: dict | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
