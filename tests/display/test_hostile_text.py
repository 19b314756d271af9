"""Text is shown as it is, in every field of every picture and plot, whatever it looks like."""

import inspect
from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.text import Text

from helpers.display import curves, heatmaps, pictures, plots
from helpers.display.progress import LearningCurve
from helpers.text.pairs import PairAnswer
from helpers.text.pipeline_steps import Steps
from helpers.text.predictions import Prediction
from helpers.text.tokens import Piece

# elements, entities, both quotes, a comment, and a formula that matplotlib can't parse
BAD = "_<b title=\"x\" title='y'>&amp; $x^$ <!-- \\frac"


def tokens(**fields):
    columns = {"sequence": [0, 1], "position": [0, 0], "token": ["a", "b"], "kind": ["text"] * 2}
    columns |= {"id": [5, 6], "attention": [1, 1], "label": ["c", "d"], "answer": ["e", "f"]}
    return pd.DataFrame(columns | fields)


OUTCOME = {"padding": True, "truncation": None, "max_length": None, "lengths": [1, 1]}
OUTCOME |= {"shape": "(2, 1)", "cut": 0, "padded": 0}
STEPS = {"text": "t", "table": tokens(), "logits": [1.0], "probabilities": [1.0], "labels": ["x"]}
STEPS |= {"answer": {}, "truncated": False}

# What draws the bad text in one field of a picture.
CALLS = {
    "padding_picture, notes": lambda: pictures.padding_picture(tokens(), OUTCOME, notes=[BAD]),
    "padding_picture, token": lambda: pictures.padding_picture(tokens(token=[BAD, "b"]), OUTCOME),
    "probability_picture": lambda: pictures.probability_picture([BAD], [0.5], reference=[0.5]),
    "similarity_picture": lambda: pictures.similarity_picture([BAD], [0.5]),
    "split_picture, name": lambda: pictures.split_picture({BAD: ["a"]}),
    "split_picture, text": lambda: pictures.split_picture({"a": [BAD]}),
    "split_picture, token": lambda: pictures.split_picture({"a": [Piece(BAD, 1, 0)]}),
    "split_picture, id": lambda: pictures.split_picture({"a": [Piece("a", BAD, 0)]}),
    "split_picture, kind": lambda: pictures.split_picture({"a": [Piece("a", 1, 0, BAD)]}),
    "measure_picture, row": lambda: pictures.measure_picture(pd.DataFrame({"a": [1]}, [BAD])),
    "measure_picture, column": lambda: pictures.measure_picture(pd.DataFrame({BAD: [1]})),
    "mask_picture, rows": lambda: pictures.mask_picture([[1]], [BAD], ["a"]),
    "mask_picture, columns": lambda: pictures.mask_picture([[1]], ["a"], [BAD]),
    "attention_picture, rows": lambda: pictures.attention_picture([[1]], [BAD], ["a"]),
    "attention_picture, columns": lambda: pictures.attention_picture([[1]], ["a"], [BAD]),
    "diff_picture, before": lambda: pictures.diff_picture(BAD, "a"),
    "diff_picture, after": lambda: pictures.diff_picture("a", BAD),
    "diff_picture, both": lambda: pictures.diff_picture(BAD, BAD),
    "steps_picture, label": lambda: pictures.steps_picture(Steps(**STEPS | {"labels": [BAD]})),
    "steps_picture, token": lambda: pictures.steps_picture(
        Steps(**STEPS | {"table": tokens(token=[BAD, "b"])})
    ),
    "pair_picture": lambda: pictures.pair_picture(PairAnswer([BAD], [1.0], [1.0], False)),
    "pair_labels_picture": lambda: pictures.pair_labels_picture(
        PairAnswer([BAD], [1.0], [1.0], False)
    ),
    "prediction_picture, name": lambda: pictures.prediction_picture(
        {BAD: Prediction(["a"], [True], ["b"], [1.0])}
    ),
    "prediction_picture, token": lambda: pictures.prediction_picture(
        {"a": Prediction([BAD], [True], ["b"], [1.0])}
    ),
    "prediction_picture, candidate": lambda: pictures.prediction_picture(
        {"a": Prediction(["a"], [True], [BAD], [1.0])}
    ),
}
CALLS |= {
    f"token_picture, {name}": lambda fields=fields: pictures.token_picture(tokens(**fields))
    for name, fields in {
        **{name: {name: [BAD, "x"]} for name in ("token", "id", "attention", "label", "answer")},
        "kind": {"kind": [BAD, "text"]},
        "sequence": {"sequence": [BAD, "x"]},
    }.items()
}
CALLS |= {
    f"padding_picture, {name}": lambda name=name: pictures.padding_picture(
        tokens(), OUTCOME | {name: BAD}
    )
    for name in OUTCOME
    if name != "lengths"
}
NUMBERS_ONLY = {"progress_picture", "batches_picture"}  # anything else is refused


def public(*modules):
    """Name the functions that a module offers."""
    return {
        name
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__.startswith("helpers.display.")
        if not name.startswith(("_", "to_"))
    }


def test_every_picture_is_tried():
    tried = {name.split(",")[0] for name in CALLS}
    assert tried | NUMBERS_ONLY == public(pictures)


@pytest.mark.parametrize("name", CALLS)
def test_a_picture_shows_text_as_it_is(name):
    page = BeautifulSoup(CALLS[name](), "html.parser")
    page.style.decompose()
    assert not page.find_all("b")
    assert not page.find_all(title=True)
    assert not page.find_all(string=lambda text: type(text).__name__ == "Comment")
    shown = [page.text, *(" ".join(one.get("class", [])) for one in page.find_all(True))]
    wanted = repr(BAD) if name.split(", ")[-1] in ("padding", "truncation", "max_length") else BAD
    assert any(wanted in text for text in shown)


CURVE = SimpleNamespace(losses=[1.0], evaluations=[{"step": 1, "f1": 0.5, BAD: 0.5}])
PLOTS = {
    "similarity_heatmap": lambda: heatmaps.similarity_heatmap([[1.0]], [BAD]),
    "padding_plot": lambda: plots.padding_plot([1, 2], {BAD: ([[0, 1]], None)}),
    "measured_bars, name": lambda: plots.measured_bars({BAD: 1.0}, label="x"),
    "measured_bars, label": lambda: plots.measured_bars({"a": 1.0}, label=BAD),
    "measured_lines, name": lambda: plots.measured_lines([1], {BAD: [1]}, x_label="", label=""),
    "measured_lines, x": lambda: plots.measured_lines([1], {"a": [1]}, x_label=BAD, label=""),
    "measured_lines, y": lambda: plots.measured_lines([1], {"a": [1]}, x_label="", label=BAD),
    "interval_plot, name": lambda: plots.interval_plot({BAD: (1, 0, 2)}, label=""),
    "interval_plot, label": lambda: plots.interval_plot({"a": (1, 0, 2)}, label=BAD),
    "confusion_heatmap": lambda: heatmaps.confusion_heatmap([0], [0], [BAD]),
    "learning_rates": lambda: curves.learning_rates({BAD: [1.0]}),
    "learning_curve, metric": lambda: curves.learning_curve(CURVE, metric=BAD),
    "learning_curve, baseline": lambda: curves.learning_curve(CURVE, baselines={BAD: 0.5}),
}


def test_every_plot_is_tried():
    assert {name.split(",")[0] for name in PLOTS} == public(plots, curves, heatmaps) - {
        "plot",
        "draw_curve",
    }


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_shows_text_as_it_is(name):
    figure = PLOTS[name]()
    figure.canvas.draw()
    found = [text for text in figure.findobj(Text) if BAD in text.get_text()]
    assert found
    assert not any(text.get_parse_math() for text in found)  # no formula is looked for


def test_the_widget_of_a_training_shows_text_as_it_is():
    curve = LearningCurve(metric=BAD, baselines={BAD: 0.5})
    curve(SimpleNamespace(losses=[1.0], evaluations=[{"step": 1, "<b>": 0.5}]), 2)
    page = BeautifulSoup(curve.bar.value, "html.parser")
    assert not page.find_all("b")
    assert "got <b>" in page.text
