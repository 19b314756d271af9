"""JupyterLab in a browser: notebooks open, run, keep every edit, and every widget answers.

One notebook is the book's own. A second one, made here, has one cell for each widget; the same
actions are done in Python, and both pictures must agree. Without a browser the tests are skipped,
or fail: see the fixture ``browser`` in ``conftest.py``.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request, urlopen

import nbformat
import pytest
from browser_pictures import wait_for

from helpers.display import explorers, model_explorers
from helpers.display.pictures import progress_picture
from helpers.practice.exercises import read_exercises
from helpers.practice.quizzes import read_questions
from tools import pairs
from tools.browsing import is_ours
from tools.lab import book_title
from tools.pairs import difference

ROOT = Path(__file__).parents[2]
BOOKS_OWN = "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.ipynb"
FIRST = "notebooks/en/1-transformer-models/1-1-nlp-and-the-pipeline.ipynb"
MADE_HERE = "every-widget.ipynb"

LOAD = """
from types import SimpleNamespace
import torch
from transformers import (AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM,
                          AutoModelForSequenceClassification, AutoTokenizer)
from transformers.utils import logging
from helpers.sources.checkpoints import resolve
from helpers.display.explorers import *
from helpers.display.model_explorers import *
from helpers.display.progress import LearningCurve
logging.disable_progress_bar()
bert = resolve("bert-base-uncased")
tokenizer = AutoTokenizer.from_pretrained(bert)
encoder = AutoModel.from_pretrained(bert, attn_implementation="eager").eval()
classifier = AutoModelForSequenceClassification.from_pretrained(
    resolve("distilbert-base-uncased-finetuned-sst-2-english")).eval()
"""

MODELS = """
def pair_of(name, kind):
    folder = resolve(name)
    return AutoTokenizer.from_pretrained(folder), kind.from_pretrained(folder).eval()

def letters(texts):
    return torch.tensor([[float(text.count(one)) for one in "abc"] for text in texts])

masked = pair_of("distilbert-base-uncased", AutoModelForMaskedLM)
causal = pair_of("gpt2", AutoModelForCausalLM)
"""

# The cell of each widget, by the name of what makes it.
CELLS = {
    "pipeline_explorer": "pipeline_explorer(tokenizer, classifier)",
    "temperature_explorer": "temperature_explorer([-1, 1], {0: 'NO', 1: 'YES'}, temperature=2)",
    "mask_explorer": "mask_explorer()",
    "encoding_explorer": "encoding_explorer(tokenizer)",
    "padding_explorer": "padding_explorer(tokenizer, ['one two three', 'four'])",
    "tokenizer_explorer": "tokenizer_explorer({'BERT': tokenizer})",
    "nearest_explorer": "nearest_explorer(letters, ['a', 'bb', 'cab'], text='aab')",
    "attention_explorer": "attention_explorer(tokenizer, encoder, text='one two')",
    "gap_explorer": "gap_explorer(masked, causal)",
    "batching_explorer": "batching_explorer([10 + n * n % 37 for n in range(100)])",
    "pair_explorer": "pair_explorer(tokenizer, classifier, first='Good.', second='Bad.')",
    "LearningCurve": "curve = LearningCurve(metric='accuracy')\ncurve",
}
TRAINS = """
training = SimpleNamespace(losses=[0.7, 0.5, 0.4], evaluations=[{"step": 2, "accuracy": 0.75}])
curve(training, 3)
"""


def test_each_widget_has_a_cell_here():
    names = {*vars(explorers), *vars(model_explorers)}
    made = {name for name in names if name.endswith("_explorer")}
    assert made | {"LearningCurve"} == set(CELLS)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    """A JupyterLab with settings of its own, and copies of what it may change."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("_*"))
    shutil.copy(ROOT / "pyproject.toml", folder)  # the settings of jupytext
    cells = [nbformat.v4.new_code_cell(code.strip()) for code in [LOAD + MODELS, *CELLS.values()]]
    cells.append(nbformat.v4.new_code_cell(TRAINS.strip()))
    book = nbformat.v4.new_notebook(cells=cells)
    # what JupyterLab would write into it on opening, as the book's own notebooks have it
    stored = nbformat.read(ROOT / BOOKS_OWN, as_version=4).metadata
    for name in ("kernelspec", "language_info"):
        book.metadata[name] = stored[name]
    nbformat.write(book, folder / MADE_HERE)

    own = tmp_path_factory.mktemp("settings")
    (own / "settings").mkdir()
    shutil.copy(ROOT / "tools" / "lab_settings.json", own / "settings" / "overrides.json")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "IPYTHONDIR": str(own / "ipython"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    recipe = re.search(r"^lab:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert "cp tools/lab_settings.json $(LAB_SETTINGS)/overrides.json" in recipe
    own_options = shlex.split(" ".join(re.findall(r"--(?:ServerApp|LabApp)\.\S+", recipe)))
    own_options.append(f"--LabApp.app_settings_dir={own / 'settings'}")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    command += ["--allow-root", "--expose-app-in-browser", f"--notebook-dir={folder}", *own_options]
    log = (own / "log").open("w+")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(600):
            # it is there a moment before it is written
            found = [path.read_text() for path in (own / "runtime").glob("jpserver-*.json")]
            if any(found) or server.poll() is not None:
                break
            time.sleep(0.1)
        assert any(found), (own / "log").read_text()
        said = json.loads(found[0])
        yield SimpleNamespace(url=said["url"], token=said["token"], browser=browser, folder=folder)
    finally:
        server.terminate()
        server.wait(timeout=60)
        log.close()


READY = """(name) => {
  const open = window.jupyterapp?.shell.currentWidget;
  return open?.context?.path === name && open.context.isReady
    && open.sessionContext.session?.kernel?.status === "idle";
}"""

# The cells of the open notebook: has each run, and what came out.
OUTPUTS = """() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
  return cells.filter((cell) => cell.type === "code").map((cell) => ({
    count: cell.executionCount,
    outputs: cell.outputs.toJSON().map((one) =>
      [one.output_type, one.name ?? "", one.evalue ?? one.text ?? ""]),
  }));
}"""


CONTEXT = "window.jupyterapp.shell.currentWidget.context"


@contextmanager
def window(lab):
    """A window that shows nothing yet. It fails if it asks for anything outside the server."""
    context = lab.browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)
    tab = context.new_page()
    wrong = []

    def pass_on(route):
        if is_ours(route.request.url, lab.url):
            return route.continue_()
        wrong.append(f"asks for {route.request.url}")
        return route.abort()

    context.route("**/*", pass_on)
    try:
        yield tab
        assert not wrong
    finally:
        context.close()


def open_notebook(lab, tab, name):
    tab.goto(f"{lab.url}lab/tree/{name}?token={lab.token}&reset")


@contextmanager
def opened_and_run(lab, name):
    """Open a notebook, choose *Run All Cells* in the menu, and wait for the last of them."""
    with window(lab) as tab:
        open_notebook(lab, tab, name)
        tab.wait_for_function(READY, arg=name)
        assert not tab.evaluate(f"{CONTEXT}.model.dirty"), "opening it changed it"
        tab.get_by_role("menuitem", name="Run", exact=True).click()
        tab.get_by_text("Run All Cells", exact=True).click()
        for _ in range(1200):
            cells = tab.evaluate(OUTPUTS)
            failed = any(output[0] == "error" for cell in cells for output in cell["outputs"])
            if failed or all(cell["count"] for cell in cells):
                break
            tab.wait_for_timeout(100)
        yield tab, cells


def read(lab, name):
    """Ask the server for a notebook, as JupyterLab does when it opens one."""
    request = Request(
        f"{lab.url}api/contents/{name}", headers={"Authorization": f"token {lab.token}"}
    )
    with urlopen(request) as answer:
        return json.load(answer)["content"]


def test_a_fresh_clone_opens_whichever_file_of_a_pair_is_newer(lab):
    now = time.time()
    for seconds in (0.001, 5, -0.001, -5):
        for path in sorted(lab.folder.glob("notebooks/*/*/*.ipynb")):
            os.utime(path, (now, now))
            os.utime(path.with_suffix(".md"), (now + seconds, now + seconds))
            name = path.relative_to(lab.folder).as_posix()
            assert read(lab, name)["cells"], name


def test_the_first_page_is_the_way_to_the_notebooks(lab):
    """It is what `make lab` opens: rendered, with the book's title, and with links that work."""
    page = lab.folder / "book" / "welcome.md"
    before = page.read_text()
    with window(lab) as tab:
        tab.goto(f"{lab.url}?token={lab.token}")
        shown = tab.locator(".jp-MarkdownViewer")
        shown.get_by_role("heading", name=book_title(), exact=True).wait_for()
        tab.locator(".jp-DirListing-item", has_text="2-using-transformers").wait_for()
        shown.get_by_role("link", name="Natural language processing and the pipeline").click()
        tab.wait_for_function(
            READY, arg="notebooks/en/1-transformer-models/1-1-nlp-and-the-pipeline.ipynb"
        )
        tab.locator(".lm-TabBar-tabLabel", has_text="welcome.md").first.click()
        shown.get_by_role("link", name="Behind the pipeline").click()
        tab.wait_for_function(READY, arg=BOOKS_OWN)
        tab.locator(".lm-TabBar-tabLabel", has_text="welcome.md").first.click()
        shown.get_by_role("link", name="glossary", exact=True).click()
        tab.locator(".jp-MarkdownViewer").get_by_role("heading", name="Glossary").wait_for()

        tab.goto(f"{lab.url}lab/tree/book/welcome.md?reset")
        shown.wait_for()
        tab.evaluate(f"{CONTEXT}.save()")
    assert page.read_text() == before, "the title is filled in, and not saved"


def append_cell(path, code):
    """Add a cell to an .ipynb and leave its .md alone, as VS Code and Colab do."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec.display_name = ".venv"
    for cell in notebook.cells:
        cell.metadata["id"] = "of-colab"
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, path)


def test_a_cell_added_by_another_tool_is_not_lost(lab):
    """JupyterLab refuses to open the pair and names the cell, until one file is chosen."""
    stored, source = (lab.folder / f"edited-elsewhere{suffix}" for suffix in (".ipynb", ".md"))
    for path in (stored, source):
        shutil.copy((ROOT / BOOKS_OWN).with_suffix(path.suffix), path)
    append_cell(stored, "edited = 'elsewhere'")
    before = stored.read_text(), source.read_text()
    with window(lab) as tab:
        open_notebook(lab, tab, stored.name)
        dialog = tab.locator(".jp-Dialog")
        dialog.get_by_text("edited = 'elsewhere'").wait_for()
        assert "delete edited-elsewhere.md if not up to date" in dialog.inner_text()
        assert (stored.read_text(), source.read_text()) == before

        advice = re.search(r"\.venv/bin/(jupytext --to \S+)", pairs.WHAT_TO_DO)[1]
        command = [sys.executable, "-m", *advice.split(), stored.name]
        subprocess.run(command, cwd=lab.folder, check=True, capture_output=True)
        assert "edited = 'elsewhere'" in source.read_text()
        assert difference(source) is None
        open_notebook(lab, tab, stored.name)
        tab.wait_for_function(READY, arg=stored.name)
        tab.evaluate(f"{CONTEXT}.save()")
        assert all("edited = 'elsewhere'" in path.read_text() for path in (stored, source))
        assert "of-colab" not in source.read_text()

        # while the notebook is open, JupyterLab asks before it writes over such an edit
        append_cell(stored, "edited = 'meanwhile'")
        tab.evaluate(f"{CONTEXT}.model.sharedModel.cells[0].setSource('changed here')")
        tab.keyboard.press("Control+s")
        tab.locator(".jp-Dialog").get_by_text("has changed on disk").wait_for()
    assert "edited = 'meanwhile'" in stored.read_text()


def outcome(cells):
    """Which cells did not run, and what they say in red."""
    said = [output for cell in cells for output in cell["outputs"]]
    return [cell for cell in cells if not cell["count"]], [
        output for output in said if output[0] == "error" or output[1] == "stderr"
    ]


def scroll_to(tab, text):
    """Bring the cell with some code into view: JupyterLab doesn't render the others."""
    number = tab.evaluate(
        """(text) => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          const sources = [...notebook.model.cells].map((cell) => cell.sharedModel.source);
          const number = sources.findIndex((source) => source.includes(text));
          notebook.activeCellIndex = number;
          notebook.scrollToItem(number, "start");
          return number;
        }""",
        text,
    )
    assert number >= 0
    return tab.locator(".jp-NotebookPanel:visible .jp-Cell.jp-mod-active")


def cell_of(tab, text):
    """Bring the cell of a widget into view, and wait for the widget."""
    cell = scroll_to(tab, text)
    cell.locator(".jp-OutputArea .book-picture, .jp-OutputArea .widget-html").first.wait_for()
    return cell


# What the cells of the open notebook show as Markdown.
MARKDOWN = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .flatMap((cell) => cell.outputs.toJSON())
  .map((one) => one.data?.["text/markdown"])
  .filter(Boolean)
  .map((lines) => [lines].flat().join(""))
"""


def test_exercises_and_questions_answer(lab):
    """A check speaks in Markdown, and a quiz is answered with the keyboard."""
    exercise, questions = read_exercises("1-0")["1-0/3"], read_questions("1-0")
    codes = [
        "import torch\nfrom helpers.practice import check, hint, quiz, solution\n"
        "hidden = torch.arange(1.0, 25.0).reshape(2, 4, 3)\n"
        "mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])"
    ]
    for answer in (exercise.start, exercise.mistakes[0].answer, exercise.solution):
        codes.append(f'{answer}\n\ncheck("1-0/3", {exercise.variable})')
    codes += ['hint("1-0/3")', 'solution("1-0/3")', 'quiz("1-0")']
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])
    stored = nbformat.read(ROOT / BOOKS_OWN, as_version=4).metadata
    for name in ("kernelspec", "language_info"):
        notebook.metadata[name] = stored[name]
    nbformat.write(notebook, lab.folder / "practice.ipynb")
    with opened_and_run(lab, "practice.ipynb") as (tab, cells):
        assert outcome(cells) == ([], [])
        shown = tab.evaluate(MARKDOWN)
        assert [words.split("**")[1] for words in shown[:4]] == [
            "Not answered yet.",
            "Not yet.",
            "Right.",
            f"Hint 1 of {len(exercise.hints)}.",
        ]
        assert exercise.solution.strip() in shown[4]
        scroll_to(tab, 'solution("1-0/3")')
        tab.locator(".jp-OutputArea-output pre", has_text="def masked_mean").first.wait_for()
        scroll_to(tab, 'quiz("1-0")')
        quiz = tab.locator(".jp-NotebookPanel:visible .book-quiz")
        right = [choice.right for choice in questions[0].choices].index(True)
        quiz.locator("input").first.focus()
        tab.keyboard.press("Space")
        for _ in range(right):
            tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        quiz.locator(".verdict.right", has_text="✓ Right.").first.wait_for()
        assert f"1 of {len(questions)} right" in quiz.locator(".count").inner_text()


def active(tab):
    return tab.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex")


def press(tab, control, *keys):
    """Press keys in a control, none of which JupyterLab may take for its own."""
    control.focus()
    before = active(tab)
    for key in keys:
        tab.keyboard.press(key)
    assert active(tab) == before, "JupyterLab went to another cell"


def test_a_notebook_of_the_book_runs_to_its_end_and_answers(lab, sentiment):
    """Opening it, running it and saving it leave both files as they were, byte for byte."""
    pair = [lab.folder / BOOKS_OWN, (lab.folder / BOOKS_OWN).with_suffix(".md")]
    before = [path.read_text() for path in pair]
    with opened_and_run(lab, BOOKS_OWN) as (tab, cells):
        assert outcome(cells) == ([], [])
        assert len(cells) > 20
        tab.wait_for_function(READY, arg=BOOKS_OWN)
        tab.evaluate(f"{CONTEXT}.save()")
        for path, text in zip(pair, before, strict=True):
            changed = unified_diff(text.splitlines(), path.read_text().splitlines(), n=0)
            assert not list(changed), path.name

        cell = cell_of(tab, "pipeline_explorer(tokenizer, model)")
        cell.get_by_label("Sentence").fill("What a wonderful film!")
        explorer = model_explorers.pipeline_explorer(*sentiment, text="What a wonderful film!")
        wait_for(tab, cell, explorer.picture)

        cell = cell_of(tab, "temperature_explorer(first")
        slider = cell.get_by_role("slider", name="Temperature")
        press(tab, slider, "Home", "ArrowRight", "ArrowRight")
        assert cell.locator(".value").inner_text() == f"{10**-0.9:.2f}"


@pytest.fixture(scope="module")
def ours():
    """The same objects, made in this process by the same code."""
    names = {}
    exec(LOAD + MODELS, names)
    return names


def test_every_widget_answers(lab, ours):
    with opened_and_run(lab, MADE_HERE) as (tab, cells):
        assert outcome(cells) == ([], [])

        def both(name):
            return cell_of(tab, CELLS[name]), eval(CELLS[name], ours)

        cell, one = both("pipeline_explorer")
        cell.get_by_label("Sentence").fill("I love <b>this</b>.")
        one.state = {"text": "I love <b>this</b>."}
        wait_for(tab, cell, one.picture)

        cell, one = both("temperature_explorer")
        press(tab, cell.get_by_role("slider", name="Temperature"), "End", "ArrowLeft", "ArrowDown")
        one.state = {**one.state, "temperature": 10**0.9}
        wait_for(tab, cell, one.picture)

        cell, one = both("mask_explorer")
        press(tab, cell.get_by_role("radio", name="causal"), "ArrowRight")
        cell.get_by_label("Written").fill("x y z")
        one.state = {**one.state, "kind": "cross", "target": "x y z"}
        wait_for(tab, cell, one.picture)
        press(tab, cell.get_by_role("radio", name="cross"), "ArrowLeft", "ArrowUp")
        one.state = {**one.state, "kind": "bidirectional"}
        wait_for(tab, cell, one.picture)

        cell, one = both("encoding_explorer")
        cell.get_by_label("Text", exact=True).fill("Ça va, 电影 🤗?")
        cell.get_by_label("Second text").fill("unwatchable")
        one.state = {"text": "Ça va, 电影 🤗?", "pair": "unwatchable"}
        wait_for(tab, cell, one.picture)

        cell, one = both("padding_explorer")
        cell.get_by_label("Texts").fill("one\ntwo three four five six seven eight nine")
        row = cell.get_by_role("group", name="padding", exact=True)
        press(tab, row.get_by_role("radio", name="True", exact=True), "ArrowRight")
        row = cell.get_by_role("group", name="max_length", exact=True)
        press(tab, row.get_by_role("radio", name="8", exact=True), "ArrowLeft", "ArrowUp")
        texts = "one\ntwo three four five six seven eight nine"
        one.state = {**one.state, "texts": texts, "padding": "max_length", "max_length": 4}
        wait_for(tab, cell, one.picture)

        for name, label, words in [
            ("tokenizer_explorer", "Text", "unwatchable <b>films</b>"),
            ("nearest_explorer", "Sentence", "bab"),
            ("gap_explorer", "Text", "The film was [MASK]."),
        ]:
            cell, one = both(name)
            cell.get_by_label(label).fill(words)
            one.state = {"text": words}
            wait_for(tab, cell, one.picture)
            cell.get_by_label(label).fill(" ")
            one.state = {"text": " "}
            cell.get_by_role("alert").get_by_text(one.result["error"]).wait_for()

        cell, one = both("attention_explorer")
        cell.get_by_label("Sentence").fill("three four")
        for name in ("Layer", "Head"):
            press(tab, cell.get_by_role("slider", name=name), "ArrowRight", "ArrowRight")
        one.state = {**one.state, "text": "three four", "layer": 2, "head": 2}
        wait_for(tab, cell, one.picture)

        cell, one = both("batching_explorer")
        press(tab, cell.get_by_role("radio", name="32"), "ArrowRight")
        press(tab, cell.get_by_role("radio", name="shuffled"), "ArrowDown")
        one.state = {**one.state, "batch_size": 64, "order": "by length"}
        wait_for(tab, cell, one.picture)
        press(tab, cell.get_by_role("radio", name="longest of its batch"), "ArrowLeft")
        one.state = {**one.state, "padding": 512}
        wait_for(tab, cell, one.picture)

        cell, one = both("pair_explorer")
        cell.get_by_label("First").fill("A wonderful film.")
        one.state = {**one.state, "first": "A wonderful film."}
        wait_for(tab, cell, one.picture)

        cell = cell_of(tab, CELLS["LearningCurve"])
        assert "step 3 of 3" in str(progress_picture(3, 3))
        cell.get_by_text("step 3 of 3").wait_for()
        words = "Loss: 0.70 to 0.40. accuracy after each evaluation: 0.75."
        cell.get_by_role("img", name=words).wait_for()
