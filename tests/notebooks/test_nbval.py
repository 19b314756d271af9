"""nbval, as `make test` runs it: it compares the plots, and leaves no cell out unseen."""

import base64
import importlib.util
import io
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbval import plugin
from processes import KERNEL_WARNINGS, run_loaded, run_pytest

from helpers.display import (
    learning_curve,
    learning_rates,
    measured_bars,
    measured_lines,
    similarity_heatmap,
)
from helpers.training import History
from tools.run_notebooks import PERSONAL

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compared():
    """The module that makes nbval compare pictures."""
    path = ROOT / "notebooks" / "conftest.py"
    spec = importlib.util.spec_from_file_location("notebooks_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def output_of(figure):
    """Give the output of a cell that draws a figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    return {"data": {"image/png": base64.b64encode(file.getvalue()).decode()}}


def bars(first=0.81, second=0.62, label="share of right answers"):
    return measured_bars({"the model": first, "the baseline": second}, label=label)


def lines(last=0.41):
    rows = [(step, 0.7 - 0.03 * step) for step in range(9)] + [(9, last)]
    return measured_lines(
        [step for step, _ in rows], {"loss": [y for _, y in rows]}, x_label="step", label="loss"
    )


def heatmap(changed=0.8):
    rows = [[1.0, 0.2, 0.1], [0.2, 1.0, changed], [0.1, 0.8, 1.0]]
    return similarity_heatmap(rows, ["one", "two", "three"])


RATES = {"linear": [1 - i / 50 for i in range(50)]}
OTHERS = {
    "a bar that is 5% longer": (bars(), bars(first=0.85)),
    "two bars exchanged": (bars(), bars(0.62, 0.81)),
    "another label": (bars(), bars(label="share of wrong answers, of all that there are")),
    "another plot": (bars(), lines()),
    "one value of a heat map": (heatmap(), heatmap(0.3)),
    "a schedule that is not linear": (
        learning_rates(RATES),
        learning_rates({"linear": [(1 - i / 50) ** 1.2 for i in range(50)]}),
    ),
}
ALIKE = {
    "the same plot": (bars(), bars()),
    "a value that differs in the fourth digit": (bars(), bars(first=0.8102)),
    "a loss that differs in the fourth digit": (lines(), lines(last=0.4102)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_picture_is_noticed(compared, name):
    stored, new = ([output_of(figure)] for figure in OTHERS[name])
    assert compared.difference(compared.pictures(new), compared.pictures(stored))


@pytest.mark.parametrize("name", ALIKE)
def test_a_rounding_error_is_not(compared, name):
    stored, new = ([output_of(figure)] for figure in ALIKE[name])
    assert not compared.difference(compared.pictures(new), compared.pictures(stored))


def test_a_measured_picture_may_differ_but_not_in_size(compared):
    stored, new, larger = (
        compared.pictures([output_of(figure)]) for figure in (bars(), bars(first=0.3), lines())
    )
    assert not compared.difference(new, stored, measured=True)
    assert compared.difference(larger, stored, measured=True)
    assert compared.difference([], stored, measured=True)


def curve(seed: int = 0, accuracy: float = 0.86, swing: float = 0.1):
    """A training's result, as another processor could give it."""
    noise = np.random.default_rng(seed).normal(size=300)
    losses = 0.7 - 0.4 * np.linspace(0, 1, 300) + swing * noise
    evaluations = [{"step": step, "accuracy": accuracy * step / 300} for step in (0, 150, 300)]
    history = History(losses.tolist(), [1e-4] * 300, evaluations)
    return learning_curve(history, metric="accuracy", baselines={"always": 0.667})


def test_a_training_may_end_a_little_elsewhere_but_not_far_off(compared):
    stored, near, far = (
        compared.pictures([output_of(figure)])
        for figure in (curve(), curve(1, 0.85), curve(0, 0.5, 0.3))
    )
    assert not compared.difference(near, stored, allowed=compared.TRAINED_TOLERANCE)
    assert compared.difference(near, stored)
    assert compared.difference(far, stored, allowed=compared.TRAINED_TOLERANCE)


PLOT = """
import io
from IPython.display import Image
from matplotlib.figure import Figure

figure = Figure(figsize=(3, 2))
figure.subplots().bar([1, 2], [3, 4])
file = io.BytesIO()
figure.savefig(file, format="png", bbox_inches="tight")
Image(file.getvalue())
"""


def test_nbval_compares_pictures(tmp_path):
    """A notebook whose stored plot is that of other numbers fails; with the tag, it passes."""
    shutil.copy(ROOT / "notebooks" / "conftest.py", tmp_path)
    cells = []
    for height, tags in ((5, []), (5, ["measured-picture"]), (4, [])):
        figure = Figure(figsize=(3, 2))
        figure.subplots().bar([1, 2], [3, height])
        data = output_of(figure)["data"] | {"text/plain": "<IPython.core.display.Image object>"}
        shown = nbformat.v4.new_output("execute_result", data, execution_count=1)
        cell = nbformat.v4.new_code_cell(PLOT, outputs=[shown], execution_count=1)
        cell.metadata["tags"] = tags
        cells.append(cell)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "plots.ipynb")
    options = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", "plots.ipynb"]
    status, out, err = run_loaded(run_pytest, tmp_path, *options)
    assert status == 1, out + err
    assert "pixels differ from what the cell draws" in out
    assert re.search(r"1 failed, 2 passed", out), out


def test_no_result_depends_on_the_settings_of_whoever_compares(tmp_path):
    """What a library prints, loads or draws with is the reader's choice, and warnings are ours."""
    shutil.copy(ROOT / "notebooks" / "conftest.py", tmp_path)
    code = f"import os\nprint([os.environ.get(name) for name in {PERSONAL}])"
    expected = [None] * len(PERSONAL)
    expected[PERSONAL.index("MPLBACKEND")] = "module://matplotlib_inline.backend_inline"
    expected[PERSONAL.index("PYTHONWARNINGS")] = KERNEL_WARNINGS
    printed = nbformat.v4.new_output("stream", text=f"{expected}\n")
    cell = nbformat.v4.new_code_cell(code, outputs=[printed], execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "settings.ipynb")
    options = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", "settings.ipynb"]
    status, out, err = run_loaded(run_pytest, tmp_path, *options, **dict.fromkeys(PERSONAL, "ours"))
    assert status == 0, out + err


SCORES = "after  0.86\nbefore 0.53\n"


@pytest.mark.parametrize(
    ("tolerance", "stored", "passes"),
    [
        (0.03, SCORES, True),
        (0.03, SCORES.replace("0.86", "0.89"), True),
        (0.03, SCORES.replace("0.86", "0.90"), False),
        (0.03, SCORES.replace("0.86", "-0.86"), False),
        (0.03, SCORES.replace("after ", "before"), False),
        (0.03, SCORES.replace("0.86", "86"), False),
        (0.03, SCORES + "more\n", False),
        (0, SCORES.replace("0.86", "0.87"), False),
        (None, SCORES.replace("0.86", "0.87"), False),
    ],
)
def test_a_score_may_differ_by_the_tolerance_of_its_cell(compared, tolerance, stored, passes):
    metadata = {} if tolerance is None else {"tolerance": tolerance}
    cell = SimpleNamespace(cell=SimpleNamespace(metadata=nbformat.from_dict(metadata)))
    new, old = ([{"output_type": "stream", "text": text}] for text in (SCORES, stored))
    assert compared.compare(cell, lambda one, other: one == other, new, old) == passes
    assert new[0]["text"] == SCORES


def test_the_kinds_of_markers_that_nbval_has_are_known():
    """A marker of a new kind could hide an output from `test_excused_cells_…`."""
    markers = {*plugin.comment_markers.values(), *plugin.metadata_tags.values()}
    assert markers == {("check", False), "check", "check_exception", "skip"}
