"""The catalog: it is current and complete, and everything that is drawn comes from it."""

import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from everything_shown import PICTURES, PLOTS, SHOWN, lives
from pseudo_language import seen, spoken_here, untranslated

import helpers.words
from helpers import display
from helpers.display import pictures
from helpers.display.live_widget import texts_in
from helpers.practice import exercises, quizzes
from helpers.practice.exercises import read_exercises
from helpers.words import words
from tools.catalog import TEMPLATE, compile_translation, template

NUMBERS = sorted(path.stem for path in exercises.FOLDER.glob("*.yaml"))


def texts_of(pattern):
    """Give the texts of the template that come from files whose path fits a pattern."""
    with TEMPLATE.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    return {
        message.id
        for message in messages
        if any(re.match(pattern, name) for name, _ in message.locations)
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Let the helpers speak a language that nobody speaks; the texts that they look up."""
    with spoken_here(tmp_path_factory.mktemp("words")) as texts:
        yield texts


# The catalog


def test_the_template_is_todays():
    assert TEMPLATE.read_text(encoding="utf-8") == template(), "make words"


def test_every_exercise_and_question_is_in_the_template():
    expected = set()
    for number in NUMBERS:
        for one in read_exercises(number).values():
            expected |= {one.right, *one.hints, *(condition.hint for condition in one.conditions)}
        for question in quizzes.read_questions(number):
            expected |= {question.text}
            expected |= {text for one in question.choices for text in (one.text, one.why)}
    assert expected == texts_of(r".*\.yaml")


def test_a_text_is_read_from_javascript():
    found = texts_in('words(\n "a \\"b\\"" +\n "\\u00a0c", { x });  otherwords("d"); words(e)')
    assert found == ['a "b"\u00a0c']


def test_english_needs_no_catalog(monkeypatch):
    for language in ("", "en"):
        monkeypatch.setenv("COURSE_LANGUAGE", language)
        assert words("step {done} of {steps}", done=1, steps="2,000") == "step 1 of 2,000"
        assert words("a {brace}") == "a {brace}"


def test_a_language_that_is_not_there_is_named_with_those_that_are(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "tlh")
    with pytest.raises(
        ValueError, match=r"COURSE_LANGUAGE to be one of \[.*'en'.*\], got 'tlh'. Unset"
    ):
        words("step")


@pytest.mark.parametrize(
    ("text", "translation", "said"),
    [
        ("step {done} of {steps}", "Schritt {done} von {all}", "{steps}"),
        ("not begun yet", "noch {nicht}", "no braces"),
        ("Use `x`.", "Nimm `x.", "backticks"),
        ("step {done} of {steps}", "von {steps} Schritten {done}", None),
        ("Use `x`.", "", None),
    ],
)
def test_a_wrong_translation_is_an_error_for_its_author(tmp_path, text, translation, said):
    catalog = Catalog(locale="de")
    catalog.add(text, translation)
    with (tmp_path / "helpers.po").open("wb") as file:
        write_po(file, catalog)
    found = compile_translation(tmp_path / "helpers.po")
    assert (tmp_path / "helpers.mo").exists() == (said is None)
    assert len(found) == bool(said)
    assert (said or "") in "".join(found)


def test_every_translation_is_right_and_compiled(tmp_path):
    for path in helpers.words.FOLDER.glob("*/LC_MESSAGES/helpers.po"):
        copy = tmp_path / "helpers.po"
        copy.write_bytes(path.read_bytes())
        assert not compile_translation(copy), path
        assert copy.with_suffix(".mo").read_bytes() == path.with_suffix(".mo").read_bytes()


# What is shown

# names that Python, or a library, gives to things
NAMES = ("list", "ndarray", "KeyError", "NameError", "name", "is not defined")


@cache
def shown(name):
    return SHOWN[name]()


def test_every_picture_and_plot_is_among_what_is_shown():
    names = {*vars(pictures), *display.__all__}
    drawn = {name for name in names if re.search("_(picture|plot|heatmap|curve|bars|lines)", name)}
    assert drawn | {"learning_rates"} == {*PICTURES, *PLOTS}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_comes_from_the_catalog(asked, name):
    assert shown(name)
    for text in shown(name):
        assert not untranslated(text, *NAMES)


def test_live_things_without_javascript_come_from_the_catalog(asked, bert_tokenizer):
    for kind, (_, html) in lives(bert_tokenizer).items():
        assert not untranslated(seen(html)), kind


def test_every_text_of_the_code_is_shown_above(asked, bert_tokenizer):
    """Else a text that bypasses the catalog in the same place would not be found."""
    lives(bert_tokenizer)
    for name in SHOWN:
        shown(name)
    assert texts_of(r".*\.py") <= asked
