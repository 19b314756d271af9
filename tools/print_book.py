"""Print the built site as one PDF with the browser, in the book's order.

    python -m tools.print_book SITE TARGET.pdf

The PDF has bookmarks for pages and headings. Its links between pages lead to pages of the PDF. The
answers to the questions are on its last pages.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from urllib.parse import urldefrag

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject, NumberObject

from helpers.practice.quizzes import in_html
from tools.browsing import open_browser, serve
from tools.hand_out import title_of
from tools.toc import documents

PAPER = {
    "format": "A4",
    "margin": {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
    "print_background": True,  # bars and hatching in the pictures
    "tagged": True,  # for screen readers
    "outline": True,
    "display_header_footer": True,
    "header_template": "<span></span>",
    "footer_template": (
        '<div style="width: 100%; font: 8px sans-serif; text-align: center">'
        '<span class="title"></span></div>'
    ),
}


# Give the answers to the questions of a page: the right choice, and why it is right.
READ_ANSWERS = """() => {
  const quiz = document.querySelector(".book-live[data-live=quiz]");
  if (!quiz) return null;
  const questions = JSON.parse(quiz.dataset.state).result.questions.map((one) => {
    const right = one.choices.find((choice) => choice.right);
    return [one.question, right.text, right.why];
  });
  return [document.querySelector("article h1").firstChild.textContent, questions];
}"""
ANSWERS = """() => {
  const title = document.querySelector("article h1").firstChild.textContent;
  const rows = [...document.querySelectorAll("ol.quiz > li")].map((one) => {
    const [question, answer] = [one.querySelector("p"), one.querySelector("details")];
    answer.querySelector("summary").remove();
    const row = `<li><p>${question.innerHTML}</p>${answer.innerHTML}</li>`;
    answer.remove();
    return row;
  });
  return rows.length ? `<h2>${title}</h2><ol>${rows.join("")}</ol>` : "";
}"""
ANSWERS = """<!doctype html><html lang="en"><title>Answers</title>
<style>
body { font: 11pt/1.4 sans-serif; } li { break-inside: avoid; } li p { margin: .3em 0; }
</style>
<h1>Answers to the questions</h1>"""


def print_book(browser, site: Path, target: Path, names: list[str]) -> dict[str, int]:
    """Write the PDF.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
        The browser that prints, from `browsing.open_browser`.
    site : Path
        The built site.
    target : Path
        The PDF.
    names : list of str
        The pages, in order, as `toc.documents` lists them.

    Returns
    -------
    dict of str to int
        For each page, on which page of the PDF it begins, counted from 0.
    """
    starts: dict[str, int] = {}
    answers: list[tuple[str, list]] = []
    writer = PdfWriter()
    with serve(site) as address:
        tab = browser.new_page(color_scheme="light")
        tab.emulate_media(media="print", color_scheme="light")
        for name in names:
            tab.goto(f"{address}{name}.html", wait_until="networkidle")
            if found := tab.evaluate(READ_ANSWERS):
                answers.append(found)
            tab.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            printed = PdfReader(io.BytesIO(tab.pdf(**PAPER)))
            starts[name] = len(writer.pages)
            title = tab.locator("article h1").first.inner_text().rstrip("#").strip()
            writer.append(printed, outline_item=title)
        if answers:
            tab.set_content(answers_page(answers))
            printed = PdfReader(io.BytesIO(tab.pdf(**PAPER)))
            writer.append(printed, outline_item="Answers to the questions")
        tab.close()
    _point_links_inside(writer, address, starts)
    writer.add_metadata({"/Title": title_of(site), "/Producer": "Chromium and pypdf"})
    with target.open("wb") as file:
        writer.write(file)
    return starts


def answers_page(pages: list[tuple[str, list]]) -> str:
    """Write the answers to the questions of all pages as HTML."""
    parts = [ANSWERS]
    for title, questions in pages:
        rows = [
            f"<li><p>{in_html(question)}</p>"
            f"<p><strong>{in_html(right)}</strong> {in_html(why)}</p></li>"
            for question, right, why in questions
        ]
        parts.append(f"<h2>{in_html(title)}</h2><ol>{''.join(rows)}</ol>")
    return "".join(parts)


def _point_links_inside(writer: PdfWriter, address: str, starts: dict[str, int]) -> None:
    """Point each link to a page of the site to where that page begins in the PDF."""
    for page in writer.pages:
        for reference in page.get("/Annots") or []:
            annotation = reference.get_object()
            action = annotation.get("/A", {}).get_object() if "/A" in annotation else {}
            url = str(action.get("/URI", ""))
            if not url.startswith(address):
                continue
            name = urldefrag(url).url.removeprefix(address).removesuffix(".html")
            del annotation["/A"]
            if name in starts:
                place = writer.pages[starts[name]].indirect_reference
                annotation[NameObject("/Dest")] = ArrayObject(
                    [place, NameObject("/FitH"), NumberObject(2000)]
                )


if __name__ == "__main__":
    with open_browser() as chromium:
        print_book(chromium, Path(sys.argv[1]), Path(sys.argv[2]), documents())
