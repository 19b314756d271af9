"""List the external links of the built site, each with its pages. Needs no network.

    python -m tools.list_links SITE

The strict build and ``tests/site`` check the links inside the book.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from bs4 import BeautifulSoup


def outside_links(site: Path) -> dict[str, list[str]]:
    """Map each external address to the pages that link to it, both sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in site.rglob("*.html"):
        page = path.relative_to(site).as_posix()
        if page.startswith("_static/"):
            continue
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for link in soup.select("a[href^='http:'], a[href^='https:']"):
            found[link["href"]].add(page)
    return {url: sorted(pages) for url, pages in sorted(found.items())}


def main(site: Path) -> None:
    """Print the list."""
    links = outside_links(site)
    for url, pages in links.items():
        more = f" and {len(pages) - 1} more" if len(pages) > 1 else ""
        print(f"{url}\n    {pages[0]}{more}")
    print(f"{len(links)} addresses outside the book.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
