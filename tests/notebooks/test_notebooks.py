"""The notebooks as files: pairs agree, outputs are stored, excused cells have a reason.

Whether the outputs are right is checked by nbval: `make test` runs every cell and compares.
"""

import ast
import base64
import io
import json
import re
import tokenize
from itertools import pairwise
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.config import load_jupytext_configuration_file
from nbval import plugin

from tools import pairs
from tools.pairs import difference
from tools.run_notebooks import lasting_ids, read_source
from tools.toc import documents

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*/*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"
MOST_EXCUSED = 0  # cells in the whole book; raise it only with a reason in the commit
MOST_MEASURED = 4  # plots of seconds or of memory, which differ on every run
MOST_TRAINED = 10  # plots of a training's result, which may differ in more pixels

PRINTS = {"print", "resolve"}  # functions that print, besides those that a notebook defines
SILENT = {"save"}  # ends a cell, but has no value to show


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    """One stored notebook, and the path it lies at."""
    return nbformat.read(request.param, as_version=4), request.param


def code_cells(notebook):
    """List the code cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def test_the_pair_agrees(notebook):
    """The .ipynb holds the cells of the .md. If not: make notebooks."""
    stored, path = notebook
    assert difference(path.with_suffix(".md")) is None
    source = read_source(path.with_suffix(".md"))
    assert [cell.id for cell in stored.cells] == [cell.id for cell in source.cells]


def ids(*sources, stored=()):
    """Name the cells of a notebook, a letter each; capitals are code."""
    kinds = {True: nbformat.v4.new_code_cell, False: nbformat.v4.new_markdown_cell}
    cells = [kinds[source.isupper()](source) for source in sources]
    for cell, name in zip(cells, lasting_ids(cells, list(stored)), strict=True):
        cell["id"] = name
    return cells


def by_source(cells):
    return {cell.source: cell.id for cell in cells}


def test_a_cell_keeps_its_id_whatever_happens_around_it():
    old = ids("a", "B", "c", "D", "D", "e")
    assert len({cell.id for cell in old}) == 6
    new = ids("a", "x", "Y", "B", "c", "D", "D", "e", stored=old)
    assert by_source(new).items() > by_source(old).items()
    assert len({cell.id for cell in new}) == 8
    assert [cell.id for cell in ids("c", "e", stored=old)] == [old[2].id, old[5].id]


def test_an_edited_cell_keeps_its_id_and_one_of_another_type_gets_a_new_one():
    old = ids("a", "B", "c")
    assert [cell.id for cell in ids("a", "X", "c", stored=old)] == [cell.id for cell in old]
    assert ids("a", "x", "c", stored=old)[1].id not in {cell.id for cell in old}


def test_ids_are_the_same_on_every_run():
    old = ids("a", "B", "b", "B")
    assert ids("a", "B", "b", "B") == old
    assert ids("a", "B", "b", "B", stored=old) == old


def test_jupyterlab_changes_nothing_in_a_pair(notebook):
    """Both files are as JupyterLab saves them. It compares them as pyproject.toml says."""
    stored, path = notebook
    config = load_jupytext_configuration_file(str(ROOT / "pyproject.toml"))
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    source = jupytext.reads(text, fmt="md:myst", config=config)
    assert jupytext.writes(source, fmt="md:myst", config=config) == text
    # an .ipynb sorts the keys of its metadata, so a .md must, too
    assert jupytext.writes(stored, fmt="md:myst", config=config) == text
    header = dict(source.metadata.jupytext)
    for filter_ in ("notebook_metadata_filter", "cell_metadata_filter"):
        assert header[filter_] == getattr(config, filter_)
    del header["text_representation"]
    assert stored.metadata.jupytext == header
    assert set(stored.metadata) - {"widgets"} == {"jupytext", "kernelspec", "language_info"}
    assert stored.metadata.language_info.get("version") is None


def small_pair(folder):
    """A notebook of two cells; its .md and its .ipynb agree."""
    source = folder / "en" / "1" / "small.md"
    source.parent.mkdir(parents=True)
    source.write_text("# Title\n\n```{code-cell} ipython3\n1 + 1\n```\n")
    nbformat.write(read_source(source), source.with_suffix(".ipynb"))
    assert pairs.differences(folder) == {}
    return source


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace("1 + 1", "1 + 2"), "cell 2 (code) has '1 + 2' in the .md"),
        (lambda text: text.replace("Title", "Other"), "cell 1 (markdown) has '# Other'"),
        (lambda text: text.replace("1 + 1", ":tags: [x]\n\n1 + 1"), "cell 2 has another type"),
        (lambda text: text + "\n```{code-cell} ipython3\n2\n```\n", "the .md has 3 cells"),
        (lambda text: text.partition("```")[0], "the .md has 1 cells"),
    ],
)
def test_a_drifted_pair_is_named(tmp_path, monkeypatch, capsys, edit, said):
    """`make book` and `make lab` say which notebook it is, and what to do."""
    source = small_pair(tmp_path)
    source.write_text(edit(source.read_text()))
    monkeypatch.setattr(pairs.differences, "__defaults__", (tmp_path,))
    assert pairs.main() == 1
    printed = capsys.readouterr().err
    assert f"small: {said}" in printed
    assert "(the .md is newer)" in printed
    assert "make notebooks" in printed


@pytest.mark.parametrize("suffix", [".md", ".ipynb"])
def test_half_a_pair_is_named(tmp_path, suffix):
    source = small_pair(tmp_path)
    source.with_suffix(suffix).unlink()
    assert pairs.differences(tmp_path) == {source: f"there is no {suffix}"}


def test_make_book_looks_at_the_pairs_before_it_builds():
    recipe = re.search(r"^book:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert "-m tools.pairs" in recipe.partition("jupyter-book")[0]


def test_every_notebook_is_on_the_site():
    listed = {name for name in documents() if name.startswith("notebooks/")}
    assert {str(path.relative_to(ROOT).with_suffix("")) for path in NOTEBOOKS} == listed


def test_every_cell_was_run_in_order(notebook):
    """Nbval passes a cell that was never run without comparing anything."""
    counts = [cell.execution_count for cell in code_cells(notebook[0])]
    assert counts == list(range(1, len(counts) + 1))


def called(nodes) -> set[str]:
    """Name what is called in some pieces of code, methods by their own name."""
    calls = [node for part in nodes for node in ast.walk(part) if isinstance(node, ast.Call)]
    return {getattr(call.func, "id", None) or getattr(call.func, "attr", "") for call in calls}


def test_every_cell_that_shows_something_has_its_output(notebook):
    """A cell shows something if it prints, or ends with a value and no semicolon."""
    prints = set(PRINTS)
    for cell in code_cells(notebook[0]):
        body = ast.parse(cell.source).body
        functions = [part for part in body if isinstance(part, ast.FunctionDef | ast.ClassDef)]
        prints |= {function.name for function in functions if called([function]) & prints}
        run = [part for part in body if part not in functions]
        ends_with_value = isinstance(body[-1], ast.Expr) and not called(body[-1:]) & SILENT
        ends_with_value &= not cell.source.rstrip().endswith(";")  # which hides the value
        if called(run) & prints or ends_with_value:
            assert cell.outputs, f"no output stored for:\n{cell.source}"


def test_no_cell_hides_its_value_behind_a_semicolon(notebook):
    """nbval runs a cell outside the history, where IPython doesn't see the semicolon."""
    stored, _ = notebook
    hidden = [cell.source for cell in code_cells(stored) if ends_in_semicolon(cell.source)]
    assert not hidden, "give the value a name instead"


def ends_in_semicolon(source: str) -> bool:
    """Say whether the last thing in a cell, comments aside, is a semicolon."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type not in skipped][-1] == ";"


@pytest.mark.parametrize(
    ("source", "expected"),
    [("f();", True), ("f();  # quietly", True), ("a = 1; b = 2", False), ('print(";")', False)],
)
def test_a_semicolon_at_the_end_is_seen(source, expected):
    assert ends_in_semicolon(source) is expected


def test_no_cell_holds_an_error_or_a_warning(notebook):
    for cell in code_cells(notebook[0]):
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in cell.metadata.get(
                "tags", []
            )
            assert output.get("name") != "stderr", f"{output.get('text')} from:\n{cell.source}"


def excused(cell):
    """Tell whether nbval skips a cell. It reads the tags and comments itself."""
    options = {
        **dict(plugin.find_metadata_tags(cell.metadata)),
        **dict(plugin.find_comment_markers(cell.source)),
    }
    return options.get("check") is False or options.get("skip", False)


def hiding(marks):
    """List the markers of nbval, comments or tags, with which a cell isn't compared."""
    return [mark for mark, option in marks.items() if option in (("check", False), "skip")]


@pytest.mark.parametrize("comment", hiding(plugin.comment_markers))
def test_a_comment_that_hides_an_output_is_counted(comment):
    assert excused(nbformat.v4.new_code_cell(f"1 + 1\n#  {comment}\n2"))


@pytest.mark.parametrize("tag", hiding(plugin.metadata_tags))
def test_a_tag_that_hides_an_output_is_counted(tag):
    assert excused(nbformat.v4.new_code_cell("1", metadata={"tags": [tag]}))


def test_cells_that_are_not_compared_carry_a_reason_and_are_few_in_the_book():
    cells = [cell for path in NOTEBOOKS for cell in code_cells(nbformat.read(path, as_version=4))]
    unseen = [cell for cell in cells if excused(cell)]
    measured = [cell for cell in cells if "measured-picture" in cell.metadata.get("tags", [])]
    trained = [cell for cell in cells if "trained-picture" in cell.metadata.get("tags", [])]
    for cell in unseen + measured + trained:
        assert cell.metadata.get("reason"), f"not compared, without a reason:\n{cell.source}"
    assert len(unseen) <= MOST_EXCUSED
    assert len(measured) <= MOST_MEASURED
    assert len(trained) <= MOST_TRAINED


TRAINS = re.compile(r"\btrain\(|\.train\(\)|\brun\(")  # our loop, the Trainer, a script
SCORES = re.compile(r"\b(?:evaluations|metrics|predictions)\b")


def test_a_tolerance_is_needed_and_smaller_than_what_the_text_claims(notebook):
    """It belongs to the scores of a training, and can't turn one order of scores into another."""
    cells = code_cells(notebook[0])
    for number, cell in enumerate(cells):
        if "tolerance" not in cell.metadata:
            continue
        assert cell.metadata.get("reason")
        assert any(TRAINS.search(earlier.source) for earlier in cells[:number]), "nothing trains"
        assert SCORES.search(cell.source), "it prints no score of a training"
        printed = "".join(output.get("text", "") for output in cell.outputs)
        scores = sorted({float(score) for score in re.findall(r"-?\d+\.\d+", printed)})
        assert len(scores) > 1, "print what the score is compared with beside it"
        gap = min(high - low for low, high in pairwise(scores))
        assert 0 < 2 * cell.metadata["tolerance"] < gap, (
            f"scores {gap:.2f} apart could change places"
        )


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


def test_the_picture_of_a_live_curve_is_not_stored(runner, tmp_path):
    source = tmp_path / "curve.md"
    source.write_text(
        "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n  language: python\n---\n\n"
        "```{code-cell} ipython3\nfrom helpers.display import LearningCurve\nLearningCurve()\n```\n"
    )
    (state,) = runner.run(source).metadata.widgets.values()
    (picture,) = [one for one in state["state"].values() if one["model_name"] == "ImageModel"]
    assert [buffer["path"] for buffer in picture["buffers"]] == [["value"]]
    assert len(json.dumps(picture)) < 2000
    assert base64.b64decode(picture["buffers"][0]["data"]).startswith(b"\x89PNG")


def test_a_notebook_that_fails_leaves_its_pair_as_it_was(runner, tmp_path, capsys):
    source = tmp_path / "broken.md"
    source.write_text(
        "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n  language: python\n---\n\n"
        "```{code-cell} ipython3\n1 / 0\n```\n"
    )
    target = source.with_suffix(".ipynb")
    as_it_was = nbformat.writes(nbformat.v4.new_notebook())
    target.write_text(as_it_was)

    assert runner.main([str(source)]) == 1

    assert target.read_text() == as_it_was
    assert list(tmp_path.glob("*.part")) == []
    assert "ZeroDivisionError" in capsys.readouterr().err


def stored_result(source):
    """Store an output in the small pair, as if it had been run."""
    notebook = read_source(source)
    notebook.cells[1].execution_count = 1
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="2")]
    nbformat.write(notebook, source.with_suffix(".ipynb"))
    return notebook.cells[1]


def test_prose_is_stored_without_running_the_code(runner, tmp_path):
    source = small_pair(tmp_path)
    code = stored_result(source)
    source.write_text(source.read_text().replace("# Title", "# Other title\n\nMore words."))

    assert runner.main(["--prose", str(source)]) == 0

    assert pairs.differences(tmp_path) == {}
    assert nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells[1] == code


def test_prose_is_not_stored_beside_the_outputs_of_other_code(runner, tmp_path, capsys):
    source = small_pair(tmp_path)
    stored_result(source)
    before = source.with_suffix(".ipynb").read_text()
    source.write_text(source.read_text().replace("1 + 1", "1 + 2"))

    assert runner.main(["--prose", str(source)]) == 1

    assert source.with_suffix(".ipynb").read_text() == before
    assert "python -m tools.run_notebooks small.md" in capsys.readouterr().err


def test_storing_prose_that_has_not_changed_changes_nothing(runner, notebook):
    _, path = notebook
    assert runner.stable_text(runner.keep_outputs(path.with_suffix(".md"))) == path.read_text()


def test_live_things_get_todays_program_with_the_prose(runner, tmp_path):
    (path,) = [path for path in NOTEBOOKS if path.name.startswith("2-3")]
    source, target = (tmp_path / f"2-3{suffix}" for suffix in (".md", ".ipynb"))
    source.write_text(path.with_suffix(".md").read_text())
    older = re.sub(r'"_(css|esm)": ".*"', r'"_\1": "older"', path.read_text())
    assert older.count(': "older"') > 2
    target.write_text(older)
    assert runner.main(["--prose", str(source)]) == 0
    assert target.read_text() == path.read_text()


def test_run_refuses_what_is_not_the_source_of_a_notebook(runner, tmp_path, capsys):
    assert runner.main([str(tmp_path / "missing.md")]) == 2
    assert "expected the .md of a notebook" in capsys.readouterr().err
