"""The files of `make book`, `make pdf` and `make links`, and the page *Publish your own*."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from elsewhere import PIPELINE, RUN, people, save_first_cells

from tools.copies import LINK
from tools.hand_out import hand_out, title_of
from tools.list_links import outside_links
from tools.toc import documents

ROOT = Path(__file__).parents[2]
FIRST_CELLS = 9  # of 2-1: up to the first answers of a pipeline
FRONT_DOOR = "<html><head><title>A &amp; B</title></head><body>door</body></html>"

WHEEL = "transformers_course_book-0-py3-none-any.whl"


@pytest.fixture
def small_site(tmp_path):
    site = tmp_path / "html"
    (site / "book").mkdir(parents=True)
    (site / "_static").mkdir()
    (site / "index.html").write_text(FRONT_DOOR)
    (site / "book" / "page.html").write_text(
        "<html><head><meta charset='utf-8'></head><body>"
        "<a href='https://example.org/b'>b</a><a href='https://example.org/a#x'>a</a>"
        "<a href='other.html'>inside</a><a href='#here'>here</a></body></html>"
    )
    (site / "book" / "other.html").write_text("<a href='https://example.org/b'>again</a>")
    (site / "_static" / "x.js").write_text("1")
    (site / WHEEL).write_text("packed")
    (site / ".buildinfo").write_text("for Sphinx")
    return site


def test_the_same_site_gives_the_same_archive(small_site, tmp_path):
    first, again = tmp_path / "book.zip", tmp_path / "again" / "book.zip"
    hand_out(small_site, first)
    copy = tmp_path / "copy"
    shutil.copytree(small_site, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    again.parent.mkdir()
    hand_out(copy, again)
    assert first.read_bytes() == again.read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_the_archive_holds_the_site_and_a_start_page(small_site, tmp_path):
    hand_out(small_site, tmp_path / "book.zip")
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "book/START-HERE.html"
        assert "book/site/book/page.html" in names
        assert not any(".buildinfo" in name for name in names)
        start = archive.read(names[0]).decode()
        assert archive.read("book/site/index.html").decode() == FRONT_DOOR
    assert "<h1>A &amp; B</h1>" in start
    assert 'href="site/index.html"' in start


@pytest.fixture
def unpacked(small_site, tmp_path):
    hand_out(small_site, tmp_path / "book.zip")
    zipfile.ZipFile(tmp_path / "book.zip").extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked" / "book"


def test_the_archive_holds_what_a_notebook_points_to(unpacked):
    found = set()
    for path in sorted(unpacked.glob("notebooks/*/*/*.ipynb")):
        first, *cells = json.loads(path.read_text())["cells"]
        assert (path.parent / "../../../site" / WHEEL).is_file()
        assert WHEEL in "".join(first["source"])
        for cell in cells:
            if cell["cell_type"] == "markdown":
                links = LINK.findall("".join(cell["source"]))
                found |= {(path.parent / name).resolve() for name, _ in links}
    assert len(found) > 20
    assert not [path for path in found if not path.is_file()]
    for name in ("train.py", "own_data.py", "progress.py"):
        assert (unpacked / "notebooks/en/3-fine-tuning" / name).is_file()


def test_the_archive_says_how_to_run_the_notebooks(unpacked):
    """The README's lines for people without make, which test_readme_install.py runs."""
    said = (unpacked / "READ ME FIRST.txt").read_text()
    section = (ROOT / "README.md").read_text().partition("## Without make\n")[2]
    blocks = re.findall(r"^```(?:sh|bat)\n(.*?)^```", section.partition("\n## ")[0], re.M | re.S)
    assert len(blocks) == 3
    for name, block in zip(("On Linux and macOS", "On Windows", "With uv"), blocks, strict=True):
        lines = textwrap.indent(block.replace("-e .", f"site/{WHEEL}"), "    ")
        assert f"\n{name}:\n\n{lines}" in said
    assert said.startswith("A & B\n")
    start = (unpacked / "START-HERE.html").read_text()
    assert (unpacked / unquote(re.search(r'href="(READ[^"]*)"', start)[1])).is_file()


def test_an_ordinary_user_unpacks_the_archive_and_runs_a_notebook(site, tmp_path):
    """In a folder with a space and an umlaut, with neither git nor make, after what it says."""
    hand_out(site, tmp_path / "book.zip")
    with people(1) as machine:
        (person,) = machine.users
        place = person.home / "Bücher für alle"
        program = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])"
        shutil.copy(tmp_path / "book.zip", machine.folder)
        person.run(person.python, "-c", program, machine.folder / "book.zip", place)
        book = str(place / "book")
        assert not any(shutil.which(name, path=person.python.parent) for name in ("git", "make"))

        said = (place / "book" / "READ ME FIRST.txt").read_text()
        make, install, _ = re.search(r"On Linux.*\n\n((?: {4}.*\n){3})", said)[1].splitlines()
        person.run(*make.split(), PWD=book)
        (packages,) = (place / "book" / ".venv").glob("lib/*/site-packages")
        (packages / "libraries.pth").write_text(str(machine.libraries))
        person.run(*install.split(), "--no-deps", PWD=book)

        path = place / "book" / PIPELINE.relative_to(ROOT)
        save_first_cells(nbformat.read(path, as_version=4), path, FIRST_CELLS)
        printed = person.run(".venv/bin/python", "-c", RUN, path, PWD=book)
        assert not printed.strip(), "the book is installed: the first cell does nothing"


def test_the_title_is_plain_text(small_site):
    assert title_of(small_site) == "A & B"


def test_make_book_deletes_the_earlier_build():
    recipe = re.search(r"^book:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert "rm -rf $(SITE)" in recipe.partition("jupyter-book")[0]


def test_sphinx_reads_every_page_again_when_an_extension_changes(course_site, tmp_path):
    (tmp_path / "one.py").write_text("a = 1\n")
    before = course_site.version_of_extensions(tmp_path)
    assert course_site.version_of_extensions(tmp_path) == before
    (tmp_path / "one.py").write_text("a = 2\n")
    assert course_site.version_of_extensions(tmp_path) != before


def test_the_list_of_links_names_each_address_once(small_site):
    assert outside_links(small_site) == {
        "https://example.org/a#x": ["book/page.html"],
        "https://example.org/b": ["book/other.html", "book/page.html"],
    }


def test_documents_are_listed_in_the_books_order(tmp_path):
    toc = tmp_path / "toc.yml"
    toc.write_text(
        "root: a\nparts:\n  - chapters:\n      - file: b\n        sections:\n"
        "          - file: c\n      - file: d\n"
    )
    assert documents(toc) == ["a", "b", "c", "d"]


PAGE = (ROOT / "book" / "publish.md").read_text()


def test_title_author_and_repository_are_set_in_one_place(own_site):
    pages = {name: (own_site / f"book/{name}.html").read_text() for name in ("welcome", "publish")}
    first, other = (BeautifulSoup(pages[name], "html.parser") for name in ("welcome", "publish"))
    assert first.select_one("article h1").get_text().startswith("Mine & yours")
    assert "Mine & yours" in other.title.get_text()
    for soup in (first, other):
        assert soup.select_one(".bd-sidebar-primary .logo__title").get_text().strip() == (
            "Mine & yours"
        )
        assert "Ada" in soup.select_one("footer.bd-footer-content, .bd-footer").get_text()
        assert soup.select("a[href='https://github.com/ada/mine']")
        picture = soup.find("meta", {"property": "og:image"})["content"]
        assert picture == "https://ada.github.io/mine/_static/card.png"
    old = yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
    said = re.sub(r"(?s)<div class=.highlight-yaml.*?</div>", "", "".join(pages.values()))
    assert old not in said


def test_the_pdf_has_the_title_without_entities(own_site, browser, tmp_path):
    from pypdf import PdfReader

    from tools.print_book import print_book

    print_book(browser, own_site, tmp_path / "book.pdf", ["book/welcome"])
    assert PdfReader(tmp_path / "book.pdf").metadata.title == "Mine & yours"


def test_the_commands_of_the_page_are_those_of_the_book():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make (\w+)`?", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for name in re.findall(r"`(_build/[\w./-]+)`", PAGE):
        assert re.search(rf":= {re.escape(name)}$", makefile, re.MULTILINE), name
    for name in re.findall(r"`((?:book/)?[\w-]+\.(?:yml|lock|md|py)|book/[\w./]+)`", PAGE):
        assert (ROOT / name).exists(), name


def test_the_workflow_publishes_the_site_that_make_book_builds():
    (workflow,) = (ROOT / ".github" / "workflows").glob("publish.yml")
    steps = yaml.safe_load(workflow.read_text())["jobs"]["publish"]["steps"]
    assert "make book" in [step.get("run") for step in steps]
    (sent,) = [step["with"]["path"] for step in steps if "upload-pages" in step.get("uses", "")]
    assert sent == "_build/html"


def test_the_page_has_a_command_that_serves_the_book_and_its_model(site, browser):
    """The command of the page, on a port of its own; the model is the hardest to serve."""
    line = re.search(r"^\.venv/bin/python (-m http\.server .+)$", PAGE, re.MULTILINE)[1]
    assert line.endswith(" 8000")
    arguments = line.replace("_build/html", str(site)).removesuffix("8000").split()
    server = subprocess.Popen(
        [sys.executable, "-u", *arguments, "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    tab = browser.new_page()
    try:
        address = re.search(r"http://[\d.:]+/", server.stdout.readline())[0]
        tab.goto(f"{address}notebooks/en/2-using-transformers/2-1-behind-the-pipeline.html")
        tab.get_by_role("button", name="Load the model").click()
        tab.get_by_text("runs in your browser now").wait_for(timeout=60_000)
    finally:
        tab.close()
        server.terminate()
        server.wait()


def test_the_unpacked_archive_opens_by_a_double_click(site, browser, tmp_path):
    hand_out(site, tmp_path / "book.zip")
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        archive.extractall(tmp_path)
    tab = browser.new_page()
    tab.goto((tmp_path / "book" / "START-HERE.html").as_uri())
    tab.wait_for_url("**/site/book/welcome.html")
    tab.goto((tmp_path / "book" / "site" / "search.html").as_uri() + "?q=padding")
    tab.locator("#search-results a", has_text="Several sequences").first.wait_for()
    tab.close()


def test_the_answers_to_the_questions_are_at_the_end_of_the_pdf(site, browser, tmp_path):
    from pypdf import PdfReader

    from helpers.practice.quizzes import read_questions
    from tools.print_book import print_book

    names = ["notebooks/en/2-using-transformers/2-3-tokenizers", "book/welcome"]
    starts = print_book(browser, site, tmp_path / "book.pdf", names)
    printed = [
        " ".join(page.extract_text().split()) for page in PdfReader(tmp_path / "book.pdf").pages
    ]
    assert printed[-1].startswith("Answers to the questions")
    before, after = " ".join(printed[: starts["book/welcome"]]), printed[-1]
    for question in read_questions("2-3"):
        (right,) = [choice for choice in question.choices if choice.right]
        words = " ".join(question.text.split()).split("`")[0]
        assert words in before
        assert words in after
        assert right.why.split("`")[0] not in before
        assert right.why.split("`")[0] in after


def test_the_whole_book_is_printed_as_one_pdf(site, browser, tmp_path):
    from pypdf import PdfReader

    from tools.print_book import print_book

    names = ["book/welcome", "book/introduction", "book/glossary"]
    starts = print_book(browser, site, tmp_path / "book.pdf", names)
    printed = PdfReader(tmp_path / "book.pdf")
    assert list(starts) == names
    assert [0, *sorted(starts.values())[1:]] == list(starts.values())
    for name, words in zip(
        names, ("Transformers, hands on", "Introduction", "Glossary"), strict=True
    ):
        assert words in printed.pages[starts[name]].extract_text()
    assert len([one for one in printed.outline if not isinstance(one, list)]) == len(names)
    annotations = [
        reference.get_object() for page in printed.pages for reference in page.get("/Annots") or []
    ]
    inside = [one for one in annotations if "/Dest" in one]
    assert inside, "links between pages lead to pages of the PDF"
    addresses = [str(one["/A"].get("/URI", "")) for one in annotations if "/A" in one]
    assert not any("127.0.0.1" in address for address in addresses)
