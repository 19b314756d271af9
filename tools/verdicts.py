"""Judge a student's answers, inside the kernel that has run the student's notebook.

`tools.grade` runs this file there after each cell with a check. It imports the checks afresh from
this repository, so that a notebook that redefines ``check``, or changes the modules of
`helpers.practice`, changes nothing here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Iterator
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def verdicts(wanted: list[tuple[str, str]], token: str) -> str:
    """Judge answers in the names of the caller.

    Parameters
    ----------
    wanted : list of tuple of str
        The name of each exercise, and the expression that the notebook passes to its check.
    token : str
        What the result begins with, so that it can't be mistaken for another.

    Returns
    -------
    str
        JSON: the token, and a dict from the exercise to "right", "wrong", "open" or "error".
    """
    names = sys._getframe(1).f_globals
    with _fresh_practice():
        checking = importlib.import_module("helpers.practice.checking")
        found = {name: _verdict(checking, name, answer, names) for name, answer in wanted}
    return json.dumps([token, found])


def _verdict(checking: Any, name: str, expression: str, names: dict[str, Any]) -> str:
    try:
        exercise = checking.find_exercise(name)
        answer = eval(expression, names)
        with checking.random_numbers_kept():
            note = checking.judge(exercise, answer, names)
    except (Exception, SystemExit):
        return "error"
    return note.state if note.state in ("right", "wrong", "open") else "error"


@contextlib.contextmanager
def _fresh_practice() -> Iterator[None]:
    """Import `helpers.practice` from this repository, and leave the notebook's own as it was."""
    kept = _remove_practice()
    path, finders = sys.path, sys.meta_path
    sys.path = [str(ROOT), *path]
    sys.meta_path = [BuiltinImporter, FrozenImporter, PathFinder]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path, sys.meta_path = path, finders
        _remove_practice()
        sys.modules.update(kept)


def _remove_practice() -> dict[str, Any]:
    """Forget the imported modules of the room practice; give what was forgotten."""
    ours = [
        name
        for name in sys.modules
        if name in ("helpers", "helpers.practice") or name.startswith("helpers.practice.")
    ]
    return {name: sys.modules.pop(name) for name in ours}
