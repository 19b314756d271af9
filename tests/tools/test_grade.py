"""Grading a folder: each notebook has its row, whatever others do, and only for its answers."""

import csv
import io
import json
import sys

import nbformat
import pytest

from helpers.practice.exercises import find_exercise, read_exercises
from tools import grade as module
from tools.grade import Row, checks_in, main, read_cells, recognize, table
from tools.verdicts import verdicts

FUNCTION, ORDER = "2-3/3", "3-5/5"  # they need no names of their notebooks
IMPORT = "from helpers.practice import check"
SOLVED = {name: find_exercise(name).solution for name in (FUNCTION, ORDER)}
STARTER = find_exercise(FUNCTION).start
CALL = f'check("{FUNCTION}", longest_match)'
WRONG = "def longest_match(word, vocabulary):\n    return [word]"

# A student who redefines check and what it is made of, and prints what it would say.
CHEATS = """
import sys

import helpers.practice.checking as checking
import helpers.practice.conditions as conditions

check = lambda *_: print("Right.")
checking.judge = lambda *_: checking.Note("right", "Right.")
conditions.same = conditions.agrees = same = agrees = lambda *_: True
isinstance = all = any = lambda *_: True
sys.modules["helpers"].__path__ = []
sys.path.insert(0, ".")
"""
FOLDER = {
    "Ann.ipynb": [IMPORT, f"{SOLVED[FUNCTION]}\n\n{CALL}"],
    "Bob (2).ipynb": [IMPORT, f"{STARTER}\n\n{CALL}"],
    "cheats.ipynb": [IMPORT, CHEATS, f"{WRONG}\n\n{CALL}", "print('**Right.**')"],
    "dies.ipynb": [IMPORT, f"{SOLVED[FUNCTION]}\n\n{CALL}", "import os; os._exit(1)", "1"],
    "loops.ipynb": ["while True: pass", SOLVED[FUNCTION], f"%time\n{CALL}"],
    "other/Äpfel.ipynb": [IMPORT, f'{SOLVED[ORDER]}\ncheck("{ORDER}", order)'],
    "raises.ipynb": ["1 / 0", SOLVED[FUNCTION], CALL],
    "again.ipynb": [f"{IMPORT}\n{WRONG}\n{CALL}", SOLVED[FUNCTION], CALL, f"{WRONG}\n{CALL}"],
}


def save(path, sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def read(text):
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return {row["file"]: row for row in rows}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The rows of a folder, by file name; what was in the folder before, and what is after."""
    folder = tmp_path_factory.mktemp("students")
    for name, sources in FOLDER.items():
        save(folder / name, sources)
    (folder / "broken.ipynb").write_text('{"cells": [')
    (folder / "empty.ipynb").write_text("")
    (folder / ".ipynb_checkpoints").mkdir()
    save(folder / ".ipynb_checkpoints" / "Ann-checkpoint.ipynb", FOLDER["Ann.ipynb"])
    out = tmp_path_factory.mktemp("out") / "grades.csv"
    before = contents(folder)
    arguments = [str(folder), "--out", str(out), "--seconds", "120", "--cell-seconds", "8"]
    assert main(arguments) == 0
    assert list(out.parent.iterdir()) == [out]
    return read(out.read_text(encoding="utf-8")), before, contents(folder)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("file", "state", "problem"),
    [
        ("Ann.ipynb", "right", ""),
        ("Bob (2).ipynb", "open", ""),
        ("cheats.ipynb", "wrong", ""),
        ("dies.ipynb", "right", "the kernel died in code cell 3"),
        ("loops.ipynb", "error", "code cell 1 takes too long"),
        ("raises.ipynb", "error", "code cell 3: NameError"),
        ("again.ipynb", "right", ""),
        ("broken.ipynb", "error", "can't be read as a notebook (NotJSONError)"),
        ("empty.ipynb", "error", "can't be read as a notebook (NotJSONError)"),
        ("other/Äpfel.ipynb", "", ""),
    ],
)
def test_each_notebook_gets_what_it_deserves(graded, file, state, problem):
    row = graded[0][file]
    assert (row[FUNCTION], row["problem"]) == (state, problem)
    assert row["right"] == str(list(row.values()).count("right"))


def test_every_file_has_one_row_and_every_exercise_a_column(graded):
    rows, _, _ = graded
    assert set(rows) == {*FOLDER, "broken.ipynb", "empty.ipynb"}
    (columns,) = {tuple(row) for row in rows.values()}
    exercises = [*read_exercises("2-3"), *read_exercises("3-5")]
    assert columns == ("file", "notebook", "right", *exercises, "problem")
    assert rows["Ann.ipynb"]["notebook"] == "2-3"
    assert rows["Ann.ipynb"]["2-3/1"] == "missing"
    assert rows["other/Äpfel.ipynb"][ORDER] == "right"


def test_the_files_of_the_students_stay_as_they_were(graded):
    _, before, after = graded
    assert before == after


def test_a_verdict_comes_from_fresh_checks(monkeypatch):
    """Not from modules that the notebook has changed, which stay as they are for it."""
    import helpers.practice.checking as changed

    monkeypatch.setattr(changed, "judge", lambda *_: changed.Note("right", "Right."))
    call = f'verdicts([("{FUNCTION}", "mine"), ("{ORDER}", "1 / 0"), ("9-9/1", "1")], "x")'
    names = {"verdicts": verdicts, "mine": lambda word, _: [word], "isinstance": lambda *_: True}
    path = list(sys.path)
    found = json.loads(eval(call, names))
    assert found == ["x", {FUNCTION: "wrong", ORDER: "error", "9-9/1": "error"}]
    assert sys.modules["helpers.practice.checking"] is changed
    assert sys.path == path


def test_a_cell_that_cannot_be_interrupted_ends_only_its_notebook(tmp_path, monkeypatch):
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    save(tmp_path / "deaf.ipynb", [IMPORT, f"{SOLVED[FUNCTION]}\n\n{CALL}", deaf, CALL])
    monkeypatch.setattr(module, "PATIENCE", 1)
    row = module.grade(tmp_path / "deaf.ipynb", "deaf", seconds=60, cell_seconds=4)
    assert row.problem == "code cell 3 takes too long and can't be interrupted"
    assert row.states[FUNCTION] == "right"


def test_a_failure_of_the_program_is_a_row(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("No space left")

    save(tmp_path / "a.ipynb", FOLDER["Ann.ipynb"])
    monkeypatch.setattr(module, "kernel_in", full)
    row = module.grade(tmp_path / "a.ipynb", "a", seconds=9, cell_seconds=9)
    assert row.problem == "couldn't be graded (OSError: No space left)"
    assert row.states[FUNCTION] == "error"


def test_an_interrupted_run_leaves_the_old_table(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    save(tmp_path / "a.ipynb", FOLDER["Ann.ipynb"])
    out = tmp_path / "grades.csv"
    out.write_text("old")
    monkeypatch.setattr(module, "grade", stop)
    with pytest.raises(KeyboardInterrupt):
        main([str(tmp_path), "--out", str(out)])
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ipynb", "grades.csv"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('check("2-3/1", guess)', [("2-3/1", "guess")]),
        ("%time x = 1\ncheck('2-3/1', x + 1)", [("2-3/1", "x + 1")]),
        ('note = practice.check("2-3/1", answer=guess)', [("2-3/1", "guess")]),
        ('c("2-3/1", 3); c("2-3/2", 4)', [("2-3/1", "3"), ("2-3/2", "4")]),
        ('# check("2-3/1", guess)', []),
        ("'check(\"2-3/1\", guess)'", []),
        ('hint("2-3/1")\nsolution("2-3/1", anyway=True)', []),
        ('check("elsewhere", guess)', []),
        ('x = = 1\ncheck("2-3/1", x)', [("2-3/1", "...")]),
        ("\0", []),
    ],
)
def test_checks_are_found_in_the_code(source, found):
    assert checks_in(source) == found


def test_a_notebook_is_recognized_by_its_checks():
    cells = ['check("2-3/1", a)', 'check("2-3/2", b)', 'check("3-5/5", c)', 'check("9-9/1", d)']
    assert recognize(cells) == "2-3"
    assert recognize(cells[3:]) == ""


def test_old_formats_and_marks_at_the_start_are_read(tmp_path):
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("x = 1")])]
    )
    (tmp_path / "old.ipynb").write_text("\ufeff" + nbformat.v3.writes_json(old), encoding="utf-8")
    assert read_cells(tmp_path / "old.ipynb") == ["x = 1"]


def test_a_spreadsheet_computes_nothing_of_a_students_choice():
    text = table([Row("=HYPERLINK(1)", problem="two\nlines")])
    assert text.splitlines()[1] == "'=HYPERLINK(1),,0,two lines"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{}/none"], "no such folder"),
        (["{}"], "no notebook there"),
        (["{}/there", "--out", "{}/none/grades.csv"], "expected --out to name a file"),
        (["{}/there", "--out", "{}"], "expected --out to name a file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(tmp_path, capsys, arguments, said):
    save(tmp_path / "there" / "a.ipynb", ["1"])
    if arguments == ["{}"]:
        (tmp_path / "there" / "a.ipynb").unlink()
    assert main([word.format(tmp_path) for word in arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_time_has_to_be_a_number_above_zero(tmp_path, capsys):
    for time in ("0", "-1", "soon", "nan", "inf"):
        with pytest.raises(SystemExit):
            main([str(tmp_path), "--seconds", time])
        assert "expected a number of seconds above 0" in capsys.readouterr().err
