"""The plots of a training: they show each step, and can be read."""

from itertools import pairwise
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from helpers.display.curves import draw_curve, learning_curve, learning_rates


def test_learning_rates_are_drawn_step_by_step_and_can_be_told_apart():
    schedules = {"linear": [3.0, 2.0, 1.0], "constant": [3.0, 3.0, 3.0]}
    (axes,) = learning_rates(schedules).axes

    assert [[*line.get_ydata()] for line in axes.lines] == [*schedules.values()]
    assert [*axes.lines[0].get_xdata()] == [1, 2, 3]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [*schedules]
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == 2


@pytest.mark.parametrize("number", [0, 5])
def test_more_learning_rates_than_can_be_told_apart_are_refused(number):
    with pytest.raises(ValueError, match=f"one to 4 schedules; got {number}"):
        learning_rates({str(i): [1.0] for i in range(number)})


def a_history(steps=40):
    losses = [1 / step for step in range(1, steps + 1)]
    evaluations = [{"step": 20, "f1": 0.8, "accuracy": 0.7}, {"step": 40, "f1": 0.9}]
    return SimpleNamespace(losses=losses, evaluations=evaluations)


def test_a_learning_curve_holds_the_losses_their_mean_and_the_metric():
    before = plt.get_fignums()
    history = a_history()
    figure = learning_curve(history, baselines={"none": 0.81, "all": 0.8})
    loss, f1 = figure.axes
    raw, mean = loss.lines
    assert list(raw.get_xdata()) == list(range(1, 41))
    assert list(raw.get_ydata()) == history.losses
    assert list(mean.get_xdata()) == list(range(2, 41))
    assert mean.get_ydata() == pytest.approx(
        [(one + other) / 2 for one, other in pairwise(history.losses)]
    )
    assert loss.get_title() == "loss, and its mean over 2 steps"
    assert f1.get_title() == "f1"
    curve, *dashed = f1.lines
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == ([20, 40], [0.8, 0.9])
    assert sorted(line.get_ydata()[0] for line in dashed) == [0.8, 0.81]
    assert [text.get_text() for text in f1.texts] == ["0.80", "0.90", "all 0.80", "none 0.81"]
    assert loss.get_xlim() == f1.get_xlim()
    assert plt.get_fignums() == before


def test_names_of_near_baselines_do_not_cover_each_other():
    figure = learning_curve(a_history(), baselines={"a": 0.8, "b": 0.8, "c": 0.801})
    figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in figure.axes[1].texts[2:]]
    for one, other in pairwise(sorted(boxes, key=lambda box: box.y0)):
        assert one.y1 <= other.y0 + 1


def test_a_learning_curve_without_evaluations_is_the_loss_alone():
    history = a_history()
    history.evaluations = []
    (axes,) = learning_curve(history, baselines={"all": 0.8}).axes
    assert axes.get_title().startswith("loss")


def test_a_learning_curve_says_what_it_lacks():
    history = a_history()
    with pytest.raises(
        ValueError, match=r"'accuracy' and 'step' in each evaluation; got \['f1', 'step'\]"
    ):
        learning_curve(history, metric="accuracy")
    history.losses = []
    with pytest.raises(ValueError, match="got an empty one"):
        learning_curve(history)


@pytest.mark.parametrize("metric", ["loss", "matthews_correlation"])
def test_a_metric_that_is_not_between_0_and_1_is_drawn_whole(metric):
    values = {"loss": [2.5, 1.2], "matthews_correlation": [-0.5, 0.6]}[metric]
    evaluations = [{"step": i, metric: value} for i, value in enumerate(values)]
    history = SimpleNamespace(losses=[1.0, 0.5], evaluations=evaluations)
    bottom, top = learning_curve(history, metric=metric).axes[1].get_ylim()
    assert bottom < min(values) < max(values) < top


def test_numbers_that_are_not_finite_are_left_out_of_a_learning_curve():
    nan, inf = float("nan"), float("inf")
    losses = [nan] * 5 + [1.0, inf, 3.0] + [2.0] * 32
    evaluations = [{"step": 0, "f1": nan}, {"step": 40, "f1": 0.5}]
    loss, f1 = learning_curve(SimpleNamespace(losses=losses, evaluations=evaluations)).axes
    raw, mean = (line.get_ydata() for line in loss.lines)
    assert [value for value in raw if value == value] == [1.0, 3.0] + [2.0] * 32
    assert [value for value in mean if value == value] == [1.0, 1.0, 3.0, 2.5] + [2.0] * 31
    assert list(f1.lines[0].get_ydata()) == [0.5]
    everything_lost = SimpleNamespace(losses=[nan], evaluations=[{"step": 1, "f1": nan}])
    assert len(learning_curve(everything_lost).axes) == 2


def test_the_curve_of_a_running_training_leaves_room_for_what_is_to_come():
    loss, f1 = draw_curve([], [], metric="f1", baselines={"none": 0.5}, steps=200).axes
    assert loss.get_xlim() == f1.get_xlim() == (0, 216)
    assert [text.get_text() for text in f1.texts] == ["none 0.50"]
    assert len(draw_curve([], [], metric="f1", steps=0).axes) == 2
