"""Compare a picture in the browser with the one that Python draws."""

import re

from bs4 import BeautifulSoup


def shape(html):
    """Reduce a picture to what it shows: elements, classes, widths, text."""

    def reduced(element):
        if isinstance(element, str):
            return str(element)
        style = dict(
            (looks(part.strip()) for part in declaration.split(":"))
            for declaration in element.get("style", "").split(";")
            if declaration.strip()
        )
        kept = ("class", "scope", "colspan", "role", "tabindex", "aria-hidden")
        attributes = {name: element[name] for name in kept if element.has_attr(name)}
        return element.name, attributes, style, [reduced(child) for child in element.children]

    picture = BeautifulSoup(html, "html.parser").select_one(".book-picture")
    joined = BeautifulSoup("".join(map(str, picture.children)), "html.parser")
    return [reduced(child) for child in joined.children]


def looks(value):
    """Write a style's value one way: a browser drops zeros, and writes a gradient at length."""
    for name in ("gradient", "inset"):
        if name in value:
            return name
    return re.sub(r"\d*\.?\d+(px)?", lambda number: f"{float(number[0].rstrip('px')):g}", value)


def drawn(place):
    """Read the picture that a place on the page shows now."""
    inner = place.locator(".book-picture").evaluate("(one) => one.innerHTML")
    return shape(f"<div class='book-picture'>{inner}</div>")


def without_decimals(part):
    """Put # for each decimal number of a reduced picture: two ways to compute one differ there."""
    if isinstance(part, str):
        return re.sub(r"-?\d+\.\d+|\d+(?=%)", "#", part)
    if isinstance(part, dict):
        return {name: without_decimals(value) for name, value in part.items()}
    return type(part)(without_decimals(one) for one in part)


def wait_for(tab, place, picture, reduced=list):
    """Wait until a place shows a picture. If it never does, fail with the difference."""
    expected = reduced(shape(picture))
    for _ in range(100):
        if reduced(drawn(place)) == expected:
            return
        tab.wait_for_timeout(100)
    assert reduced(drawn(place)) == expected
