"""The questions: their keys are computed, their words cited, and a browser can answer them."""

import re
from collections import Counter

import pytest
from notebook_world import NOTEBOOKS, code_cells, names_for

from helpers.practice import quiz
from helpers.practice.quizzes import FOLDER, Choice, Question, in_html, read_questions, verify

NUMBERS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
QUESTIONS = [
    pytest.param(number, question, id=f"{number}-{place}")
    for number in NUMBERS
    for place, question in enumerate(read_questions(number), start=1)
]


def names(number, monkeypatch):
    """Give the names that the keys of a notebook's questions are evaluated in."""
    code = [one.setup for one in read_questions(number)]
    code += [c.true_if for one in read_questions(number) for c in one.choices if c.true_if]
    return names_for(number, code, monkeypatch)


@pytest.mark.parametrize("number", NUMBERS)
def test_exactly_the_declared_choices_are_true(number, monkeypatch):
    verify(number, names(number, monkeypatch))


def test_a_wrong_key_is_named(monkeypatch):
    wrong = Question("Which?", (Choice("one", "", True, "x == 2"), Choice("two", "", False, "0")))
    monkeypatch.setattr("helpers.practice.quizzes.read_questions", lambda _: (wrong,))
    with pytest.raises(AssertionError, match=r"Which\? / one / x == 2"):
        verify("9-9", {"x": 1})
    verify("9-9", {"x": 2})


@pytest.mark.parametrize(("number", "question"), QUESTIONS)
def test_a_question_is_whole(number, question):
    """One right choice, a reason for each, and every key is evaluated or decided by the text."""
    assert [choice.right for choice in question.choices].count(True) == 1
    assert 3 <= len(question.choices) <= 4
    reasons = [choice.why.strip() for choice in question.choices]
    assert all(reasons)
    assert len(set(reasons)) == len(reasons)
    evaluated = [choice.true_if is not None for choice in question.choices]
    assert all(evaluated) or (not any(evaluated) and question.cites), "evaluate all, or cite"
    if question.cites:
        prose = " ".join(NOTEBOOKS[number].read_text(encoding="utf-8").split())
        assert " ".join(question.cites.split()) in prose, "the notebook doesn't say so anymore"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_notebook_asks_three_to_six_questions_at_its_end(number):
    assert 3 <= len(read_questions(number)) <= 6
    assert code_cells(number)[-1].source.endswith(f'quiz("{number}")')


def test_every_notebook_has_questions():
    assert set(NUMBERS) == set(NOTEBOOKS)


def test_the_place_of_the_right_choice_says_nothing():
    """Over the book, no place holds much more than its share."""
    questions = [question for number in NUMBERS for question in read_questions(number)]
    places = Counter([c.right for c in one.choices].index(True) for one in questions)
    share = sum(1 / len(one.choices) for one in questions)
    for place in range(3):
        assert share / 2 <= places[place] <= share * 1.5, places


def test_text_is_escaped_and_backticks_are_code():
    assert in_html("`<b>` & `a`\n  b") == "<code>&lt;b&gt;</code> &amp; <code>a</code> b"


def test_an_unknown_notebook_is_named():
    with pytest.raises(ValueError, match=r"expected a notebook that has questions .*got '9-9'"):
        quiz("9-9")
    with pytest.raises(ValueError, match="Take the number"):
        quiz("../secret")


def test_what_is_stored_can_be_read_without_a_program():
    data, _ = quiz(NUMBERS[0])._repr_mimebundle_()
    assert data["text/html"].count("<details>") == len(read_questions(NUMBERS[0]))
    assert re.search(r"<summary>Answer</summary><p><strong>A", data["text/html"])
    assert data["text/plain"] == f"Live('quiz', {{'notebook': '{NUMBERS[0]}'}})"
