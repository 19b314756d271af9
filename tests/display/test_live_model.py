"""The model of the published page: asked and compared with PyTorch."""

import gzip
import json
import re
from types import SimpleNamespace

import pytest
import torch
from browser_pictures import wait_for, without_decimals
from live_pages import PLACES, moving, stored

from helpers.display.live_results import (
    attention_result,
    nearest_result,
)
from helpers.display.pictures import (
    steps_picture,
)
from helpers.text.attention import read_attention
from helpers.text.pipeline_steps import three_steps
from helpers.text.similarity import nearest
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

NEAR = 0.05  # of a probability


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

        # canceled
        tab.route("**/*.onnx.gz", lambda route: None)  # never answers
        button.focus()
        tab.keyboard.press("Enter")
        place.get_by_role("progressbar", name="Loading the model").wait_for()
        place.get_by_role("button", name="Cancel").press("Enter")
        place.get_by_text("Canceled").wait_for()
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
        picture = steps_picture(three_steps(*sentiment, "I hate this so much!"))
        wait_for(tab, place, picture, reduced=without_decimals)
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
