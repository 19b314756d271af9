"""The site: it builds strictly, is whole, shows the stored outputs, and loads nothing from outside.

The fixture ``site`` of ``conftest.py`` builds it, by the command that ``make book`` uses. What
only a browser can tell is in ``test_browser.py``.
"""

import functools
import importlib.util
import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from contrast import contrast

from helpers.practice.exercises import read_exercises
from tools.toc import documents

ROOT = Path(__file__).parents[2]
FIGURES = sorted((ROOT / "book" / "figures").glob("*.svg"))

OUTSIDE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)  # https://… and //…
CSS_URL = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")
WHAT_LOADS = {
    "script": ["src"],
    "link": ["href"],
    "img": ["src", "srcset"],
    "source": ["src", "srcset"],
    "iframe": ["src"],
    "embed": ["src"],
    "object": ["data"],
    "video": ["src", "poster"],
    "audio": ["src"],
    "image": ["href", "xlink:href"],
    "use": ["href", "xlink:href"],
}


def toc_notebooks():
    return [name for name in documents() if (ROOT / f"{name}.ipynb").exists()]


def first_heading(name):
    """Give the first heading of a document's source, as plain text."""
    notebook = ROOT / f"{name}.ipynb"
    if notebook.exists():
        cells = json.loads(notebook.read_text())["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    else:
        title = yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
        text = (ROOT / f"{name}.md").read_text().replace("{{ book_title }}", title)
    return re.search(r"^# +(.+)$", text, re.MULTILINE)[1].replace("`", "").replace("*", "").strip()


def html_files(site):
    files = sorted(p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts)
    assert len(files) >= len(documents())
    return files


@functools.cache
def parse(path):
    """Parse a page, once for all tests: they only read it."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def plain(text):
    """Text without ANSI colors and without differences in white space."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())


def loaded_urls(soup):
    """Everything that a browser fetches for this page by itself."""
    for tag, attributes in WHAT_LOADS.items():
        for element in soup.find_all(tag):
            for attribute in attributes:
                value = element.get(attribute)
                if value and attribute == "srcset":
                    yield from (part.split()[0] for part in value.split(",") if part.strip())
                elif value:
                    yield value
    for style in soup.find_all("style"):
        yield from css_urls(style.get_text())
    for element in soup.find_all(style=True):
        yield from css_urls(element["style"])
    for refresh in soup.find_all("meta", {"http-equiv": re.compile("refresh", re.IGNORECASE)}):
        yield refresh["content"].split("url=")[1]


def css_urls(text):
    for match in CSS_URL.finditer(text):
        yield match[1] or match[2]


def target(site, page, url):
    """Give the file and the anchor that a relative URL on a page of the site means."""
    parts = urlsplit(urljoin(page.relative_to(site).as_posix(), url))
    path = site / unquote(parts.path) if parts.path else page
    return (path / "index.html" if path.is_dir() else path), unquote(parts.fragment)


def is_local(url):
    return not OUTSIDE.match(url) and not re.match(r"(data|mailto|javascript|blob):", url)


def test_every_page_of_the_toc_is_there_with_its_title(site):
    for name in documents():
        soup = parse(site / f"{name}.html")
        heading = soup.select_one("article h1")
        permalink = heading.select_one("a.headerlink").get_text()
        title = plain(heading.get_text().removesuffix(permalink))
        assert title == plain(first_heading(name))
        assert plain(soup.title.get_text()).startswith(title)
        assert soup.html["lang"] == "en"


def test_the_front_door_leads_to_the_first_page(site):
    (url,) = [u for u in loaded_urls(parse(site / "index.html")) if u.endswith(".html")]
    assert url == f"{documents()[0]}.html"


def test_myst_finds_our_anchors(course_site):
    """MyST's own name of the anchors, which course_site.py writes to, may change in an upgrade."""
    from myst_parser.sphinx_ext import myst_refs

    reads = f'metadata[ref_docname].get("{course_site.MYST_ANCHORS}"'
    assert reads in inspect.getsource(myst_refs), "MyST keeps its anchors elsewhere: course_site.py"


def test_the_files_of_the_theme_have_these_names(course_site):
    """Otherwise the pages would load scripts that they don't need, and nobody would notice."""
    import course_head

    packages = ("pydata_sphinx_theme", "sphinx", "sphinx_book_theme", "sphinx_copybutton",
                "sphinx_design", "sphinx_togglebutton")  # fmt: skip
    folders = [Path(importlib.util.find_spec(name).origin).parent for name in packages]
    names = {path.name.removesuffix("_t") for folder in folders for path in folder.rglob("*")}
    generated = {"searchindex.js", "language_data.js"}  # by Sphinx, when it builds
    used = {*course_head.USES, *course_head.SEARCH, *course_head.SHEETS}
    used |= {Path(name).name for name in course_site.UNUSED}
    assert used - names - generated == set()


def test_pages_describe_themselves(site):
    said = {}
    for name in documents():
        soup = parse(site / f"{name}.html")
        description = soup.find("meta", {"name": "description"})
        assert description is not None, f"{name} has no description"
        assert 50 <= len(description["content"]) <= 200, f"{name}: {description['content']}"
        said[name] = description["content"]
        assert soup.find("meta", {"property": "og:description"})["content"] == said[name]
        assert soup.find("meta", {"property": "og:title"})["content"]
    assert len(set(said.values())) == len(said)


def test_a_shared_link_has_a_picture_once_the_address_is_known(course_site):
    page = "<html lang='en'><head><title>A &#8212; T</title></head><body></body></html>"
    for address, expected in (("", None), ("https://me.example/b/", "https://me.example/b/")):
        soup = BeautifulSoup(page, "html.parser")
        course_site.describe(soup, "book/a.html", "T", address)
        picture = soup.find("meta", {"property": "og:image"})
        assert (picture and picture["content"]) == (expected and f"{expected}_static/card.png")


@pytest.mark.parametrize(
    ("repository", "base", "address"),
    [
        ("", "", ""),
        ("https://github.com/me/book", "", "https://me.github.io/book/"),
        ("https://github.com/me/book.git", "", "https://me.github.io/book/"),
        ("https://github.com/me/book", "https://example.org/b", "https://example.org/b/"),
        ("https://git.example.org/me/book", "", ""),
    ],
)
def test_title_and_repository_are_set_in_one_place(course_site, repository, base, address):
    theme = {"repository_url": repository, "launch_buttons": {"colab_url": "https://colab"}}
    config = SimpleNamespace(
        html_theme_options=theme, html_title="Mine", html_baseurl=base, myst_substitutions={}
    )
    course_site.set_addresses(None, config)
    assert config.html_baseurl == address
    assert theme["logo"]["text"] == "Mine"
    assert theme["use_repository_button"] == bool(repository)
    on_github = repository.startswith("https://github.com")
    assert theme["use_edit_page_button"] == on_github
    assert bool(theme["launch_buttons"]) == on_github, "Colab opens notebooks from GitHub only"


def test_the_picture_beside_a_shared_link_has_its_size(site):
    from PIL import Image

    with Image.open(site / "_static" / "card.png") as card:
        assert card.size == (1200, 630)


def test_every_page_has_the_policy_and_keeps_to_it(site):
    for page in html_files(site):
        soup = parse(page)
        (policy,) = soup.find_all("meta", {"http-equiv": "Content-Security-Policy"})
        rules = dict(rule.split(" ", 1) for rule in policy["content"].split("; "))
        assert rules["default-src"] == "'self'"
        assert "unsafe-inline" not in policy["content"]
        assert "'unsafe-eval'" not in policy["content"]
        assert not policy.find_previous_sibling(["script", "link", "style"]), "it comes too late"
        for script in soup.find_all("script", src=False):
            assert "json" in script["type"], f"{page.name}: {script.get_text()[:80]}"
        assert not soup.find_all("style")
        assert not soup.find_all(style=True)
        handlers = [e for e in soup.find_all(True) if any(n.startswith("on") for n in e.attrs)]
        assert not handlers


def test_the_policy_of_a_page_depends_on_what_is_on_it(course_policy):
    for kind in ("attention", "nearest", "pipeline", "splits", "softmax", None):
        place = f"<div data-live='{kind}'></div>" if kind else "<p>data-live='nearest'</p>"
        policy = course_policy.policy_of(BeautifulSoup(place, "html.parser"))
        runs = kind in ("attention", "nearest", "pipeline")
        assert ("script-src 'self' 'wasm-unsafe-eval';" in policy) == runs, kind
        assert ("script-src 'self';" in policy) != runs, kind


def test_only_a_page_that_runs_the_model_may_compile_webassembly(site, course_policy):
    text = (ROOT / "helpers" / "display" / "live" / "page.js").read_text(encoding="utf-8")
    kinds = re.findall(r'^  (\w+): "model",$', text, flags=re.MULTILINE)
    assert sorted(kinds) == course_policy.RUN_THE_MODEL
    allowed = set()
    for page in html_files(site):
        soup = parse(page)
        policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
        runs = any(place["data-live"] in kinds for place in soup.select("[data-live]"))
        assert ("wasm-unsafe-eval" in policy) == runs, page.name
        allowed |= {page.stem} if runs else set()
    assert {name[:3] for name in allowed} == {"1-1", "1-3", "2-1"}


def test_what_a_picture_looked_like_it_still_does(course_policy, tmp_path):
    page = (
        "<html><head><meta charset='utf-8'></head><body><style>.a { color: red }</style>"
        "<p class='a' style='width: 5%;'>x</p><style>.a { color: red }</style>"
        "<p style='width: 5%'>y</p></body></html>"
    )
    soup = BeautifulSoup(page, "html.parser")
    course_policy.apply_policy(soup, "book/a.html", tmp_path)
    (link,) = soup.find_all("link", rel="stylesheet")
    assert link["href"].startswith("../_static/pages/book-a.css?v=")
    sheet = (tmp_path / "_static" / "pages" / "book-a.css").read_text()
    (name,) = re.findall(r"\.(s-\w+):not\(#_\) { width: 5% }", sheet)
    assert sheet.count("color: red") == 1
    assert [p["class"] for p in soup.find_all("p")] == [["a", name], [name]]


def test_a_script_of_the_page_keeps_its_words_and_its_place(site):
    folding = 0
    for page in html_files(site):
        sources = [s["src"] for s in parse(page).find_all("script", src=True)]
        files = [target(site, page, source)[0] for source in sources]
        texts = [path.read_text(encoding="utf-8").strip() for path in files]
        assert all(texts), f"{page.name} loads an empty script"
        names = [path.name for path in files]
        if "togglebutton.js" in names:
            told = "\n".join(texts[: names.index("togglebutton.js")])
            assert "togglebuttonSelector =" in told
            assert "toggleHintShow =" in told
            folding += 1
    assert folding


def test_headers_of_tables_head_something(site):
    tables = 0
    for page in html_files(site):
        for table in parse(page).select("article table"):
            tables += 1
            for header in table.find_all("th"):
                assert header.get_text().strip(), f"{page.name} has an empty header"
                assert header.get("scope"), f"{page.name}: what does {header} head?"
    assert tables > 10


def test_pages_load_nothing_from_outside(site):
    found = {
        (page.name, url)
        for page in html_files(site)
        for url in loaded_urls(parse(page))
        if OUTSIDE.match(url)
    }
    assert not found


# The address of a file in quotes, or an address that a script asks for.
FETCHED = re.compile(
    r"[\"'`](?:https?:)?//[^\"'`\s]+\.(?:m?js|css|json|wasm|woff2?|onnx)\b"
    r"|\b(?:fetch|import|importScripts|Worker|open)\(\s*[\"'`](?:https?:)?//"
)


def test_scripts_fetch_nothing_from_outside(site):
    """All scripts of the site: those of a page's own text are files in _static/inline."""
    scripts = [path for kind in ("js", "mjs") for path in site.rglob(f"*.{kind}")]
    folders = {path.parent.relative_to(site).as_posix() for path in scripts}
    assert {"_static/inline", "_static/live", "_static/vendor/onnxruntime"} <= folders
    for page in html_files(site):
        for script in parse(page).find_all("script", src=True):
            assert target(site, page, script["src"])[0] in scripts
    found = {
        (path.name, match[0])
        for path in scripts
        for match in FETCHED.finditer(path.read_text(encoding="utf-8"))
    }
    assert not found


@pytest.mark.parametrize(
    "planted",
    [
        "load('https://cdn.example.org/require.min.js')",
        'const wasm = "//cdn.example.org/ort.wasm"',
        "import(`https://example.org/module`)",
        "fetch('https://example.org/model')",
    ],
)
def test_a_script_that_fetches_from_outside_is_noticed(planted):
    assert FETCHED.search(planted)
    assert not FETCHED.search(planted.replace("//", "/"))


def test_style_sheets_load_nothing_from_outside_and_nothing_missing(site):
    sheets = {
        target(site, page, link["href"])[0]
        for page in html_files(site)
        for link in parse(page).find_all("link", rel="stylesheet")
    }
    assert any(sheet.name == "book.css" for sheet in sheets)
    for sheet in sheets:
        for url in css_urls(sheet.read_text(encoding="utf-8")):
            assert not OUTSIDE.match(url), f"{sheet.name} loads {url}"
            if is_local(url) and not url.startswith("#"):
                assert target(site, sheet, url)[0].is_file(), f"{sheet.name} misses {url}"


def test_whatever_a_page_loads_or_links_to_is_there(site):
    pages = {page: parse(page) for page in html_files(site)}
    anchors = {
        page: {e.get("id") for e in soup.find_all(id=True)}
        | {e.get("name") for e in soup.find_all("a", attrs={"name": True})}
        for page, soup in pages.items()
    }
    missing = []
    for page, soup in pages.items():
        links = [a["href"] for a in soup.find_all("a", href=True)]
        for url in {*loaded_urls(soup), *links}:
            if not is_local(url):
                continue
            path, anchor = target(site, page, url)
            if not path.is_file() or (anchor and anchor not in anchors.get(path, {anchor})):
                missing.append(f"{page.relative_to(site)} -> {url}")
    assert not missing


def test_every_picture_says_what_it_shows(site):
    pictures = [(page, img) for page in html_files(site) for img in parse(page).find_all("img")]
    assert any("one-run.svg" in img["src"] for _, img in pictures)
    for page, img in pictures:
        alt = img.get("alt", "").strip()
        where = f"{page.name}: {img['src']}"
        if "logo__image" in img.get("class", []):
            assert alt or plain(img.find_parent("a").get_text()), "The logo's link has no name"
            continue
        assert alt, f"{where} has no text alternative"
        assert not re.search(r"\.(png|svg|jpe?g)$", alt), f"{where} has its file name as text"


def test_widgets_need_no_script_from_elsewhere(site):
    unwanted = re.compile(r"require(\.min)?\.js|html-manager|embed-amd|vnd\.jupyter\.widget")
    for page in html_files(site):
        for script in parse(page).find_all("script"):
            found = unwanted.search(f"{script.get('src', '')} {script.get('type', '')}")
            assert not found, f"{page.name} loads {found[0]}"


def test_formulas_need_no_script(site):
    formulas = 0
    for page in html_files(site):
        soup = parse(page)
        for formula in soup.select("article .math"):
            (maths,) = formula.find_all("math")
            assert maths["alttext"]
            formulas += 1
        assert not soup.find_all("script", src=re.compile("mathjax", re.IGNORECASE))
    assert formulas > 10


def test_only_words_that_look_plain_lose_their_marks(course_site):
    sheet = (
        "html[t=a] .highlight { background: #fff; color: #111 }\n"
        "html[t=b] .highlight { background: #000; color: #eee }\n"
        "html[t=a] .highlight .n { color: #111 } /* Name */\n"
        "html[t=a] .highlight .o { color: #111 }\nhtml[t=a] .highlight .k { color: #123 }\n"
        "html[t=a] .highlight .s { color: #111; font-weight: bold }\n"
        "html[t=b] .highlight .n { color: #eee }\nhtml[t=b] .highlight .o { color: #abc }\n"
    )
    plain = course_site.plain_words(sheet)
    assert plain == {"n"}
    program = "<div class='highlight'><pre><span></span>{} <span class='k'>in</span></pre></div>"
    soup = BeautifulSoup(program.format("<span class='n'>x</span>"), "html.parser")
    course_site.leave_plain_words_alone(soup, plain)
    assert str(soup) == program.format("x").replace("<span></span>", "").replace("'", '"')


def test_a_page_loads_no_script_without_a_use_for_it(site):
    for page in html_files(site):
        soup = parse(page)
        names = {Path(urlsplit(s["src"]).path).name for s in soup.find_all("script", src=True)}
        assert "fontawesome.js" not in names
        assert ("searchindex.js" in names) == (page.name == "search.html")
        assert ("copybutton.js" in names) == bool(soup.select("div.highlight"))
        for icon in soup.select("i, span.fa, span.fas, span.fa-solid"):
            assert not {"fa", "fas", "fa-solid"} & set(icon.get("class", [])), icon


@pytest.mark.parametrize("name", toc_notebooks())
def test_a_notebook_page_shows_what_is_stored(site, name):
    cells = json.loads((ROOT / f"{name}.ipynb").read_text())["cells"]
    code = [
        cell
        for cell in cells
        if cell["cell_type"] == "code"
        and "remove-cell" not in cell["metadata"].get("tags", [])
        and "".join(cell["source"]).strip()
    ]
    shown = parse(site / f"{name}.html").select("article div.cell")
    assert len(shown) == len(code)
    compared = 0
    for cell, on_page in zip(code, shown, strict=True):
        tags = cell["metadata"].get("tags", [])
        if "remove-input" not in tags:
            source = plain(on_page.select_one("div.cell_input pre").get_text())
            assert source == plain("".join(cell["source"]))
        if "remove-output" in tags:
            continue
        output = plain(" ".join(e.get_text() for e in on_page.select("div.cell_output")))
        for text in map(plain, stored_texts(cell["outputs"])):
            assert text in output, f"The page does not show {text[:200]!r}"
            compared += bool(text)
    assert compared > 0


def stored_texts(outputs):
    """Text that the page must show: of each output, what its richest form says."""
    for output in outputs:
        if output["output_type"] == "stream":
            yield "".join(output["text"])
        elif output["output_type"] in ("display_data", "execute_result"):
            data = output["data"]
            if "text/html" in data:
                soup = BeautifulSoup("".join(data["text/html"]), "html.parser")
                for unseen in soup.find_all(["style", "script"]):
                    unseen.extract()
                yield from soup.stripped_strings
            elif "text/plain" in data and not any(
                kind.startswith("image/") or kind in ("text/markdown", "text/latex")
                for kind in data
            ):
                yield "".join(data["text/plain"])


def test_every_glossary_entry_is_defined_once_and_has_its_chinese_word(site):
    lists = parse(site / "book/glossary.html").select("dl.glossary")
    anchors = [dt["id"] for dl in lists for dt in dl.find_all("dt")]
    assert len(anchors) > 20
    assert len(anchors) == len(set(anchors))
    for dl in lists:
        for entry in dl.find_all("dd"):
            chinese = entry.select_one("p > span.zh")
            assert chinese is not None, f"No Chinese word: {plain(entry.get_text())[:80]}"
            assert chinese["lang"] == "zh-Hans"
            assert re.search(r"[\u4e00-\u9fff]", chinese.get_text())


def test_every_paper_of_the_bibliography_is_complete_and_under_its_name_and_year():
    text = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    papers = re.findall(r"^\((\S+)\)=\n\*\*(.+?), (\d{4})\.\*\* ((?:.+\n)+)", text, re.MULTILINE)
    labels = [label for label, *_ in papers]
    assert len(papers) == len(re.findall(r"^\(.*\)=$", text, re.MULTILINE)) > 40
    assert len(labels) == len(set(labels))
    for label, names, year, rest in papers:
        first = names.split()[0].lower()
        assert label.startswith(first)
        assert label.endswith(f"-{year}")
        assert re.search(r"\*[^*]{10,}[.?]\*", rest), f"{label} has no title"
        assert rest.partition("*")[0].split()[:-1], f"{label} has no full name"


def test_a_paper_that_the_text_links_to_is_in_the_bibliography():
    preprint = re.compile(r"arxiv\.org/abs/([0-9.]+[0-9])")
    listed = set(preprint.findall((ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")))
    for path in [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").rglob("*.md")]:
        missing = set(preprint.findall(path.read_text(encoding="utf-8"))) - listed
        assert not missing, f"{path.name} links to papers that the bibliography lacks: {missing}"


def channels(color):
    """Read ``#rrggbb`` as three numbers from 0 to 1."""
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.name)
def test_a_figure_is_readable_in_both_themes(path):
    text = path.read_text(encoding="utf-8")
    svg = BeautifulSoup(text, "html.parser").svg
    assert svg["role"] == "img"
    assert svg.title.get_text().strip()
    assert len(svg.desc.get_text()) > 80
    assert re.findall(r"https?://[^\"'\s]+", text) == ["http://www.w3.org/2000/svg"]
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part))
        for part in text.split("@media (prefers-color-scheme: dark)")
    )
    assert light.keys() == dark.keys()
    for theme in (light, dark):
        grounds = {"panel", "data", "blue", "amber", "green"} & theme.keys()
        for ground in grounds:
            assert contrast(channels(theme["ink"]), channels(theme[ground])) >= 4.5
        for ground in ("panel", "data"):
            assert contrast(channels(theme["muted"]), channels(theme[ground])) >= 4.5
    sizes = [float(size) for size in re.findall(r"font-size(?:: |=\")([0-9.]+)", text)]
    assert sizes
    assert min(sizes) >= 14


def test_each_exercise_has_its_solution_folded_below_it(site):
    """Where no kernel runs, a reader finds the code that the tests run."""
    found = 0
    for name in toc_notebooks():
        soup = parse(site / f"{name}.html")
        for exercise in read_exercises(Path(name).name[:3]).values():
            (cell,) = [
                one
                for one in soup.select("div.cell")
                if f'check("{exercise.name}"' in one.get_text()
            ]
            box = cell.find_next_sibling()
            assert {"admonition", "dropdown"} <= set(box["class"])
            assert box.find("pre").get_text().strip() == exercise.solution.strip()
            assert box.find("pre").find("span"), "the code is colored"
            assert "{expected}" not in box.get_text()
            found += 1
    assert found
