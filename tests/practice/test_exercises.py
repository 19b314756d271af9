"""Every exercise: its starter is open, its solution is right, each mistake gets its hint."""

import ast
import re

import pytest
import torch
from notebook_world import CHECK, NOTEBOOKS, code_cells, names_for

from helpers.practice.checking import judge
from helpers.practice.exercises import FOLDER, KINDS, read_exercises

EXERCISES = {
    name: exercise for notebook in NOTEBOOKS for name, exercise in read_exercises(notebook).items()
}


@pytest.fixture(params=EXERCISES)
def exercise(request):
    return EXERCISES[request.param]


def names(exercise, monkeypatch):
    """Give the names that an exercise finds in its notebook."""
    code = [exercise.setup, exercise.start, exercise.solution]
    code += [condition.expect for condition in exercise.conditions]
    code += [mistake.answer for mistake in exercise.mistakes]
    number = exercise.name.split("/")[0]
    return names_for(number, code, monkeypatch, before=f'check("{exercise.name}"')


def answered(exercise, code, there):
    """Run a version of the exercise, and give its answer."""
    world = dict(there)
    exec(compile(code, exercise.name, "exec"), world)
    return world[exercise.variable]


def test_every_version_gets_what_is_meant_for_it(exercise, monkeypatch):
    there = names(exercise, monkeypatch)
    opened = judge(exercise, answered(exercise, exercise.start, there), there)
    assert opened.state == "open", opened
    solved = judge(exercise, answered(exercise, exercise.solution, there), there)
    assert solved.state == "right", solved
    for mistake in exercise.mistakes:
        note = judge(exercise, answered(exercise, mistake.answer, there), there)
        assert (note.state, note.number) == ("wrong", mistake.hint), (mistake.answer, note)


def test_whatever_a_reader_passes_gets_a_hint(exercise, monkeypatch):
    """No exercise takes any of these for right, and none raises an error."""
    there = names(exercise, monkeypatch)

    def fails(*_):
        raise KeyError("mine")

    for answer in (None, "?", -3, 0.5, torch.full((7, 2, 1), 0.3), [], {}, fails, object()):
        assert judge(exercise, answer, there).state == "wrong", answer


def test_the_notebook_shows_the_starter(exercise):
    """The starter stands above the call of check, in the same cell or, for a guess, before it."""
    cells = code_cells(exercise.name.split("/")[0])
    (place,) = [n for n, cell in enumerate(cells) if f'check("{exercise.name}"' in cell.source]
    assert CHECK.findall(cells[place].source) == [(exercise.name, exercise.variable)]
    above = CHECK.sub("", cells[place].source).strip()
    assert bool(above) is not (exercise.kind == "predict"), "a guess has a cell of its own"
    assert (above or cells[place - 1].source.strip()) == exercise.start.strip()


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_notebook_and_its_file_have_the_same_exercises(number):
    called = [found[0] for cell in code_cells(number) for found in CHECK.findall(cell.source)]
    assert called == list(read_exercises(number))


def test_an_exercise_is_whole(exercise):
    assert exercise.kind in KINDS
    assert len(exercise.mistakes) in (2, 3)
    assert len({mistake.hint for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert exercise.hints
    assert exercise.right.strip()
    ast.parse(exercise.setup)
    said = [*exercise.hints, *(condition.hint for condition in exercise.conditions)]
    assert all(one.strip() for one in said)
    # a function is tried on what the reader hasn't seen
    if exercise.kind == "function":
        assert "agrees(" in "".join(condition.expect for condition in exercise.conditions)


def test_no_hint_holds_the_expected_value(exercise, monkeypatch):
    there = names(exercise, monkeypatch)
    expected = answered(exercise, exercise.solution, there)
    said = " ".join([*exercise.hints, *(one.hint for one in exercise.conditions)])
    assert "{expected}" not in said
    if not callable(expected):
        assert not re.search(rf"(?<![\w.]){re.escape(str(expected))}(?![\w.])", said)


def test_each_file_belongs_to_a_notebook():
    assert {path.stem for path in FOLDER.glob("*.yaml")} <= set(NOTEBOOKS)


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_each_notebook_has_at_least_four_exercises_of_several_kinds(number):
    kinds = [exercise.kind for exercise in read_exercises(number).values()]
    assert len(kinds) >= 4
    assert len(set(kinds)) >= 3
    assert "function" in kinds


def test_each_chapter_has_something_to_fix_and_ends_in_a_project():
    chapters = {}
    for name, exercise in EXERCISES.items():
        chapters.setdefault(name[0], []).append(exercise.kind)
    assert chapters.keys() == {"1", "2", "3"}
    for chapter, kinds in chapters.items():
        assert "fix" in kinds, chapter
        assert kinds.count("project") == 1, chapter
