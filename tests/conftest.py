"""What several test modules share: the models, real sentences, and an ear for deprecations."""

import csv
import importlib.util
import logging
import os
from pathlib import Path

import pytest

# Nothing may be fetched: a test that tries fails. The tests of the Hub path set their own.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.pop("COURSE_SOURCE", None)

HELD_OUT = Path(__file__).parents[1] / "helpers" / "bundled" / "sentiment" / "held_out.csv"


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

    from helpers.checkpoints import resolve

    checkpoint = resolve("distilbert-base-uncased-finetuned-sst-2-english")
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint)
    return AutoTokenizer.from_pretrained(checkpoint), model.eval()


@pytest.fixture(scope="session")
def masked_model():
    """Tokenizer and model of the stand-in that fills in masked tokens."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    from helpers.checkpoints import resolve

    checkpoint = resolve("distilbert-base-uncased")
    model = AutoModelForMaskedLM.from_pretrained(checkpoint)
    return AutoTokenizer.from_pretrained(checkpoint), model.eval()


@pytest.fixture(scope="session")
def causal_model():
    """Tokenizer and model of the stand-in that continues a text."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from helpers.checkpoints import resolve

    checkpoint = resolve("gpt2")
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    return AutoTokenizer.from_pretrained(checkpoint), model.eval()


@pytest.fixture(scope="session")
def bert_tokenizer():
    """Tokenizer of the bert-base-uncased stand-in."""
    from transformers import AutoTokenizer

    from helpers.checkpoints import resolve

    return AutoTokenizer.from_pretrained(resolve("bert-base-uncased"))


@pytest.fixture(scope="session")
def sentences() -> list[tuple[str, str]]:
    """The held-out sentences of the sentiment adapter, each with its label."""
    with (HELD_OUT).open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


@pytest.fixture
def own_settings(tmp_path, monkeypatch):
    """Nothing of the machine's own settings reaches a test, and nothing of a test the machine."""
    for name in ("COURSE_SOURCE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def runner():
    """The script that runs and stores the notebooks."""
    spec = importlib.util.spec_from_file_location(
        "run", Path(__file__).parents[1] / "notebooks" / "run.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
