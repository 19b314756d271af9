"""What an exercise is made of, read from the file of its notebook in the folder ``exercises``."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FOLDER = Path(__file__).with_name("exercises")
KINDS = ("value", "function", "fix", "predict", "order", "project")
# the call in a notebook: the exercise, and the name that holds the answer
CHECK = re.compile(r'^check\("(\d+-\d+/\d+)", (\w+)\)$', re.MULTILINE)
SECONDS = 10  # that one condition may take, unless the exercise allows more


@dataclass(frozen=True)
class Condition:
    """What an answer has to fulfill, and the hint for one that doesn't.

    Parameters
    ----------
    expect : str
        A Python expression. It knows ``answer``, ``expected`` (what the solution gives), the names
        of the notebook and of the exercise's ``setup``, and the functions of `conditions`.
    hint : str
        Markdown, which leads on and doesn't give the answer away.
    """

    expect: str
    hint: str


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    Parameters
    ----------
    answer : str
        The code that replaces the starter.
    hint : int
        The number, from 1, of the condition whose hint is meant for it.
    """

    answer: str
    hint: int


@dataclass(frozen=True)
class Exercise:
    """One exercise: how it starts, what solves it, and how an answer is checked.

    Parameters
    ----------
    name : str
        The notebook and a number: ``"2-3/1"``.
    kind : str
        One of `KINDS`.
    start : str
        The starter, as the notebook shows it above the call of ``check``.
    solution : str
        Code that replaces the starter and is right.
    right : str
        Said of a right answer: why it matters. Markdown.
    conditions : tuple of Condition
        In the order in which they are tried.
    mistakes : tuple of Mistake
        Typical wrong answers.
    hints : tuple of str
        What ``hint`` gives, one after the other. Markdown.
    setup : str
        Code that makes what the conditions use.
    seconds : int
        How long one condition may take.
    """

    name: str
    kind: str
    start: str
    solution: str
    right: str
    conditions: tuple[Condition, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    setup: str = ""
    seconds: int = SECONDS

    @property
    def variable(self) -> str:
        """The name that holds the answer: the last one that the starter binds."""
        last = ast.parse(self.start).body[-1]
        match last:
            case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                return name
        raise ValueError(
            f"{self.name}: a starter must end with `name = ...` or a function; got "
            f"{ast.unparse(last)!r}. Put the answer last."
        )


@cache
def read_exercises(notebook: str) -> dict[str, Exercise]:
    """Read the exercises of a notebook (``"2-3"``), by name."""
    file = FOLDER / f"{notebook}.yaml"
    found = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else []
    exercises = {}
    for number, fields in enumerate(found, start=1):
        name = f"{notebook}/{number}"
        conditions = tuple(Condition(**one) for one in fields.pop("conditions"))
        mistakes = tuple(Mistake(**one) for one in fields.pop("mistakes"))
        hints = tuple(fields.pop("hints"))
        exercises[name] = Exercise(
            name=name, conditions=conditions, mistakes=mistakes, hints=hints, **fields
        )
    return exercises


def find_exercise(name: str) -> Exercise:
    """Find an exercise by its name, ``"2-3/1"``."""
    if not isinstance(name, str) or not re.fullmatch(r"\d+-\d+/\d+", name):
        raise ValueError(
            f"an exercise must be named by its notebook and a number, such as '2-3/1'; got "
            f"{name!r:.60}. Take the name from the notebook."
        )
    notebook = name.split("/")[0]
    exercises = read_exercises(notebook)
    if name not in exercises:
        there = ", ".join(exercises) or "none"
        raise ValueError(
            f"expected an exercise of notebook {notebook} ({there}); got {name!r}. Take the name "
            "from the notebook."
        )
    return exercises[name]
