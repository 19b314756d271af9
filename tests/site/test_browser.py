"""The site in a browser: complete without a network, within its policy, accessible.

Without a browser these tests are skipped, or fail: see the fixture ``browser`` in ``conftest.py``.
"""

import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.browsing import is_ours, serve
from tools.vendor import Package, fetch

ROOT = Path(__file__).parents[2]
WIDTHS = {"phone": 390, "desktop": 1300}

LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
"""


def pages(site):
    """Every page except index.html, which redirects to the first one."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [page for page in found if not page.startswith("_static/") and page != "index.html"]


def batched(items, size):
    """Split a list into lists of at most so many items. (Python 3.12 has it in itertools.)"""
    return [items[i : i + size] for i in range(0, len(items), size)]


@contextmanager
def reader(browser, base, *, theme="light", width=1300, excepted=()):
    """A reader's window, and a list of errors in it. Only addresses below `base` answer."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, accept_downloads=False
    )
    context.set_default_timeout(60_000)
    wrong = []

    def note(text, page=None):
        if not any(re.search(pattern, text) for pattern in excepted):
            where = f"{page.url.removeprefix(base)}: " if page else ""
            wrong.append(f"{where}{text}")

    def pass_on(route):
        if is_ours(route.request.url, base):
            return route.continue_()
        note(f"asks for {route.request.url}")
        return route.abort()

    def failed(request):
        if request.failure != "net::ERR_ABORTED":  # the reader went on before it had come
            note(f"couldn't load {request.url}: {request.failure}", request.frame.page)

    def said(message):
        if message.type in ("error", "warning"):
            note(f"{message.type}: {message.text}", message.page)

    context.route("**/*", pass_on)
    context.add_init_script(LISTEN)
    context.on("console", said)
    context.on("weberror", lambda error: note(f"error: {error.error}", error.page))
    context.on("requestfailed", failed)
    context.on("response", lambda r: r.status >= 400 and note(f"{r.status} {r.url}"))
    try:
        yield context.new_page(), wrong
    finally:
        context.close()


def read_to_the_end(tab):
    """Scroll down, so that everything loads, and wait for the network to be idle."""
    tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    tab.wait_for_load_state("networkidle")


def test_the_front_door_leads_to_the_first_page(site, browser, address):
    for base in (address, site.as_uri() + "/"):
        with reader(browser, base) as (tab, wrong):
            tab.goto(f"{base}index.html")
            tab.wait_for_url("**/book/welcome.html")
            read_to_the_end(tab)
        assert not wrong


# A page that was opened as a file can't fetch or load modules: live parts say that they can't run.
FORBIDDEN_TO_FILES = [
    r"Access to (script|fetch) at 'file:",
    r"could not load file:.*\.(mjs|js\?module)",
]


def test_each_page_is_complete_as_a_file(site, browser):
    base = site.as_uri() + "/"
    with reader(browser, base, excepted=FORBIDDEN_TO_FILES) as (tab, wrong):
        for group in batched(pages(site), 6):  # while one page is idle, the next one loads
            tabs = {page: tab.context.new_page() for page in group}
            for page, own in tabs.items():
                own.goto(base + page)
            for page, own in tabs.items():
                read_to_the_end(own)
                assert own.locator("h1:visible").count() >= 1
                wrong += [f"{page}: {one}" for one in own.evaluate("window.violations")]
                own.close()
    assert not wrong


def test_a_formula_on_a_line_of_its_own_is_in_the_middle(browser, address):
    with reader(browser, address) as (tab, _):
        tab.goto(f"{address}notebooks/en/2-using-transformers/2-1-behind-the-pipeline.html")
        formulas = tab.locator("article div.math").all()
        assert formulas
        for formula in formulas:
            line = formula.bounding_box()
            middle = formula.locator("mfrac").first.bounding_box()  # it is at the end of each
            assert middle["x"] < line["x"] + 0.6 * line["width"]


def test_the_policy_refuses_what_is_planted(site, browser, tmp_path):
    """Otherwise a page without violations would prove nothing."""
    planted = (
        '<script>window.planted = "inline"</script>'
        '<p id="p" style="color: rgb(1, 2, 3)" onclick="window.planted = 1">text</p>'
        "<style>#p { background: rgb(4, 5, 6) }</style>"
        '<script src="https://example.org/x.js"></script>'
        '<script src="../_static/tries.js"></script>'
    )
    for name in ("_static", "book"):
        shutil.copytree(site / name, tmp_path / name)
    tries = """
try { eval("1"); window.tried = "ran" } catch { window.tried = "refused" }
const nothing = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
WebAssembly.compile(nothing).then(
  () => { window.compiled = "ran" }, () => { window.compiled = "refused" });
"""
    (tmp_path / "_static" / "tries.js").write_text(tries)
    page = tmp_path / "book" / "welcome.html"
    text = page.read_text(encoding="utf-8")
    assert text.count("</article>") == 1
    page.write_text(text.replace("</article>", f"{planted}</article>"), encoding="utf-8")
    with serve(tmp_path) as base, reader(browser, base) as (tab, wrong):
        tab.goto(f"{base}book/welcome.html")
        tab.click("#p")
        assert tab.evaluate("window.planted") is None
        assert tab.evaluate("getComputedStyle(p).color") != "rgb(1, 2, 3)"
        assert tab.evaluate("getComputedStyle(p).backgroundColor") != "rgb(4, 5, 6)"
        directives = {one.split(":")[0] for one in tab.evaluate("window.violations")}
        assert directives == {
            "script-src",  # eval and WebAssembly
            "script-src-elem",
            "script-src-attr",
            "style-src-elem",
            "style-src-attr",
        }
        assert tab.evaluate("window.tried") == "refused"
        tab.wait_for_function("window.compiled")
        assert tab.evaluate("window.compiled") == "refused"  # only some pages may run the model
        assert wrong, "a refusal is an error in the console"


AXE = Package(
    "axe-core",
    "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ("axe.min.js",),
)


@pytest.fixture(scope="module")
def axe():
    """The source of axe, an accessibility checker; fetched once."""
    folder = ROOT / "_build" / "npm" / f"{AXE.name}-{AXE.version}"
    if not (folder / "axe.min.js").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        fetch(AXE, folder)
    return (folder / "axe.min.js").read_text(encoding="utf-8")


# Words of a program that have the same class look alike: axe checks the first of each class. Colors
# change without a transition. The button that leads back to the top is shown.
PREPARE = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync("* { transition: none !important }");
  document.adoptedStyleSheets = [still];
  document.getElementById("pst-back-to-top").style.display = "block";
  const seen = new Set();
  for (const word of document.querySelectorAll("div.highlight pre span")) {
    if (seen.has(word.className)) word.replaceWith(...word.childNodes);
    seen.add(word.className);
  }
}"""
LOOK = """async ([rules, left_out]) => {
  const options = {resultTypes: ["violations"], ...(rules ? {runOnly: rules} : {})};
  const place = {include: [["html"]], exclude: left_out.map((selector) => [selector])};
  const found = await axe.run(place, options);
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    [rule.id, ...node.target, node.any.concat(node.all, node.none)[0]?.message].join(" ")));
}"""


# The themes differ in nothing but these rules, which take most of axe's time.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# Width, theme, rules and what is left out. The article has the same colors at every width: those
# of the dark theme are checked on the phone, and what only a desktop shows, on the desktop.
VIEWS = [
    (WIDTHS["desktop"], "light", None, []),
    (WIDTHS["desktop"], "dark", OF_COLOURS, ["article"]),
    (WIDTHS["phone"], "dark", None, []),
]


def test_each_page_is_complete_with_no_network_and_has_no_barrier(site, browser, address, axe):
    """Each page is opened once: requests, errors and policy violations, and then axe."""
    barriers = []
    with reader(browser, address) as (tab, wrong):
        for page in pages(site):
            tab.set_viewport_size({"width": WIDTHS["desktop"], "height": 900})
            tab.emulate_media(color_scheme="light")
            tab.goto(address + page)
            read_to_the_end(tab)
            wrong += [f"{page}: {one}" for one in tab.evaluate("window.violations")]
            said = len(wrong)
            tab.evaluate(axe)
            tab.evaluate(PREPARE)
            before = WIDTHS["desktop"]
            for width, theme, rules, left_out in VIEWS:
                tab.set_viewport_size({"width": width, "height": 900})
                tab.emulate_media(color_scheme=theme)
                tab.locator(f"html[data-theme={theme}]").wait_for()
                if width != before:  # the theme takes that long to find what scrolls now
                    tab.wait_for_timeout(400)
                before = width
                found = tab.evaluate(LOOK, [rules, left_out])
                barriers += [f"{page}, {theme}, {width}: {one}" for one in found]
            del wrong[said:]  # axe writes styles, which the policy forbids it
    assert not wrong
    assert not barriers, "\n".join(barriers)


def test_the_buttons_of_a_published_book_are_no_barrier(own_site, browser, axe):
    """They need a repository's address, so the pages above don't have them."""
    page = "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.html"
    with serve(own_site) as base, reader(browser, base) as (tab, wrong):
        tab.goto(base + page)
        read_to_the_end(tab)
        tab.evaluate(axe)
        for name, words in (("launch", "Colab"), ("source", "Suggest edit"), ("download", ".whl")):
            tab.click(f".dropdown-{name}-buttons > button")
            shown = tab.locator(".dropdown-menu.show").get_by_text(words, exact=True)
            shown.wait_for()
            assert shown.locator("xpath=../..").locator("svg.icon").first.is_visible()
            assert not tab.evaluate(LOOK, [None, ["article"]])
            tab.keyboard.press("Escape")
        assert not tab.evaluate("window.violations.filter((one) => !one.includes('style'))")
        del wrong[:]  # axe writes styles, which the policy forbids it
        tab.reload()
        read_to_the_end(tab)
    assert not wrong


def test_axe_finds_a_barrier_that_is_planted(browser, address, axe):
    """Otherwise pages without barriers would prove nothing."""
    planted = """() => {
      const article = document.querySelector("article");
      article.insertAdjacentHTML("beforeend",
        `<input type="text"><img src="../_static/logo.svg"><table><tr><th></th></tr></table>
         <p>pale</p>`);
      article.lastElementChild.style.color = "#ccc";
      const outside = article.lastElementChild.cloneNode(true);
      outside.style.color = "#ccc";
      article.after(outside);
    }"""
    with reader(browser, address) as (tab, _):
        tab.goto(f"{address}book/welcome.html")
        tab.evaluate(axe)
        tab.evaluate(planted)
        everywhere, colors, outside = (
            tab.evaluate(LOOK, view)
            for view in ([None, []], [OF_COLOURS, []], [OF_COLOURS, ["article"]])
        )
    rules = {one.split()[0] for one in everywhere}
    assert rules == {"label", "image-alt", "empty-table-header", "color-contrast"}
    assert {one.split()[0] for one in colors} == {"color-contrast"}
    assert len(colors) > len(outside) > 0


def test_search_finds_what_a_reader_would_type(site, browser, address):
    expected = {
        "padding": "several-sequences",
        "softmax": "behind-the-pipeline",
        "wordpiece": "tokenizers",
        "causal": "architectures",
        "stand-in": "glossary",
    }
    with reader(browser, address) as (tab, wrong):
        for words, page in expected.items():
            tab.goto(f"{address}search.html?q={words}")
            tab.wait_for_selector("#search-results .search-summary:has-text('found')")
            links = tab.eval_on_selector_all("#search-results a", "all => all.map((a) => a.href)")
            assert any(page in link for link in links), f"{words}: {links}"
        tab.goto(f"{address}book/welcome.html")
        tab.keyboard.press("Control+k")
        tab.keyboard.type("padding")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/search.html?q=padding")
        read_to_the_end(tab)
    assert not wrong


def test_the_pages_buttons_do_what_they_say(site, browser, address):
    page = "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.html"
    with reader(browser, address) as (tab, wrong):
        tab.add_init_script("window.print = () => { window.printed = true; }")
        tab.goto(address + page)
        modes = {"light": "light", "dark": "dark", "auto": "light"}
        for _ in list(modes):
            tab.click(".bd-header-article .theme-switch-button")
            mode = tab.evaluate("document.documentElement.dataset.mode")
            assert tab.evaluate("document.documentElement.dataset.theme") == modes.pop(mode)
            shown = tab.locator(".bd-header-article svg.theme-switch:visible")
            assert shown.count() == 1
            assert shown.get_attribute("data-mode") == mode
        tab.click(".dropdown-download-buttons > button")
        tab.click("[data-course-do=print]")
        assert tab.evaluate("window.printed")
        tab.click("[data-course-do=fullscreen]")
        tab.locator("html:fullscreen").wait_for()
    assert not wrong


def test_the_keyboard_skips_to_the_text(site, browser, address):
    with reader(browser, address) as (tab, wrong):
        tab.goto(f"{address}book/introduction.html")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
        tab.keyboard.press("Enter")
        assert tab.url.endswith("#main-content")
    assert not wrong


def test_a_page_can_be_read_without_javascript(site, browser, address):
    context = browser.new_context(java_script_enabled=False)
    try:
        tab = context.new_page()
        tab.goto(f"{address}notebooks/en/2-using-transformers/2-1-behind-the-pipeline.html")
        assert tab.locator("article h1").is_visible()
        assert tab.locator("article math").first.is_visible()
        assert tab.locator("article .book-picture").first.is_visible()
        assert tab.locator("svg.icon:visible").count() > 0
        assert not tab.locator(".theme-switch-button").first.is_visible()
    finally:
        context.close()
