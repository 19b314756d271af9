"""softmax and decode: kinds of input, numbers, refusals, and parity with the pipeline."""

import numpy as np
import pytest
import torch
from recorded import LOGITS, PROBABILITIES
from transformers import pipeline

from helpers.text.decoding import decode, softmax

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
        (["a", "b"], {}, TypeError, "must be numbers"),
        (None, {}, TypeError, "must be numbers"),
        ([1.0, 2.0], {"axis": 1}, ValueError, "axis must be between -1 and 0"),
        ([1.0, 2.0], {"temperature": 0}, ValueError, "above 0; got 0"),
        ([1.0, 2.0], {"temperature": -1.5}, ValueError, "above 0; got -1.5"),
        ([1.0, 2.0], {"temperature": float("nan")}, ValueError, "above 0; got nan"),
        ([1.0, 2.0], {"temperature": float("inf")}, ValueError, "above 0; got inf"),
        ([1.0, 2.0], {"temperature": "hot"}, TypeError, "got 'hot'"),
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
        ([1.0, 2.0], {0: "A"}, ValueError, "2 columns"),
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
