"""The words that readers see, in the language of ``COURSE_LANGUAGE``.

The code holds them in English. A translation is a gettext catalog in this folder, such as
``de/LC_MESSAGES/helpers.mo``. `tools/catalog.py` collects the texts for translators, and compiles
what they wrote.
"""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
ENGLISH = "en"


def words(text: str, /, **values: object) -> str:
    """Give a text in the reader's language.

    Call it when the text is shown, with the English text itself: that's where the tool finds it.

    Parameters
    ----------
    text : str
        A whole sentence or label in English, with a ``{name}`` for each value.
    **values : object
        What to put in place of the names. Without values, braces have no meaning.

    Returns
    -------
    str
        The text, translated if there is a translation.

    Raises
    ------
    ValueError
        If ``COURSE_LANGUAGE`` names a language that the book doesn't have.
    """
    translated = translations(os.environ.get("COURSE_LANGUAGE") or ENGLISH).gettext(text)
    return translated.format(**values) if values else translated


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Load the catalog of a language. That of English is empty."""
    there = sorted([ENGLISH, *(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/helpers.mo"))])
    if language not in there:
        raise ValueError(
            f"Expected the environment variable COURSE_LANGUAGE to be one of {there}, got "
            f"{language!r}. Unset it to read English."
        )
    return gettext.translation("helpers", FOLDER, languages=[language], fallback=True)
