"""A Content-Security-Policy for every page, and pages that keep to it.

What the policy allows beyond ``default-src 'self'``, and why:

``script-src 'self'``
    Scripts are files of this site. A page with a live thing that runs the model adds
    ``'wasm-unsafe-eval'``, because the runtime is a program in WebAssembly. It doesn't allow
    JavaScript's ``eval``, and the other pages don't get it.
``img-src 'self' data:``
    The theme's style sheets hold small pictures, such as a menu's arrow, as ``data:`` addresses.
``object-src 'none'; base-uri 'none'; form-action 'self'``
    These do not follow from ``default-src``, or are stricter than it. The one form is the search.

Styles have no exception: neither MathJax nor any other script that writes styles is on the site
(formulas are MathML, see ``course_maths``). So whatever a page brings in its own text moves into
files: a script, a ``<style>``, a ``style`` attribute, which becomes a class. A handler such as
``onclick`` has a place of its own in ``book/_static/course.js``.
"""

import hashlib
import re
from pathlib import Path

from bs4 import BeautifulSoup
from sphinx.util import logging

logger = logging.getLogger(__name__)

SCRIPTS = "script-src 'self'"
POLICY = "; ".join(
    [
        "default-src 'self'",
        SCRIPTS,
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ]
)
# The live things that run the model: those that helpers/display/live/page.js gives to model.js.
RUN_THE_MODEL = ["attention", "nearest", "pipeline"]
# The theme's handlers, by what book/_static/course.js does in their stead.
HANDLERS = {"window.print()": "print", "toggleFullScreen()": "fullscreen"}
# No selector of the theme or of a picture outweighs this one, as none outweighs a style attribute.
RULE = ".{name}:not(#_) {{ {declarations} }}"


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def has_policy(soup: BeautifulSoup) -> bool:
    return soup.find("meta", {"http-equiv": "Content-Security-Policy"}) is not None


def policy_of(soup: BeautifulSoup) -> str:
    """Give the strictest policy under which all that is on a page works."""
    if soup.find(attrs={"data-live": RUN_THE_MODEL}):
        return POLICY.replace(SCRIPTS, f"{SCRIPTS} 'wasm-unsafe-eval'")
    return POLICY


def apply_policy(soup: BeautifulSoup, page: str, site: Path) -> None:
    """Move what the policy forbids into files of the site, and put the policy on the page.

    Parameters
    ----------
    soup : BeautifulSoup
        The page, which is changed.
    page : str
        Its path below `site`, such as ``book/welcome.html``.
    site : Path
        The folder of the built site.
    """
    root = "../" * page.count("/")
    _move_scripts(soup, root, site)
    _move_handlers(soup, page)
    _move_styles(soup, page, root, site)
    policy = soup.new_tag("meta", attrs={"http-equiv": "Content-Security-Policy"})
    policy["content"] = policy_of(soup)
    # it counts for what comes after it; only the encoding comes before
    charset = soup.head.find("meta", charset=True)
    charset.insert_after("\n    ", policy)


def _move_scripts(soup: BeautifulSoup, root: str, site: Path) -> None:
    """Give every script of the page a file, and let all but the very first run once it is read.

    Deferred scripts run in the order in which they stand, so that none misses another one.
    """
    for script in soup.find_all("script"):
        if script.get("type", "text/javascript") not in ("text/javascript", "module"):
            continue  # data
        if not script.get("src"):
            code = script.get_text().strip()
            name = f"_static/inline/{short_hash(code)}.js"
            _write(site / name, f"{code}\n")
            script.string = ""
            script["src"] = root + name
            if "dataset.theme" in code:  # before the page is painted, or it would flash
                continue
        if script.get("type") != "module" and not script.has_attr("async"):
            script["defer"] = ""


def _move_handlers(soup: BeautifulSoup, page: str) -> None:
    for element in soup.find_all(lambda tag: any(name.startswith("on") for name in tag.attrs)):
        for name in [name for name in element.attrs if name.startswith("on")]:
            code = element[name].strip()
            if name != "onclick" or code not in HANDLERS:
                logger.warning("%s: the policy forbids %s=%r; see course_policy", page, name, code)
                continue
            element["data-course-do"] = HANDLERS[code]
            del element[name]


def _move_styles(soup: BeautifulSoup, page: str, root: str, site: Path) -> None:
    """Collect the page's own styles in one sheet, each text once."""
    texts: dict[str, None] = {}
    for style in soup.find_all("style"):
        texts.setdefault(style.get_text().strip())
        style.extract()
    for element in soup.find_all(style=True):
        declarations = re.sub(r"\s+", " ", element["style"]).strip().rstrip(";")
        del element["style"]
        if declarations:
            name = f"s-{short_hash(declarations)[:8]}"
            texts.setdefault(RULE.format(name=name, declarations=declarations))
            element["class"] = [*element.get("class", []), name]
    if not texts:
        return
    sheet = "\n".join(texts) + "\n"
    name = f"_static/pages/{page.removesuffix('.html').replace('/', '-')}.css"
    _write(site / name, sheet)
    link = {"rel": "stylesheet", "href": f"{root}{name}?v={short_hash(sheet)[:8]}"}
    soup.head.append(soup.new_tag("link", attrs=link))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
