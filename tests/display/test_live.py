"""What moves on the published page, with no kernel: typed into and compared with Python.

Chromium opens the built pages, served on this machine with every other address blocked. Without a
browser the tests are skipped, or fail: see the fixture ``browser`` of ``conftest.py``.
"""
# ruff: noqa: RUF001  # letters that look like others are what a tokenizer has to tell apart

import json
import re
from contextlib import contextmanager
from html import unescape

import nbformat
import pytest
from browser_pictures import drawn, shape, wait_for

from helpers.display.live import padding_result, program, style
from helpers.display.pictures import (
    mask_picture,
    padding_picture,
    probability_picture,
    steps_picture,
    token_picture,
)
from helpers.text.attention import attention_mask
from helpers.text.decoding import softmax
from helpers.text.pipeline_steps import three_steps
from helpers.text.tokens import padding_table, token_table
from tools.browsing import is_ours
from tools.measure import RESULT, ROOT, RUN, compare, in_pytorch, serve_modules, some_sentences

PLACES = {
    "softmax": "notebooks/en/2-using-transformers/2-1-behind-the-pipeline",
    "pipeline": "notebooks/en/2-using-transformers/2-1-behind-the-pipeline",
    "masks": "notebooks/en/1-transformer-models/1-2-architectures",
    "encoding": "notebooks/en/2-using-transformers/2-3-tokenizers",
    "padding": "notebooks/en/2-using-transformers/2-4-several-sequences",
}
PROGRAMS = [program(kind) for kind in PLACES]
NEAR = 0.05


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
        heavy = [url for url in asked if re.search(r"\.(wasm|onnx)$|tokenizer\.json$", url)]
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


TEXTS = [
    "", " ", "\t\n", "a", "a" * 99, "a" * 100, "a" * 101, "é" * 101, "x" * 600, "😀" * 60,
    "naïve café Ångström", "e\u0301tude", "İstanbul ıI", "ﬁne ½ ² ①", "Straße ẞ", "ΑΒΓ ς Σ",
    "电影很好看。", "我爱电影 and films", "日本語のテキスト、カタカナ", "한국어 문장", "𠀀𪛟 rare",
    "Привет, мир", "שלום עולם", "مرحبا", "नमस्ते", "ไทย", "🤗 Hugging", "👨‍👩‍👧 family", "🇫🇷 x",
    "a\u200bb", "a\u00adb", "\ufeffstart", "a\u0000b\ufffd", "x\u2028y", "x\u3000y", "x\u00a0y",
    "[MASK] it", "[mask]", "[CLS][SEP]", "x[MASK]y", "[PAD] [UNK]", "$100 #tag @user 1,000.5%",
    "don't can't", "...!!!???", "—–‐ “quotes” ‘so’", "foo_bar a^b `code` ~|", "𝔘𝔫𝔦 𝟙",
    "unwatchable", "antidisestablishmentarianism", "HuggingFace", "\\n <b>&amp;</b>",
]  # fmt: skip


def test_the_tokenizer_gives_pythons_ids(browser, bert_tokenizer, sentences):
    texts = TEXTS + [text for text, _ in sentences[:500]]
    pairs = [(text, "") for text in texts]
    pairs += list(zip(texts[:100], reversed(texts), strict=False))
    assert len(pairs) > 600
    with serve_modules() as base:
        tab = browser.new_page()
        tab.goto(f"{base}live/tokenizer.js")
        found = tab.evaluate(
            """async ([module, pairs]) => {
              const { encode, tokenizer } = await import(module);
              const one = await tokenizer();
              return pairs.map(([text, pair]) => encode(one, text, pair));
            }""",
            [f"{base}live/tokenizer.js", pairs],
        )
        tab.close()
    for (text, pair), one in zip(pairs, found, strict=True):
        expected = bert_tokenizer(text, pair or None)
        assert one["ids"] == expected["input_ids"], (text, pair)
        assert one["types"] == expected["token_type_ids"], (text, pair)


def test_a_typed_pair_shows_tokens_ids_types_and_mask(browser, address, bert_tokenizer):
    with moving(browser, address, "encoding") as (tab, place, _):
        for text, pair in [("Ça va, 电影 🤗?", "unwatchable 𠀀"), ("<b>alone</b>", ""), ("", "")]:
            place.get_by_label("Text", exact=True).fill(text)
            place.get_by_label("Second text").fill(pair)
            table = token_table(bert_tokenizer, bert_tokenizer(text, pair or None))
            wait_for(tab, place, token_picture(table))
        tab.wait_for_timeout(600)
        assert place.get_by_role("status").inner_text() == "2 tokens"


def test_every_combination_of_padding_gives_pythons_result(browser, bert_tokenizer):
    batches = ["one two three\nfour", "a\n\n  \nb c", "I've been waiting " * 12 + "\nshort", "x"]
    batches.append("word " * 600 + "\nshort")
    states = [
        {"texts": texts, "padding": padding, "truncation": truncation, "max_length": length}
        for texts in batches
        for padding in (False, True, "max_length")
        for truncation in (False, True)
        for length in (None, 4, 6, 8, 12, 16, 20, 32)
    ]
    with serve_modules() as base:
        tab = browser.new_page()
        tab.goto(f"{base}live/tokenizer.js")
        found = tab.evaluate(
            """async ([module, states]) => {
              const { prepare } = await import(module);
              const answer = prepare({ kind: "padding" });
              const results = [];
              for (const state of states) results.push(await answer(state, () => {}));
              return results;
            }""",
            [f"{base}live/tokenizer.js", states],
        )
        tab.close()
    for state, one in zip(states, found, strict=True):
        assert one == padding_result(bert_tokenizer, state), state


def test_the_padding_table_follows_its_buttons(browser, address, bert_tokenizer):
    state = stored("padding")[1]["state"]
    state["texts"] = "one two three four five six seven eight\n<four>"
    with moving(browser, address, "padding") as (tab, place, _):
        place.get_by_label("Texts").fill(state["texts"])
        for name, label, value in [
            ("padding", "'max_length'", "max_length"),
            ("truncation", "False", False),
            ("max_length", "32", 32),
            ("max_length", "not given", None),
            ("padding", "False", False),
            ("max_length", "8", 8),
            ("padding", "True", True),
        ]:
            group = place.get_by_role("group", name=name, exact=True)
            group.get_by_role("radio", name=label, exact=True).check()
            state[name] = value
            wait_for(tab, place, padding_picture_of(bert_tokenizer, state))
        place.get_by_label("Texts").fill("")
        tab.wait_for_timeout(500)
        assert "at least one text" in place.get_by_role("alert").inner_text()


def padding_picture_of(tokenizer, state):
    batch = [line for line in state["texts"].splitlines() if line.strip()]
    setting = {name: state[name] for name in ("padding", "truncation", "max_length")}
    outcome = padding_table(tokenizer, batch, [setting]).iloc[0]
    notes = padding_result(tokenizer, state)["notes"]
    table = token_table(tokenizer, tokenizer(batch, verbose=False, **setting))
    return padding_picture(table, outcome, notes=notes)


def probabilities(place):
    numbers = place.locator(".book-picture table:last-of-type td.number").all_inner_texts()
    return [float(number) for number in numbers[-2:]]


def test_the_pipeline_runs_where_the_reader_asks_for_it(browser, address, sentiment):
    with moving(browser, address, "pipeline") as (tab, place, asked):
        field = place.get_by_label("Sentence")
        assert field.is_disabled()
        measured = json.loads(RESULT.read_text())
        said = place.locator(".book-live-gate").inner_text()
        assert f"{measured['same_label']} the label" in said
        assert f"{measured['near']} probabilities" in said
        button = place.get_by_role("button", name="Load the model")
        megabytes = int(re.search(r"(\d+) MB", button.inner_text())[1])

        # cancelled
        tab.route("**/*.onnx", lambda route: None)  # never answers
        button.focus()
        tab.keyboard.press("Enter")
        place.get_by_role("progressbar", name="Loading the model").wait_for()
        place.get_by_role("button", name="Cancel").press("Enter")
        place.get_by_text("Cancelled").wait_for()
        assert button.is_enabled()
        assert field.is_disabled()
        tab.unroute("**/*.onnx")

        # and loaded
        button.press("Enter")
        place.get_by_text("runs in your browser now").wait_for()
        sizes = tab.request.get(f"{address}_static/vendor/sizes.json").json()
        parts = ["models/sentiment.onnx", "onnxruntime/ort-wasm-simd-threaded.wasm"]
        assert megabytes == round(sum(sizes[part] for part in parts) / 1e6)
        assert all(f"{address}_static/vendor/{part}" in asked for part in parts)
        for text in ["What a wonderful film!", "<i>Not</i> good, 电影 at all.", "word " * 600]:
            field.fill(text)
            steps = three_steps(*sentiment, text)
            ids = [str(number) for number in steps.table["id"]]
            row = place.locator("tr", has=tab.get_by_role("rowheader", name="id", exact=True))
            for _ in range(300):
                if row.locator("td").all_inner_texts() == ids:
                    break
                tab.wait_for_timeout(100)
            assert row.locator("td").all_inner_texts() == ids
            assert probabilities(place) == pytest.approx(steps.probabilities, abs=NEAR)
            assert ("was cut" in place.inner_text()) == steps.truncated
        field.fill("I hate this so much!")
        expected = shape(steps_picture(three_steps(*sentiment, "I hate this so much!")))
        tab.wait_for_timeout(3000)
        assert len(drawn(place)) == len(expected)
        field.fill(" ")
        place.get_by_role("alert").wait_for()


def test_where_the_model_cannot_be_had_it_says_so(browser, address):
    context = browser.new_context()
    context.route("**/*.onnx", lambda route: route.abort())
    tab = context.new_page()
    tab.goto(f"{address}{PLACES['pipeline']}.html")
    place = tab.locator(".book-live[data-live=pipeline]")
    place.get_by_role("button", name="Load the model").click()
    place.get_by_text("could not be loaded").wait_for()
    assert place.get_by_role("button", name="Load the model").is_enabled()
    assert place.get_by_label("Sentence").is_disabled()
    context.close()


def test_the_copy_answers_as_pytorch_does(browser):
    """The whole measurement is ``python -m tools.measure``; here is a fifth of it."""
    measured = json.loads(RESULT.read_text())
    assert measured["sentences"] == 500
    assert measured["same_label"] >= 0.98 * 500
    assert measured["near"] >= 0.95 * 500
    texts = some_sentences()[::5]
    with serve_modules() as base:
        tab = browser.new_page()
        tab.goto(f"{base}live/classifier.js")
        ours = tab.evaluate(RUN, [f"{base}live/classifier.js", texts])
        tab.close()
    found = compare(ours, in_pytorch(texts))
    assert found["same_label"] >= 0.98 * len(texts)
    assert found["near"] >= 0.95 * len(texts)


def luminance(colour):
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


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
                pair = sorted((luminance(ink), luminance(ground)), reverse=True)
                assert (pair[0] + 0.05) / (pair[1] + 0.05) >= 4.5, (theme, ink)
        for control in place.locator(".control, .book-live-gate").all():
            box = control.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        moves = place.locator(".bar span").evaluate_all(
            "(all) => all.map((one) => getComputedStyle(one).transitionDuration)"
        )
        assert set(moves) <= {"0s"}
