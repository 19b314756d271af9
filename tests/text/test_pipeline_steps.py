"""three_steps: the pipeline with every result on the way kept."""

import pytest
from transformers import pipeline

from helpers.text.pipeline_steps import three_steps

SENTENCE = "I hate this so much!"


def test_each_step_is_the_librarys(sentiment):
    tokenizer, model = sentiment
    steps = three_steps(tokenizer, model, SENTENCE)

    assert steps.text == SENTENCE
    assert steps.table["id"].tolist() == tokenizer(SENTENCE)["input_ids"]
    expected = pipeline("sentiment-analysis", model=model, tokenizer=tokenizer)(SENTENCE)[0]
    assert steps.answer["label"] == expected["label"] == "NEGATIVE"
    assert steps.answer["score"] == pytest.approx(expected["score"], abs=1e-6)
    assert steps.labels == ["NEGATIVE", "POSITIVE"]
    assert sum(steps.probabilities) == pytest.approx(1)
    assert steps.probabilities[0] == pytest.approx(steps.answer["score"])
    assert steps.logits[0] > steps.logits[1]
    assert not steps.truncated


def test_a_text_that_is_too_long_is_cut_and_says_so(sentiment):
    tokenizer, model = sentiment
    steps = three_steps(tokenizer, model, "good " * 600)
    assert len(steps.table) == 512
    assert steps.truncated


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_text_is_refused(sentiment, text):
    with pytest.raises(ValueError, match="Type a sentence"):
        three_steps(*sentiment, text)


def test_a_list_is_refused(sentiment):
    with pytest.raises(TypeError, match="one string; got list"):
        three_steps(*sentiment, [SENTENCE])


@pytest.mark.parametrize(
    ("problem_type", "labels"),
    [(None, 3), (None, 1), ("multi_label_classification", 3), ("regression", 1)],
)
def test_the_scores_are_the_pipelines_for_each_type_of_problem(
    small_classifier, problem_type, labels
):
    tokenizer, model = small_classifier(problem_type, labels)
    steps = three_steps(tokenizer, model, SENTENCE)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer)
    expected = {answer["label"]: answer["score"] for answer in classify(SENTENCE, top_k=None)}
    assert dict(zip(steps.labels, steps.probabilities, strict=True)) == pytest.approx(
        expected, abs=1e-6
    )
    (answer,) = classify(SENTENCE)
    assert steps.answer == {"label": answer["label"], "score": pytest.approx(answer["score"])}
