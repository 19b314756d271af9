"""The questions at the end of a notebook, from its file in the folder ``questions``."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from helpers.display.live_widget import Live
from helpers.display.pictures.html import Html, Picture, join, make
from helpers.practice.conditions import TOOLS
from helpers.words import words

FOLDER = Path(__file__).with_name("questions")
LETTERS = "ABCDE"


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from.

    Parameters
    ----------
    text : str
        The answer. Backticks mark code.
    why : str
        Said to those who choose it: why it is right, or why not.
    right : bool, default False
        Whether it is the right one.
    true_if : str, optional
        A Python expression, in the names of the notebook, that is true for the right choice and
        for no other.
    """

    text: str
    why: str
    right: bool = False
    true_if: str | None = None


@dataclass(frozen=True)
class Question:
    """One question.

    Parameters
    ----------
    text : str
        The question. Backticks mark code.
    choices : tuple of Choice
        The answers. Exactly one is right.
    cites : str, optional
        Words of the notebook that decide a question whose choices nothing can evaluate.
    setup : str
        Code that makes what the expressions of the choices use.
    """

    text: str
    choices: tuple[Choice, ...]
    cites: str | None = None
    setup: str = ""


@cache
def read_questions(notebook: str) -> tuple[Question, ...]:
    """Read the questions of a notebook, ``"2-3"``."""
    file = FOLDER / f"{notebook}.yaml"
    if not re.fullmatch(r"\d+-\d+", str(notebook)) or not file.is_file():
        there = ", ".join(sorted(path.stem for path in FOLDER.glob("*.yaml")))
        raise ValueError(
            f"expected a notebook that has questions ({there}); got {notebook!r:.60}. Take the "
            "number from the notebook's title."
        )
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(
        Question(
            text=one["question"],
            choices=tuple(Choice(**choice) for choice in one["choices"]),
            cites=one.get("cites"),
            setup=one.get("setup", ""),
        )
        for one in found
    )


def quiz(notebook: str) -> Live:
    """Show the questions of a notebook, which answer when you choose.

    What you have chosen stays in your own browser.

    Parameters
    ----------
    notebook : str
        Its number, such as ``"2-3"``.

    Returns
    -------
    Live
        The questions.

    Raises
    ------
    ValueError
        If this notebook has no questions.
    """
    questions = tuple(map(_in_readers_language, read_questions(notebook)))
    shown = [
        {
            "question": one.text,
            "choices": [
                {key: value for key, value in asdict(choice).items() if key != "true_if"}
                for choice in one.choices
            ],
        }
        for one in questions
    ]
    return Live(
        "quiz",
        {"notebook": notebook},
        draw=lambda _: quiz_picture(questions),
        answer=lambda _: {"questions": shown},
        still=words(
            "Where JavaScript runs, on the published page or in JupyterLab, you can choose an "
            "answer."
        ),
    )


def _in_readers_language(question: Question) -> Question:
    choices = (replace(one, text=words(one.text), why=words(one.why)) for one in question.choices)
    return replace(question, text=words(question.text), choices=tuple(choices))


def quiz_picture(questions: tuple[Question, ...]) -> Picture:
    """Draw the questions as a list with folded answers, for where no program runs."""
    rows = []
    for one in questions:
        choices = [make("li", in_html(choice.text)) for choice in one.choices]
        reasons = [
            make(
                "p",
                make("strong", f"{_named(letter, choice)} "),
                in_html(choice.why),
            )
            for letter, choice in zip(LETTERS, one.choices, strict=False)
        ]
        folded = make("details", make("summary", words("Answer")), *reasons)
        rows.append(
            make("li", make("p", in_html(one.text)), make("ol", *choices, type="A"), folded)
        )
    return Picture(make("div", make("ol", *rows, class_="quiz"), class_="book-picture"))


def _named(letter: str, choice: Choice) -> str:
    return words("{letter}, right.", letter=letter) if choice.right else f"{letter}."


def in_html(text: str) -> Html:
    """Escape text, and set what stands between backticks as code."""
    parts = " ".join(text.split()).split("`")
    return join(*(make("code", part) if n % 2 else part for n, part in enumerate(parts)))


def verify(notebook: str, names: dict[str, Any]) -> None:
    """Evaluate every choice in the names of a notebook that has run to its end.

    Raises an `AssertionError` that names each choice whose expression and key disagree.
    """
    wrong = []
    for one in read_questions(notebook):
        world = names | TOOLS
        exec(compile(one.setup, f"<{notebook}>", "exec"), world)
        for choice in one.choices:
            if choice.true_if is None:
                continue
            if bool(eval(choice.true_if, world)) is not choice.right:
                wrong.append(f"{one.text.strip()} / {choice.text} / {choice.true_if}")
    if wrong:
        raise AssertionError(
            f"expected the key of {notebook} to be what its expressions give; it isn't for: "
            + "; ".join(wrong)
        )
