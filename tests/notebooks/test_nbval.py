"""nbval, as `make test` runs it: it compares the plots, and leaves no cell out unseen."""

import base64
import importlib.util
import io
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbval import plugin
from processes import run_loaded, run_pytest

from helpers.display.plots import learning_rates, measured_bars, measured_lines, similarity_heatmap

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
    "a bar that is 5 % longer": (bars(), bars(first=0.85)),
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
