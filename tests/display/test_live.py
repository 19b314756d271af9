"""What moves on the published page, with no kernel, whatever it shows.

Chromium opens the built pages, served on this machine with every other address blocked. Without a
browser the tests are skipped, or fail: see the fixture ``browser`` of ``conftest.py``. What needs
the tokenizer is in ``test_live_tokenizer.py``, what runs the model in ``test_live_model.py``.
"""

import json
import re
from itertools import product
from pathlib import Path

import nbformat
import pytest
from browser_pictures import drawn, shape, wait_for
from contrast import contrast
from live_pages import PLACES, STILL, in_module, moving, opened, stored

from helpers.display.live_results import (
    batching_outcomes,
)
from helpers.display.live_widget import FOLDER, program, style
from helpers.display.pictures import (
    batches_picture,
    mask_picture,
    probability_picture,
)
from helpers.text.attention import attention_mask
from helpers.text.batching import ORDERS, batch_table, make_batches
from helpers.text.decoding import softmax
from tools.measure import (
    ROOT,
    serve_modules,
)

PROGRAMS = [program(kind) for kind in [*PLACES, *STILL, "quiz"]]

LARGEST_DOWNLOADS = 30_000_000  # bytes


def test_notebooks_hold_todays_programs():
    """What JupyterLab shows before a cell is run; ``make notebooks`` brings it up to date."""
    found = 0
    for path in sorted((ROOT / "notebooks").glob("*/*/*.ipynb")):
        widgets = nbformat.read(path, as_version=4).metadata.get("widgets", {})
        for states in widgets.values():
            for model in states["state"].values():
                if "_esm" in model["state"]:
                    assert model["state"]["_esm"] in PROGRAMS, f"{path.name} holds an older one"
                    assert model["state"]["_css"] == style()
                    found += 1
    assert found >= len(PLACES)


@pytest.mark.parametrize("kind", PLACES)
def test_it_starts_as_it_was_stored_with_a_name_for_each_control(browser, address, kind):
    with moving(browser, address, kind) as (_, place, asked):
        assert drawn(place) == shape(stored(kind)[0])
        assert place.locator(".still").count() == 0
        heavy = [url for url in asked if re.search(r"\.(gz|mjs)$|tokenizer\.json$", url)]
        assert not heavy, "loaded before anybody asked"
        names = place.locator("input, textarea, button, progress").evaluate_all(
            "(all) => all.map((e) => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent)"
        )
        assert names
        assert all(name.strip() for name in names)


@pytest.mark.parametrize("kind", PLACES)
def test_without_javascript_the_picture_stays_and_says_why(browser, address, kind):
    with opened(browser, address, kind, java_script_enabled=False) as (_, place, _):
        assert place.locator(".book-picture table").count() >= 1
        assert "Where JavaScript runs" in place.locator(".still").inner_text()


@pytest.mark.parametrize("kind", STILL)
def test_what_cannot_move_on_the_page_says_so_and_has_nothing_to_type_in(browser, address, kind):
    tab = browser.new_page()
    tab.goto(f"{address}{STILL[kind]}.html")
    place = tab.locator(".book-still")
    assert place.count() == 1
    assert "Open the notebook in JupyterLab" in place.inner_text()
    assert place.locator(".book-picture table").count() >= 1
    assert place.locator("input, textarea, button").count() == 0
    tab.close()


def test_all_downloads_together_are_small(site):
    """As they are sent: the two large files are stored compressed, whatever the server does."""
    sizes = json.loads((site / "_static" / "vendor" / "sizes.json").read_text())
    sent = {name: size for name, size in sizes.items() if not name.endswith(("LICENSE", "e.json"))}
    assert {Path(name).suffix for name in sent} == {".gz", ".mjs", ".json"}
    assert sum(sent.values()) < LARGEST_DOWNLOADS


def test_a_text_never_becomes_markup():
    """The modules build elements; what is typed, and what a token holds, is text in them."""
    writes = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function"
    )
    for path in FOLDER.glob("*.js"):
        assert not re.findall(writes, path.read_text(encoding="utf-8")), path.name


def test_opened_as_a_file_the_picture_stays_and_says_why(site, browser):
    with opened(browser, site.as_uri() + "/", "softmax") as (_, place, _):
        assert "from a file" in place.locator(".still").inner_text()
        assert place.locator(".book-picture table").count() == 1


def test_where_a_module_is_missing_the_picture_stays_and_says_why(browser, address):
    context = browser.new_context()
    context.route("**/live/masks.js", lambda route: route.abort())
    tab = context.new_page()
    tab.goto(f"{address}{PLACES['masks']}.html")
    tab.locator(".book-live[data-live=masks] .still", has_text="could not be loaded").wait_for()
    assert tab.locator(".book-live[data-live=masks] table").count() == 1
    context.close()


def test_each_step_of_the_temperature_gives_pythons_numbers(browser, address):
    state = stored("softmax")[1]["state"]
    with moving(browser, address, "softmax") as (tab, place, _):
        slider = place.get_by_role("slider", name="Temperature")
        assert slider.get_attribute("aria-valuetext") == f"{state['temperature']:.2f}"
        slider.press("Home")
        for step in range(41):
            temperature = 10 ** (-1 + 0.05 * step)
            assert place.locator(".value").inner_text() == f"{temperature:.2f}"
            picture = probability_picture(
                state["labels"],
                softmax(state["logits"], temperature=temperature),
                reference=softmax(state["logits"]),
            )
            assert drawn(place) == shape(picture)
            slider.press("ArrowRight")
        tab.wait_for_timeout(600)
        assert "NEGATIVE" in place.get_by_role("status").inner_text()


def test_masks_follow_the_keys_and_the_typed_sentences(browser, address):
    with moving(browser, address, "masks") as (tab, place, _):
        text, target = "one two  three", "<b> & 'vier'"
        place.get_by_label("Sentence").fill(text)
        words = text.split()
        wait_for(tab, place, mask_picture(attention_mask("causal", 3), words))
        place.get_by_role("radio", name="causal").focus()
        tab.keyboard.press("ArrowRight")
        place.get_by_label("Written").fill(target)
        cross = attention_mask("cross", 3, 3)
        wait_for(tab, place, mask_picture(cross, target.split(), words))
        place.get_by_role("radio", name="bidirectional").check()
        wait_for(tab, place, mask_picture(attention_mask("bidirectional", 3), words))
        place.get_by_label("Sentence").fill(" ")
        assert "Type a sentence" in place.get_by_role("alert").inner_text()


START = """async ([address, kind, values]) => {
  const place = document.createElement("div");
  place.className = "book-live";
  place.dataset.live = kind;
  place.dataset.state = JSON.stringify(values);
  document.body.replaceChildren(place);
  const { start } = await import(address);
  await start(place);
}"""


def test_the_batches_of_every_choice_are_drawn_as_python_draws_them(browser):
    lengths = [10 + i * i % 37 for i in range(100)]
    start = {
        "state": {"batch_size": 16, "order": "shuffled", "padding": 0},
        "result": batching_outcomes(lengths),
    }
    widths = [("longest of its batch", None), ("longest of all", 46), ("512", 512)]
    with serve_modules() as base:
        tab = browser.new_page()
        tab.goto(f"{base}live/page.js")
        tab.evaluate(START, [f"{base}live/page.js", "batching", start])

        def choose(name):
            tab.get_by_role("radio", name=str(name), exact=True).check()

        for size, order, (name, width) in product((4, 64), ORDERS, widths):
            choose(size)
            choose(order)
            choose(name)
            table = batch_table(lengths, make_batches(lengths, size, order=order), width=width)
            assert drawn(tab.locator(".book-live")) == shape(batches_picture(table))
        tab.close()


def test_a_slow_kernel_takes_back_nothing_that_the_reader_does_meanwhile(browser):
    """JupyterLab gets each state back from the kernel, when the reader may have gone on."""
    during, saved = in_module(
        browser,
        "page.js",
        """async ({ PageModel }) => {
          const { field, view } = await import("/live/parts.js");
          const model = new PageModel({ state: { a: "", b: "" } });
          const states = [];
          model.save_changes = () => states.push(model.get("state"));
          const control = (label) => (changed) => field({ label }, changed);
          const controls = { a: control("a"), b: control("b") };
          const el = document.createElement("div");
          view({ model, el, controls, draw: () => ({ parts: [], spoken: "" }), wait: 50 });
          const [a, b] = el.querySelectorAll("input");
          const type = (input, text) => {
            input.value = text;
            input.dispatchEvent(new Event("input"));
          };
          const handed_on = async (count) => {
            while (states.length < count) await new Promise((done) => setTimeout(done, 10));
          };
          type(a, "one");
          await handed_on(1);
          type(b, "two");
          model.set("state", { ...states[0] });
          const during = b.value;
          await handed_on(2);
          return [during, states[1]];
        }""",
    )
    assert during == "two"
    assert saved == {"a": "one", "b": "two"}


def test_numbers_are_written_as_python_writes_them(browser):
    numbers = [i / 8 for i in range(-24, 25)] + [i / 1000 for i in range(1000)]
    numbers += [12.5, 13.5, 0.345, 1e-9, 99.995]
    found = in_module(
        browser,
        "parts.js",
        "({ fixed }, numbers) => numbers.map((one) => [0, 1, 2, 4].map((n) => fixed(one, n)))",
        numbers,
    )
    for number, texts in zip(numbers, found, strict=True):
        assert texts == [f"{number:.{digits}f}" for digits in (0, 1, 2, 4)], number


def channels(color):
    """Read a browser's ``rgb(…)`` as three numbers from 0 to 1."""
    return [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]


@pytest.mark.parametrize("kind", PLACES)
def test_it_is_readable_in_both_themes_and_fits_a_telephone(browser, address, kind):
    phone = {"viewport": {"width": 390, "height": 800}, "reduced_motion": "reduce"}
    with moving(browser, address, kind, **phone) as (tab, place, _):
        for theme in ("light", "dark"):
            tab.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
            tab.wait_for_timeout(400)
            ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            inks = place.locator("[type=text], textarea, label span, legend, th, td").evaluate_all(
                "(all) => all.map((one) => getComputedStyle(one).color)"
            )
            assert inks
            for ink in set(inks):
                assert contrast(channels(ink), channels(ground)) >= 4.5, (theme, ink)
        for control in place.locator(".control, .book-live-gate").all():
            box = control.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        moves = place.locator(".bar span").evaluate_all(
            "(all) => all.map((one) => getComputedStyle(one).transitionDuration)"
        )
        assert set(moves) <= {"0s"}
