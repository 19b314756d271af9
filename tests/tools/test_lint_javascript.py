"""Biome: fetched once, made to run, and missing only with a word."""

import pytest

from tools import lint_javascript
from tools.vendor import VendorError


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An empty environment on a known platform."""
    monkeypatch.setattr(lint_javascript.sys, "prefix", str(tmp_path))
    monkeypatch.setattr(lint_javascript.platform, "system", lambda: "Linux")
    monkeypatch.setattr(lint_javascript.platform, "machine", lambda: "x86_64")
    return tmp_path


def packed(exit_status):
    """Stand in for npm: a program that says what it was asked and ends with this status."""

    def fetch(package, folder):
        assert package.name == "@biomejs/cli-linux-x64"
        (folder / "biome").write_text(f'#!/bin/sh\necho "$@"\nexit {exit_status}\n')

    return fetch


@pytest.mark.parametrize("status", [0, 1])
def test_it_gives_biomes_exit_status_for_every_script(environment, monkeypatch, capfd, status):
    monkeypatch.setattr(lint_javascript, "fetch", packed(status))
    assert lint_javascript.main() == status
    said = capfd.readouterr().out
    assert "--error-on-warnings" in said
    assert "book/_static/course.js" in said
    assert "helpers/display/live/parts.js" in said


def test_it_is_fetched_once_and_then_needs_no_network(environment, monkeypatch):
    monkeypatch.setattr(lint_javascript, "fetch", packed(0))
    program = lint_javascript.biome()

    def no_network(package, folder):
        raise VendorError("no network")

    monkeypatch.setattr(lint_javascript, "fetch", no_network)
    assert lint_javascript.biome() == program


def test_without_the_network_the_error_says_what_is_missing(environment, monkeypatch, capsys):
    def no_network(package, folder):
        (folder / "half").touch()
        raise VendorError("npm could not fetch it.")

    monkeypatch.setattr(lint_javascript, "fetch", no_network)
    assert lint_javascript.main() == 1
    assert "Couldn't fetch Biome" in capsys.readouterr().err
    assert not list(environment.iterdir())


def test_a_platform_without_a_build_is_told_so(environment, monkeypatch, capsys):
    monkeypatch.setattr(lint_javascript.platform, "machine", lambda: "riscv64")
    assert lint_javascript.main() == 0
    assert "NOT CHECKED" in (said := capsys.readouterr().err)
    assert "Linux-riscv64" in said
