"""What the book says of its own words and papers: stand-ins, originals, course notes, models."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "book" / f"{n}.md" for n in ("introduction", "glossary", "welcome", "then-and-now")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*/*.md"))
FIRST_CHAPTERS = [path for path in NOTEBOOKS if path.name[0] in "12"]

# The architecture of each original, as `model_type` in its config.json calls it.
ORIGINALS = {
    "bert-base-uncased": "bert",
    "distilbert-base-uncased": "distilbert",
    "distilbert-base-uncased-finetuned-sst-2-english": "distilbert",
    "gpt2": "gpt2",
}
# Models that have papers, beside those that are an architecture of the library.
MORE_MODELS = {"ELMo", "GPT", "GPT-3", "LSTM", "MiniLM", "Transformer-XL", "XLM-R", "word2vec"}


def prose(path: Path) -> str:
    """Give the words of a page or a notebook: no code, no metadata, each space a single one."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^\+\+\+.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^:+\{admonition\}.*$", "", text, flags=re.MULTILINE)  # titles
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return " ".join(text.split())


def entry(term: str) -> str:
    """Give what the glossary says of a term."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    found = re.search(rf"^{term}\n(?:\S.*\n)*((?:  .*\n)+)", text, re.MULTILINE)
    return " ".join(found[1].split())


def test_the_glossary_says_which_standins_are_of_the_originals_architecture():
    from transformers import AutoConfig, AutoTokenizer

    from helpers.sources.checkpoints import CHECKPOINTS, resolve

    said = re.search(
        r"The stand-ins of (.+?) have the original's (.+?)\. Those of (.+)", entry("stand-in")
    )
    same, other = (re.findall(r"(?<!\})`([\w-]+)`", part) for part in (said[1], said[3]))
    assert {*same, *other} == ORIGINALS.keys() == CHECKPOINTS.keys()
    folders = {name: resolve(name) for name in ORIGINALS}
    types = {name: AutoConfig.from_pretrained(folders[name]).model_type for name in ORIGINALS}
    assert {name for name in types if types[name] == ORIGINALS[name]} == {*same}
    assert {types[name] for name in other} == {"bert"}
    words = [AutoTokenizer.from_pretrained(folder).get_vocab() for folder in folders.values()]
    assert all(one == words[0] for one in words)


def models(text: str) -> set[str]:
    """Find the models that a text names: BERT and GPT-2, but not bert or bert-base-uncased."""
    from transformers import CONFIG_MAPPING

    words = set(re.findall(r"(?<![\w/`-])[A-Za-z][\w-]*\w(?![\w`])", text))
    types = {name.replace("-", "").replace("_", "") for name in CONFIG_MAPPING}
    architectures = {word for word in words if word.replace("-", "").lower() in types}
    marked = {word for word in architectures if re.search(r"[A-Z].*[A-Z0-9]", word)}
    return marked | (words & MORE_MODELS)


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda path: path.stem)
def test_each_model_that_is_named_has_a_paper_in_the_bibliography(path):
    papers = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    assert {name for name in models(prose(path)) if name not in papers} == set()


def test_models_are_found_where_they_are_named():
    """Otherwise the test above would look for nothing."""
    named = {path.name[:3]: models(prose(path)) for path in NOTEBOOKS}
    assert {"ALBERT", "BERT", "CTRL", "ELECTRA", "GPT-2", "T5", "Transformer-XL"} <= named["1-2"]
    assert {"BERT", "DistilBERT", "GPT-2", "T5", "XLM-R"} <= named["2-3"]
    assert models("A Reformer, a BERT, LLaMA, `BERT`, bert.") == {"BERT", "LLaMA"}


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda path: path.stem)
def test_a_citation_leads_to_the_bibliography(path):
    text = re.sub(r"\[[^\]]*\]\([^()\s]+\)", "", prose(path))
    assert (
        re.findall(r"[A-Z][\w-]+ et al\.,? \(?\d{4}|[A-Z]\w+ and [A-Z]\w+,? \(?\d{4}", text) == []
    )


@pytest.mark.parametrize("path", [*FIRST_CHAPTERS, *PAGES], ids=lambda path: path.stem)
def test_the_course_notes_have_one_name_and_a_link_where_they_first_occur(path):
    text = prose(path)
    words = re.sub(r"\]\([^()\s]+\)", "]", text.lower())
    named = r"(?<!course )\bnotes\b(?! of 2021| on the free course)"
    unnamed = re.findall(rf".{{30}}{named}.{{20}}", words)
    assert not unnamed
    if "course notes" in text and path.name != "glossary.md":
        first = text.index("course notes")
        assert re.match(r"course notes\]\(\S*glossary\.md#term-course-notes\)", text[first:])


@pytest.mark.parametrize("path", FIRST_CHAPTERS, ids=lambda path: path.stem)
def test_the_original_is_linked_where_it_first_occurs(path):
    first = re.search(r"\[?\boriginal\b(?:\]\((\S+?)\))?", prose(path))
    assert (first[1] or "").endswith("glossary.md#term-original")
