"""Live things: a picture with controls that moves in a notebook and on the published page alike.

Each is one JavaScript module of this folder. In a notebook, anywidget shows it, and Python answers
where a tokenizer or a model is needed. On the published page, `site.js` shows the same module in
the place of the picture that is stored here, and other modules answer.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import anywidget
import traitlets

from helpers.display.pictures import Picture
from helpers.text import padding_table, token_table

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerBase

    from helpers.text import Steps

__all__ = ["Live", "padding_result", "program", "sequences", "steps_result", "style"]

FOLDER = Path(__file__).parent

STILL = (
    "This picture stands still. Where JavaScript runs, on the published page or in JupyterLab, "
    "you can change it."
)

SHOWN_DIGITS = 4  # of a number that is stored: more are not the same on every machine


class Live(anywidget.AnyWidget):
    """One live thing: what its controls say, and what comes of it.

    Parameters
    ----------
    kind : str
        The name of the module in this folder, without ``.js``.
    state : mapping
        What the module starts with, as JSON: a value for each control, and what it needs besides.
    draw : callable
        From a state to the picture that the module should show for it.
    answer : callable, optional
        From a state to the result that the module draws, as JSON. A `ValueError` is shown in place
        of the picture. A module that computes its picture itself needs none.

    Attributes
    ----------
    state : dict
        What the controls say now.
    result : dict
        What ``answer`` gave for it.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        kind: str,
        state: Mapping,
        draw: Callable[[dict], Picture],
        answer: Callable[[dict], dict] | None = None,
    ) -> None:
        self.kind = kind
        self._draw = draw
        self._answer = answer
        super().__init__(_esm=program(kind), _css=style(), state=dict(state))
        self._ask()
        self.observe(lambda change: self._ask(), names="state")

    def _ask(self) -> None:
        if self._answer is not None:
            try:
                self.result = self._answer(self.state)
            except ValueError as error:
                self.result = {"error": str(error)}

    @property
    def picture(self) -> Picture:
        """The picture as it stands: what a page shows where nothing moves."""
        try:
            return self._draw(self.state)
        except ValueError as error:
            return Picture(f"<p role='alert'>{escape(str(error))}</p>")

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """Add the picture to what a notebook stores, with what the published page needs."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        start = {"state": self.state} | ({"result": self.result} if self.result else {})
        data["text/html"] = (
            f"<div class='book-live' data-live='{self.kind}' "
            f"data-state='{escape(json.dumps(start, ensure_ascii=False))}'>\n{self.picture}\n"
            f"<p class='still'>{STILL}</p></div>"
        )
        data["text/plain"] = f"Live({self.kind!r}, {self.state!r})"
        return data, metadata


@cache
def program(kind: str) -> str:
    """Give a module with the parts that it imports: anywidget takes one file.

    Parameters
    ----------
    kind : str
        The name of the module in this folder, without ``.js``.

    Returns
    -------
    str
        JavaScript that imports nothing.

    Raises
    ------
    ValueError
        If the module imports from another place than ``./parts.js``.
    """
    module = (FOLDER / f"{kind}.js").read_text(encoding="utf-8")
    parts = (FOLDER / "parts.js").read_text(encoding="utf-8")
    own, imports = re.subn(r'^import [^;]*? from "\./parts\.js";\n', "", module, flags=re.MULTILINE)
    if imports != 1 or re.search(r"^import ", own, flags=re.MULTILINE):
        raise ValueError(
            f"expected {kind}.js to import from ./parts.js, once, and from nowhere else: in a "
            "notebook a module has no neighbours."
        )
    return f"{parts}\n{own}"


@cache
def style() -> str:
    """Give the style of the controls and of the pictures.

    Returns
    -------
    str
        CSS.
    """
    pictures = (FOLDER.parent / "pictures.css").read_text(encoding="utf-8")
    return pictures + (FOLDER / "live.css").read_text(encoding="utf-8")


def sequences(table: pd.DataFrame) -> list[dict]:
    """Turn a token table into what the modules draw.

    Parameters
    ----------
    table : pandas.DataFrame
        What `helpers.text.token_table` returned.

    Returns
    -------
    list of dict
        For each sequence its columns as lists: ``token``, ``id``, ``token_type``, ``attention`` and
        ``kind``. A column that holds nothing is None.
    """
    columns = ("token", "id", "token_type", "attention", "kind")
    return [
        {name: None if rows[name].isna().any() else rows[name].tolist() for name in columns}
        for _, rows in table.groupby("sequence")
    ]


def padding_result(tokenizer: PreTrainedTokenizerBase, state: Mapping) -> dict:
    """Tokenize a batch as the controls of ``padding.js`` say.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer to run.
    state : mapping
        ``texts``, one a line; ``padding``, ``truncation`` and ``max_length`` as the tokenizer takes
        them.

    Returns
    -------
    dict
        The ``sequences``, the ``setting``, how long each row is (``lengths``), how many tokens were
        ``cut`` and how many are padding (``padded``), and what the library warned of (``notes``).

    Raises
    ------
    ValueError
        If there is no text.
    """
    batch = [line for line in state["texts"].splitlines() if line.strip()]
    setting = {name: state[name] for name in ("padding", "truncation", "max_length")}
    outcome = padding_table(tokenizer, batch, [setting]).iloc[0]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        inputs = tokenizer(batch, **setting)
    return {
        "sequences": sequences(token_table(tokenizer, inputs)),
        "setting": setting,
        "lengths": list(outcome["lengths"]),
        "cut": int(outcome["cut"]),
        "padded": int(outcome["padded"]),
        "notes": [str(warning.message) for warning in said],
    }


def steps_result(steps: Steps) -> dict:
    """Turn the three steps of a pipeline into what ``pipeline.js`` draws.

    Parameters
    ----------
    steps : Steps
        What `helpers.text.three_steps` returned.

    Returns
    -------
    dict
        The ``sequences`` with one sequence, ``labels``, ``logits``, ``probabilities`` and
        ``truncated``. Numbers have four digits: more are not the same on every machine.
    """
    return {
        "sequences": sequences(steps.table),
        "labels": list(steps.labels),
        "logits": [round(logit, SHOWN_DIGITS) for logit in steps.logits],
        "probabilities": [round(one, SHOWN_DIGITS) for one in steps.probabilities],
        "truncated": steps.truncated,
    }
