"""The learning curve while a training goes: it moves, costs little, and ends where it should."""

from itertools import pairwise
from types import SimpleNamespace

from helpers.display.pictures import curve_picture, progress_picture
from helpers.display.progress import LearningCurve


class Clock:
    """A clock that the test moves."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("helpers.display.progress.time.monotonic", lambda: self.now)


def a_training():
    return SimpleNamespace(losses=[], evaluations=[])


def test_a_learning_curve_moves_at_most_once_a_second_and_says_what_is_left(monkeypatch):
    clock, training = Clock(monkeypatch), a_training()
    curve = LearningCurve(baselines={"none": 0.5})
    drawn = []
    curve.picture.observe(lambda change: drawn.append(clock.now), names="value")
    assert "not begun yet" in curve.bar.value
    assert "none 0.50" in curve.picture.value
    for step in range(1, 101):
        clock.now += 0.25
        training.losses.append(1 / step)
        curve(training, 200)
    assert len(drawn) == 25
    assert min(after - before for before, after in pairwise(drawn)) >= 1
    assert curve.bar.value == progress_picture(97, 200, seconds=103 * 0.25)
    assert "step 97 of 200, about 26 s left" in curve.bar.value


def test_a_learning_curve_shows_evaluations_and_the_end_at_once(monkeypatch):
    clock, training = Clock(monkeypatch), a_training()
    curve = LearningCurve(metric="accuracy", baselines={"none": 0.5})

    def step(seconds):
        clock.now += seconds
        training.losses.append(0.5)
        curve(training, 3)

    for _ in range(2):
        step(0.01)
    training.evaluations.append({"step": 2, "accuracy": 0.75})
    curve(training, 3)
    halfway = curve_picture(
        [0.5, 0.5], training.evaluations, 3, metric="accuracy", baselines={"none": 0.5}
    )
    assert curve.picture.value == halfway
    step(0.01)
    assert curve.picture.value != halfway
    assert curve.bar.value == progress_picture(3, 3)
    assert " s left" not in curve.bar.value  # what is stored holds no time


def test_what_a_learning_curve_ends_with_is_the_same_however_long_it_took(monkeypatch):
    ends = []
    for pace in (0.001, 3.0):
        clock, training, curve = Clock(monkeypatch), a_training(), LearningCurve()
        for step in range(1, 8):
            clock.now += pace
            training.losses.append(1 / step)
            curve(training, 7)
        training.evaluations.append({"step": 7, "f1": 0.8})
        curve(training, 7)
        ends.append((curve.bar.value, curve.picture.value))
    assert ends[0] == ends[1]


def test_a_second_training_starts_the_clock_again(monkeypatch):
    clock, curve = Clock(monkeypatch), LearningCurve()
    for training in (a_training(), a_training()):
        clock.now += 1000  # what lies between them is no training
        for _ in range(3):
            clock.now += 2
            training.losses.append(0.5)
            curve(training, 10)
        assert "step 3 of 10, about 14 s left" in curve.bar.value


def test_a_learning_curve_stores_words_that_are_always_the_same():
    curve = LearningCurve()
    bundle = curve._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "LearningCurve()"
    assert curve.model_id not in bundle["text/html"]
    assert "The learning curve moves here" in bundle["text/html"]
