"""check, hint and solution: what a reader sees, whatever they pass, and what stays as it was."""

import random
import sys
import time

import numpy as np
import pytest
import torch

from helpers.practice import check, hint, solution
from helpers.practice import checking as module
from helpers.practice.exercises import Condition, Exercise, find_exercise, read_exercises


def exercise(**changed):
    """An exercise: double a number."""
    fields = {
        "name": "9-9/1",
        "kind": "function",
        "start": 'def double(x):\n    """Double it."""\n    ...',
        "solution": 'def double(x):\n    """Double it."""\n    return 2 * x',
        "right": "Doubling matters.",
        "conditions": (
            Condition("is_function(answer)", "Write a function."),
            Condition("is_number(answer(1.0))", "Return a number."),
            Condition("agrees(answer, expected, (3,), (-2.5,), (0,))", "Twice as much."),
        ),
        "mistakes": (),
        "hints": ("First.", "Second."),
        "seconds": 1,
    }
    return Exercise(**{**fields, **changed})


@pytest.fixture(autouse=True)
def one_exercise(monkeypatch):
    """Let 9-9/1 be the only exercise."""
    monkeypatch.setattr(module, "find_exercise", lambda name: exercise())
    monkeypatch.setattr(module, "_tried", set())
    monkeypatch.setattr(module, "_hints_given", {})


def starter(x):
    """Double it."""
    ...


def right(x):
    return x + x


def test_open_right_and_wrong():
    assert check("9-9/1", ...).state == "open"
    assert check("9-9/1", starter).state == "open"
    assert repr(check("9-9/1", right)) == "**Right.** Doubling matters."
    note = check("9-9/1", lambda x: 3 * x)
    assert (note.state, note.number) == ("wrong", 3)
    assert note.words.startswith("**Not yet.** Twice as much.")


def test_the_first_hint_that_applies_comes():
    assert check("9-9/1", 5).number == 1
    assert check("9-9/1", lambda x: "much").number == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "`None`"),
        ("a `tick`", "`'a 'tick''`"),
        (torch.ones(2, 3), "`Tensor of shape (2, 3)`"),
        ([1, 2], "`list of length 2`"),
        ({}, "`dict of length 0`"),
        (3.5, "`3.5`"),
        (object(), "`object`"),
        ("x" * 900, f"`'{'x' * 59}…`"),
    ],
)
def test_a_hint_says_what_came(answer, said):
    assert check("9-9/1", answer).words.endswith(f"(Your answer: {said}.)")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: print(2 * x), "(Your function returned `None`. Is a `return` missing?)"),
        (lambda x: torch.ones(2, 3), "(Your function returned `Tensor of shape (2, 3)`.)"),
        (lambda x: x if x == 1 else -5.5, "(Your function returned `-5.5`.)"),
    ],
)
def test_a_hint_says_what_a_function_returned(answer, said):
    assert check("9-9/1", answer).words.endswith(said)


def test_an_answer_that_raises_is_told_so_and_for_what():
    def fails(x):
        raise KeyError(f"no {x}`")

    note = check("9-9/1", fails)
    assert (note.state, note.number) == ("wrong", 0)
    assert "Called with `(1.0)`, your function raises `KeyError: 'no 1.0''`." in note.words


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_answer_that_ends_the_program_ends_only_itself(end):
    def ends(x):
        raise end

    assert check("9-9/1", ends).number == 0


def test_an_answer_that_never_ends_is_stopped():
    turns = []

    def endless(x):
        while True:
            turns.append(1)
            time.sleep(0.001)

    out = sys.stdout
    note = check("9-9/1", endless)
    assert "takes longer than 1 seconds" in note.words
    assert sys.stdout is out
    time.sleep(0.05)
    done = len(turns)
    time.sleep(0.1)
    assert len(turns) == done, "it still runs"


def test_an_answer_that_calls_itself_forever_is_a_hint():
    def deep(x):
        return deep(x)

    assert "RecursionError" in check("9-9/1", deep).words


def test_an_answer_that_changes_its_input_changes_a_copy(monkeypatch):
    given = torch.zeros(2)

    def greedy(x):
        x += 1
        return x

    one = exercise(
        conditions=(Condition("close(answer(given), [1, 1])", "No."),) * 2,
        setup="",
        solution="double = None",
    )
    monkeypatch.setattr(module, "find_exercise", lambda name: one)
    assert module.judge(one, greedy, {"given": given}).state == "right"
    assert given.tolist() == [0, 0]


def test_what_an_answer_prints_is_not_shown(capsys):
    def loud(x):
        print("loud")
        return 2 * x

    assert check("9-9/1", loud).state == "right"
    assert capsys.readouterr().out == ""


def test_later_random_numbers_stay_as_they_were():
    def lucky(x):
        torch.manual_seed(1), np.random.seed(1), random.seed(1)
        return 2 * x

    draw = [torch.rand, np.random.rand, random.random]
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    expected = [float(d(1)) if d is torch.rand else float(d()) for d in draw]
    torch.set_rng_state(states[0]), np.random.set_state(states[1]), random.setstate(states[2])
    assert check("9-9/1", lucky).state == "right"
    assert [float(d(1)) if d is torch.rand else float(d()) for d in draw] == expected


def test_a_check_without_the_cells_above_says_so():
    one = exercise(solution="double = not_there")
    note = module.judge(one, right, {})
    assert note.state == "stuck"
    assert "NameError: name 'not_there' is not defined" in note.words
    assert "Run the cells above" in note.words


def test_a_condition_without_the_cells_above_says_so():
    one = exercise(conditions=(Condition("answer(not_there) == 2", "No."),))
    assert module.judge(one, right, {}).state == "stuck"
    assert module.judge(one, right, {"not_there": 1}).state == "right"

    def fails(x):
        return undefined  # noqa: F821

    assert module.judge(one, fails, {"not_there": 1}).number == 0


def test_a_reader_may_rename_what_the_solution_defines():
    """The solution runs in a copy of the notebook's names."""
    there = {"double": "mine"}
    assert module.judge(exercise(), right, there).state == "right"
    assert there == {"double": "mine"}


def test_a_notebook_that_shadows_a_builtin_is_checked_all_the_same():
    one = exercise(conditions=(Condition("sum(list((answer(1), 1))) == 3", "No."),))
    assert module.judge(one, right, {"list": 1, "sum": [], "__name__": "__main__"}).state == "right"


def test_hints_come_one_after_the_other():
    said = [repr(hint("9-9/1")) for _ in range(3)]
    assert said[0] == "**Hint 1 of 2.** First."
    assert (
        said[1]
        == said[2]
        == ('**Hint 2 of 2.** Second. That was the last one. `solution("9-9/1")` shows a solution.')
    )


def test_a_solution_comes_after_a_try_or_anyway():
    assert "Try it first" in repr(solution("9-9/1"))
    assert "return 2 * x" in repr(solution("9-9/1", anyway=True))
    check("9-9/1", starter)
    assert "Try it first" in repr(solution("9-9/1")), "the starter is no try"
    check("9-9/1", 5)
    assert repr(solution("9-9/1")).startswith("```python\ndef double")


@pytest.mark.parametrize("name", ["2-3", "2-3/0", "2-3/99", "9-9/1", "", None, 3, "../1-1/1"])
def test_an_unknown_exercise_is_named(name):
    with pytest.raises(ValueError, match=r"Take the name\s+from the notebook"):
        find_exercise(name)


def test_a_starter_has_to_end_with_the_answer():
    assert exercise().variable == "double"
    with pytest.raises(ValueError, match="a starter must end with"):
        exercise(start="print(1)").variable  # noqa: B018


def test_a_notebook_without_a_file_has_no_exercises():
    assert read_exercises("9-9") == {}
