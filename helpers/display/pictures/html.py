"""What the pictures are made of. `live/parts.js` has the same parts in JavaScript."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

CSS = (Path(__file__).parents[1] / "pictures.css").read_text(encoding="utf-8")


class Html(str):
    """Text that is HTML already, and must not be escaped again."""


class Picture(Html):
    """HTML that a notebook shows as a picture; to everything else it is a string."""

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Picture: {len(self)} characters of HTML>"


def join(*parts: str) -> Html:
    """Join texts and HTML. Each part is escaped, unless it is `Html`."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def make(tag: str, *children: str, **attributes: object) -> Html:
    """Make an element. ``class_`` means ``class``; an attribute of None is left out."""
    given = "".join(
        f" {name.rstrip('_').replace('_', '-')}='{escape(str(value))}'"
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{given}>{join(*children)}</{tag}>")


def note(*parts: str, role: str | None = None) -> Html:
    """Make a remark. A screen reader says one with the role "alert" at once."""
    return make("p", *parts, class_="note", role=role)


def heading(*parts: str) -> Html:
    """Make a heading inside a picture."""
    return make("p", *parts, class_="step")


def row(name: str, *cells: Html) -> Html:
    """Make a row of a table, with its name in front."""
    return make("tr", make("th", name, scope="row"), *cells)


def make_table(
    names: Iterable[str] | None,
    *bodies: Iterable[Html],
    kind: str | None = None,
    reachable: bool = True,
) -> Html:
    """Make a table that scrolls on a narrow page. Each body is a group of rows."""
    parts = [make("tbody", *rows) for rows in bodies]
    if names is not None:  # a name that is HTML is a whole cell
        cells = (n if isinstance(n, Html) else make("th", n, scope="col") for n in names)
        parts.insert(0, make("thead", make("tr", *cells)))
    tabindex = "0" if reachable else None  # the keyboard has to reach what may scroll
    return make("div", make("table", *parts, class_=kind), class_="scroll", tabindex=tabindex)


def legend(marks: Iterable[tuple[str, str]], *, by: str = "class_") -> Html:
    """Explain the marks of a picture: each is a class, or a style, with its meaning."""
    items = [make("li", make("span", **{by: mark}), meaning) for mark, meaning in marks]
    return make("ul", *items, class_="legend") if items else Html()


def frame(*parts: str) -> Picture:
    """Put the style beside a picture, so that it looks the same wherever it is shown."""
    return Picture(f"<style>\n{CSS}</style>\n{make('div', *parts, class_='book-picture')}")
