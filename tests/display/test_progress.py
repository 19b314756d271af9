"""The learning curve while a training runs: it moves, costs little, and ends where it should."""

import io
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from IPython.core.events import EventManager

from helpers.display.curves import learning_curve
from helpers.display.pictures import progress_picture
from helpers.display.progress import SHARE, LearningCurve


class Clock:
    """A clock that the test moves, and a drawing that takes its time."""

    def __init__(self, monkeypatch):
        self.now, self.drawing = 100.0, 0.0
        self.drawn = []  # when, and what
        monkeypatch.setattr("helpers.display.progress.time.monotonic", lambda: self.now)
        monkeypatch.setattr("helpers.display.progress.draw_curve", self.draw)

    def draw(self, losses, evaluations, **options):
        self.drawn.append((self.now, [*losses], [*evaluations], options))
        self.now += self.drawing
        return SimpleNamespace(savefig=lambda file, **_: file.write(b"%d" % len(self.drawn)))


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def a_training():
    return SimpleNamespace(losses=[], evaluations=[])


def test_a_learning_curve_moves_at_most_once_a_second_and_says_what_is_left(clock):
    training, curve = a_training(), LearningCurve(baselines={"none": 0.5})
    assert "not begun yet" in curve.bar.value
    moved = []
    curve.bar.observe(lambda change: moved.append(clock.now), names="value")
    for step in range(1, 101):
        clock.now += 0.25
        training.losses.append(1 / step)
        curve(training, 200)
    assert len(moved) == 25
    assert min(after - before for before, after in pairwise(moved)) >= 1
    assert [time for time, *_ in clock.drawn[1:]] == moved
    assert curve.bar.value == progress_picture(97, 200, seconds=103 * 0.25)
    assert "step 97 of 200, about 26 s left" in curve.bar.value
    _, losses, evaluations, options = clock.drawn[-1]
    assert (losses, evaluations) == (training.losses[:97], [])
    assert options == {"metric": "f1", "baselines": {"none": 0.5}, "steps": 200}


def test_drawing_takes_no_more_than_its_share_of_a_training(clock):
    clock.drawing = 0.4
    training, curve = a_training(), LearningCurve()
    start, before = clock.now, len(clock.drawn)
    for step in range(1000):
        clock.now += 0.1
        training.losses.append(0.5)
        if step % 10 == 0:  # an evaluation is no reason to draw more often
            training.evaluations.append({"step": step, "f1": 0.5})
        curve(training, 10_000)
    spent = clock.drawing * (len(clock.drawn) - before)
    assert 0.5 * SHARE < spent / (clock.now - start) <= SHARE
    assert "step 1,000 of" in curve.bar.value or "step 99" in curve.bar.value


@pytest.mark.parametrize("seconds", [10, 35, 120])
def test_of_a_short_training_the_end_is_drawn_and_little_else(clock, seconds):
    """The last step and the evaluation after it are drawn, whatever that takes."""
    clock.drawing = 0.25
    training, curve = a_training(), LearningCurve()
    start, before = clock.now, len(clock.drawn)
    for step in range(1, 101):
        clock.now += seconds / 100
        training.losses.append(1 / step)
        curve(training, 100)
        if step == 1:
            assert len(clock.drawn) == before  # no drawing before any time has gone by
        if step % 25 == 0:
            training.evaluations.append({"step": step, "f1": step / 100})
            curve(training, 100)
    end = 2 * clock.drawing
    spent = clock.drawing * (len(clock.drawn) - before)
    assert end <= spent <= max(end, SHARE * (clock.now - start) + end / 2)
    assert clock.drawn[-1][1:3] == (training.losses, training.evaluations)
    assert curve.picture.value == b"%d" % len(clock.drawn)


def test_evaluations_are_told_at_once_and_the_end_is_drawn_too(clock):
    clock.drawing = 5.0
    training = a_training()
    curve = LearningCurve(metric="accuracy")
    drawn = len(clock.drawn)

    def step():
        clock.now += 0.01
        training.losses.append(0.5)
        curve(training, 3)

    step()
    step()
    training.evaluations.append({"step": 2, "accuracy": 0.75})
    curve(training, 3)
    assert curve.picture.tooltip.endswith("accuracy after each evaluation: 0.75.")
    assert len(clock.drawn) == drawn
    step()
    assert len(clock.drawn) == drawn + 1
    assert clock.drawn[-1][1:3] == (training.losses, training.evaluations)
    training.evaluations.append({"step": 3, "accuracy": 0.8})
    curve(training, 3)
    assert clock.drawn[-1][1:3] == (training.losses, training.evaluations)
    assert curve.picture.value == b"%d" % len(clock.drawn)
    assert curve.bar.value == progress_picture(3, 3)
    assert " s left" not in curve.bar.value  # what is stored holds no time


def test_in_a_notebook_the_end_is_drawn_once_when_its_cell_has_run(clock, monkeypatch):
    events = EventManager(None, {"post_run_cell": lambda result: None})
    shell = SimpleNamespace(events=events)
    monkeypatch.setattr("helpers.display.progress.get_ipython", lambda: shell)
    training, curve = a_training(), LearningCurve()
    clock.drawing = 5.0
    curve._draw([], [], 0)
    drawn = len(clock.drawn)
    for step in (1, 2):
        training.losses.append(1 / step)
        curve(training, 2)
    training.evaluations.append({"step": 2, "f1": 0.8})
    curve(training, 2)
    assert len(clock.drawn) == drawn
    assert curve.picture.tooltip.endswith("0.80.")
    for _ in range(2):  # the cells that follow draw nothing
        events.trigger("post_run_cell", None)
        assert len(clock.drawn) == drawn + 1
    assert clock.drawn[-1][1:3] == (training.losses, training.evaluations)


def test_what_a_learning_curve_ends_with_is_the_same_however_long_it_took(clock):
    ends = []
    for pace in (0.001, 3.0):
        training, curve = a_training(), LearningCurve()
        for step in range(1, 8):
            clock.now += pace
            training.losses.append(1 / step)
            curve(training, 7)
        training.evaluations.append({"step": 7, "f1": 0.8})
        curve(training, 7)
        ends.append((curve.bar.value, curve.picture.tooltip, clock.drawn[-1][1:]))
    assert ends[0] == ends[1]


def test_it_ends_with_the_very_plot_that_stays():
    training = a_training()
    training.losses += [1.0, 0.5, 0.25]
    training.evaluations.append({"step": 3, "f1": 0.8})
    curve = LearningCurve(baselines={"none": 0.5})
    empty = curve.picture.value
    curve(training, 3)
    png = io.BytesIO()
    learning_curve(training, baselines={"none": 0.5}).savefig(png)
    assert curve.picture.value == png.getvalue() != empty


def test_a_learning_curve_says_its_numbers(clock):
    training = a_training()
    curve = LearningCurve(baselines={"low": 0.61, "high": 0.75})
    assert curve.picture.tooltip.startswith("Loss: no step done yet. f1 after each evaluation: not")
    training.losses += [0.7, 0.5, 0.4]
    training.evaluations += [{"step": 1, "f1": 0.8}, {"step": 3, "f1": 0.91}]
    curve(training, 6)
    assert curve.picture.tooltip == (
        "Loss: 0.70 to 0.40. f1 after each evaluation: 0.80, 0.91. Dashed: low 0.61; high 0.75."
    )
    assert curve.picture.description == ""  # or the browser fails on the tooltip


def test_a_metric_that_is_not_measured_is_named_and_ends_no_training(clock):
    training = a_training()
    curve = LearningCurve(metric="<f1>")
    training.losses.append(0.7)
    training.evaluations.append({"step": 1, "accuracy": 0.8, "loss": 0.5})
    curve(training, 6)
    assert clock.drawn[-1][2] == []
    (alert,) = BeautifulSoup(curve.bar.value, "html.parser").find_all(role="alert")
    assert "'<f1>' in the evaluations; got accuracy, loss. Pass one" in alert.text


@pytest.mark.parametrize("steps", [0, 2])
def test_more_steps_than_were_announced_end_no_training(clock, steps):
    training, curve = a_training(), LearningCurve()
    for _ in range(40):
        clock.now += 0.1
        training.losses.append(0.5)
        curve(training, steps)
    assert re.search(r"step (3\d) of \1<", curve.bar.value)
    assert len(clock.drawn) <= 7  # not one for each step


def test_a_second_training_starts_the_clock_again(clock):
    curve = LearningCurve()
    for training in (a_training(), a_training()):
        clock.now += 1000  # the time between them belongs to no training
        for _ in range(3):
            clock.now += 2
            training.losses.append(0.5)
            curve(training, 10)
        assert "step 3 of 10, about 14 s left" in curve.bar.value


def test_a_learning_curve_stores_words_that_are_always_the_same(clock):
    curve = LearningCurve()
    bundle = curve._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "LearningCurve()"
    assert curve.model_id not in bundle["text/html"]
    assert "The learning curve moves here" in bundle["text/html"]
