"""The revisions on the Hub, recorded once more: changing one takes two edits, so none slips."""

import re
from pathlib import Path

from repository import ROOT, texts

from helpers.sources import datasets
from helpers.sources.checkpoints import CHECKPOINTS

RECORDED = {
    "google-bert/bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english": (
        "714eb0fa89d2f80546fda750413ed43d93601a13"
    ),
    "distilbert/distilbert-base-uncased": "12040accade4e8a0f71eabdb258fecc2e7e948be",
    "openai-community/gpt2": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "nyu-mll/glue": "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    # the encoder that the Python package carries
    "sentence-transformers/all-MiniLM-L6-v2": "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
}
# a whole revision, and neither a part of a checksum nor of a file's name
REVISION = re.compile(r"(?<![\w/+-])[0-9a-f]{40}(?![\w/+])")
# an option that pins one, whatever it is set to
PINNED = re.compile(r"""\brevision["']?\s*[=:]\s*f?["']([^"'{\n]+)["']""")
SELF = Path(__file__).resolve()


def written() -> dict[Path, str]:
    """Read what people write: code, settings, prose; not what a program writes."""
    made = {"requirements.lock", "package-lock.json", "SHA256SUMS"}
    suffixes = (".py", ".pyi", ".md", ".yml", ".toml", ".js")
    return {
        path: text
        for path, text in texts(*suffixes).items()
        if path.name not in made and path != SELF
    }


def test_the_code_pins_the_recorded_revisions():
    pinned = {each.repository: each.revision for each in CHECKPOINTS.values()}
    pinned[datasets.REPOSITORY] = datasets.REVISION
    assert pinned.items() <= RECORDED.items()


def test_no_other_revision_is_named_anywhere():
    """In code, in prose, in a notebook, in a test."""
    named = set()
    for path, text in written().items():
        found = set(REVISION.findall(text))
        assert found <= set(RECORDED.values()), path
        named |= found
    assert named == set(RECORDED.values())


def test_a_revision_belongs_to_its_repository():
    for path, text in written().items():
        for line in text.splitlines():
            repositories = [name for name in RECORDED if f"`{name}`" in line or f'"{name}"' in line]
            if len(repositories) == 1:
                assert set(REVISION.findall(line)) <= {RECORDED[repositories[0]]}, path


def test_what_reads_from_the_hub_says_which_revision_and_never_a_branch():
    """Each place in helpers, tools and notebooks that pins a revision pins a recorded one."""
    folders = ("helpers", "tools", "notebooks", "book")
    for path, text in written().items():
        if path.relative_to(ROOT).parts[0] in folders:
            assert set(PINNED.findall(text)) <= set(RECORDED.values()), path


def test_each_revision_is_once_in_the_code():
    code = "".join(
        text
        for path, text in written().items()
        if path.relative_to(ROOT).parts[0] in ("helpers", "tools") and path.suffix == ".py"
    )
    pinned = [each.revision for each in CHECKPOINTS.values()] + [datasets.REVISION]
    for revision in pinned:
        assert code.count(revision) == 1, revision
