"""A link's text names what the link leads to: a page, a term, a paper or a number."""

import re
from pathlib import Path

import pytest

from tools.toc import documents

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("*.md"), *ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*/*/*.md")])
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^()\s]+)\)")
NAME_AND_YEAR = re.compile(
    r"([A-ZÀ-Þ][\w-]+)(?: and ([A-Z][\w-]+)| et al\.)?,? \(?((?:19|20)\d\d)\)?"
)

# Names that share no word with the term, or that the paper's entry doesn't give.
OTHER_NAMES = {
    "apache-2.0": "LICENSE",
    "bpe": "term-byte-pair-encoding",
    "gpt": "radford-2018",
    "gpt-2": "radford-2019",
    "gpt-3": "brown-2020",
    "marian": "junczys-dowmunt-2018",
    "pretrained": "term-pretraining",
    "transformer": "vaswani-2017",
}


def words(text):
    """Give the words of a text, a name or a slug, without endings that don't matter."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)  # DataLoader
    found = re.findall(r"[^\W_]+", text.lower())
    return {re.sub(r"(?<=\w{3})(s|al)$", "", word) for word in found}


def headings(text):
    """Give the words of a document's first heading."""
    return words(re.search(r"^# +(.+)$", text, re.MULTILINE)[1])


@pytest.fixture(scope="module")
def terms():
    """The words of each term of the glossary, by its anchor."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^:::\{glossary\}\n(.*?)^:::$", text, re.MULTILINE | re.DOTALL)
    names = re.findall(r"^(?!:)(\S.*)$", "\n".join(blocks), re.MULTILINE)
    slugs = {re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"): words(name) for name in names}
    return {f"term-{slug}": found for slug, found in slugs.items()}


@pytest.fixture(scope="module")
def papers():
    """The entry of each paper, by its label."""
    text = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\((\S+)\)=\n((?:.+\n)+)", text, re.MULTILINE))


def misleading(text, target, terms, papers):
    """Tell whether a link's text names another thing than its target."""
    page, _, anchor = target.partition("#")
    name = text.strip("`*").lower()
    if OTHER_NAMES.get(name) == (anchor or page) or len(name.split()) > 8:  # a description
        return False
    if anchor.startswith("term-"):
        named = [slug for slug, found in terms.items() if found == words(text)]
        return anchor not in named if named else not words(text) & words(anchor[5:])
    if anchor in papers:
        cited = NAME_AND_YEAR.fullmatch(text)
        if cited:
            first, second, year = cited.groups()
            listed = papers[anchor].partition("*" * 2 + " ")[0]
            return any(part not in listed for part in (first, second, year) if part)
        return text not in papers[anchor]
    if "://" in target:  # numbers of papers and issues
        return any(number not in target for number in re.findall(r"\d{3,}(?:\.\d+)?", text))
    number, other = (re.match(r"\d-\d", one) for one in (text, Path(page).name))
    if number and not (other and number[0] == other[0]):
        return True
    title = text[3:].strip() if number else text
    source = ROOT / "notebooks" / "en"
    found = [*source.glob(f"*/{Path(page).stem}.md"), *ROOT.glob(f"book/{Path(page).name}")]
    path = found[0] if found else None
    about = words(target) | (headings(path.read_text(encoding="utf-8")) if path else set())
    return bool(title) and not words(title) & about


def links():
    for path in SOURCES:
        for text, target in LINK.findall(path.read_text(encoding="utf-8")):
            yield path, " ".join(text.split()), target


def test_a_link_s_text_names_its_target(terms, papers):
    found = list(links())
    assert len(found) > 300
    wrong = [
        f"{path.name}: [{text}]({target})"
        for path, text, target in found
        if misleading(text, target, terms, papers)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("logits", "../../../book/glossary.md#term-softmax"),
        ("attention mask", "glossary.md#term-attention"),
        ("attention", "glossary.md#term-attention-mask"),
        ("tokens", "glossary.md#term-tokenizer"),
        ("BPE", "glossary.md#term-wordpiece"),
        ("Devlin et al., 2019", "bibliography.md#vaswani-2017"),
        ("Radford et al., 2018", "bibliography.md#radford-2019"),
        ("Clark et al. (2019)", "bibliography.md#clark-2020"),
        ("Kudo and Richardson, 2018", "bibliography.md#kudo-2018"),
        ("RoBERTa", "bibliography.md#devlin-2019"),
        ("GPT-3", "bibliography.md#radford-2019"),
        ("2-3", "../2-using-transformers/2-4-several-sequences.ipynb"),
        ("2-3 Tokenizers", "2-4-several-sequences.ipynb"),
        ("Tokenizers", "2-4-several-sequences.ipynb"),
        ("2-4 Tokenizers", "2-4-several-sequences.ipynb"),
        ("Then and now", "publish.md"),
        ("arXiv:1706.03762", "https://arxiv.org/abs/1706.03763"),
        ("accelerate #2741", "https://github.com/huggingface/accelerate/issues/2714"),
    ],
)
def test_a_link_to_something_else_is_noticed(terms, papers, text, target):
    assert misleading(text, target, terms, papers)


def test_the_anchors_of_this_test_are_those_of_the_book(terms, papers):
    """Otherwise a link to a term or a paper would be compared with nothing."""
    anchors = {target.partition("#")[2] for _, _, target in links() if ".md#" in target}
    known = {*terms, *papers}
    assert {anchor for anchor in anchors if anchor.startswith("term-")} <= known
    assert len(terms) > 100
    assert len(papers) > 40
    assert "book/glossary" in documents()
