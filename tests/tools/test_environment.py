"""`tools/environment.sh` finds a Python, and makes the environment again where it is broken.

The Pythons here are small scripts that answer what the script asks, and record their arguments.
"""

import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from repository import ROOT

SCRIPT = ROOT / "tools" / "environment.sh"
PYTHON = """#!/bin/sh
echo "{name} $*" >> "$CALLS"
case "$*" in
  *sys.version_info*) exit {too_old} ;;
  *ensurepip*) exit {no_venv} ;;
  *platform*) echo {version} ;;
  "-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  "-c import pip") exit {no_pip} ;;
  tools/torch_index.py) echo "$INDEX" ;;
  "-m pip"*) exit "${{PIP_STATUS:-0}}" ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A machine with no Python yet, and a clone on it."""
    programs, clone = tmp_path / "bin", tmp_path / "Büch er"
    programs.mkdir()
    clone.mkdir()
    for name in ("sh", "df", "awk", "touch", "mkdir", "cp"):
        (programs / name).symlink_to(shutil.which(name))
    calls = tmp_path / "calls"
    calls.touch()

    def add(path, version="3.12.4", *, too_old=0, no_venv=0, no_pip=0):
        path = clone / path if "/" in path else programs / path
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = {"too_old": too_old, "no_venv": no_venv, "no_pip": no_pip}
        path.write_text(PYTHON.format(name=path.name, version=version, **answers))
        path.chmod(0o755)
        return path

    def run(*arguments, **settings):
        environment = {"PATH": str(programs), "CALLS": str(calls), "INDEX": ""} | settings
        return subprocess.run(
            ["sh", SCRIPT, *arguments],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return SimpleNamespace(clone=clone, programs=programs, add=add, run=run, calls=calls.read_text)


def test_the_newest_python_is_taken_and_named(machine):
    machine.add("python3")
    machine.add("python3.11")
    newest = machine.add("python3.13", "3.13.2")
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert f"Python 3.13.2: {newest}" in done.stderr
    assert (machine.clone / ".venv" / "ready").exists()
    assert "-m pip install" in machine.calls()
    assert "-c requirements.lock" in machine.calls()


def test_a_command_that_runs_no_python_is_passed_over(machine):
    """pyenv has one for each version that it knows of, and most of them only print an error."""
    shim = machine.programs / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    machine.add("python3.12", too_old=1)
    machine.add("python3", "3.11.9")
    assert "Python 3.11.9: " in machine.run().stderr


def test_a_python_of_uv_is_found_where_there_is_no_other(machine):
    own = machine.add("managed/python3.13")
    uv = machine.programs / "uv"
    uv.write_text(f'#!/bin/sh\necho "{own}"\n')
    uv.chmod(0o755)
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert f"Python 3.12.4: {own}" in done.stderr


@pytest.mark.parametrize("too_old", [None, "python3"])
def test_without_a_python_it_says_how_to_get_one(machine, too_old):
    if too_old:
        machine.add(too_old, too_old=1)
    done = machine.run()
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    for way in ("apt-get install", "dnf install", "brew install", "uv python", "conda create"):
        assert way in done.stderr
    assert not (machine.clone / ".venv").exists()


def test_without_the_module_venv_it_names_debians_package(machine):
    machine.add("python3.12", no_venv=1)
    done = machine.run()
    assert done.returncode == 1
    assert "apt-get install python3.12-venv" in done.stderr
    assert not (machine.clone / ".venv").exists()


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ({"too_old": 1, "version": "3.10.1"}, "is 3.10.1"),
        ({"no_venv": 1}, "has no module venv"),
        (None, "not a Python that runs"),
    ],
)
def test_a_named_python_that_cannot_be_used_is_refused(machine, python, said):
    named = machine.add("own/python", **python) if python else "/nowhere/python"
    machine.add("python3")
    done = machine.run(PYTHON=str(named))
    assert done.returncode == 1
    assert said in done.stderr
    assert not (machine.clone / ".venv").exists()


@pytest.mark.parametrize(
    ("environment", "python", "again"),
    [
        (None, None, True),
        ({}, None, False),
        ({"no_pip": 1}, None, True),  # interrupted, or its Python was replaced
        ({"too_old": 1}, None, True),
        ({"version": "3.12.4"}, "3.12.4", False),
        ({"version": "3.11.2"}, "3.12.4", True),
    ],
)
def test_an_environment_that_cannot_be_used_is_made_again(machine, environment, python, again):
    if environment is not None:
        machine.add(".venv/bin/python", **environment)
    settings = {"PYTHON": str(machine.add("own/python", python))} if python else {}
    machine.add("python3", "3.12.4")
    found = machine.run("--check", **settings).stdout.strip()
    assert found == ("again" if again else "")
    assert machine.run(**settings).returncode == 0
    assert ("-m venv --clear .venv" in machine.calls()) == again
    assert machine.run("--check", **settings).stdout == ""


def test_an_installation_that_stops_is_taken_up_again(machine):
    machine.add("python3")
    stopped = machine.run(PIP_STATUS="1")
    assert stopped.returncode == 1
    assert "Run the same command again" in stopped.stderr
    assert not (machine.clone / ".venv" / "ready").exists()
    assert machine.run().returncode == 0
    assert machine.calls().count("-m venv") == 1
    assert (machine.clone / ".venv" / "ready").exists()


@pytest.mark.parametrize("index", ["", "https://example.org/whl"])
def test_pytorchs_own_index_is_used_where_it_helps(machine, index):
    machine.add("python3")
    assert machine.run(INDEX=index).returncode == 0
    (install,) = [line for line in machine.calls().splitlines() if "-m pip" in line]
    assert (f"--extra-index-url {index}" in install) == bool(index)


def test_a_disk_that_is_nearly_full_is_named(machine):
    machine.add("python3")
    (machine.programs / "df").unlink()
    df = machine.programs / "df"
    df.write_text("#!/bin/sh\necho head\necho disk 9 8 1048577 99% /\n")
    df.chmod(0o755)
    assert "This disk has 1 GB left" in machine.run().stderr


def test_make_asks_it_each_time():
    """`make` goes by dates, and an environment can be broken and newer than the lists."""
    recipe = (ROOT / "Makefile").read_text().partition("$(READY):")[2]
    assert "tools/environment.sh --check)" in recipe.partition("\n")[0]
    done = subprocess.run(
        ["make", "-n", "lint", "PYTHON=/nowhere/python"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sh tools/environment.sh" in done.stdout
