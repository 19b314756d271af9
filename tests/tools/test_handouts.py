"""Handouts: open exercises for students, solved ones for teachers, and nothing half-written."""

import ast

import nbformat
import pytest

from helpers.practice.exercises import find_exercise, read_exercises
from tools import handouts as module
from tools.handouts import CHECK, handout, main, write_handouts

NAME = "3-5/5"
EXERCISE = find_exercise(NAME)
CALL = f'check("{NAME}", order)'


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A small book with one notebook, as the module's root."""
    root = tmp_path / "book-of-one"
    chapter = root / "notebooks" / "en" / "3-fine-tuning"
    chapter.mkdir(parents=True)
    (root / "book" / "figures").mkdir(parents=True)
    (root / "book" / "glossary.md").write_text("# Glossary\n")
    (root / "book" / "figures" / "a.svg").write_text("<svg/>")
    (chapter / "train.py").write_text("print(1)\n")
    save(chapter / "3-5-own.ipynb", ["print(1)", f"{EXERCISE.start}\n{CALL}"])
    monkeypatch.setattr(module, "ROOT", root)
    return root


def save(path, sources):
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
    for cell in cells:
        cell.outputs = [nbformat.v4.new_output("stream", text="stored\n")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"jupytext": {"formats": "x"}})
    nbformat.write(notebook, path)


def made(book, kind):
    path = book / "out" / kind / "notebooks" / "en" / "3-fine-tuning" / "3-5-own.ipynb"
    return nbformat.read(path, as_version=4)


def test_students_get_the_starter_and_teachers_the_solution(book, capsys):
    assert main([str(book / "out")]) == 0
    assert str(book / "out" / "students") in capsys.readouterr().out
    first, exercise = made(book, "students").cells
    assert first.outputs
    assert exercise.source == f"{EXERCISE.start}\n{CALL}"
    assert exercise.outputs == []
    assert EXERCISE.solution.strip() not in nbformat.writes(made(book, "students"))
    solved = made(book, "teachers").cells[1]
    assert solved.source == f"{EXERCISE.solution}\n{CALL}"
    assert (solved.outputs, solved.execution_count) == ([], None)
    assert "jupytext" not in made(book, "teachers").metadata


def test_both_bring_what_the_notebooks_read_and_link_to(book):
    main([str(book / "out")])
    for kind in ("students", "teachers"):
        folder = book / "out" / kind
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
        assert names == {
            "book/figures/a.svg",
            "book/glossary.md",
            "notebooks/en/3-fine-tuning/3-5-own.ipynb",
            "notebooks/en/3-fine-tuning/train.py",
        }


def test_earlier_handouts_are_replaced_and_other_files_are_not(book, capsys):
    out = book / "out"
    assert main([str(out)]) == main([str(out)]) == 0
    (out / "thesis.txt").write_text("mine")
    assert main([str(out)]) == 1
    assert "got thesis.txt. Name another folder." in capsys.readouterr().err
    assert (out / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it can't be read (NotJSONError)"),
        (CALL, f"expected the starter of exercise {NAME} above its check"),
        ('check("3-5/99", order)', "got '3-5/99'"),
    ],
)
def test_a_failure_is_named_and_leaves_the_old_handouts(book, capsys, content, said):
    out = book / "out"
    main([str(out)])
    path = book / "notebooks" / "en" / "3-fine-tuning" / "3-6-more.ipynb"
    path.write_text(content) if content == "{" else save(path, [content])
    before = sorted(out.rglob("*"))
    assert main([str(out)]) == 1
    assert said in capsys.readouterr().err
    assert sorted(out.rglob("*")) == before
    assert not list(book.glob(".handouts-*"))


def test_no_notebooks_and_wrong_options_are_errors(book, capsys):
    with pytest.raises(ValueError, match="there are none"):
        write_handouts([], book / "out")
    assert main(["--help"]) == 2
    assert "python -m tools.handouts [FOLDER]" in capsys.readouterr().err


def test_every_exercise_of_the_book_is_open_and_solved():
    """The guess above its check, too."""
    for path in sorted(module.ROOT.glob("notebooks/en/*/*.ipynb")):
        exercises = read_exercises(path.name[:3])
        for solved in (False, True):
            cells = [c.source for c in handout(path, solved=solved).cells if c.cell_type == "code"]
            called = [name for source in cells for name, _ in CHECK.findall(source)]
            for name in called:
                code = exercises[name].solution if solved else exercises[name].start
                assert sum(code.strip() in source for source in cells) >= 1, name
            for source in cells:
                if solved and CHECK.search(source):
                    ast.parse(source)
