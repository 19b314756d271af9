"""What moves on the published page, with no kernel: typed into and compared with Python.

Chromium opens the built pages, served on this machine with every other address blocked. Without a
browser the tests are skipped, or fail: see the fixture ``browser`` of ``conftest.py``.
"""
# ruff: noqa: RUF001  # letters that look like others are what a tokenizer has to tell apart

import gzip
import json
import re
from contextlib import contextmanager
from html import unescape
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
from browser_pictures import drawn, shape, wait_for
from tokenizers import Tokenizer, models, normalizers, trainers
from tokenizers.pre_tokenizers import BertPreTokenizer, Metaspace
from transformers import PreTrainedTokenizerFast

from helpers.display.live_results import (
    attention_result,
    batching_outcomes,
    nearest_result,
    pad,
    padding_result,
    splits_result,
    tokenizers_for_page,
)
from helpers.display.live_widget import FOLDER, program, style
from helpers.display.pictures import (
    batches_picture,
    mask_picture,
    padding_picture,
    probability_picture,
    split_picture,
    steps_picture,
    token_picture,
)
from helpers.text.attention import attention_mask, read_attention
from helpers.text.batching import ORDERS, batch_table, make_batches
from helpers.text.decoding import softmax
from helpers.text.pipeline_steps import three_steps
from helpers.text.similarity import nearest
from helpers.text.tokens import padding_table, pieces, token_table
from tools.browsing import is_ours
from tools.export import browser_model
from tools.measure import (
    RESULT,
    ROOT,
    compare,
    in_chromium,
    in_pytorch,
    serve_modules,
    some_sentences,
)

PLACES = {
    "softmax": "notebooks/en/2-using-transformers/2-1-behind-the-pipeline",
    "pipeline": "notebooks/en/2-using-transformers/2-1-behind-the-pipeline",
    "masks": "notebooks/en/1-transformer-models/1-2-architectures",
    "encoding": "notebooks/en/2-using-transformers/2-3-tokenizers",
    "padding": "notebooks/en/2-using-transformers/2-4-several-sequences",
    "nearest": "notebooks/en/1-transformer-models/1-1-nlp-and-the-pipeline",
    "attention": "notebooks/en/1-transformer-models/1-2-architectures",
    "splits": "notebooks/en/2-using-transformers/2-3-tokenizers",
    "batching": "notebooks/en/3-fine-tuning/3-1-processing-the-data",
}
RUN_THE_MODEL = ["attention", "nearest", "pipeline"]
# What moves only in a notebook, and the page that says so.
STILL = {
    "gap": "notebooks/en/1-transformer-models/1-2-architectures",
    "pair": "notebooks/en/3-fine-tuning/3-2-the-trainer",
}
PROGRAMS = [program(kind) for kind in [*PLACES, *STILL]]
NEAR = 0.05  # of a probability
LARGEST_DOWNLOADS = 30_000_000  # bytes


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


def test_the_tokenizer_gives_pythons_ids(browser, bert_tokenizer, sentences):
    texts = TEXTS + [text for text, _ in sentences[:500]]
    pairs = [(text, "") for text in texts]
    pairs += list(zip(texts[:100], reversed(texts), strict=False))
    assert len(pairs) > 600
    found = in_module(
        browser,
        "tokenizer.js",
        """async ({ encode, tokenizer }, pairs) => {
          const one = await tokenizer();
          return pairs.map(([text, pair]) => encode(one, text, pair));
        }""",
        pairs,
    )
    for (text, pair), one in zip(pairs, found, strict=True):
        expected = bert_tokenizer(text, pair or None)
        assert one["ids"] == expected["input_ids"], (text, pair)
        assert one["types"] == expected["token_type_ids"], (text, pair)
        # the package counts the words of the second text from 0, as Python does
        assert one["words"] == expected.word_ids(), (text, pair)


def test_a_typed_text_gets_pythons_kinds(browser, bert_tokenizer):
    """Padding depends on the mask, so a typed "[PAD]" is none."""
    texts = ["one 𝔘 two", "a [SEP] b", "[MASK] [CLS]", "[UNK]", "[PAD] x", "<b>"]
    state = {"texts": "\n".join(texts), "padding": True, "truncation": True, "max_length": 8}
    (found,) = in_module(browser, "tokenizer.js", ANSWER_ALL, "padding", {}, [state])
    expected = padding_result(pad(bert_tokenizer, state))
    for text, one, other in zip(texts, found["sequences"], expected["sequences"], strict=True):
        assert one["kind"] == other["kind"], text
        filled = [mask == 0 for mask in one["attention"]]
        assert [kind == "padding" for kind in one["kind"]] == filled


@pytest.fixture(scope="module")
def trained(sentences):
    """A tokenizer of each algorithm, small enough for a page, trained as 2-3 does."""
    texts = [text for text, _ in sentences[:400]]
    size = {"vocab_size": 800, "show_progress": False, "special_tokens": ["[UNK]"]}
    recipes = {
        "BPE": (
            models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"),
            trainers.BpeTrainer(end_of_word_suffix="</w>", **size),
            BertPreTokenizer(),
        ),
        "WordPiece": (
            models.WordPiece(unk_token="[UNK]"),
            trainers.WordPieceTrainer(**size),
            BertPreTokenizer(),
        ),
        "Unigram": (
            models.Unigram(),
            trainers.UnigramTrainer(unk_token="[UNK]", **size),
            Metaspace(),
        ),
    }
    made = {}
    for name, (model, trainer, splitter) in recipes.items():
        one = Tokenizer(model)
        one.normalizer, one.pre_tokenizer = normalizers.BertNormalizer(), splitter
        one.train_from_iterator(texts, trainer)
        made[name] = PreTrainedTokenizerFast(tokenizer_object=one, unk_token="[UNK]")
    return made


def test_trained_tokenizers_cut_as_pythons_do(browser, bert_tokenizer, trained, sentences):
    tokenizers = trained | {"BERT": bert_tokenizer}
    # Of a run of one letter, Unigram has cuts that are equally good, and rounding chooses.
    equally_good = re.compile(r"(.)\1{20}")
    texts = [text for text in TEXTS if text.strip() and not equally_good.search(text)]
    texts += [text for text, _ in sentences[400:600]]
    page = {"tokenizers": tokenizers_for_page(tokenizers)}
    states = [{"text": text} for text in texts]
    found = in_module(browser, "tokenizer.js", ANSWER_ALL, "splits", page, states)
    for text, one in zip(texts, found, strict=True):
        splits = {name: pieces(tokenizer, text) for name, tokenizer in tokenizers.items()}
        assert one == {**splits_result(splits), "missing": []}, text


def test_a_tokenizer_too_large_for_the_page_is_named(browser, trained):
    page = {"tokenizers": {"small": tokenizers_for_page(trained)["BPE"], "large": None}}
    (found,) = in_module(browser, "tokenizer.js", ANSWER_ALL, "splits", page, [{"text": "a"}])
    assert [one["name"] for one in found["splits"]] == ["small"]
    assert found["missing"] == ["large"]


def body_rows(elements):
    """Give the rows in the body of a table that `shape` has reduced."""
    rows = []
    for element in elements:
        if isinstance(element, tuple):
            name, _, _, children = element
            rows += children if name == "tbody" else body_rows(children)
    return rows


def test_the_cuts_follow_what_is_typed(browser, address, bert_tokenizer):
    with moving(browser, address, "splits") as (tab, place, _):
        text = "unwatchable <b>films</b> & 電影 🤗"
        place.get_by_label("Text").fill(text)
        tokens = pieces(bert_tokenizer, text)
        row = place.locator("tr", has=tab.get_by_role("rowheader", name="BERT", exact=True))
        row.locator("td.number", has_text=str(len(tokens))).wait_for()
        alone = f"<table><tbody>{row.evaluate('(one) => one.outerHTML')}</tbody></table>"
        expected = body_rows(shape(split_picture({"BERT": tokens})))
        assert body_rows(shape(f"<div class='book-picture'>{alone}</div>")) == expected
        assert place.locator("tbody tr").count() == 4
        place.get_by_label("Text").fill(" ")
        place.get_by_role("alert").wait_for()
        assert "an empty text has no tokens" in place.get_by_role("alert").inner_text()


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
    found = in_module(browser, "tokenizer.js", ANSWER_ALL, "padding", {}, states)
    for state, one in zip(states, found, strict=True):
        assert one == padding_result(pad(bert_tokenizer, state)), state


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
    table = token_table(tokenizer, tokenizer(batch, verbose=False, **setting))
    return padding_picture(table, outcome, notes=pad(tokenizer, state).notes)


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
        tab.route("**/*.onnx.gz", lambda route: None)  # never answers
        button.focus()
        tab.keyboard.press("Enter")
        place.get_by_role("progressbar", name="Loading the model").wait_for()
        place.get_by_role("button", name="Cancel").press("Enter")
        place.get_by_text("Cancelled").wait_for()
        assert button.is_enabled()
        assert field.is_disabled()
        tab.unroute("**/*.onnx.gz")

        # and loaded
        button.press("Enter")
        place.get_by_text("runs in your browser now").wait_for()
        sizes = tab.request.get(f"{address}_static/vendor/sizes.json").json()
        parts = ["models/encoder.onnx.gz", "onnxruntime/ort-wasm-simd-threaded.wasm.gz"]
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
    context.route("**/*.onnx.gz", lambda route: route.abort())
    tab = context.new_page()
    tab.goto(f"{address}{PLACES['pipeline']}.html")
    place = tab.locator(".book-live[data-live=pipeline]")
    place.get_by_role("button", name="Load the model").click()
    place.get_by_text("could not be loaded").wait_for()
    assert place.get_by_role("button", name="Load the model").is_enabled()
    assert place.get_by_label("Sentence").is_disabled()
    context.close()


def test_a_server_may_unpack_the_compressed_files_on_the_way(browser):
    """Some say Content-Encoding of a .gz, and what arrives is unpacked already."""
    runtime = ROOT / "book" / "_vendor" / "onnxruntime" / "ort-wasm-simd-threaded.wasm.gz"
    unpacked = gzip.decompress(runtime.read_bytes())
    with serve_modules() as base:
        tab = browser.new_page()
        tab.route(f"**/{runtime.name}", lambda route: route.fulfill(body=unpacked))
        tab.goto(f"{base}live/model.js")
        label = tab.evaluate(
            """async (module) => {
              const { load, classify } = await import(module);
              await load({ signal: new AbortController().signal, arrived: () => {} });
              const { labels, probabilities } = await classify("A wonderful film!");
              return labels[probabilities.indexOf(Math.max(...probabilities))];
            }""",
            f"{base}live/model.js",
        )
        tab.close()
    assert label == "POSITIVE"


def press_load(place):
    """Ask for the model, as a reader does, and wait until it runs."""
    assert place.locator(".control input:enabled").count() == 0
    place.get_by_role("button", name="Load the model").press("Enter")
    place.get_by_text("runs in your browser now").wait_for()


def test_the_nearest_sentences_are_found_on_the_page(browser, address, encoder):
    with moving(browser, address, "nearest") as (tab, place, _):
        sentences = stored("nearest")[1]["page"]["sentences"]
        press_load(place)
        for text in ["Is it going to be dry?", "<i>Katze</i> & 'Sofa' 电影", "rates " * 600]:
            place.get_by_label("Sentence").fill(text)
            result = nearest_result(nearest(encoder.vectors, text, sentences))
            wait_for_rows(tab, place, result["sentences"])
            numbers = place.locator("td.number").all_inner_texts()
            expected = pytest.approx(result["similarities"], abs=0.03)
            assert [float(number) for number in numbers] == expected
            assert place.locator("td.winner").count() >= 1
        place.get_by_label("Sentence").fill(" ")
        place.get_by_role("alert").wait_for()
        assert "Type a sentence" in place.get_by_role("alert").inner_text()


def wait_for_rows(tab, place, names):
    """Wait until the rows of a table have these names; if they never do, show the difference."""
    heads = place.locator("tbody th[scope=row]")
    for _ in range(300):
        if heads.all_inner_texts() == names:
            return
        tab.wait_for_timeout(100)
    assert heads.all_inner_texts() == names


def test_the_attention_is_read_on_the_page(browser, address, encoder):
    with moving(browser, address, "attention") as (tab, place, _):
        press_load(place)
        for text, keys in [("one <b>two</b> 电影", "Home"), ("a long text " * 20, "End")]:
            place.get_by_label("Sentence").fill(text)
            for name in ("Layer", "Head"):
                place.get_by_role("slider", name=name).press(keys)
            layer, head = (0, 0) if keys == "Home" else (5, 11)
            result = attention_result(encoder.attention(text), layer, head)
            wait_for_rows(tab, place, [str(token) for token in result["tokens"]])
            tab.wait_for_timeout(500)  # the sliders have moved after the text
            numbers = place.locator("td.number").all_inner_texts()
            expected = [percent for row in result["percents"] for percent in row]
            assert [int(number) for number in numbers] == pytest.approx(expected, abs=2)
            assert ("first 20 tokens" in place.inner_text()) == (result["length"] > 20)
            slider = place.get_by_role("slider", name="Head")
            assert slider.get_attribute("aria-valuetext") == str(head)


@pytest.fixture(scope="module")
def encoder(bert_tokenizer):
    """The bundled encoder, as the notebooks use it."""
    from transformers import AutoModel

    from helpers.sources.checkpoints import resolve

    model = AutoModel.from_pretrained(resolve("bert-base-uncased"), attn_implementation="eager")
    model.eval()

    def vectors(texts):
        rows = []
        for text in texts:
            with torch.inference_mode():
                inputs = bert_tokenizer(text, truncation=True, return_tensors="pt")
                rows.append(model(**inputs).last_hidden_state[0].mean(dim=0).tolist())
        return rows

    def attention(text):
        return read_attention(bert_tokenizer, model, text)

    return SimpleNamespace(vectors=vectors, attention=attention, model=model)


def test_the_adapter_makes_one_model_of_two(encoder, sentiment, bert_tokenizer):
    """Before the weights are rounded, 1 gives the sentiment model and 0 the plain encoder."""
    both = browser_model(eight_bits=False)
    inputs = bert_tokenizer(
        ["A wonderful film!", "I hate it, and so does my dog."], padding=True, return_tensors="pt"
    )
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    with torch.inference_mode():
        logits = both(ids, mask, torch.tensor(1.0))[0]
        expected = sentiment[1](input_ids=ids, attention_mask=mask).logits
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)
        _, vectors, *attentions = both(ids, mask, torch.tensor(0.0))
        outputs = encoder.model(**inputs, output_attentions=True)
    pooled = (outputs.last_hidden_state * mask[..., None]).sum(dim=1)
    torch.testing.assert_close(vectors, pooled / pooled.norm(dim=1, keepdim=True))
    for ours, theirs in zip(attentions, outputs.attentions, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_the_copy_answers_as_pytorch_does(browser):
    """The whole measurement is ``python -m tools.measure``; here is a fifth of it."""
    measured = json.loads(RESULT.read_text())
    assert measured["sentences"] == 500
    texts = some_sentences()[::5]
    with serve_modules() as base:
        ours = in_chromium(browser, base, texts, 5)
    for found in (measured, compare(ours, in_pytorch(texts, 5))):
        assert found["same_label"] >= 0.98 * found["sentences"]
        assert found["near"] >= 0.95 * found["sentences"]
        assert found["cosine"] <= 0.03
        assert found["attention"] >= 0.98 * found["weights"]


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
