"""The notebooks as files: pairs agree, outputs are there, nothing is excused without a reason.

That the outputs are right is nbval's part: `make test` runs every cell again and compares.
"""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*/*.ipynb"))
EXCUSES = ("nbval-ignore-output", "nbval-skip", "NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP")
VIEW = "application/vnd.jupyter.widget-view+json"
MOST_EXCUSED = 0  # cells in the whole book; raise it only with a reason in the commit

PRINTS = {"print", "resolve"}  # functions that print, besides those that a notebook defines
SILENT = {"save"}  # ends a cell, but has no value to show


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    """One stored notebook, and the path it lies at."""
    return nbformat.read(request.param, as_version=4), request.param


def code_cells(notebook):
    """List the code cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def test_there_are_notebooks_and_each_has_its_pair():
    assert NOTEBOOKS
    sources = {path.with_suffix("") for path in (ROOT / "notebooks").glob("*/*/*.md")}
    assert {path.with_suffix("") for path in NOTEBOOKS} == sources


def test_the_pair_agrees(notebook, runner):
    """The .ipynb holds the cells of the .md, in their order: make notebooks mends it."""
    stored, path = notebook
    source = runner.read_source(path.with_suffix(".md"))
    assert [(cell.cell_type, cell.source) for cell in stored.cells] == [
        (cell.cell_type, cell.source) for cell in source.cells
    ]
    assert [cell.id for cell in stored.cells] == [cell.id for cell in source.cells]
    assert [cell.metadata.get("tags") for cell in stored.cells] == [
        cell.metadata.get("tags") for cell in source.cells
    ]


def test_every_cell_was_run_in_order(notebook):
    """Nbval passes a cell that was never run without comparing anything."""
    counts = [cell.execution_count for cell in code_cells(notebook[0])]
    assert counts == list(range(1, len(counts) + 1))


def called(nodes) -> set[str]:
    """Name what is called in some pieces of code, methods by their own name."""
    calls = [node for part in nodes for node in ast.walk(part) if isinstance(node, ast.Call)]
    return {getattr(call.func, "id", None) or getattr(call.func, "attr", "") for call in calls}


def test_every_cell_that_shows_something_has_its_output(notebook):
    """A cell shows something if it prints, or ends with a value."""
    prints = set(PRINTS)
    for cell in code_cells(notebook[0]):
        body = ast.parse(cell.source).body
        functions = [part for part in body if isinstance(part, ast.FunctionDef | ast.ClassDef)]
        prints |= {function.name for function in functions if called([function]) & prints}
        run = [part for part in body if part not in functions]
        ends_with_value = isinstance(body[-1], ast.Expr) and not called(body[-1:]) & SILENT
        if called(run) & prints or ends_with_value:
            assert cell.outputs, f"no output stored for:\n{cell.source}"


def test_no_cell_holds_an_error_or_a_warning(notebook):
    for cell in code_cells(notebook[0]):
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in cell.metadata.get(
                "tags", []
            )
            assert output.get("name") != "stderr", f"{output.get('text')} from:\n{cell.source}"


def test_excused_cells_carry_a_reason_and_are_few(notebook):
    excused = [
        cell
        for cell in code_cells(notebook[0])
        if any(excuse in cell.source for excuse in EXCUSES)
        or any(tag in EXCUSES for tag in cell.metadata.get("tags", []))
    ]
    for cell in excused:
        assert cell.metadata.get("reason"), (
            f"excused from comparison without a reason:\n{cell.source}"
        )
    assert len(excused) <= MOST_EXCUSED


def test_no_output_depends_on_the_machine(notebook):
    """No path of this machine, no address in memory, no time, no processor's name."""
    text = json.dumps([cell.get("outputs") for cell in notebook[0].cells])
    home = Path.home()
    homes = [re.escape(f"{home}/")] if len(home.parts) > 1 else []  # a container's may be /
    for pattern in (
        *homes,
        r"/home/",
        r"/tmp/",
        r"/Users/",
        r"\b0x[0-9a-f]{8,}",
        re.escape(f"{ROOT}/"),
    ):
        assert not re.search(pattern, text), pattern


def test_it_opens_and_closes_as_every_notebook_does(notebook):
    prose = "\n".join(cell.source for cell in notebook[0].cells if cell.cell_type == "markdown")
    for part in ("What you will do", "What you will learn", "What you need", "How long it runs"):
        assert f"**{part}.**" in prose
    assert "## What to remember" in prose
    assert "Where to go next" in prose


def test_images_have_a_text_alternative_and_exist(notebook):
    stored, path = notebook
    for cell in stored.cells:
        if cell.cell_type == "markdown":
            for alternative, target in re.findall(r"!\[(.*?)\]\((.*?)\)", cell.source):
                assert len(alternative) > 20, target
                assert (path.parent / target).is_file(), target


def test_a_widget_is_stored_with_the_html_that_the_site_shows(notebook):
    for cell in code_cells(notebook[0]):
        for output in cell.outputs:
            if VIEW in output.get("data", {}):
                html = output.data["text/html"]
                # or words, where a picture would differ from run to run
                assert "book-picture" in html or html.startswith("<p>The learning curve moves")


def test_what_run_writes_does_not_depend_on_random_ids(runner):
    def notebook(*model_ids):
        cell = nbformat.v4.new_code_cell("x", id="a")
        cell.outputs = [nbformat.v4.new_output("display_data", {VIEW: {"model_id": model_ids[0]}})]
        models = {
            model_id: {"model_name": name, "model_module": "m", "state": {"of": model_id}}
            for model_id, name in zip(model_ids, ["First", "Second"], strict=True)
        }
        state = {"state": models, "version_major": 2, "version_minor": 0}
        metadata = {"widgets": {"application/vnd.jupyter.widget-state+json": state}}
        return nbformat.v4.new_notebook(cells=[cell], metadata=metadata)

    first = runner.stable_text(notebook("a" * 32, "b" * 32))
    second = runner.stable_text(notebook("d" * 32, "c" * 32))
    assert first == second
    assert "a" * 32 not in first


def test_a_notebook_that_fails_leaves_its_pair_as_it_was(runner, tmp_path, capsys):
    source = tmp_path / "broken.md"
    source.write_text(
        "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n  language: python\n---\n\n"
        "```{code-cell} ipython3\n1 / 0\n```\n"
    )
    target = source.with_suffix(".ipynb")
    target.write_text("as it was")

    assert runner.main([str(source)]) == 1

    assert target.read_text() == "as it was"
    assert list(tmp_path.glob("*.part")) == []
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_run_refuses_what_is_not_the_source_of_a_notebook(runner, tmp_path, capsys):
    assert runner.main([str(tmp_path / "missing.md")]) == 2
    assert "expected the .md of a notebook" in capsys.readouterr().err
