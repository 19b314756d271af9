"""The metric equals GLUE's, and needs neither a network nor a place to write."""

import itertools

import pytest
from processes import run

from helpers.sources.metrics import accuracy, f1, load_metric

# predictions, references, accuracy, F1: computed by hand
CASES = [
    ([1, 1, 1], [1, 1, 1], 1, 1),
    ([0, 0, 0], [1, 1, 1], 0, 0),
    ([1, 1, 1], [1, 1, 0], 2 / 3, 4 / 5),  # always "equivalent", of which two thirds are
    ([1, 0, 1, 0], [1, 1, 0, 0], 1 / 2, 1 / 2),
    ([0, 0], [0, 0], 1, 0),  # no class 1 anywhere: scikit-learn says 0, and so does GLUE
    ([1, 0, 0, 0, 0], [1, 1, 1, 0, 0], 3 / 5, 1 / 2),
]


@pytest.mark.parametrize(("predictions", "references", "right", "score"), CASES)
def test_metric_computed_by_hand(predictions, references, right, score):
    expected = {"accuracy": pytest.approx(right), "f1": pytest.approx(score)}
    metric = load_metric("glue", "mrpc")
    assert metric.compute(predictions=predictions, references=references) == expected


def test_f1_is_the_harmonic_mean_of_precision_and_recall_on_every_case_of_five_rows():
    rows = list(itertools.product((0, 1), repeat=5))
    for predictions, references in itertools.product(rows, rows):
        pairs = list(zip(predictions, references, strict=True))
        both = pairs.count((1, 1))
        precision = both / sum(predictions) if any(predictions) else 0
        recall = both / sum(references) if any(references) else 0
        total = precision + recall
        expected = 2 * precision * recall / total if total else 0
        assert f1(predictions, references) == pytest.approx(expected)
        assert accuracy(predictions, references) == sum(a == b for a, b in pairs) / 5


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_metric_equals_scikit_learns_which_glue_uses():
    sklearn = pytest.importorskip("sklearn.metrics")
    metric = load_metric("glue", "mrpc")
    for predictions, references, *_ in CASES:
        found = metric.compute(predictions=predictions, references=references)
        assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(references, predictions))
        assert found["f1"] == pytest.approx(sklearn.f1_score(references, predictions))


def test_batches_add_up_and_the_next_count_starts_afresh():
    import torch
    from evaluate import Metric

    metric = load_metric("glue", "mrpc")
    assert isinstance(metric, Metric)
    for _ in range(2):
        metric.add_batch(predictions=torch.tensor([1, 0]), references=torch.tensor([1, 1]))
        metric.add_batch(predictions=torch.tensor([0]), references=torch.tensor([1]))
        metric.add(prediction=0, reference=0)
        assert metric.compute() == {"accuracy": 0.5, "f1": 0.5}


def test_two_metrics_at_once_do_not_mix():
    first, second = load_metric("glue", "mrpc"), load_metric("glue", "mrpc")
    first.add_batch(predictions=[1], references=[1])
    second.add_batch(predictions=[0], references=[1])
    assert first.compute() == {"accuracy": 1, "f1": 1}
    assert second.compute() == {"accuracy": 0, "f1": 0}


def both(predictions, references):
    """Measure in each way that there is; give what each raised."""
    raised = []
    for measure in (
        lambda: accuracy(predictions, references),
        lambda: f1(predictions, references),
        lambda: load_metric("glue", "mrpc").compute(predictions=predictions, references=references),
        lambda: load_metric("glue", "mrpc").add_batch(
            predictions=predictions, references=references
        ),
    ):
        with pytest.raises(ValueError, match=r"^Expected .*; got ") as caught:
            measure()
        raised.append(str(caught.value))
    return raised


@pytest.mark.parametrize(("predictions", "references"), [([1, 1], [1]), ([1], [1, 1])])
def test_lengths_that_differ_are_an_error(predictions, references):
    """numpy would compare one number with each of the others: an accuracy of 2.0."""
    for message in both(predictions, references):
        assert f"got {len(predictions)} and {len(references)}" in message


@pytest.mark.parametrize(
    "wrong", [[0.7, 0.2], ["1", "0"], [[1], [0]], [[0.1, 0.9], [0.8, 0.2]], [None, 1], []]
)
def test_what_is_no_class_for_each_row_is_an_error(wrong):
    for message in both(wrong, [1, 0]):
        assert message.startswith("Expected predictions to be a class number for each row")
    for message in both([1, 0], wrong):
        assert message.startswith("Expected references to be a class number for each row")


@pytest.mark.parametrize("kind", ["list", "tuple", "numpy", "torch", "bool"])
def test_classes_come_in_any_kind_of_sequence(kind):
    import numpy as np
    import torch

    make = {
        "list": list,
        "tuple": tuple,
        "numpy": lambda classes: np.array(classes, dtype=np.uint8),
        "torch": torch.tensor,
        "bool": lambda classes: [bool(one) for one in classes],
    }[kind]
    predictions, references = make([1, 0, 1]), make([1, 1, 0])
    assert accuracy(predictions, references) == pytest.approx(1 / 3)
    assert f1(predictions, references) == pytest.approx(1 / 2)
    found = load_metric("glue", "mrpc").compute(predictions=predictions, references=references)
    assert found == {"accuracy": pytest.approx(1 / 3), "f1": pytest.approx(1 / 2)}


@pytest.mark.parametrize("asked", [("glue", "sst2"), ("accuracy", None), ("glue", None)])
def test_another_metric_is_an_error_that_says_where_it_is(asked):
    with pytest.raises(ValueError, match=r"Expected 'glue' and 'mrpc'.*evaluate\.load"):
        load_metric(*asked)


def test_metric_writes_nothing_asks_nobody_and_says_nothing(tmp_path):
    """HF_HOME is below a file, where not even root can make a folder."""
    (tmp_path / "file").touch()
    code = """
import socket
def refuse(*arguments):
    raise AssertionError("a connection was asked for")
socket.socket.connect = socket.getaddrinfo = refuse
from helpers.sources.metrics import load_metric
metric = load_metric("glue", "mrpc")
metric.add_batch(predictions=[1, 0], references=[1, 1])
print(metric.compute())
"""
    status, out, err = run(code, HF_HOME=str(tmp_path / "file" / "hf"), HF_HUB_OFFLINE="0")
    assert (status, out, err) == (0, "{'accuracy': 0.5, 'f1': 0.6666666666666666}\n", "")
