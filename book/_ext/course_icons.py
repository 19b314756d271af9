"""The theme's icons as inline SVG, drawn for this book.

The theme loads Font Awesome, 531 KB of compressed JavaScript, for a dozen icons. As SVG in the
page they need no JavaScript, appear at once and have the color of the text.
"""

from bs4 import BeautifulSoup
from sphinx.util import logging

logger = logging.getLogger(__name__)

# SVG paths on a 24 x 24 grid, drawn with a stroke of width 2.
DRAWINGS = {
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "arrow-up": "M12 20V4M5 11l7-7 7 7",
    "bars": "M3 6h18M3 12h18M3 18h18",
    "binder": "M9 4a5 5 0 1 0 0 10 5 5 0 1 0 0-10zM15 10a5 5 0 1 0 0 10 5 5 0 1 0 0-10z",
    "box": "M3 7l9-4 9 4v10l-9 4-9-4zM3 7l9 4 9-4M12 11v10",
    "chevron-down": "M5 9l7 7 7-7",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18zM12 4v16M14.5 5v14"
    "M17 6.8v10.4M19.3 10v4",
    "colab": "M7 7a5 5 0 1 0 0 10 5 5 0 1 0 0-10zM17 7a5 5 0 1 0 0 10 5 5 0 1 0 0-10z",
    "code": "M8 6l-6 6 6 6M16 6l6 6-6 6",
    "download": "M12 3v12M6 10l6 6 6-6M4 20h16",
    "expand": "M3 9V3h6M15 3h6v6M21 15v6h-6M9 21H3v-6",
    "file": "M5 2h9l5 5v15H5zM14 2v5h5",
    "file-lines": "M5 2h9l5 5v15H5zM14 2v5h5M8 12h8M8 16h8",
    "github": "M6 3v12M6 15a3 3 0 1 0 0 6 3 3 0 1 0 0-6z"
    "M18 3a3 3 0 1 0 0 6 3 3 0 1 0 0-6zM18 9a9 9 0 0 1-9 9",
    "home": "M3 11l9-8 9 8M6 9v12h12V9",
    "jupyterhub": "M3 9c2-4 16-4 18 0M3 15c2 4 16 4 18 0M12 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2z",
    "lightbulb": "M9 21h6M9 17a7 7 0 1 1 6 0z",
    "list": "M8 6h13M8 12h13M8 18h13M3 6h1M3 12h1M3 18h1",
    "magnifying-glass": "M10 3a7 7 0 1 0 0 14 7 7 0 1 0 0-14zM15 15l6 6",
    "moon": "M20 14A8.5 8.5 0 1 1 10 4a7 7 0 0 0 10 10z",
    "outdent": "M3 5h18M11 10h10M11 14h10M3 19h18M7 9l-4 3 4 3",
    "pencil": "M4 20l1-5L16 4l4 4L9 19z",
    "play": "M6 4l13 8-13 8z",
    "print": "M7 8V3h10v5M5 17H3V8h18v9h-2M7 14h10v7H7z",
    "rocket": "M5 15c0-8 6-12 14-12 0 8-4 14-12 14zM5 15l-2 6 6-2M14 8h2v2h-2z",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 1 0 0-8zM12 1v3M12 20v3M1 12h3M20 12h3M4.2 4.2l2.1 2.1"
    "M17.7 17.7l2.1 2.1M4.2 19.8l2.1-2.1M17.7 6.3l2.1-2.1",
}
OTHER_NAMES = {
    "file-pdf": "print",  # the theme's button for a PDF opens the browser's print dialog
    "pencil-alt": "pencil",
    "bitbucket": "github",
    "gitlab": "github",
    "square-github": "github",
    "square-gitlab": "github",
}
SETS = {"fa-solid", "fas", "fa-regular", "far", "fa-brands", "fab"}
SIZES = {"fa-lg", "fa-fw", "fa-sm", "fa-xl"}


def draw_icons(soup: BeautifulSoup) -> None:
    """Replace each element that Font Awesome would fill with a drawing."""
    for element in soup.find_all(["i", "span"], class_=lambda one: one in SETS):
        classes = set(element["class"])
        names = {name[3:] for name in classes - SETS - SIZES if name.startswith("fa-")}
        name = next(iter(names), "")
        path = DRAWINGS.get(OTHER_NAMES.get(name, name))
        if path is None:
            logger.warning("The icon %r is not drawn yet: see book/_ext/course_icons.py", name)
            continue
        kept = [one for one in element["class"] if one not in SETS and not one.startswith("fa-")]
        svg = soup.new_tag(
            "svg",
            attrs={
                "class": " ".join(["icon", *(["icon-lg"] if "fa-lg" in classes else []), *kept]),
                "viewBox": "0 0 24 24",
                "aria-hidden": "true",
                "focusable": "false",
            },
        )
        if "data-mode" in element.attrs:  # the theme switch shows the one for its mode
            svg["data-mode"] = element["data-mode"]
        svg.append(soup.new_tag("path", attrs={"d": path}))
        element.replace_with(svg)
