"""The order of the book, from ``book/_toc.yml``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

TOC = Path(__file__).parents[1] / "book" / "_toc.yml"


def documents(toc: Path = TOC) -> list[str]:
    """List every document, in order, as a path without its suffix."""
    tree = yaml.safe_load(toc.read_text(encoding="utf-8"))
    return [tree["root"], *_below(tree)]


def _below(node: dict) -> Iterator[str]:
    for part in node.get("parts", []):
        yield from _below(part)
    for child in node.get("chapters", []) + node.get("sections", []):
        yield child["file"]
        yield from _below(child)
