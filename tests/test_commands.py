"""Each command that a page tells people to type exists, with its options and what it names."""

import functools
import os
import platform
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ROOT, texts

PAGES = sorted(texts(".md"))
BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# in a line of prose: what starts with one of these is a command, if something follows it
INLINE = re.compile(
    r"`((?:[A-Z_]+=\S+ )*(?:make|(?:\.venv/bin/)?python[\d.]*|pip|jupyter|conda|apt-get|git"
    r"|sha256sum|torchrun|accelerate|npm|pytest|ruff|\.venv/bin/\w+)(?: [^`]+))`"
)
MAKEFILE = (ROOT / "Makefile").read_text()
CI = (ROOT / ".ci" / "run").read_text()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def commands(text: str) -> list[list[str]]:
    """Find the commands on a page, as words."""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    lines += INLINE.findall(text)
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def check_make(words: list[str], page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            assert f"$({name})" in MAKEFILE or f"{name} ?=" in MAKEFILE, word
            choices = re.search(rf"case '\$\({name}\)' in(.*?)esac", MAKEFILE, re.DOTALL)
            if choices:
                allowed = re.findall(r"([\w|]+)\)", choices[1])
                assert value in {each for group in allowed for each in group.split("|")}, word
        else:
            assert word in targets, word


@functools.cache
def help_of(module: str) -> str:
    """Ask a module for its options; pip's are those of its subcommand."""
    command = [sys.executable, "-m", *module.split(), "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_python(words: list[str], page: Path) -> None:
    assert words[0] == "-m", "a page starts modules, not scripts"
    module, *arguments = words[1:]
    if module == "pip":
        return check_pip(arguments, page)
    if module.startswith("tools."):
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        assert path.is_file(), module
        known = path.read_text()
        assert '__name__ == "__main__"' in known, f"{module} can't be started"
    else:
        known = help_of(module)
    for word in arguments:
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word.split('=')[0])}(?![\w-])", known), word
    return None


def check_pip(words: list[str], page: Path) -> None:
    known = help_of(f"pip {words[0]}")
    for option, value in zip(words[1:], [*words[2:], ""], strict=True):
        if option.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known), option
        if option in ("-c", "-r"):
            assert (ROOT / value).is_file(), value
        if option.startswith("."):
            extra = re.fullmatch(r"\.(?:\[(\w+)\])?", option)
            assert extra, option
            assert extra[1] is None or extra[1] in EXTRAS, option


def check_apt_get(words: list[str], page: Path) -> None:
    """What Debian calls it, CI installs."""
    assert words[0] == "install"
    for name in words[1:]:
        assert re.search(rf"[( ]{re.escape(name)}[) ]", CI), name


def check_uv(words: list[str], page: Path) -> None:
    """Check its own options, then what it installs or runs."""
    if words[0] == "pip":
        known = help_of(f"uv pip {words[1]}")
        check_pip(words[1:], page)
    elif words[0] == "run":
        known = help_of("uv run")
        check(words[words.index("python") :], page)
        words = words[: words.index("python")]
    else:
        known = help_of(f"uv {words[0]}")
    for word in words:
        if word.startswith("--"):
            assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", known), word


def check_conda(words: list[str], page: Path) -> None:
    assert words[:3] == ["env", "create", "-f"]
    assert (ROOT / words[3]).is_file(), words[3]


def check_sha256sum(words: list[str], page: Path) -> None:
    assert words[0] == "-c"
    assert (page.parent / words[1]).is_file(), words[1]


def check_accelerate(words: list[str], page: Path) -> None:
    """Read the options in its source: importing it takes seconds. A script lies beside the page."""
    place = Path(sysconfig.get_path("purelib"), "accelerate", "commands", words[0])
    assert place.is_dir() or place.with_suffix(".py").is_file(), words[0]
    known = place.with_suffix(".py").read_text() if not place.is_dir() else ""
    for word in words[1:]:
        if word.endswith(".py"):
            known = (page.parent / word).read_text()
        elif word.startswith("--"):
            assert f'"{word}"' in known, word


CHECKS: dict[str, Callable[[list[str], Path], None]] = {
    "make": check_make,
    "python": check_python,
    "pip": check_pip,
    "uv": check_uv,
    "apt-get": check_apt_get,
    "conda": check_conda,
    "sha256sum": check_sha256sum,
    "accelerate": check_accelerate,
}


def check(words: list[str], page: Path) -> None:
    """Check one command: its variables, its program, and the rest as that program takes it."""
    while re.match(r"[A-Z_]+=", words[0]):
        variable = words.pop(0).partition("=")[0]
        assert variable in variables(), variable
    program, *rest = words
    if program.startswith(".venv/bin/"):
        program = program.removeprefix(".venv/bin/")
        assert Path(sys.executable).with_name(program).exists(), program
    program = re.sub(r"^python[\d.]+$", "python", program)
    assert program in CHECKS, f"no check of {program}: add one"
    CHECKS[program](rest, page)


@functools.cache
def variables() -> set[str]:
    """Name what is in capitals in the code, the settings and the Makefile; and pip's variables."""
    wrong = {Path(__file__), ROOT / "tests" / "faults" / "test_faults.py"}  # wrong on purpose
    code = [text for path, text in texts(".py", ".yml", "").items() if path not in wrong]
    options = re.findall(r"--([a-z-]+)", help_of("pip install"))
    return set(re.findall(r"\b[A-Z][A-Z_]{2,}\b", "\n".join(code))) | {
        f"PIP_{option.upper().replace('-', '_')}" for option in options
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(page):
    for words in commands(page.read_text()):
        check(words, page)


def test_the_commands_of_readme_contributing_and_publishing_are_found():
    """Else the test above would pass on nothing."""
    for name, least in (("README.md", 6), ("CONTRIBUTING.md", 8), ("book/publish.md", 4)):
        assert len(commands((ROOT / name).read_text())) >= least, name


@pytest.mark.parametrize(
    "wrong",
    [
        "make site",
        "make adapter NAME=sentence",
        "make lab PORT=8888",
        "COURSE_ORIGIN=hub make lab",
        "python -m tools.measures",
        "python -m tools.measure --quick",
        "python -m http.server --folder _build/html",
        "python -m pip install -c requirements.txt -e .",
        "python -m pip install -e '.[test]'",
        "apt-get install chromium-browser",
        "conda env create -f conda.yml",
        "poetry install",
        "uv venv --pythons 3.13",
        "uv pip install -c requirements.txt -e .",
        "uv run --no-synch python -m jupyterlab",
        ".venv/bin/jupyter-books build .",
    ],
)
def test_a_wrong_command_is_noticed(wrong):
    with pytest.raises(AssertionError):
        check(shlex.split(wrong), ROOT / "README.md")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "book/publish.md"])
def test_the_files_and_names_that_a_page_mentions_exist(name):
    """A path with a slash, and a name in capitals, both in code spans."""
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", (ROOT / name).read_text()):
        if re.fullmatch(r"[\w.*-]+/[\w./*-]*", span) and "NAME" not in span:
            made = span.startswith("_build/")
            places = [ROOT, *ROOT.glob("[a-z]*/"), *ROOT.glob("helpers/[a-z]*/")]
            assert (
                (made and span in MAKEFILE)
                or span == ".venv/"
                or any(next(place.glob(span.rstrip("/")), None) for place in places)
            ), span
        if re.fullmatch(r"[A-Z][A-Z_]{3,}", span) and span != "NAME":
            assert span in variables(), span


def test_each_program_that_says_how_it_is_started_can_be():
    """The head of a program in tools gives its command."""
    for path, text in texts(".py").items():
        for module in re.findall(r"python -m ([\w.]+)", text):
            if module.startswith(("tools.", "helpers.")) and path != Path(__file__):
                place = ROOT / Path(*module.split("."))
                assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), path


PAGES_ASKED_FOR = """
import resource, torch
def step():
    # as large as the gradient of the word vectors, 47 MB; what is last in memory is cut off, too
    gradient, small, last = (torch.ones(n, 384) for n in (30_522, 341, 61_044))
    del gradient, last
for _ in range(20):  # it takes up to eight until glibc finds the same place each time
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    platform.libc_ver() < ("glibc", "2.36"),
    reason="seen with glibc from 2.36 on; others may ignore it",
)
def test_what_make_starts_keeps_the_memory_of_a_step():
    """Each of 10 steps needs 34,338 pages of 4 KB; none if it keeps those of the one before."""
    exported = dict(re.findall(r"^export (\w+) := (\S+)$", MAKEFILE, re.MULTILINE))
    pages = {}
    for name, settings in {"plain": {}, "make": exported}.items():
        environment = {k: v for k, v in os.environ.items() if k not in exported} | settings
        done = subprocess.run(
            [sys.executable, "-c", PAGES_ASKED_FOR],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        pages[name] = int(done.stdout)
    assert pages["make"] < 10_000 < pages["plain"], pages
