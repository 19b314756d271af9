"""Comparing two sentences: the model's own probabilities, in both orders."""

import pytest
import torch
from transformers import pipeline

from helpers.sources.metrics import f1
from helpers.text.pairs import compare_pair, pair_baselines, word_overlap, words

ONE, TWO = "My name is Sylvain.", "I work at Hugging Face, and I like it there."


@pytest.fixture(scope="module")
def pair_model(small_classifier):
    """Tokenizer and a small model with random weights."""
    return small_classifier(id2label={0: "not_equivalent", 1: "equivalent"})


def alone(tokenizer, model, first, second):
    """Give the probabilities of one pair that goes through the model without a batch."""
    with torch.no_grad():
        logits = model(**tokenizer(first, second, return_tensors="pt")).logits
    return torch.softmax(logits[0], dim=-1).tolist()


def test_it_gives_the_probabilities_of_the_pair_in_both_orders(pair_model):
    answer = compare_pair(*pair_model, ONE, TWO)
    assert answer.labels == ["not_equivalent", "equivalent"]
    assert answer.probabilities == pytest.approx(alone(*pair_model, ONE, TWO), abs=1e-5)
    assert answer.swapped == pytest.approx(alone(*pair_model, TWO, ONE), abs=1e-5)
    assert answer.probabilities != pytest.approx(answer.swapped, abs=1e-3)
    assert not answer.truncated


def test_it_answers_without_dropout_and_leaves_the_mode_alone(pair_model):
    tokenizer, model = pair_model
    before = compare_pair(tokenizer, model, ONE, TWO)
    model.train()
    try:
        assert compare_pair(tokenizer, model, ONE, TWO) == before
        assert model.training
    finally:
        model.eval()


def test_it_says_that_a_long_pair_was_cut(pair_model):
    assert compare_pair(*pair_model, "word " * 300, "word " * 300).truncated
    assert not compare_pair(*pair_model, "word " * 200, "word " * 300).truncated


@pytest.mark.parametrize(("first", "second", "name"), [(" ", TWO, "first"), (ONE, "", "second")])
def test_an_empty_sentence_is_refused(pair_model, first, second, name):
    with pytest.raises(ValueError, match=f"{name} must hold at least one word"):
        compare_pair(*pair_model, first, second)


def test_what_is_not_a_string_is_refused(pair_model):
    with pytest.raises(TypeError, match="second must be one string; got list"):
        compare_pair(*pair_model, ONE, [TWO])


def test_the_words_of_a_text_have_no_capitals_and_no_punctuation():
    assert words("It's 9:30, Ms. Lund's bus...") == ["it's", "9", "30", "ms", "lund's", "bus"]


def test_word_overlap_is_what_both_have_of_what_either_has():
    assert word_overlap("The council met.", "The council adjourned!") == 2 / 4
    assert word_overlap("a a b", "B A") == 1
    assert word_overlap("one", "two") == 0


def test_word_overlap_of_no_words_is_a_clear_error():
    with pytest.raises(ValueError, match=r"a word between them; got '\?' and ''"):
        word_overlap("?", "")


@pytest.fixture
def few_pairs():
    """Pairs of which those that share few words are equivalent, but for one in validation."""
    from datasets import Dataset, DatasetDict

    alike, unlike = ("one two three", "one two four"), ("one two three", "four five three")

    def split(*rows):
        return Dataset.from_dict(
            {
                "sentence1": [pair[0] for pair, _ in rows],
                "sentence2": [pair[1] for pair, _ in rows],
                "label": [label for _, label in rows],
            }
        )

    return DatasetDict(
        train=split((alike, 0), (alike, 0), (unlike, 1), (unlike, 1)),
        validation=split((alike, 0), (alike, 1), (unlike, 1), (unlike, 1), (alike, 0)),
    )


def test_the_rules_are_fitted_in_training_on_either_side_and_measured_elsewhere(few_pairs):
    assert pair_baselines(few_pairs) == {
        "always equivalent": 3 / 5,
        "counting shared words": 4 / 5,
    }
    assert pair_baselines(few_pairs, metric=f1) == {
        "always equivalent": 2 * 3 / (5 + 3),
        "counting shared words": 2 * 2 / (2 + 3),
    }
    assert pair_baselines(few_pairs, "train")["counting shared words"] == 1


def test_another_split_is_a_clear_error(few_pairs):
    with pytest.raises(ValueError, match="'train' and 'test'; got train, validation"):
        pair_baselines(few_pairs, "test")


@pytest.mark.parametrize(
    ("problem_type", "labels"),
    [(None, 3), (None, 1), ("multi_label_classification", 3), ("regression", 1)],
)
def test_the_scores_are_the_pipelines_for_each_type_of_problem(
    small_classifier, problem_type, labels
):
    tokenizer, model = small_classifier(problem_type, labels)
    answer = compare_pair(tokenizer, model, ONE, TWO)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer)
    for scores, first, second in [
        (answer.probabilities, ONE, TWO),
        (answer.swapped, TWO, ONE),
    ]:
        found = classify({"text": first, "text_pair": second}, top_k=None)
        expected = {one["label"]: one["score"] for one in found}
        ours = dict(zip(answer.labels, scores, strict=True))
        assert ours == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("text", [None, 5, ["one"]])
def test_words_of_something_else_are_refused(text):
    with pytest.raises(TypeError, match="text must be one string; got"):
        word_overlap("one", text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda split: split.rename_column("sentence1", "first"), "must have the columns label"),
        (lambda split: split.select([]), "validation must hold at least one pair"),
        (lambda split: split.map(lambda row: {"label": -1}), "label must be 0 or 1 in validation"),
    ],
)
def test_pairs_that_no_rule_can_be_measured_on_are_refused(few_pairs, change, says):
    few_pairs["validation"] = change(few_pairs["validation"])
    with pytest.raises(ValueError, match=says):
        pair_baselines(few_pairs)
