"""softmax and decode: kinds of input, numbers, refusals, and parity with the pipeline."""

import numpy as np
import pytest
import torch
from recorded import LOGITS, PROBABILITIES
from transformers import pipeline

from helpers.text.decoding import decode, label_names, label_scores, softmax

LABELS = {0: "NEGATIVE", 1: "POSITIVE"}


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor], ids=["list", "numpy", "torch"])
@pytest.mark.parametrize("rows", [LOGITS, LOGITS[0]], ids=["many rows", "one row"])
def test_softmax_gives_the_recorded_probabilities_in_the_kind_that_came(kind, rows):
    probabilities = softmax(kind(rows))

    assert type(probabilities) is type(kind(rows))
    expected = PROBABILITIES if rows is LOGITS else PROBABILITIES[0]
    np.testing.assert_allclose(np.asarray(probabilities), expected, atol=5e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_softmax_agrees_with_torch_and_keeps_the_dtype(dtype):
    logits = torch.randn(7, 5, generator=torch.Generator().manual_seed(0)).to(dtype)

    probabilities = softmax(logits)

    assert probabilities.dtype == dtype
    reference = torch.nn.functional.softmax(logits.double(), dim=-1).to(dtype)
    torch.testing.assert_close(probabilities, reference, rtol=0, atol=0)


def test_softmax_lets_the_gradient_through():
    ours = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    torchs = ours.detach().clone().requires_grad_()

    softmax(ours)[1].backward()
    torch.nn.functional.softmax(torchs, dim=-1)[1].backward()

    torch.testing.assert_close(ours.grad, torchs.grad)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor], ids=["list", "numpy", "torch"])
@pytest.mark.parametrize("temperature", [1e-50, 1e-3, 1.0, 1e3])
def test_softmax_is_stable_for_huge_logits(kind, temperature):
    probabilities = np.asarray(softmax(kind([[1e4, -1e4], [-1e4, -1e4]]), temperature=temperature))

    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1)
    np.testing.assert_allclose(probabilities[1], 0.5)
    assert probabilities[0, 0] > 0.999


def test_softmax_over_another_axis():
    logits = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(softmax(logits, axis=0), softmax(logits.T).T)
    np.testing.assert_allclose(softmax(logits, axis=0).sum(axis=0), 1)


def test_temperature_divides_the_logits():
    logits = np.array([2.0, 0.0, -1.0])
    np.testing.assert_allclose(softmax(logits, temperature=4), softmax(logits / 4))
    assert (
        softmax(logits, temperature=0.5)[0] > softmax(logits)[0] > softmax(logits, temperature=2)[0]
    )


def test_a_label_that_is_ruled_out_gets_probability_0():
    np.testing.assert_allclose(softmax([0.0, float("-inf"), 0.0]), [0.5, 0, 0.5])


@pytest.mark.parametrize(
    ("logits", "options", "error", "says"),
    [
        ([], {}, ValueError, "at least one row"),
        ([[]], {}, ValueError, r"\(1, 0\)"),
        (np.zeros((0, 2)), {}, ValueError, r"\(0, 2\)"),
        (torch.zeros(0, 2), {}, ValueError, r"\(0, 2\)"),
        ([1.0, float("nan")], {}, ValueError, r"NaN first at \(1,\)"),
        (torch.tensor([[0.0, 1.0], [float("nan"), 0.0]]), {}, ValueError, r"NaN first at \(1, 0\)"),
        ([1.0, float("inf")], {}, ValueError, "infinity"),
        ([[float("-inf")] * 2, [0.0, 0.0]], {}, ValueError, "infinity"),
        ([[1.0, 2.0], [1.0]], {}, ValueError, "rows of one length"),
        (["a", "b"], {}, TypeError, "must be real numbers"),
        (None, {}, TypeError, "must be real numbers"),
        ([True, False], {}, TypeError, "got list of bool"),
        (np.array([True, False]), {}, TypeError, "got ndarray of bool"),
        (torch.tensor([True, False]), {}, TypeError, "got Tensor of torch.bool"),
        ([1j, 2.0], {}, TypeError, "got list of complex128"),
        (np.array([1j, 2.0]), {}, TypeError, "got ndarray of complex128"),
        (torch.tensor([1j, 2.0]), {}, TypeError, "got Tensor of torch.complex64"),
        (np.array([1.0, None]), {}, TypeError, "got ndarray of object"),
        (torch.tensor(1.0), {}, ValueError, r"the shape \(\)"),
        ([1.0, 2.0], {"axis": 1}, ValueError, "axis must be between -1 and 0"),
        ([1.0, 2.0], {"axis": 0.5}, TypeError, "axis must be a whole number; got 0.5"),
        ([1.0, 2.0], {"temperature": 0}, ValueError, "above 0; got 0"),
        ([1.0, 2.0], {"temperature": -1.5}, ValueError, "above 0; got -1.5"),
        ([1.0, 2.0], {"temperature": float("nan")}, ValueError, "above 0; got nan"),
        ([1.0, 2.0], {"temperature": float("inf")}, ValueError, "above 0; got inf"),
        ([1.0, 2.0], {"temperature": "hot"}, TypeError, "got 'hot'"),
        ([1.0, 2.0], {"temperature": True}, TypeError, "got True"),
    ],
)
def test_softmax_refuses(logits, options, error, says):
    with pytest.raises(error, match=says):
        softmax(logits, **options)


def test_decode_has_the_shape_of_the_pipelines_answer():
    one, many = LOGITS[0], LOGITS

    assert [answer["label"] for answer in decode(one, LABELS)] == ["POSITIVE"]
    assert [answer["label"] for answer in decode(many, LABELS)] == ["POSITIVE", "NEGATIVE"]
    assert [answer["label"] for answer in decode(one, LABELS, all_labels=True)] == [
        "POSITIVE",
        "NEGATIVE",
    ]
    ranked = decode(many, LABELS, all_labels=True)
    assert [[answer["label"] for answer in row] for row in ranked] == [
        ["POSITIVE", "NEGATIVE"],
        ["NEGATIVE", "POSITIVE"],
    ]
    assert ranked[1][0]["score"] == pytest.approx(0.99946, abs=5e-6)
    assert type(ranked[1][0]["score"]) is float


def test_decode_of_a_tie_takes_the_first_label_as_argmax_does():
    assert decode([1.0, 1.0], LABELS)[0] == {"label": "NEGATIVE", "score": 0.5}


@pytest.mark.parametrize(
    ("logits", "id2label", "error", "says"),
    [
        ([1.0, 2.0], {0: "A"}, ValueError, "the 2 columns"),
        ([1.0, 2.0], {"0": "A", 0: "B", 1: "C"}, ValueError, r"got \['0', 0, 1\]"),
        ([1.0, 2.0], {"A": 0, "B": 1}, ValueError, r"got \['A', 'B'\]"),  # label2id
        ([1.0, 2.0], {}, ValueError, r"got \[\]"),
        ([1.0, 2.0], None, TypeError, "got NoneType"),
        ([1.0, 2.0], {0: "A", 1: "B", 2: "C"}, ValueError, r"got \[0, 1, 2\]"),
        ([1.0, 2.0], {1: "A", 2: "B"}, ValueError, "keys 0 to 1"),
        ([1.0, 2.0], ["A", "B"], TypeError, "config.id2label"),
        (np.zeros((2, 3, 2)), LABELS, ValueError, r"\(2, 3, 2\)"),
        ([], LABELS, ValueError, "at least one row"),
    ],
)
def test_decode_refuses(logits, id2label, error, says):
    with pytest.raises(error, match=says):
        decode(logits, id2label)


@pytest.fixture(scope="module")
def logits_of_200(sentiment, sentences) -> tuple[list[str], torch.Tensor]:
    """200 held-out sentences, and what the model says of each.

    One text at a time, as the pipeline does it: padding moves the last digits.
    """
    tokenizer, model = sentiment
    texts = [text for text, _ in sentences[:200]]
    assert len(texts) == 200
    with torch.inference_mode():
        rows = [
            model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0]
            for text in texts
        ]
    return texts, torch.stack(rows)


@pytest.mark.parametrize("top_k", [1, None], ids=["best label", "all labels"])
def test_decode_equals_the_pipeline(sentiment, logits_of_200, top_k):
    """Same labels, scores to 1e-6."""
    tokenizer, model = sentiment
    texts, rows = logits_of_200
    options = {} if top_k == 1 else {"top_k": None}
    expected = pipeline("sentiment-analysis", model=model, tokenizer=tokenizer)(texts, **options)
    found = decode(rows, model.config.id2label, all_labels=top_k is None)

    def flat(answers):
        return answers if top_k == 1 else [answer for row in answers for answer in row]

    assert [a["label"] for a in flat(found)] == [a["label"] for a in flat(expected)]
    np.testing.assert_allclose(
        [a["score"] for a in flat(found)], [a["score"] for a in flat(expected)], rtol=0, atol=1e-6
    )
    single = pipeline("sentiment-analysis", model=model, tokenizer=tokenizer)(texts[0], **options)
    assert len(decode(rows[0], model.config.id2label, all_labels=top_k is None)) == len(single)


@pytest.mark.parametrize(
    "keys", [(0, 1), ("0", "1"), (0, "1"), ("1", 0), (np.int64(0), np.int64(1))], ids=str
)
def test_id2label_may_have_the_string_keys_that_json_gives(keys):
    id2label = {key: LABELS[int(key)] for key in keys}
    assert label_names(id2label, 2) == ["NEGATIVE", "POSITIVE"]
    assert decode(LOGITS[0], id2label) == decode(LOGITS[0], LABELS)


def test_softmax_takes_a_list_of_tensors():
    rows = [torch.tensor(row, requires_grad=True) for row in LOGITS]
    np.testing.assert_allclose(softmax(rows), softmax(LOGITS), atol=1e-6)


PROBLEMS = [
    (None, 3),
    (None, 1),
    ("single_label_classification", 3),
    ("multi_label_classification", 3),
    ("multi_label_classification", 1),
    ("regression", 1),
    ("regression", 3),
]


@pytest.mark.parametrize(("problem_type", "labels"), PROBLEMS)
def test_decode_equals_the_pipeline_for_each_type_of_problem(
    small_classifier, problem_type, labels
):
    tokenizer, model = small_classifier(problem_type, labels)
    texts = ["I love this.", "I hate this so much!"]
    expected = pipeline("text-classification", model=model, tokenizer=tokenizer)(texts, top_k=None)
    with torch.inference_mode():
        rows = [model(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
    found = decode(
        torch.stack(rows), model.config.id2label, all_labels=True, problem_type=problem_type
    )
    for ours, librarys in zip(found, expected, strict=True):
        assert [answer["label"] for answer in ours] == [answer["label"] for answer in librarys]
        np.testing.assert_allclose(
            [answer["score"] for answer in ours],
            [answer["score"] for answer in librarys],
            rtol=0,
            atol=1e-6,
        )


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor], ids=["list", "numpy", "torch"])
def test_a_label_of_its_own_gets_the_sigmoid(kind):
    logits = [[-800.0, -40.0, 0.0], [1.0, 40.0, 800.0]]
    scores = label_scores(kind(logits), problem_type="multi_label_classification")
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores[0], [0, np.exp(-40.0), 0.5], rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose(scores[1], [1 / (1 + np.exp(-1.0)), 1, 1], rtol=1e-6)
    warm = label_scores(kind([2.0]), temperature=4)
    np.testing.assert_allclose(warm, [1 / (1 + np.exp(-0.5))], rtol=1e-6)
    np.testing.assert_allclose(label_scores(kind([2.0]), temperature=1e-320), [1])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"problem_type": "ranking"}, "problem_type must be one of .*; got 'ranking'"),
        ({"problem_type": "regression", "temperature": 2}, "temperature must be 1 for a reg"),
    ],
)
def test_scores_of_another_problem_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        label_scores([1.0, 2.0], **options)


@pytest.mark.parametrize("problem_type", [None, "multi_label_classification", "regression"])
@pytest.mark.parametrize(("logits", "says"), [([], "at least one"), ([np.nan], "NaN first")])
def test_scores_of_nothing_are_refused(logits, problem_type, says):
    with pytest.raises(ValueError, match=says):
        label_scores(logits, problem_type=problem_type)
