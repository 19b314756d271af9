"""A language that nobody speaks, to find what bypasses the catalog.

Each text is in ⟦brackets⟧, with its values outside. What a test passes in is Greek, so Latin
letters outside the brackets are a text that no translator would get.
"""

import io
import re
from contextlib import contextmanager

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup

import helpers.words
from tools.catalog import TEMPLATE

ATTRIBUTES = ("alt", "aria-label", "aria-valuetext", "placeholder", "title")


def bracketed(text):
    """Translate a text."""
    parts = re.split(r"(\{\w+\})", text)
    return "".join(part if n % 2 else part and f"⟦{part}⟧" for n, part in enumerate(parts))


def untranslated(text, *data):
    """List the words outside of brackets, but for data and special tokens such as [CLS]."""
    text = re.sub(r"⟦[^⟦⟧]*⟧|\[[A-Z]+\]", " ", text)
    for one in data:
        text = text.replace(one, " ")
    return re.findall(r"[A-Za-z]{2,}", text)


def seen(html):
    """Give what a reader of a page sees or hears, without code."""
    page = BeautifulSoup(html, "html.parser")
    attributes = [one[name] for one in page(True) for name in ATTRIBUTES if one.has_attr(name)]
    for one in page(["style", "code", "pre"]):
        one.decompose()
    return "\n".join([page.get_text(), *attributes])


@contextmanager
def spoken_here(folder):
    """Let the helpers speak the language. Give the set of texts that they look up."""
    with TEMPLATE.open("rb") as file:
        catalog = read_po(file)
    for message in catalog:
        message.string = bracketed(message.id) if message.id else message.string
    catalog.fuzzy = False
    target = folder / "qq" / "LC_MESSAGES"
    target.mkdir(parents=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    (target / "helpers.mo").write_bytes(compiled.getvalue())
    asked = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helpers.words, "FOLDER", folder)
        patch.setenv("COURSE_LANGUAGE", "qq")
        helpers.words.translations.cache_clear()
        translations = helpers.words.translations("qq")
        look_up = translations.gettext
        patch.setattr(translations, "gettext", lambda text: asked.add(text) or look_up(text))
        yield asked
    helpers.words.translations.cache_clear()
