"""Find words that the book no longer uses, and say what to write instead.

    python -m tools.lint_words

It reads the sources of the notebooks, their exercises and questions, the pages of the site, README
and CONTRIBUTING. Addresses of links aren't read, because some contain the words of other people.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
CHECKED = (
    "notebooks/*/*/*.md",
    "book/*.md",
    "README.md",
    "CONTRIBUTING.md",
    "helpers/practice/**/*.yaml",
)
# A regular expression, and what to write instead; a space also matches a line break. A word is
# added here as soon as no file uses it anymore.
WORDS = {
    # American spelling
    r"(?:colour|favour|honour|behaviour|flavour|labour)\w*": "the spelling with -or",
    r"(?:recogn|normal|token|initial|summar|optim|general|minim|maxim|visual|special|random|util)is"
    r"(?:es?|ed|ing|ers?|ations?)": "the spelling with -ize",
    r"analys(?:ed|ing|ers?)": "analyze",
    r"organis\w+|neighbour\w*": "organize, neighbor",
    r"grey": "gray",
    r"\d+ % \w+": "no space before the percent sign: 95% of",
    r"(?:un)?(?:model|label|cancel|travel)l(?:ed|ing)": "one l: modeling, labeled",
    r"centre[ds]?": "center",
    r"catalogues?": "catalog",
    r"licence[ds]?": "license",
    r"defence|offence": "the spelling with -ense",
    r"judgements?": "judgment",
    r"artefacts?": "artifact",
    r"practis(?:es?|ed|ing)": "practice",
    r"programmes?": "program",
    r"spelt|burnt|dreamt|leapt|learnt": "the form with -ed",
    r"whilst|amongst": "while, among",
    # rare words and turns
    r"mend(?:s|ed|ing)?": "fix",
    r"whoever": "the person who, or a name",
    r"t(?:ake|akes|aking|ook) down": "record, write",
    r"hear(?:s|d)? of": "be told",
    r"anew": "again",
    r"the other way round": "the other way around, in reverse",
    r"one gets": "you get",
    r"simply|easily": "nothing: if it were easy, nobody would ask",
    r"spoil(?:s|ed|t|ing)?": "break, ruin",
    r"hand(?:s|ed|ing)? out": "distribute, share",
    r"(?:there|where|here)(?:of|upon|with|by)": "of it, with it, or the thing's name",
    r"whence|wherein|therein": "where, in it",
    r"(?:that|those) which": "what",
    r"(?:are|be|is) had": "you get",
    r"fill(?:s|ed)? up to": "pad to",
    r"into the bargain": "as well",
    r"kinship": "relation",
    r"lest": "so that … not",
    r"shall": "will, should",
}
ADDRESS = re.compile(r"(?<=\])\([^()\s]*\)|https?://\S+")


class Finding(NamedTuple):
    """A word that the book no longer uses."""

    path: Path
    line: int
    word: str
    instead: str


def blank(match: re.Match[str]) -> str:
    """Replace each character except for line breaks by a space."""
    return re.sub(r"\S", " ", match[0])


def findings(path: Path) -> Iterator[Finding]:
    """Give each such word in a file, in the order of `WORDS`."""
    text = ADDRESS.sub(blank, path.read_text(encoding="utf-8"))
    for pattern, instead in WORDS.items():
        spaced = pattern.replace(" ", r"\s+")
        for match in re.finditer(rf"\b(?:{spaced})\b", text, re.IGNORECASE):
            line = text.count("\n", 0, match.start()) + 1
            yield Finding(path, line, " ".join(match[0].split()), instead)


def files() -> list[Path]:
    """List the files that are checked."""
    return sorted(path for pattern in CHECKED for path in ROOT.glob(pattern))


def main(paths: Iterable[Path] | None = None) -> int:
    """Print what was found, and give 1 if that is anything."""
    found = [one for path in (paths or files()) for one in findings(path)]
    for path, line, word, instead in found:
        place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"{place}:{line}: expected {instead!r}, got {word!r}.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
