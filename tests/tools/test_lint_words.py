"""The words that the book no longer uses: none is left, and one that comes back is found."""

import re

import pytest

from tools import lint_words


def test_the_book_uses_none_of_them():
    found = [one for path in lint_words.files() for one in lint_words.findings(path)]
    assert found == []


def test_every_kind_of_file_is_read():
    names = {path.name for path in lint_words.files()}
    assert {"2-4-several-sequences.md", "welcome.md", "README.md", "CONTRIBUTING.md"} <= names
    assert "2-4.yaml" in names


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("One colour.", 1, "colour"),
        ("Fine.\n\nA test would be\nspoilt.", 4, "spoilt"),
        ("To hand\n  out the zip.", 1, "hand out"),  # across a line break
        ("It is in 95 % of them.", 1, "95 % of"),
        ("# They Recognise it", 1, "Recognise"),  # in the comment of a cell, too
    ],
)
def test_a_planted_word_is_found(tmp_path, capsys, text, line, word):
    page = tmp_path / "page.md"
    page.write_text(text)
    assert lint_words.main([page]) == 1
    assert re.search(rf"page\.md:{line}: expected '.+', got '{word}'\.", capsys.readouterr().err)


def test_other_peoples_words_in_addresses_are_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("[Color](https://example.org/colour/behaviour) and <https://x.org/colour>")
    assert lint_words.main([page]) == 0
