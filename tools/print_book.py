"""Print the built site as one PDF with the browser, in the book's order.

    python -m tools.print_book SITE TARGET.pdf

The PDF has bookmarks for pages and headings. Its links between pages lead to pages of the PDF.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from urllib.parse import urldefrag

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject, NumberObject

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
    writer = PdfWriter()
    with serve(site) as address:
        tab = browser.new_page(color_scheme="light")
        tab.emulate_media(media="print", color_scheme="light")
        for name in names:
            tab.goto(f"{address}{name}.html", wait_until="networkidle")
            tab.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            printed = PdfReader(io.BytesIO(tab.pdf(**PAPER)))
            starts[name] = len(writer.pages)
            title = tab.locator("article h1").first.inner_text().rstrip("#").strip()
            writer.append(printed, outline_item=title)
        tab.close()
    _point_links_inside(writer, address, starts)
    writer.add_metadata({"/Title": title_of(site), "/Producer": "Chromium and pypdf"})
    with target.open("wb") as file:
        writer.write(file)
    return starts


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
