"""Hold each number in the book's prose to what was printed before it, or to a named source.

    python -m tools.prose

`problems` reads the Markdown cells of a notebook, with the text alternatives and the words of its
figures, and says which numbers nothing supports. `page_problems` does it for a page. This is where
a number may come from:

- **the output, code or comment** of one of the `WINDOW` code cells before it. One with four digits
  or more may come from any cell before it, because two of these hardly agree by accident;
- **the code of the next cell**, which the sentence announces;
- **any cell of the notebook**, for a figure and its text alternative;
- **`tests/recorded.py`**, in an admonition whose title begins with "The original's";
- **the lock**, for the version of a library;
- **a source**, named in the head of a page or in the metadata of a cell, such as
  ``+++ {"source": {"66 million": "Sanh et al., 2019"}}``. `named` lists the kinds of source.

Rounding is allowed: 0.86 fits 0.8612, 86% fits 0.861, and 22.7 million fits 22,713,216. What isn't
read at all: whole numbers below ten (see `tools.numerals`), and `RULES`.
"""

from __future__ import annotations

import re
import runpy
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml
from bs4 import BeautifulSoup
from nbformat import NotebookNode

from tools.numerals import Number, fits, one_of, read

ROOT = Path(__file__).parents[1]
WINDOW = 3  # code cells
DISTINCT = 4  # digits

CODE = re.compile(r"^ *```\w+\n(?:.*\n)*? *```$", re.MULTILINE)
RULES = {
    "the section of a cited paper": r"(?<=\)), section \d+(?:\.\d+)*",
    "the address of a link": r"(?<=\])\([^()\s]*\)",
    "the year of the course notes": r"\b(?:[Ii]n|of|from|since) 2021\b",
    "how long a notebook runs": r"\*\*How long it runs\.\*\*(?:.|\n)*?(?=\n\n|\n:::|\Z)",
    "code that isn't run": CODE.pattern,
    "the name of an exercise": r'"\d-\d/\d+"',
}
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]*)\)")
FIGURE = re.compile(r"!\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]*)\)")
RECORDED = re.compile(r"^:::\{admonition\} The original's .*\n(?:.*\n)*?:::$", re.MULTILINE)
# as the prose calls a library, and its name in the lock
LIBRARIES = {name: name for name in ["transformers", "datasets", "evaluate", "accelerate", "peft"]}
LIBRARIES |= {"pytorch": "torch", "version": "transformers"}
VERSION = re.compile(rf"\b({'|'.join(LIBRARIES)}|python)\s(\d+(?:\.\d+)?)\b", re.IGNORECASE)


class Claim(NamedTuple):
    """A number that the prose gives, and the text that gives it."""

    number: Number
    text: str
    in_figure: bool = False
    is_recorded: bool = False

    @property
    def sentence(self) -> str:
        """The words around the number."""
        before = re.split(r"\.\s|\n\n|\n\|", self.text[: self.number.start])[-1]
        after = re.split(r"(?<=[^A-Z]\.)\s|\n\n|\|\n", self.text[self.number.end :])[0]
        return " ".join(f"{before[-150:]}{self.number.text}{after[:150]}".split())


class Problem(NamedTuple):
    """A number that nothing supports."""

    cell: int
    what: str  # the number, or the phrase of a source
    sentence: str
    why: str


# --- From a notebook to its numbers ---


def claims(text: str, folder: Path) -> Iterator[Claim]:
    """Give the numbers in a piece of Markdown, and those in the figures that it shows."""
    recorded = [match.span() for match in RECORDED.finditer(text)]
    figures = list(FIGURE.finditer(text))
    rest = LINK.sub(_without_what_the_address_repeats, text)
    for rule in RULES.values():
        rest = re.sub(rule, _blank, rest, flags=re.MULTILINE)
    versions = [
        Number(match[0], match.start(), "version", (Decimal(match[2]),))
        for match in VERSION.finditer(rest)
    ]
    for number in versions + read(VERSION.sub(_blank, rest)):
        yield Claim(
            number,
            text,
            any(figure.start() <= number.start < figure.end() for figure in figures),
            any(start <= number.start < end for start, end in recorded),
        )
    for figure in figures:
        if figure[2].endswith(".svg"):
            words = svg_words((folder / figure[2]).resolve())
            yield from (Claim(number, words, True) for number in read(words))


def cell_claims(cell: NotebookNode, folder: Path) -> list[Claim]:
    """Give the numbers in a Markdown cell, or in the text alternative of a code cell's plot."""
    text = cell.source
    if cell.cell_type == "code":
        text = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    return list(claims(text, folder))


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"\S", " ", match[0])


def _without_what_the_address_repeats(match: re.Match[str]) -> str:
    """Blank the 2019 of [Devlin et al., 2019](bibliography.md#devlin-2019)."""
    numbers = set(re.findall(r"\d+", match[2]))
    words = re.sub(
        r"\d+(?:\.\d+)*",
        lambda m: _blank(m) if set(m[0].split(".")) <= numbers else m[0],
        match[1],
    )
    return f"[{words}]({match[2]})"


@cache
def svg_words(path: Path) -> str:
    """Give the title, description and labels of a figure."""
    svg = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return "\n".join(part.get_text(" ") for part in svg.find_all(["title", "desc", "text"]))


def printed(cell: NotebookNode) -> str:
    """Give the text of a code cell's stored outputs."""
    parts = []
    for output in cell.get("outputs", []):
        parts += [output.get("text", ""), output.get("evalue", "")]
        data = output.get("data", {})
        if "text/html" in data:
            page = BeautifulSoup(data["text/html"], "html.parser")
            for part in page.find_all(["style", "script"]):
                part.decompose()
            parts.append(page.get_text(" "))
        elif "image/png" not in data:  # whose text is only its size
            parts.append(data.get("text/plain", ""))
    return "\n".join(parts)


# --- From a number to what supports it ---


class Printed:
    """What the code cells of a notebook hold, for the numbers of its prose."""

    def __init__(self, notebook: NotebookNode) -> None:
        self.code: dict[int, list[Number]] = {}
        self.outputs: dict[int, list[Number]] = {}
        for place, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                self.code[place] = read(re.sub(r"(?<=\d)_(?=\d)", "", cell.source))
                self.outputs[place] = read(printed(cell))

    def holds(self, number: Number, places: list[int]) -> bool:
        """Tell whether one of these code cells has the number."""
        return any(
            fits(number, other)
            for place in places
            for other in self.code[place] + self.outputs[place]
        )

    def knows(self, number: Number) -> bool:
        """Tell whether any cell has the number, or the original printed it."""
        return self.holds(number, list(self.code)) or one_of(number, recorded())

    def before(self, place: int) -> list[int]:
        """List the code cells before a cell, and the cell itself."""
        return [other for other in self.code if other <= place]

    def supports(self, claim: Claim, place: int) -> bool:
        """Tell whether a number comes from the cells from which it may come."""
        before = self.before(place)
        if claim.in_figure:
            return self.holds(claim.number, list(self.code))
        digits = re.sub(r"\D", "", claim.number.text).lstrip("0")
        reach = 0 if len(digits.rstrip("0")) >= DISTINCT else -WINDOW
        announced = one_of(claim.number, self.code.get(place + 1, []))
        return announced or self.holds(claim.number, before[reach:])


def problems(path: Path, notebook: NotebookNode | None = None) -> list[Problem]:
    """List the numbers in a notebook's prose that nothing supports.

    Parameters
    ----------
    path : Path
        The ``.ipynb``.
    notebook : NotebookNode, optional
        The same notebook with other outputs.

    Returns
    -------
    list of Problem
        In the order of the cells.
    """
    notebook = notebook or nbformat.read(path, as_version=4)
    output = Printed(notebook)
    return [
        problem
        for place, cell in enumerate(notebook.cells)
        for problem in cell_problems(cell, place, output, path.parent)
    ]


def cell_problems(cell: NotebookNode, place: int, output: Printed, folder: Path) -> list[Problem]:
    """List the numbers in the prose of one cell that nothing supports."""
    own = read("\n".join(CODE.findall(cell.source)))  # code in the answer to an exercise
    return judge(
        cell_claims(cell, folder),
        cell.metadata.get("source", {}),
        lambda claim: output.supports(claim, place) or one_of(claim.number, own),
        output.knows,
        place,
    )


def page_problems(path: Path) -> list[Problem]:
    """List the numbers on a page of the site that have no source. A page prints nothing itself."""
    _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
    sources = yaml.safe_load(head).get("source", {})
    return judge(
        claims(text, path.parent), sources, lambda claim: False, lambda number: False, place=0
    )


def judge(
    found: Iterable[Claim],
    sources: dict[str, str],
    is_printed: Callable[[Claim], bool],
    is_above: Callable[[Number], bool],
    place: int,
) -> list[Problem]:
    """List the numbers of a text that nothing supports, and the sources that support nothing."""
    found = list(found)
    unused = set(sources)
    bad = []
    for claim in found:
        phrases = [phrase for phrase in sources if covers(phrase, claim)]
        unused -= set(phrases)
        if phrases:
            others = [other.number for other in found if other.number != claim.number]
            source = sources[max(phrases, key=len)]
            why = named(source, claim.number, lambda one, o=others: is_above(one) or one_of(one, o))
        elif claim.number.kind == "version":
            why = wrong_version(claim.number.text)
        elif claim.is_recorded:
            why = None if one_of(claim.number, recorded()) else "tests/recorded.py doesn't have it"
        else:
            why = None if is_printed(claim) else "no output or code before it has this number"
        if why:
            bad.append(Problem(place, claim.number.text, claim.sentence, why))
    return bad + [
        Problem(place, phrase, "", f"its source, {sources[phrase]!r}, supports no number")
        for phrase in sorted(unused)
    ]


def covers(phrase: str, claim: Claim) -> bool:
    """Tell whether a number is in a phrase that has a source."""
    pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, phrase.split())) + r"(?!\w)"
    start, end = claim.number.start, claim.number.end
    return any(m.start() <= start and end <= m.end() for m in re.finditer(pattern, claim.text))


# --- Where else a number may come from ---


def named(source: str, number: Number, is_known: Callable[[Number], bool]) -> str | None:
    """Say why a source doesn't support a number, or give None if it does.

    These are looked up and have to hold the number: ``elsewhere``, any cell of this notebook;
    another notebook, ``2-1``; a part of ``recorded``; a file of the book; a calculation whose own
    numbers are known. Of a test, a paper and a page on the Web only the name is checked. ``given``
    is for what an exercise or an example assumes.
    """
    file, _, test = source.partition("::")
    if source == "given":
        return None
    if source == "elsewhere":
        return None if is_known(number) else "no cell of the notebook has it"
    if re.fullmatch(r"[\d\s.+*/()-]*[+*/-][\d\s.+*/()-]*", source) and not NOTEBOOK.fullmatch(
        source
    ):
        return _calculated(source, number, is_known)
    if NOTEBOOK.fullmatch(source):
        others = _of_notebook(source)
    elif source.startswith("recorded."):
        others = recorded(source.removeprefix("recorded."))
    elif (ROOT / file).is_file():
        text = (ROOT / file).read_text(encoding="utf-8")
        if test:  # proven there
            return None if f"def {test}(" in text else f"there is no {source}"
        others = read(text)
    elif source.startswith("https://") or _is_paper(source):
        return None
    else:
        return f"{source!r} is no kind of source"
    if number.kind == "share":
        others = [other._replace(kind="calculated") for other in others if other.kind == "decimal"]
    return None if one_of(number, others) else f"{source} doesn't have it"


NOTEBOOK = re.compile(r"\d-\d")


def _calculated(source: str, number: Number, is_known: Callable[[Number], bool]) -> str | None:
    for operand in read(source):
        if not is_known(operand):
            return f"{operand.text} in {source} is in no cell of the notebook"
    value = Decimal(str(eval(source, {"__builtins__": {}})))  # digits and operators, nothing else
    result = Number(source, 0, "calculated", (value,))
    operands = tuple(Decimal(digits) for digits in re.findall(r"\d+", source))
    if number.values == operands or fits(number, result):
        return None
    return f"{source} is {value:.6g}"


@cache
def _of_notebook(name: str) -> list[Number]:
    (path,) = (ROOT / "notebooks" / "en").glob(f"*/{name}-*.ipynb")
    output = Printed(nbformat.read(path, as_version=4))
    return [number for part in (output.code, output.outputs) for n in part.values() for number in n]


@cache
def recorded(name: str | None = None) -> list[Number]:
    """Give the numbers that the original checkpoints printed, all or those under one name."""
    values = runpy.run_path(str(ROOT / "tests" / "recorded.py"))
    if name:
        return read(repr(values.get(name)))
    return [number for each in values if each.isupper() for number in recorded(each)]


@cache
def _papers() -> str:
    return (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")


def _is_paper(source: str) -> bool:
    paper = re.match(r"[^\d]+, \d{4}", source)
    return bool(paper) and f"**{paper[0]}.**" in _papers()


def wrong_version(text: str) -> str | None:
    """Say which version the book installs, if it isn't the one that the prose names."""
    library, version = VERSION.fullmatch(text).groups()
    if library.lower() == "python":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        ours = project["requires-python"].removeprefix(">=")
    else:
        lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        ours = re.search(rf"^{LIBRARIES[library.lower()]}==(.*)", lock, re.MULTILINE)[1]
    return None if f"{ours}.".startswith(f"{version}.") else f"the book installs {ours}"


def pages() -> list[Path]:
    """List the pages of the site that are no notebooks, less the bibliography."""
    return [path for path in sorted((ROOT / "book").glob("*.md")) if path.stem != "bibliography"]


def main() -> int:
    """Print the numbers that nothing supports. Return 1 if there are any."""
    bad = {path: page_problems(path) for path in pages()}
    for path in sorted((ROOT / "notebooks").glob("*/*/*.ipynb")):
        bad[path] = problems(path)
    for path, found in bad.items():
        for place, what, sentence, why in found:
            print(f"{path.stem}, cell {place}: {what!r}, {why}: {sentence}")
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main())
