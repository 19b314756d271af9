"""The questions on the published page: with a mouse, with a keyboard, without JavaScript."""

import re
from contextlib import contextmanager

import pytest
from notebook_world import NOTEBOOKS
from repository import ROOT

from helpers.practice.quizzes import FOLDER, read_questions

NUMBER = "2-3"
QUESTIONS = read_questions(NUMBER)
HEAVIEST = 15_000  # bytes that the questions of a page may add


def page(number):
    return NOTEBOOKS[number].relative_to(ROOT).with_suffix(".html").as_posix()


@contextmanager
def opened(browser, address, **options):
    """Open the page of the questions."""
    context = browser.new_context(**options)
    tab = context.new_page()
    tab.goto(f"{address}{page(NUMBER)}")
    try:
        yield tab, tab.locator(".book-live[data-live=quiz]")
    finally:
        context.close()


def right_place(question):
    return [choice.right for choice in question.choices].index(True)


def answer(form, place):
    form.get_by_role("radio").nth(place).check()
    form.get_by_role("button", name="Check").click()


def test_a_right_and_a_wrong_choice_say_why_and_can_be_tried_again(browser, address):
    with opened(browser, address) as (_, place):
        form, question = place.locator(".question").first, QUESTIONS[0]
        wrong = (right_place(question) + 1) % len(question.choices)
        answer(form, wrong)
        assert question.choices[wrong].why.split("`")[0] in form.get_by_role("status").inner_text()
        assert "0 of" in place.locator(".count").inner_text()
        answer(form, right_place(question))
        assert form.get_by_role("status").inner_text().startswith("✓ Right.")
        assert f"1 of {len(QUESTIONS)} right" in place.locator(".count").inner_text()


def test_nothing_is_said_before_an_answer_is_chosen(browser, address):
    with opened(browser, address) as (_, place):
        form = place.locator(".question").first
        assert form.locator(".verdict").inner_text() == ""
        form.get_by_role("button", name="Check").click()
        assert form.get_by_role("status").inner_text() == "Choose an answer first."


def test_answers_stay_in_this_browser_until_they_are_cleared(browser, address):
    with opened(browser, address) as (tab, place):
        answer(place.locator(".question").first, right_place(QUESTIONS[0]))
        sent = []
        tab.on("request", lambda request: sent.append((request.method, request.url)))
        tab.reload()
        place.locator(".question").first.wait_for()
        assert f"1 of {len(QUESTIONS)} right" in place.locator(".count").inner_text()
        assert {method for method, _ in sent} == {"GET"}
        assert all(url.startswith((address, "data:")) for _, url in sent)
        place.get_by_role("button", name="Clear my answers").click()
        assert f"0 of {len(QUESTIONS)} right" in place.locator(".count").inner_text()
        assert tab.evaluate("localStorage.getItem('book-quiz:2-3')") is None
        tab.reload()
        place.locator(".question").first.wait_for()
        assert place.get_by_role("radio", checked=True).count() == 0


@pytest.mark.parametrize("kept", ["nonsense", "[1", "null", '{"a question of long ago": "x"}'])
def test_what_another_version_has_kept_does_no_harm(browser, address, kept):
    with opened(browser, address) as (tab, place):
        tab.evaluate("(kept) => localStorage.setItem('book-quiz:2-3', kept)", kept)
        tab.reload()
        answer(place.locator(".question").first, right_place(QUESTIONS[0]))
        assert f"1 of {len(QUESTIONS)} right" in place.locator(".count").inner_text()


def test_the_keyboard_is_enough(browser, address):
    with opened(browser, address) as (tab, place):
        place.locator(".question").first.get_by_role("radio").first.focus()
        tab.keyboard.press("Space")
        for _ in range(right_place(QUESTIONS[0])):
            tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        assert "✓ Right." in place.locator(".question").first.get_by_role("status").inner_text()


def test_each_question_names_its_choices_for_a_screen_reader(browser, address):
    with opened(browser, address) as (_, place):
        for number, question in enumerate(QUESTIONS):
            group = place.get_by_role("group").nth(number)
            said = " ".join(question.text.replace("`", "").split())
            assert said in " ".join(group.locator("legend").inner_text().split())
            assert group.get_by_role("radio").count() == len(question.choices)


def test_without_javascript_the_answers_are_folded_below_the_questions(browser, address):
    with opened(browser, address, java_script_enabled=False) as (_, place):
        assert place.locator("details").count() == len(QUESTIONS)
        assert not place.locator("details").first.locator("p").first.is_visible()
        place.locator("summary").first.click()
        assert place.locator("details").first.locator("p").first.is_visible()


@pytest.mark.parametrize("number", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_the_questions_of_a_page_are_light(site, number):
    html = (site / page(number)).read_text(encoding="utf-8")
    start = re.search(r"""<div class=["']book-live["'] data-live=["']quiz["']""", html).start()
    end = html.index("What to remember", start)
    assert len(html[start:end].encode()) <= HEAVIEST
