"""Live things: a picture with controls that moves in a notebook and on the published page alike.

Each is one JavaScript module of the folder ``live``. In a notebook, anywidget shows it, and Python
answers where a tokenizer or a model is needed. On the published page, ``site.js`` shows the same
module in place of the picture that is stored here, and other modules answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from helpers.display.pictures import Picture
from helpers.words import words

FOLDER = Path(__file__).with_name("live")


class Live(anywidget.AnyWidget):
    """One live thing: the state of its controls, and the result for that state.

    ``kind`` names a module of the folder ``live``, and ``state`` is what it starts with. ``run``
    computes something from the state, once for the picture and for the result; without it,
    ``draw`` and ``answer`` take the state itself. ``draw`` gives the picture, and ``answer`` what
    the module draws, as JSON; a module that computes this itself needs none. A `ValueError` of any
    of them is shown in place of the picture. ``stored`` draws what a notebook stores, where the
    digits of ``draw`` differ from machine to machine. ``page`` is what the published page needs in
    place of Python, as JSON; ``only_in_notebooks`` says why the page can't move it, and
    ``still`` what the picture can do elsewhere.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        kind: str,
        state: Mapping[str, Any],
        draw: Callable[[Any], Picture],
        answer: Callable[[Any], dict[str, Any]] | None = None,
        *,
        run: Callable[[dict[str, Any]], Any] = dict,
        stored: Callable[[Any], Picture] | None = None,
        page: Mapping[str, Any] | None = None,
        only_in_notebooks: str | None = None,
        still: str | None = None,
    ) -> None:
        self.kind = kind
        self._still = still or words(
            "This picture doesn't move here. Where JavaScript runs, on the published page or in "
            "JupyterLab, you can change it."
        )
        self._run = run
        self._draw = draw
        self._answer = answer
        self._stored = stored or draw
        self._page = dict(page or {})
        self._only_in_notebooks = only_in_notebooks
        super().__init__(_esm=program(kind), _css=style(), state=dict(state))
        self._ask()
        self.observe(lambda change: self._ask(), names="state")

    def _ask(self) -> None:
        """Run what the new state asks for, and keep it for the picture."""
        try:
            self._outcome = self._run(self.state)
            self._error = ""
            if self._answer is not None:
                self.result = self._answer(self._outcome)
        except ValueError as error:
            self._error = str(error)
            self.result = {"error": self._error}

    @property
    def picture(self) -> Picture:
        """The picture for the current state, as Python draws it."""
        return self._picture(self._draw)

    def _picture(self, draw: Callable[[Any], Picture]) -> Picture:
        try:
            if self._error:
                raise ValueError(self._error)
            return draw(self._outcome)
        except ValueError as error:
            return Picture(f"<p role='alert'>{escape(str(error))}</p>")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add the picture to what a notebook stores, with what the published page needs."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        picture = self._picture(self._stored)
        if self._only_in_notebooks:
            open_it = words("Open the notebook in JupyterLab to type.")
            why = f"<p><em>{escape(f'{self._only_in_notebooks} {open_it}')}</em></p>"
            data["text/html"] = f"<div class='book-still'>\n{picture}\n{why}</div>"
        else:
            start = {"state": self.state, "result": self.result, "page": self._page}
            start["words"] = translated(self.kind)
            given = {name: value for name, value in start.items() if value}
            # JSON is full of double quotes: they may stay, the attribute ends at a single one
            text = escape(json.dumps(given, ensure_ascii=False), quote=False).replace("'", "&#x27;")
            data["text/html"] = (
                f"<div class='book-live' data-live='{self.kind}' data-state='{text}'>\n"
                f"{picture}\n<p class='still'>{escape(self._still, quote=False)}</p></div>"
            )
        data["text/plain"] = f"Live({self.kind!r}, {self.state!r})"
        return data, metadata


def program(kind: str) -> str:
    """Give the module of a kind as anywidget loads it: one file, in the reader's language."""
    texts = translated(kind)
    teach = f"\nlearn({json.dumps(texts, ensure_ascii=False)});\n" if texts else ""
    return inlined(kind) + teach


def translated(kind: str) -> dict[str, str]:
    """Give the translations of the texts in the modules of a kind, those of its page too."""
    # page.js lists which module answers on the page
    answering = re.findall(rf'^  {kind}: "(\w+)",$', read_module("page"), flags=re.MULTILINE)
    modules = ["parts", kind, "site", *answering]
    texts = [text for name in modules for text in texts_in(read_module(name))]
    return {text: said for text in texts if (said := words(text)) != text}


def texts_in(program: str) -> list[str]:
    """List the texts that a JavaScript module passes to ``words``, as strings in double quotes."""
    string = r'"(?:[^"\\\n]|\\.)*"'
    calls = re.findall(rf"\bwords\(\s*({string}(?:\s*\+\s*{string})*)", program)
    return ["".join(json.loads(part) for part in re.findall(string, call)) for call in calls]


@cache
def read_module(name: str) -> str:
    """Read a module of the folder ``live``."""
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")


@cache
def inlined(kind: str) -> str:
    """Inline the imports of a module, because anywidget loads a single file."""
    module, parts = read_module(kind), read_module("parts")
    own, imports = re.subn(r'^import [^;]*? from "\./parts\.js";\n', "", module, flags=re.MULTILINE)
    if imports != 1 or re.search(r"^import ", own, flags=re.MULTILINE):
        raise ValueError(
            f"expected {kind}.js to import once, from ./parts.js; got other imports. In a notebook "
            f"there is no other file to import: move what {kind}.js shares into parts.js."
        )
    return f"{parts}\n{own}"


@cache
def style() -> str:
    """Read the style of the controls and of the pictures."""
    pictures = FOLDER.with_name("pictures.css").read_text(encoding="utf-8")
    return pictures + (FOLDER / "live.css").read_text(encoding="utf-8")
