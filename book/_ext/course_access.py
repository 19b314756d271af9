"""Repairs that let everyone use a page: of the theme's faults, and of what a notebook stored."""

from bs4 import BeautifulSoup


def mend(soup: BeautifulSoup) -> None:
    """Mend a page. What is left, ``tests/test_browser.py`` would find."""
    _name_what_has_no_name(soup)
    _mend_tables(soup)


def _name_what_has_no_name(soup: BeautifulSoup) -> None:
    sidebar = soup.select_one("#pst-primary-sidebar")
    if sidebar is not None:  # the title in it stands in no other landmark
        sidebar["role"] = "region"
        sidebar["aria-label"] = "Book"
    for button in soup.select("button[title], a[title].btn"):
        if button.get_text().strip():
            # a label hides the text, and who speaks the text they see is not understood
            button.attrs.pop("aria-label", None)
        else:
            button.attrs.setdefault("aria-label", button["title"])
    for checkbox in soup.select("input.task-list-item-checkbox"):
        checkbox.attrs.setdefault("aria-label", checkbox.parent.get_text().strip())


def _mend_tables(soup: BeautifulSoup) -> None:
    """Say of each header what it heads; an empty cell above the rows' names heads nothing."""
    for header in soup.select("article th"):
        if not header.get_text().strip() and header.find("img") is None:
            header.name = "td"
            continue
        if not header.has_attr("scope"):
            many = "group" if {"colspan", "rowspan"} & header.attrs.keys() else ""
            header["scope"] = ("col" if header.find_parent("thead") else "row") + many
