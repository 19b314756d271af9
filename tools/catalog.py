"""Collect the texts that readers see for translators, and compile what these wrote.

    python -m tools.catalog

Writes ``helpers/words/helpers.pot``. A translation is a copy of it, as
``helpers/words/LANGUAGE/LC_MESSAGES/helpers.po``. Each is checked, and compiled to the ``.mo`` that
the helpers read.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from helpers.display.live_widget import texts_in
from helpers.words import FOLDER

ROOT = Path(__file__).parents[1]
TEMPLATE = FOLDER / "helpers.pot"
# in the order of the template
SOURCES = (
    "helpers/**/*.py",
    "helpers/display/live/*.js",
    "helpers/practice/exercises/*.yaml",
    "helpers/practice/questions/*.yaml",
    "book/_ext/*.py",
)
FIELDS = ("right", "hint", "hints", "question", "text", "why")  # those of a .yaml that are words
HEADER = """\
# The words of the book's helpers: see "The words of the helpers" in CONTRIBUTING.md.
# Keep what is between braces or backticks, and **, as it is."""
CHANGING = r'^"(?:POT-Creation-Date|PO-Revision-Date|Generated-By): .*\n'


def texts(path: Path) -> Iterator[str]:
    """Give the texts in a file, always in the same order."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        yield from texts_in(source)
    elif path.suffix == ".yaml":
        yield from words_of(yaml.safe_load(source))
    else:
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(ast.Name("words"), [ast.Constant(str(text))]):
                    yield text


def words_of(part: object, field: str = "") -> Iterator[str]:
    """Give the words of a part of an exercise or a question, which is under the name `field`."""
    match part:
        case dict():
            for name, value in part.items():
                yield from words_of(value, name)
        case list():
            for value in part:
                yield from words_of(value, field)
        case str() if field in FIELDS:
            yield part


def template() -> str:
    """Write the template, without dates and line numbers: it changes only with the texts."""
    catalog = Catalog(project="transformers-course-book", header_comment=HEADER)
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for text in texts(path):
                catalog.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    for message in catalog:
        message.flags.discard("python-format")  # a per cent sign is nothing but itself
    file = io.BytesIO()
    write_po(file, catalog, width=100, include_lineno=False)
    return re.sub(CHANGING, "", file.getvalue().decode(), flags=re.MULTILINE)


def problems(catalog: Catalog) -> Iterator[str]:
    """Describe each translation that doesn't keep the braces of its text, or the pairs of ticks."""
    for message in catalog:
        if not (message.id and message.string):
            continue
        expected, got = (set(re.findall(r"\{\w*\}", t)) for t in (message.id, message.string))
        if expected != got or message.string.count("`") % 2:
            kept = ", ".join(sorted(expected)) or "no braces"
            yield (
                f"expected {kept} and closed backticks in the translation of {message.id!r}; got "
                f"{message.string!r}."
            )


def compile_translation(path: Path) -> list[str]:
    """Compile a ``.po`` to the ``.mo`` beside it, if it has no problems. Return these."""
    catalog = read_po(io.BytesIO(path.read_bytes()))
    found = list(problems(catalog))
    if not found:
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
    return found


def main() -> int:
    """Write the template and compile the translations. Return 1 if one is wrong."""
    TEMPLATE.write_text(template(), encoding="utf-8")
    found = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in sorted(FOLDER.glob("*/LC_MESSAGES/helpers.po"))
        for problem in compile_translation(path)
    ]
    print(*found, sep="\n", end="\n" * bool(found), file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
