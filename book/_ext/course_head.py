"""The head of a page: only the scripts that it uses, and its description."""

import functools
import re
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.element import Script

# Scripts of the theme and its extensions, with a selector of the elements that need the script. The
# file names are theirs and may change: test_the_files_of_the_theme_have_these_names names them.
USES = {
    "clipboard.min.js": "div.highlight",
    "copybutton.js": "div.highlight",
    "design-tabs.js": ".sd-tab-set",
    "togglebutton.js": ".toggle, .admonition.dropdown",
    "fontawesome.js": None,  # course_icons draws the icons
}
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")  # the search page's own
SHEETS = {"sphinx-design.min.css": "[class*=sd-]", "togglebutton.css": ".toggle, .dropdown"}
CARD = "_static/card.png"
LONGEST = 160  # characters of a description that a search engine shows


def load_what_is_used(soup: BeautifulSoup, page: str) -> None:
    """Remove the scripts and style sheets that a page doesn't use."""

    @functools.cache  # a search for what isn't there goes through the whole page
    def has(selector: str) -> bool:
        return soup.body.select_one(selector) is not None

    for script in soup.find_all("script"):
        name = urlsplit(script.get("src", "")).path.rpartition("/")[2]
        code = script.get_text()
        if (
            (name in USES and not (USES[name] and has(USES[name])))
            or (name in SEARCH and page != "search.html")
            or "DOCUMENTATION_OPTIONS.pagename" in code  # for a version switcher
            or (
                re.search(r"togglebuttonSelector|toggleHint|toggleOpenOnPrint", code)
                and not has(USES["togglebutton.js"])
            )
        ):
            script.extract()
    for link in soup.find_all("link", rel="stylesheet"):
        selector = SHEETS.get(urlsplit(link["href"]).path.rpartition("/")[2])
        if selector and not has(selector):
            link.extract()
    for link in soup.find_all("link", rel="preload"):
        link.extract()  # of scripts that are deferred anyway
    for noscript in soup.head.find_all("noscript"):
        noscript.extract()  # a style; book.css has it
    _join_scripts(soup)


def _join_scripts(soup: BeautifulSoup) -> None:
    """Join inline scripts that follow one another, and remove duplicates."""
    seen = set()
    for script in soup.head.find_all("script", src=False):
        if script.get_text() in seen:
            script.extract()
        seen.add(script.get_text())
    # togglebutton.js reads its settings when it starts: they must come first
    toggles = soup.head.find("script", src=re.compile(r"/togglebutton\.js"))
    for script in soup.head.find_all("script", src=False):
        if toggles is not None and "togglebuttonSelector" in script.get_text():
            toggles.insert_before(script.extract())
    for script in soup.head.find_all("script", src=False):
        before = script.find_previous_sibling()
        if before is not None and before.name == "script" and not before.get("src"):
            if "dataset.theme" in before.get_text():
                continue
            script.string = Script(f"{before.get_text()}\n{script.get_text()}")
            before.extract()


def plain_words(sheet: str) -> set[str]:
    """List the classes of highlighted words that look like the code around them.

    Parameters
    ----------
    sheet : str
        The style sheet of Pygments, ``pygments.css``, with a part for each theme.

    Returns
    -------
    set of str
        Classes such as ``n``, a name, which have the color of plain text in every theme.
    """
    plain, differ = set(), set()
    around = dict(re.findall(r"(\S+) \.highlight \{[^}]*[^-]color: (#\w+)", sheet))
    for theme, name, said in re.findall(r"(\S+) \.highlight \.(\w+) \{([^}]*)\}", sheet):
        (plain if said.strip() == f"color: {around.get(theme)}" else differ).add(name)
    return plain - differ


def leave_plain_words_alone(soup: BeautifulSoup, plain: set[str]) -> None:
    """Unwrap words that look the same without highlighting: more than half of all code.

    A phone needs time for each element before the page responds.
    """
    for word in soup.select("div.highlight pre span"):
        classes = word.get("class", [])
        if not word.contents or (len(classes) == 1 and classes[0] in plain):
            word.unwrap()


def describe(soup: BeautifulSoup, page: str, project: str, address: str) -> None:
    """Describe the page in its head, for search engines and for links that are shared.

    The description is the page's own, from ``html_meta``, or the first sentences of what it says
    under *Before you start*, or of its text.

    Parameters
    ----------
    soup : BeautifulSoup
        The page, which is changed.
    page : str
        Its path below the site's root.
    project : str
        The title of the book.
    address : str
        Where the site is published, ending with a slash; empty if nobody has said so. A link to a
        page is shared only where there is an address, and the picture needs it in full.
    """
    title = soup.title.get_text().strip()
    if title == f"{project} — {project}":  # the first page is called what the book is called
        soup.title.string = title = project
    description = soup.find("meta", {"name": "description"})
    if description is None:
        description = soup.new_tag("meta", attrs={"name": "description"})
        description["content"] = _first_sentences(soup) or f"{title}."
        soup.title.insert_after("\n    ", description)
    said = {
        "og:type": "article" if "/" in page else "website",
        "og:site_name": project,
        "og:title": title.rpartition(" — ")[0] or title,
        "og:description": description["content"],
        "og:locale": soup.html["lang"].replace("-", "_"),
    }
    if address:
        said |= {"og:url": address + page, "og:image": address + CARD}
        said |= {"og:image:width": "1200", "og:image:height": "630", "og:image:alt": project}
    for name, value in said.items():
        tag = soup.new_tag("meta", attrs={"property": name, "content": value})
        description.insert_after("\n    ", tag)
    card = {"name": "twitter:card", "content": "summary_large_image" if address else "summary"}
    description.insert_after("\n    ", soup.new_tag("meta", attrs=card))


def _first_sentences(soup: BeautifulSoup) -> str:
    paragraph = soup.select_one("article .admonition-before-you-start p:not(.admonition-title)")
    if paragraph is None:
        paragraph = soup.select_one("article section > p")
    if paragraph is None:
        return ""
    text = " ".join(paragraph.get_text().split())
    lead = paragraph.find("strong")
    if lead is not None:
        text = text.removeprefix(" ".join(lead.get_text().split())).strip()
    sentences = re.split(r"(?<=[.:;!?]) ", text)
    short = sentences[0]
    for sentence in sentences[1:]:
        if len(short) + 1 + len(sentence) > LONGEST:
            break
        short += f" {sentence}"
    if len(short) > LONGEST:
        short = short[: LONGEST - 1].rpartition(" ")[0].rstrip(",;:") + "…"
    return short


def draw_card(title: str, site: Path) -> None:
    """Draw the picture of a shared link: the title and a few tokens."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch

    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="#14181e")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1200), ylim=(0, 630))
    axes.axis("off")
    axes.text(80, 400, title, size=50, color="white", weight="bold", va="center", wrap=True)
    axes.text(
        80, 290, "An interactive course book. It runs with no network.", size=25, color="#c9d1d9"
    )
    left = 80
    for token in ("[CLS]", "hugging", "##face", "course", "[SEP]"):
        width = 40 + 20 * len(token)
        special = token.startswith("[")
        box = FancyBboxPatch(
            (left, 130),
            width,
            74,
            boxstyle="round,pad=0,rounding_size=12",
            facecolor="#1b2f4d" if special else "#1f2630",
            edgecolor="#5b9bf0" if special else "#6e7681",
            linewidth=3,
        )
        axes.add_patch(box)
        axes.text(
            left + width / 2,
            165,
            token,
            size=25,
            color="white",
            ha="center",
            va="center",
            family="monospace",
        )
        left += width + 20
    path = site / CARD
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
