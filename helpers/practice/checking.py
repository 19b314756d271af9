"""Check an answer against the conditions of its exercise, give hints, show the solution."""

from __future__ import annotations

import ast
import builtins
import sys
from functools import partial
from typing import Any

from helpers.practice.conditions import TOOLS, same
from helpers.practice.exercises import Exercise, find_exercise
from helpers.practice.notes import Note
from helpers.practice.running import (
    AnswerFailedError,
    TooSlowError,
    guarded,
    random_numbers_kept,
    same_code,
    within,
)
from helpers.words import words

LONGEST = 60  # characters of an answer that a hint repeats

_tried: set[str] = set()
_hints_given: dict[str, int] = {}


def check(name: str, answer: object) -> Note:
    """Check an answer to an exercise.

    Nothing is changed: a function gets copies, and later random numbers stay what they were.

    Parameters
    ----------
    name : str
        The exercise, such as ``"2-3/1"``.
    answer : object
        The reader's answer. ``...`` means that there is none yet.

    Returns
    -------
    Note
        "Not answered yet", or why the right answer matters, or the first hint that applies.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    exercise = find_exercise(name)
    with random_numbers_kept():
        note = judge(exercise, answer, sys._getframe(1).f_globals)
    if note.state in ("right", "wrong"):
        _tried.add(name)
    return note


def hint(name: str) -> Note:
    """Give the next hint for an exercise.

    Parameters
    ----------
    name : str
        The exercise, such as ``"2-3/1"``.

    Returns
    -------
    Note
        The hint. After the last one, it stays.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    exercise = find_exercise(name)
    given = min(_hints_given.get(name, 0) + 1, len(exercise.hints))
    _hints_given[name] = given
    last = len(exercise.hints)
    said = words("**Hint {number} of {last}.**", number=given, last=last)
    said += " " + words(exercise.hints[given - 1]).strip()
    if given == last:
        said += " "
        said += words('That was the last one. `solution("{name}")` shows a solution.', name=name)
    return Note("hint", said)


def solution(name: str, *, anyway: bool = False) -> Note:
    """Show a solution, once you have tried.

    Parameters
    ----------
    name : str
        The exercise, such as ``"2-3/1"``.
    anyway : bool, default False
        Show it before the first try, too.

    Returns
    -------
    Note
        The code, or a request to try first.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    exercise = find_exercise(name)
    if name not in _tried and not anyway:
        try_it = words(
            "**Try it first.** Put an answer into the cell above and run it, even if you aren't "
            'sure. To see the solution without a try: `solution("{name}", anyway=True)`.',
            name=name,
        )
        return Note("open", try_it)
    return Note("solution", f"```python\n{exercise.solution.strip()}\n```")


def judge(exercise: Exercise, answer: object, names: dict[str, Any]) -> Note:
    """Try the conditions in their order; `names` are those of the notebook."""
    # a notebook may call something `list` or `sum`: the conditions mean Python's own
    names = {name: value for name, value in names.items() if not hasattr(builtins, name)}
    if _is_open(exercise, answer, names):
        return Note("open", words("**Not answered yet.**") + f" {_to_do(exercise.kind)}")
    try:
        world = within(60, lambda: _run(exercise.setup, names))
        solved = within(60, lambda: _run(exercise.solution, world))
    except Exception as error:
        return Note("stuck", _cant_check(error))
    tried = guarded(answer)
    world |= TOOLS | {"answer": tried, "expected": solved[exercise.variable]}
    for number, condition in enumerate(exercise.conditions, start=1):
        if missing := _unknown_names(condition.expect, world):
            return Note("stuck", _cant_check(NameError(f"name {missing[0]!r} is not defined")))
        try:
            if within(exercise.seconds, partial(_fulfills, condition.expect, world)):
                continue
        except AnswerFailedError as failed:
            return _not_yet(_raised(failed), 0)
        except TooSlowError:
            slow = words(
                "Your answer takes longer than {seconds} seconds. Does it end?",
                seconds=exercise.seconds,
            )
            return _not_yet(slow, 0)
        except Exception:  # the answer isn't something that the condition can ask about
            pass
        return _not_yet(words(condition.hint).strip() + _what_came(tried), number)
    said = words(exercise.right).strip().replace("{expected}", str(solved[exercise.variable]))
    return Note("right", words("**Right.**") + f" {said}")


def _not_yet(why: str, number: int) -> Note:
    return Note("wrong", words("**Not yet.**") + f" {why}", number)


def _to_do(kind: str) -> str:
    """Say what to do with an exercise of a kind that isn't answered yet."""
    said = {
        "value": words("Put your answer in place of `...`, and run this cell again."),
        "function": words("Write the function in place of `...`, and run this cell again."),
        "fix": words("The code above doesn't do what it should. Fix it, and run this cell again."),
        "predict": words(
            "Put your guess in place of `...` above, run that cell, and then this one."
        ),
        "order": words("Put the order in place of `...`, and run this cell again."),
        "project": words("Write your code in place of `...`, and run this cell again."),
    }
    return said[kind]


def _is_open(exercise: Exercise, answer: object, names: dict[str, Any]) -> bool:
    """Say whether an answer is still what the starter gives."""
    if answer is ...:
        return True
    try:
        started = within(exercise.seconds, lambda: _run(exercise.start, names))
    except Exception:  # a starter may need a name that isn't there
        return False
    start = started[exercise.variable]
    return same_code(answer, start) or (not callable(answer) and same(answer, start))


def _fulfills(condition: str, names: dict[str, Any]) -> bool:
    return bool(eval(condition, names))


def _unknown_names(condition: str, names: dict[str, Any]) -> list[str]:
    """List the names in a condition that neither the notebook nor Python knows."""
    nodes = list(ast.walk(ast.parse(condition, mode="eval")))
    used = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    known = bound | set(names) | set(dir(builtins))
    return [name for name in used if name not in known]


def _run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run code with a copy of some names, and give the names as they are then."""
    world = dict(names)
    exec(compile(code, "<exercise>", "exec"), world)
    return world


def _what_came(answer: Any) -> str:
    """Describe an answer in a few words, or what a function returned when it was last called."""
    if not callable(answer):
        return " " + words("(Your answer: `{answer}`.)", answer=_described(answer))
    if not getattr(answer, "returned", None):
        return ""
    described = _described(answer.returned[0])
    if described == "None":
        return " " + words("(Your function returned `None`. Is a `return` missing?)")
    return " " + words("(Your function returned `{value}`.)", value=described)


def _described(value: Any) -> str:
    """Describe a value without writing it out, unless it is short."""
    if getattr(value, "shape", None) is not None:
        return words("{type} of shape {shape}", type=type(value).__name__, shape=tuple(value.shape))
    if isinstance(value, list | tuple | dict | set):
        return words("{type} of length {length}", type=type(value).__name__, length=len(value))
    if isinstance(value, str | int | float | bool) or value is None:
        return _short(repr(value))
    return type(value).__name__


def _raised(failed: AnswerFailedError) -> str:
    """Say what an answer raised, and for which arguments."""
    error, arguments = failed.error, ", ".join(_short(repr(one)) for one in failed.arguments)
    said = _short(f"{type(error).__name__}: {error}")
    return words(
        "Called with `({arguments})`, your function raises `{error}`.",
        arguments=arguments,
        error=said,
    )


def _cant_check(error: BaseException) -> str:
    said = _short(f"{type(error).__name__}: {error}")
    return words(
        "**This can't be checked yet:** the check itself ends with `{error}`. Run the cells above, "
        "from the first one on, and then this one.",
        error=said,
    )


def _short(text: str) -> str:
    """Put text on one line, without what Markdown would read as the end of code."""
    line = " ".join(text.split()).replace("`", "'")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
