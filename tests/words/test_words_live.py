"""What moves, in a language that nobody speaks: on the page, and in a notebook.

One tab of Chromium shows all live things at once.
"""

import re
from contextlib import contextmanager

import pytest
from everything_shown import lives
from pseudo_language import ATTRIBUTES, bracketed, spoken_here, untranslated

from helpers.display.live_widget import FOLDER, texts_in
from tools.measure import serve_modules

KINDS = {path.stem for path in FOLDER.glob("*.js") if "export default" in path.read_text()}
# Names of Python's, what transformers and a browser say, and labels of the model.
NAMES = ("padding=True", "'max_length'", "max_length", "truncation", "padding", "False", "True")
LIBRARY = (
    "`max_length` is ignored when `padding`=`True` and there is no truncation strategy. "
    "To pad to max length, use `padding='max_length'`."
)
NAMES = (LIBRARY, "Failed to fetch", "NEGATIVE", "POSITIVE", *NAMES)

START = """async (address) => {
  const { start } = await import(address);
  for (const place of document.querySelectorAll(".book-live")) await start(place);
}"""
# as anywidget does: the one file, and a model that doesn't answer
RENDER = """async ([address, things]) => {
  const { PageModel } = await import(address);
  document.body.replaceChildren();
  for (const [program, values] of things) {
    const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    const el = document.createElement("div");
    document.body.append(el);
    (await import(url)).default.render({ model: new PageModel(values), el });
  }
}"""
READ = """(attributes) => {
  const copy = document.body.cloneNode(true);
  for (const one of copy.querySelectorAll("style, code, pre")) one.remove();
  const found = [...copy.querySelectorAll("*")].flatMap((one) =>
    attributes.map((name) => one.getAttribute(name)),
  );
  return [copy.textContent, ...found.filter(Boolean)].join("\\n");
}"""


@pytest.fixture(scope="module")
def things(tmp_path_factory, bert_tokenizer):
    """A live thing of each kind, and its HTML, in a language that nobody speaks."""
    with spoken_here(tmp_path_factory.mktemp("words")):
        yield lives(bert_tokenizer)


@contextmanager
def opened(browser):
    """Open an empty page that can import the modules. Give the tab, and their address."""
    with serve_modules() as base:
        tab = browser.new_page()
        tab.set_default_timeout(10_000)
        tab.goto(f"{base}live/live.css")
        yield tab, f"{base}live/"
        tab.close()


def read(tab):
    return tab.evaluate(READ, ATTRIBUTES)


def try_everything(tab):
    """Use every control, and give what is read after each change, also once it is spoken."""
    yield read(tab)
    for place in range(-1, 4):  # before anything is chosen, then every choice
        for question in tab.locator(".question").all():
            choices = question.get_by_role("radio").all()
            if 0 <= place < len(choices):
                choices[place].check()
            question.get_by_role("button").click()
        yield read(tab)
    for radio in tab.locator(".control").get_by_role("radio").all():
        radio.check()
        tab.wait_for_timeout(200)  # a state is passed on after a pause
        yield read(tab)
    for text in ("ω θ", " ", "ω ψ"):
        for field in tab.locator("[type=text]:enabled, textarea:enabled").all():
            field.fill(text)
        tab.wait_for_timeout(1000)  # a sentence is spoken after a pause
        yield read(tab)
    for slider in tab.locator("[type=range]:enabled").all():
        slider.press("ArrowRight")
    tab.wait_for_timeout(1000)
    yield read(tab)


@pytest.fixture(scope="module")
def on_the_page(things, browser):
    """What is read on the published page, with the model loaded and with its errors."""
    sizes = {"models/encoder.onnx.gz": 1, "onnxruntime/ort-wasm-simd-threaded.wasm.gz": 1}
    with opened(browser) as (tab, base):
        tab.route("**/sizes.json", lambda route: route.fulfill(json=sizes))
        held = []
        tab.route("**/tokenizer.json", lambda route: held.append(route))
        tab.route("**/*.onnx.gz", lambda route: None)  # never answers
        tab.set_content("".join(html for _, html in things.values()))
        tab.evaluate(START, f"{base}page.js")
        assert tab.locator(".book-live-view").count() == len(KINDS) - 2  # two can't move there
        texts = []
        tab.get_by_label("⟦Second text⟧").fill("ω")
        tab.get_by_text("⟦Loading the tokenizer").first.wait_for()
        texts.append(read(tab))
        held[0].abort()
        tab.get_by_text("⟦The tokenizer could not be loaded").first.wait_for()
        texts.append(read(tab))
        tab.unroute("**/tokenizer.json")
        load = tab.locator(".book-live-gate button:visible")
        load.first.click()
        texts.append(read(tab))
        tab.locator(".loading button:visible").click()
        tab.get_by_text("⟦Canceled").wait_for()
        texts.append(read(tab))
        tab.unroute("**/*.onnx.gz")
        tab.route("**/*.onnx.gz", lambda route: route.abort())
        load.first.click()
        tab.get_by_text("⟦The model could not be loaded").wait_for()
        texts.append(read(tab))
        tab.unroute("**/*.onnx.gz")
        while load.count():
            load.first.click()
            tab.wait_for_timeout(100)
        tab.get_by_text("⟦The model runs in your browser now").nth(2).wait_for()
        return [*texts, *try_everything(tab)]


@pytest.fixture(scope="module")
def in_a_notebook(things, browser):
    """What is read in a notebook, whose kernel doesn't answer."""
    programs = [
        [live._esm, {"state": live.state, "result": live.result}] for live, _ in things.values()
    ]
    with opened(browser) as (tab, base):
        tab.evaluate(RENDER, [f"{base}page.js", programs])
        assert tab.locator(".book-live-view").count() == len(KINDS)
        return [*try_everything(tab)]


@pytest.fixture(scope="module")
def where_nothing_moves(things, browser, tmp_path_factory):
    """What is read where a part of the page is missing, and where it was opened as a file."""
    html = things["softmax"][1]
    with opened(browser) as (tab, base):
        tab.route("**/softmax.js", lambda route: route.abort())
        tab.set_content(html)
        tab.add_script_tag(url=f"{base}site.js")
        tab.get_by_text("⟦This picture stands still: a part").wait_for()
        texts = [read(tab)]
        page = tmp_path_factory.mktemp("page") / "page.html"
        page.write_text(f"<meta charset='utf-8'>{html}<script src='{FOLDER / 'site.js'}'></script>")
        tab.goto(page.as_uri())
        return [*texts, read(tab)]


PLACES = ("on_the_page", "in_a_notebook", "where_nothing_moves")


def test_there_is_one_of_each_kind(things):
    assert set(things) == KINDS


@pytest.mark.parametrize("place", PLACES)
def test_what_is_read_comes_from_the_catalog(request, place):
    for text in request.getfixturevalue(place):
        assert not untranslated(text, *NAMES)


def test_every_text_of_a_module_was_read_somewhere(request):
    """Else a text that bypasses the catalog in the same place would not be found."""
    read_somewhere = "".join(text for place in PLACES for text in request.getfixturevalue(place))
    for path in FOLDER.glob("*.js"):
        for text in texts_in(path.read_text()):
            for part in re.findall("⟦[^⟧]+⟧", bracketed(text)):
                assert part in read_somewhere, path.name
