"""What `make book`, `make pdf` and `make links` make of the built site."""

import os
import shutil
import zipfile

import pytest
from hand_out import hand_out
from list_links import outside_links
from toc import documents

FRONT_DOOR = "<html><head><title>A &amp; B</title></head><body>door</body></html>"


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


def test_the_archive_holds_the_site_and_a_door_to_it(small_site, tmp_path):
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


def test_the_whole_book_is_printed_as_one_pdf(site, browser, tmp_path):
    from print_book import print_book
    from pypdf import PdfReader

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
