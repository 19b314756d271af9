"""What several test modules share: models, real sentences, and a check for deprecations."""

import csv
import importlib.util
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from helpers.sources.checksums import DATA
from tools.browsing import chromium, open_browser, serve

# No test may download anything: one that tries fails. The tests of the Hub set their own.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.pop("COURSE_SOURCE", None)
os.environ.pop("COURSE_LANGUAGE", None)

ROOT = Path(__file__).parents[1]
HELD_OUT = DATA / "sentiment" / "held_out.csv"


def pytest_configure(config):
    # A shell starts what runs in the background with Ctrl-C ignored, and every process that a test
    # starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _Announcements(logging.Handler):
    """Collect what a library logs, rather than warns, about its own future."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if any(word in message.lower() for word in ("deprecat", "will be removed")):
            self.found.append(f"{record.name}: {message}")


@pytest.fixture(autouse=True)
def no_announced_removals():
    """Fail a test during which a Hugging Face library logged a deprecation."""
    handler = _Announcements()
    loggers = [
        logging.getLogger(name)
        for name in (
            "transformers",
            "datasets",
            "huggingface_hub",
            "accelerate",
            "evaluate",
            "peft",
        )
    ]
    for logger in loggers:
        logger.addHandler(handler)
    yield
    for logger in loggers:
        logger.removeHandler(handler)
    assert not handler.found, f"a library announces a removal: {handler.found}"


@pytest.fixture(scope="session")
def sentiment():
    """Tokenizer and model of the sentiment stand-in."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from helpers.sources.checkpoints import resolve

    checkpoint = resolve("distilbert-base-uncased-finetuned-sst-2-english")
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint)
    return AutoTokenizer.from_pretrained(checkpoint), model.eval()


@pytest.fixture(scope="session")
def masked_model():
    """Tokenizer and model of the stand-in that fills in masked tokens."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    from helpers.sources.checkpoints import resolve

    checkpoint = resolve("distilbert-base-uncased")
    model = AutoModelForMaskedLM.from_pretrained(checkpoint)
    return AutoTokenizer.from_pretrained(checkpoint), model.eval()


@pytest.fixture(scope="session")
def causal_model():
    """Tokenizer and model of the stand-in that continues a text."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from helpers.sources.checkpoints import resolve

    checkpoint = resolve("gpt2")
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    return AutoTokenizer.from_pretrained(checkpoint), model.eval()


@pytest.fixture(scope="session")
def bert_tokenizer():
    """Tokenizer of the bert-base-uncased stand-in."""
    from transformers import AutoTokenizer

    from helpers.sources.checkpoints import resolve

    return AutoTokenizer.from_pretrained(resolve("bert-base-uncased"))


@pytest.fixture(scope="session")
def sentences() -> list[tuple[str, str]]:
    """The held-out sentences of the sentiment adapter, each with its label."""
    with (HELD_OUT).open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


@pytest.fixture
def own_settings(tmp_path, monkeypatch):
    """Keep the machine's own settings away from a test, and the test's files off the machine."""
    for name in ("COURSE_SOURCE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def runner():
    """The script that runs and stores the notebooks."""
    from tools import run_notebooks

    return run_notebooks


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built from scratch as ``make book`` does; once for all test processes.

    While you work on a test, ``BOOK_SITE=_build/html`` uses one that is built already.
    """
    if "BOOK_SITE" in os.environ:
        return Path(os.environ["BOOK_SITE"]).resolve()
    output = _shared(tmp_path_factory) / "built-site"
    with FileLock(f"{output}.lock"):
        return _build(ROOT, output)


# What somebody writes into _config.yml who publishes the book: see book/publish.md.
OWN = {
    "title": "Mine & yours",
    "author": "Ada",
    "repository": {"url": "https://github.com/ada/mine", "branch": "main"},
}


@pytest.fixture(scope="session")
def own_site(tmp_path_factory):
    """The site with another title, author and repository, and a JupyterHub, built strictly."""
    folder = _shared(tmp_path_factory) / "own-site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            kept_out = shutil.ignore_patterns(".git", ".venv", "_build", "tests", ".*_cache")
            shutil.copytree(ROOT, folder, ignore=kept_out)
            page = (ROOT / "book" / "publish.md").read_text()
            quoted = textwrap.dedent(re.search(r"```yaml\n(.*?) *```", page, re.DOTALL)[1])
            settings = (folder / "_config.yml").read_text()
            hub = 'jupyterhub_url: ""'
            assert settings.count(quoted) == settings.count(hub) == 1, "the page quotes the lines"
            settings = settings.replace(quoted, yaml.safe_dump(OWN))
            settings = settings.replace(hub, "jupyterhub_url: https://hub.example.org")
            (folder / "_config.yml").write_text(settings)
        return _build(folder, folder)


def _shared(tmp_path_factory):
    """Give the folder that all test processes share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def _build(source, output):
    """Build a site, if it isn't there yet, with the command of ``make book``."""
    recipe = re.search(r"/jupyter-book (build .+?) \|\|", (ROOT / "Makefile").read_text())
    arguments = shlex.split(recipe[1])
    assert {"-W", "-n"} <= set(arguments), "make book builds strictly"
    built = output / "_build" / "html"
    if not (built / "index.html").is_file():
        program = Path(sys.executable).with_name("jupyter-book")
        done = subprocess.run(
            [program, *arguments, "--path-output", output],
            cwd=source,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return built


def _book_module(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "book" / "_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def course_policy():
    """The part of the Sphinx extension that gives pages their policy."""
    return _book_module("course_policy")


@pytest.fixture(scope="session")
def course_site():
    """The Sphinx extension, which imports its parts from its own folder."""
    folder = str(ROOT / "book" / "_ext")
    sys.path.insert(0, folder)
    try:
        return _book_module("course_site")
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="session")
def needs_browser():
    """Skip where the machine has no browser, and say so in pytest's summary.

    With ``BOOK_NEEDS_BROWSER=1``, as in ``.ci/run``, fail instead.
    """
    if chromium() is None:
        reason = "NO BROWSER: not tested. On Debian: apt-get install chromium-headless-shell"
        if os.environ.get("BOOK_NEEDS_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(needs_browser):
    """Chromium, which can reach this machine only."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def address(site):
    """The address of the site, served on this machine."""
    with serve(site) as address:
        yield address
