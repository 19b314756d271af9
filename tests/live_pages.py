"""Open the published page of a live thing in Chromium, or import one of its modules there."""

import json
import re
from contextlib import contextmanager
from html import unescape

import nbformat

from tools.browsing import is_ours
from tools.measure import (
    ROOT,
    serve_modules,
)

PLACES = {
    "softmax": "notebooks/en/2-using-transformers/2-1-behind-the-pipeline",
    "pipeline": "notebooks/en/2-using-transformers/2-1-behind-the-pipeline",
    "masks": "notebooks/en/1-transformer-models/1-2-architectures",
    "encoding": "notebooks/en/2-using-transformers/2-3-tokenizers",
    "padding": "notebooks/en/2-using-transformers/2-4-several-sequences",
    "nearest": "notebooks/en/1-transformer-models/1-1-nlp-and-the-pipeline",
    "attention": "notebooks/en/1-transformer-models/1-3-attention",
    "splits": "notebooks/en/2-using-transformers/2-3-tokenizers",
    "batching": "notebooks/en/3-fine-tuning/3-1-processing-the-data",
}

# What moves only in a notebook, and the page that says so.
STILL = {
    "gap": "notebooks/en/1-transformer-models/1-2-architectures",
    "pair": "notebooks/en/3-fine-tuning/3-2-the-trainer",
}


@contextmanager
def opened(browser, base, kind, **options):
    """Open the page of a live thing. Give the tab, the thing, and what was asked for."""
    context = browser.new_context(**({"viewport": {"width": 1300, "height": 900}} | options))
    context.set_default_timeout(60_000)
    tab = context.new_page()
    asked, wrong = [], []

    def pass_on(route):
        asked.append(route.request.url)
        if is_ours(route.request.url, base):
            return route.continue_()
        wrong.append(f"asks for {route.request.url}")
        return route.abort()

    def note(where, what):
        """Keep what is ours; tests/test_browser.py looks at the rest of a page."""
        if re.search(r"_static/(live|vendor)", f"{where}"):
            wrong.append(what)

    context.route("**/*", pass_on)
    tab.on("pageerror", lambda error: note(error.stack, str(error)))
    tab.on("console", lambda m: m.type == "error" and note(m.location["url"], m.text))
    tab.goto(f"{base}{PLACES[kind]}.html")
    try:
        yield tab, tab.locator(f".book-live[data-live={kind}]"), asked
        assert not wrong
    finally:
        context.close()


@contextmanager
def moving(browser, base, kind, **options):
    """Open the page of a live thing, and wait until it moves."""
    with opened(browser, base, kind, **options) as (tab, place, asked):
        place.locator(".book-live-view").wait_for()
        yield tab, place, asked


def stored(kind):
    """Give the HTML that the notebook stores for a live thing, and the state in it."""
    notebook = nbformat.read(ROOT / f"{PLACES[kind]}.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            if f"data-live='{kind}'" in html:
                state = re.search(r"data-state='([^']*)'", html)[1]
                return html, json.loads(unescape(state))
    raise AssertionError(f"{kind} is not in {PLACES[kind]}")


def in_module(browser, module, script, *arguments):
    """Run a function in a page that can import a module, which is its first argument."""
    with serve_modules() as base:
        tab = browser.new_page()
        tab.goto(f"{base}live/{module}")
        found = tab.evaluate(
            f"async ([module, ...rest]) => ({script})(await import(module), ...rest)",
            [f"{base}live/{module}", *arguments],
        )
        tab.close()
    return found


ANSWER_ALL = """async ({ prepare }, kind, page, states) => {
  const answer = prepare({ kind, page });
  const results = [];
  for (const state of states) results.push(await answer(state, () => {}));
  return results;
}"""
