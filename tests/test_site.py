"""The site: it builds strictly, is whole, shows the stored outputs, and loads nothing from outside.

The site is built once, from nothing, by the command that ``make book`` uses.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site into an empty folder. Warnings are errors there, as in ``make book``."""
    recipe = re.search(r"/jupyter-book (build .+?) \|\|", (ROOT / "Makefile").read_text())
    arguments = shlex.split(recipe[1])
    assert {"-W", "-n"} <= set(arguments), "make book builds strictly"
    output = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("jupyter-book")
    done = subprocess.run(
        [program, *arguments, "--path-output", output],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield output / "_build" / "html"
    shutil.rmtree(output)


def toc_documents():
    """Every document that the toc names, in order, as a path without its suffix."""
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())

    def below(node):
        for part in node.get("parts", []):
            yield from below(part)
        for child in node.get("chapters", []) + node.get("sections", []):
            yield child["file"]
            yield from below(child)

    return [toc["root"], *below(toc)]


def toc_notebooks():
    return [name for name in toc_documents() if (ROOT / f"{name}.ipynb").exists()]


def first_heading(name):
    """Give the first heading of a document's source, as plain text."""
    notebook = ROOT / f"{name}.ipynb"
    if notebook.exists():
        cells = json.loads(notebook.read_text())["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    else:
        text = (ROOT / f"{name}.md").read_text()
    return re.search(r"^# +(.+)$", text, re.MULTILINE)[1].replace("`", "").replace("*", "").strip()


def html_files(site):
    files = sorted(p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts)
    assert len(files) >= len(toc_documents())
    return files


def parse(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def plain(text):
    """Text without ANSI colours and without differences in white space."""
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
    for name in toc_documents():
        soup = parse(site / f"{name}.html")
        heading = soup.select_one("article h1")
        heading.select_one("a.headerlink").extract()
        assert plain(heading.get_text()) == plain(first_heading(name))
        assert plain(soup.title.get_text()).startswith(plain(heading.get_text()))
        assert soup.html["lang"] == "en"


def test_the_front_door_leads_to_the_first_page(site):
    (url,) = [u for u in loaded_urls(parse(site / "index.html")) if u.endswith(".html")]
    assert url == f"{toc_documents()[0]}.html"


def test_pages_describe_themselves(site):
    for name in (name for name in toc_documents() if name.startswith("book/")):
        description = parse(site / f"{name}.html").find("meta", {"name": "description"})
        assert description is not None, f"{name} has no description"
        assert 50 <= len(description["content"]) <= 200


def test_pages_load_nothing_from_outside(site):
    found = {
        (page.name, url)
        for page in html_files(site)
        for url in loaded_urls(parse(page))
        if OUTSIDE.match(url)
    }
    assert not found


def test_scripts_in_pages_fetch_nothing_from_outside(site):
    fetched = re.compile(r"[\"'`](?:https?:)?//[^\"'`\s]+\.(?:m?js|css|json|wasm|woff2?)\b")
    found = {
        (page.name, match[0])
        for page in html_files(site)
        for script in parse(page).find_all("script", src=False)
        for match in fetched.finditer(script.get_text())
    }
    assert not found


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


def test_mathjax_is_ours_and_only_where_there_is_maths(site):
    for page in html_files(site):
        soup = parse(page)
        urls = [s["src"] for s in soup.find_all("script", src=re.compile("mathjax", re.IGNORECASE))]
        if soup.select(".math"):
            assert len(urls) == 1, f"{page.name} has maths and no MathJax"
            assert target(site, page, urls[0])[0].is_relative_to(site / "_static")
        else:
            assert not urls, f"{page.name} has no maths, but loads {urls}"


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


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


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
            assert contrast(theme["ink"], theme[ground]) >= 4.5
        for ground in ("panel", "data"):
            assert contrast(theme["muted"], theme[ground]) >= 4.5
    sizes = [float(size) for size in re.findall(r"font-size(?:: |=\")([0-9.]+)", text)]
    assert sizes
    assert min(sizes) >= 14
