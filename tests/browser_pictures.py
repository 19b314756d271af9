"""Compare a picture in the browser with the one that Python draws."""

from bs4 import BeautifulSoup


def shape(html):
    """Reduce a picture to what it shows: elements, classes, widths, text."""

    def reduced(element):
        if isinstance(element, str):
            return str(element)
        style = dict(
            (part.strip() for part in declaration.split(":"))
            for declaration in element.get("style", "").split(";")
            if declaration.strip()
        )
        if style.get("width", "").endswith("%"):  # the browser drops zeros at the end
            style["width"] = float(style["width"].rstrip("%"))
        kept = ("class", "scope", "colspan", "role", "tabindex", "aria-hidden")
        attributes = {name: element[name] for name in kept if element.has_attr(name)}
        return element.name, attributes, style, [reduced(child) for child in element.children]

    picture = BeautifulSoup(html, "html.parser").select_one(".book-picture")
    joined = BeautifulSoup("".join(map(str, picture.children)), "html.parser")
    return [reduced(child) for child in joined.children]


def drawn(place):
    """Read the picture that a place on the page shows now."""
    inner = place.locator(".book-picture").evaluate("(one) => one.innerHTML")
    return shape(f"<div class='book-picture'>{inner}</div>")


def wait_for(tab, place, picture):
    """Wait until a place shows a picture. If it never does, fail with the difference."""
    expected = shape(picture)
    for _ in range(100):
        if drawn(place) == expected:
            return
        tab.wait_for_timeout(100)
    assert drawn(place) == expected
