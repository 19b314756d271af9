"""What pictures and plots are given: every common kind of number, or an error that says why not."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.display import curves, heatmaps, pictures, plots
from helpers.display.inputs import to_array, to_count, to_names, to_numbers

KINDS = {
    "tuple": tuple,
    "generator": lambda numbers: (one for one in numbers),
    "array": np.array,
    "float32": lambda numbers: np.array(numbers, dtype=np.float32),
    "tensor": torch.tensor,
    "tensor with a gradient": lambda numbers: torch.tensor(numbers, requires_grad=True),
    "bfloat16": lambda numbers: torch.tensor(numbers, dtype=torch.bfloat16),
    "list of tensors": lambda numbers: [torch.tensor(one) for one in numbers],
    "series": lambda numbers: pd.Series(numbers, index=[f"row {one}" for one in numbers]),
    "objects": lambda numbers: np.array(numbers, dtype=object),
}


def history(losses):
    return SimpleNamespace(losses=losses, evaluations=[])


# Each takes two numbers that every kind above holds exactly.
ROWS = {
    "probabilities": lambda row: pictures.probability_picture(["a", "b"], row),
    "reference": lambda row: pictures.probability_picture(["a", "b"], [0.5, 0.5], reference=row),
    "similarities": lambda row: pictures.similarity_picture(["a", "b"], row),
    "attention": lambda row: pictures.attention_picture([row], ["x"], ["a", "b"]),
    "measures": lambda row: pictures.measure_picture(pd.DataFrame({"a": to_numbers(row, "")})),
    "heatmap": lambda row: heatmaps.similarity_heatmap([row, [0.5, 1.0]], ["a", "b"]),
    "x": lambda row: plots.measured_lines(row, {"a": [1, 2]}, x_label="", label=""),
    "line": lambda row: plots.measured_lines([1, 2], {"a": row}, x_label="", label=""),
    "rates": lambda row: curves.learning_rates({"a": row}),
}


def shown(picture):
    """Give what a picture or a plot shows, to compare it with another."""
    if isinstance(picture, str):
        return str(picture)
    axes = picture.axes[0]
    data = [line.get_xydata().tolist() for line in axes.lines]
    return data, [image.get_array().tolist() for image in axes.images]


@pytest.mark.parametrize("name", ROWS)
def test_numbers_of_each_common_kind_draw_the_same(name):
    expected = shown(ROWS[name]([0.25, 0.75]))
    for kind, make in KINDS.items():
        if not (kind == "generator" and name == "attention"):  # it can be read once
            assert shown(ROWS[name](make([0.25, 0.75]))) == expected, kind


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(
    "row",
    [
        [0.25, float("nan")],
        [0.25, float("inf")],
        ["0.25", "0.75"],
        [0.25, None],
        [0.25j, 1],
        [0.25],
    ],
)
def test_what_are_no_numbers_is_refused(name, row):
    if name in ("measures", "rates") and len(row) == 1:
        return  # one is enough
    with pytest.raises((TypeError, ValueError), match=r"^Expected"):
        ROWS[name](row)


CLASSES = {
    "references": lambda row: heatmaps.confusion_heatmap(row, [0, 1], ["a", "b"]),
    "predictions": lambda row: heatmaps.confusion_heatmap([0, 1], row, ["a", "b"]),
    "lengths": lambda row: plots.padding_plot(row, {"a": ([[0, 1]], None)}),
    "examples": lambda row: plots.padding_plot([1, 1], {"a": ([row], None)}),
    "mask": lambda row: pictures.mask_picture([row], ["x"], ["a", "b"]),
}


@pytest.mark.parametrize("name", CLASSES)
def test_whole_numbers_of_each_common_kind_draw_the_same(name):
    expected = shown(CLASSES[name]([1, 0]))
    for kind, make in KINDS.items():
        row = [1.0, 0.0] if "gradient" in kind else [1, 0]
        assert shown(CLASSES[name](make(row))) == expected, kind


TABLE = pd.DataFrame(
    {"sequence": [0], "position": [0], "token": ["a"], "kind": ["text"], "attention": [1]}
)
OUTCOME = {"padding": True, "truncation": None, "max_length": None, "lengths": [1]}
OUTCOME |= {"shape": "(1, 1)", "cut": 0, "padded": 0}
BATCHES = pd.DataFrame({"rows": [1], "width": [2], "tokens": [1], "padding": [1]})
WRONG = {
    "an empty token table": lambda: pictures.token_picture(TABLE.head(0)),
    "a token table without tokens": lambda: pictures.token_picture(TABLE[["kind"]]),
    "an encoding for a token table": lambda: pictures.token_picture({"input_ids": [1]}),
    "an empty batch": lambda: pictures.padding_picture(TABLE.head(0), OUTCOME),
    "no outcome": lambda: pictures.padding_picture(TABLE, {}),
    "one note": lambda: pictures.padding_picture(TABLE, OUTCOME, notes="ab"),
    "no label": lambda: pictures.probability_picture([], []),
    "one label as a string": lambda: pictures.probability_picture("ab", [0.5, 0.5]),
    "no sentence": lambda: pictures.similarity_picture([], []),
    "a similarity of 2": lambda: pictures.similarity_picture(["a"], [2]),
    "no split": lambda: pictures.split_picture({}),
    "a split that is a string": lambda: pictures.split_picture({"a": "ab"}),
    "no prediction": lambda: pictures.prediction_picture({}),
    "no measure": lambda: pictures.measure_picture(pd.DataFrame()),
    "minus one digit": lambda: pictures.measure_picture(pd.DataFrame({"a": [1]}), digits=-1),
    "an infinite measure": lambda: pictures.measure_picture(pd.DataFrame({"a": [np.inf]})),
    "no batch": lambda: pictures.batches_picture(BATCHES.head(0)),
    "batches of nothing": lambda: pictures.batches_picture(BATCHES * 0),
    "batches of words": lambda: pictures.batches_picture(BATCHES.astype(str)),
    "no batch shown": lambda: pictures.batches_picture(BATCHES, shown=0),
    "more steps than all": lambda: pictures.progress_picture(3, 2),
    "minus one step": lambda: pictures.progress_picture(-1, 2),
    "half a step": lambda: pictures.progress_picture(0.5, 2),
    "an additive mask": lambda: pictures.mask_picture([[0, -np.inf]], ["x"], ["a", "b"]),
    "a mask of nothing": lambda: pictures.mask_picture([], []),
    "ragged weights": lambda: pictures.attention_picture([[1], [0.5, 0.5]], ["a", "b"]),
    "weights of several heads": lambda: pictures.attention_picture(np.ones((2, 1, 1)), ["a"]),
    "no code": lambda: pictures.diff_picture(None, "a"),
    "no text to compare": lambda: heatmaps.similarity_heatmap([], []),
    "products that are no cosines": lambda: heatmaps.similarity_heatmap([[3.0]], ["a"]),
    "no plan": lambda: plots.padding_plot([1], {}),
    "a plan without batches": lambda: plots.padding_plot([1], {"a": ([], None)}),
    "an example that isn't there": lambda: plots.padding_plot([1], {"a": ([[1]], None)}),
    "no bar": lambda: plots.measured_bars({}, label=""),
    "a bar of nan": lambda: plots.measured_bars({"a": np.nan}, label=""),
    "no series": lambda: plots.measured_lines([1], {}, x_label="", label=""),
    "no place": lambda: plots.measured_lines([], {"a": []}, x_label="", label=""),
    "a single place at 0": lambda: plots.measured_lines([0], {"a": [1]}, x_label="", label=""),
    "a line below 0": lambda: plots.measured_lines([1], {"a": [-1]}, x_label="", label=""),
    "a schedule without steps": lambda: curves.learning_rates({"a": []}),
    "a baseline of nan": lambda: curves.learning_curve(
        SimpleNamespace(losses=[1.0], evaluations=[{"step": 1, "f1": 1}]), baselines={"a": np.nan}
    ),
    "an evaluation without its step": lambda: curves.learning_curve(
        SimpleNamespace(losses=[1.0], evaluations=[{"f1": 1}])
    ),
    "half a class": lambda: heatmaps.confusion_heatmap([0.5], [0], ["a"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_drawn_is_refused_with_a_reason(name):
    with pytest.raises((TypeError, ValueError), match=r"^Expected .*; got "):
        WRONG[name]()


def test_mappings_may_be_series():
    values = pd.Series({"a": 1.0, "b": 2.0})
    assert [bar.get_width() for bar in plots.measured_bars(values, label="").axes[0].patches] == [
        1,
        2,
    ]
    one = SimpleNamespace(losses=[1.0], evaluations=[{"step": 1, "f1": torch.tensor(0.5)}])
    texts = curves.learning_curve(one, baselines=values / 4).axes[1].texts
    assert [text.get_text() for text in texts] == ["0.50", "a 0.25", "b 0.50"]
    outcome = pd.Series(OUTCOME)
    assert pictures.padding_picture(TABLE, outcome) == pictures.padding_picture(TABLE, OUTCOME)


def test_losses_may_be_tensors():
    losses = [torch.tensor(0.5, requires_grad=True), torch.tensor(0.25)]
    (axes,) = curves.learning_curve(history(losses)).axes
    assert axes.lines[0].get_ydata().tolist() == [0.5, 0.25]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_time_that_is_not_known_is_not_told(seconds):
    assert "s left" not in pictures.progress_picture(1, 2, seconds=seconds)


def test_an_attention_mask_of_a_tokenizer_is_a_mask():
    rows = torch.tensor([[1, 0], [1, 1]])
    assert pictures.mask_picture(rows, ["ab"] * 2) == pictures.mask_picture(
        rows.bool(), ["ab", "ab"]
    )


def test_numbers_are_turned_into_plain_ones():
    assert to_numbers(np.float32([0.5]), "x") == [0.5]
    assert isinstance(to_count(np.int64(3), "x"), int)
    assert to_names(np.array(["a"]), "x") == ["a"]
    assert to_array([[1, 2], [3, 4]], "x").dtype == np.float64
    with pytest.raises(ValueError, match="in one row"):
        to_numbers([[1.0]], "x")
    with pytest.raises(ValueError, match="whole number from 1; got True"):
        to_count(True, "x", least=1)
