"""Accessibility repairs: of the theme, and of tables that notebooks store."""

from bs4 import BeautifulSoup


def repair(soup: BeautifulSoup) -> None:
    """Repair a page. ``tests/site/test_browser.py`` finds what is left."""
    _add_missing_labels(soup)
    _repair_tables(soup)


def _add_missing_labels(soup: BeautifulSoup) -> None:
    sidebar = soup.select_one("#pst-primary-sidebar")
    if sidebar is not None:  # its title is in no other landmark
        sidebar["role"] = "region"
        sidebar["aria-label"] = "Book"
    for button in soup.select("button[title], a[title].btn"):
        if button.get_text().strip():
            # voice control needs the visible text, and a label would hide it
            button.attrs.pop("aria-label", None)
        else:
            button.attrs.setdefault("aria-label", button["title"])
    for checkbox in soup.select("input.task-list-item-checkbox"):
        checkbox.attrs.setdefault("aria-label", checkbox.parent.get_text().strip())


def _repair_tables(soup: BeautifulSoup) -> None:
    """Give each header its scope. An empty cell in the corner is no header."""
    for header in soup.select("article th"):
        if not header.get_text().strip() and header.find("img") is None:
            header.name = "td"
            continue
        if not header.has_attr("scope"):
            many = "group" if {"colspan", "rowspan"} & header.attrs.keys() else ""
            header["scope"] = ("col" if header.find_parent("thead") else "row") + many
