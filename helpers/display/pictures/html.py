"""What the pictures are made of. `make` escapes every text that isn't HTML already.

`live/parts.js` has the same parts in JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path


class Html(str):
    """Text that is HTML already, and must not be escaped again."""

    __slots__ = ()


class Picture(Html):
    """HTML that a notebook shows as a picture; to everything else it is a string."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Picture: {len(self)} characters of HTML>"


def join(*parts: str) -> Html:
    """Join texts and HTML.

    Parameters
    ----------
    *parts : str
        Each is escaped, unless it is `Html`.

    Returns
    -------
    Html
        All of them in a row.
    """
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def make(tag: str, *children: str, **attributes: object) -> Html:
    """Make an element.

    Parameters
    ----------
    tag : str
        Its name.
    *children : str
        What it holds. Each is escaped, unless it is `Html`.
    **attributes : object
        Its attributes; None leaves one out. ``class_`` stands for ``class``, and ``aria_label``
        for ``aria-label``.

    Returns
    -------
    Html
        The element.
    """
    given = "".join(
        f" {name.rstrip('_').replace('_', '-')}='{escape(str(value))}'"
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{given}>{join(*children)}</{tag}>")


def note(*parts: str, role: str | None = None) -> Html:
    """Make a remark.

    Parameters
    ----------
    *parts : str
        What it says.
    role : str, optional
        "alert" for what a screen reader should say at once.

    Returns
    -------
    Html
        A paragraph.
    """
    return make("p", *parts, class_="note", role=role)


def heading(*parts: str) -> Html:
    """Make a heading inside a picture.

    Parameters
    ----------
    *parts : str
        What it says.

    Returns
    -------
    Html
        A paragraph.
    """
    return make("p", *parts, class_="step")


def row(name: str, *cells: Html) -> Html:
    """Make a row of a table.

    Parameters
    ----------
    name : str
        What the row is about.
    *cells : Html
        Its other cells.

    Returns
    -------
    Html
        The row.
    """
    return make("tr", make("th", name, scope="row"), *cells)


def heads(names: Iterable[str]) -> Html:
    """Make the head of a table.

    Parameters
    ----------
    names : iterable of str
        The name of each column. A name that is `Html` is a whole cell.

    Returns
    -------
    Html
        A ``thead``.
    """
    cells = (n if isinstance(n, Html) else make("th", n, scope="col") for n in names)
    return make("thead", make("tr", *cells))


def make_table(
    names: Iterable[str] | None,
    *bodies: Iterable[Html],
    kind: str | None = None,
    reachable: bool = True,
) -> Html:
    """Make a table that scrolls where the page is narrower.

    Parameters
    ----------
    names : iterable of str, optional
        The columns, as `heads` takes them. None makes a table without a head.
    *bodies : iterable of Html
        The rows; each group of rows is a body of its own.
    kind : str, optional
        The class for its style.
    reachable : bool, default True
        Whether the keyboard reaches it, as it has to where it may scroll.

    Returns
    -------
    Html
        The table in its box.
    """
    head = [] if names is None else [heads(names)]
    inside = [*head, *(make("tbody", *rows) for rows in bodies)]
    box = {"class_": "scroll", "tabindex": "0" if reachable else None}
    return make("div", make("table", *inside, class_=kind), **box)


def legend(marks: Iterable[tuple[str, str]], *, by: str = "class_") -> Html:
    """Explain the marks of a picture.

    Parameters
    ----------
    marks : iterable of tuple of str
        For each mark its class, or its style, and what it means.
    by : {"class_", "style"}, default "class_"
        Which of the two.

    Returns
    -------
    Html
        A list, or nothing if there is no mark.
    """
    items = [make("li", make("span", **{by: mark}), meaning) for mark, meaning in marks]
    return make("ul", *items, class_="legend") if items else Html()


def frame(*parts: str) -> Picture:
    """Put the style beside a picture, so that it looks the same wherever it is shown.

    Parameters
    ----------
    *parts : str
        What the picture holds.

    Returns
    -------
    Picture
        The whole picture.
    """
    body = make("div", *parts, class_="book-picture")
    return Picture(f"<style>\n{_css()}</style>\n{body}")


@cache
def _css() -> str:
    return (Path(__file__).parents[1] / "pictures.css").read_text(encoding="utf-8")
