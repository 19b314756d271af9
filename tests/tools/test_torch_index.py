"""PyTorch comes from its own index of CPU builds where that helps and can be reached."""

import importlib.util
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tools import torch_index


@pytest.fixture
def bare_linux(monkeypatch):
    """A Linux machine with no GPU, where PyTorch isn't installed yet."""
    monkeypatch.setattr(torch_index, "has_nvidia", lambda: False)
    monkeypatch.setattr(torch_index.sys, "platform", "linux")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(torch_index, "PATIENCE", 0.5)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return monkeypatch


@pytest.fixture
def index():
    """The address of a server that answers every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            # a proxy is asked for the whole address
            there = self.path in ("/whl/cpu/torch/", "http://index.example/whl/cpu/torch/")
            self.send_response(200 if there else 404)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/whl/cpu"
    server.shutdown()
    server.server_close()


def found(capsys):
    torch_index.main()
    printed = capsys.readouterr()
    return printed.out.strip(), printed.err


def test_an_index_that_answers_is_printed(bare_linux, capsys, index):
    bare_linux.setenv("BOOK_TORCH_INDEX", index)
    assert found(capsys) == (index, "")


def test_an_index_behind_a_proxy_is_reached(bare_linux, capsys, index):
    bare_linux.setenv("http_proxy", index.removesuffix("/whl/cpu"))
    bare_linux.setattr("urllib.request._opener", None)  # it remembers the environment of before
    for address, reached in (("http://index.example/whl/cpu", True), ("http://x.example", False)):
        bare_linux.setenv("BOOK_TORCH_INDEX", address)
        assert found(capsys)[0] == (address if reached else "")


def test_an_index_that_cannot_be_reached_or_is_silent_is_named(bare_linux, capsys, index):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        closed = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for address in (closed, f"{index}/elsewhere", "not an address"):
            bare_linux.setenv("BOOK_TORCH_INDEX", address)
            printed, said = found(capsys)
            assert printed == ""
            assert said == f"{address} can't be reached: PyTorch comes from the default index.\n"


@pytest.mark.parametrize(
    "elsewhere",
    [
        lambda patch: patch.setattr(torch_index, "has_nvidia", lambda: True),
        lambda patch: patch.setattr(torch_index.sys, "platform", "darwin"),
        lambda patch: patch.setattr(importlib.util, "find_spec", lambda name: name),
        lambda patch: patch.setenv("BOOK_TORCH_INDEX", ""),
    ],
    ids=["a GPU", "macOS", "installed", "switched off"],
)
def test_nothing_is_asked_where_it_would_not_help(bare_linux, capsys, index, elsewhere):
    bare_linux.setenv("BOOK_TORCH_INDEX", index)
    elsewhere(bare_linux)
    assert found(capsys) == ("", "")


def test_the_address_is_the_one_that_the_readme_and_uv_name():
    import tomllib

    from repository import ROOT

    assert torch_index.INDEX in (ROOT / "README.md").read_text()
    uv = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    assert [one["url"] for one in uv["index"]] == [torch_index.INDEX]
