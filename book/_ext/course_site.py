"""Additions to Sphinx for this book's site.

* A Markdown link can point to a glossary term: ``[logits](../../../book/glossary.md#term-logits)``.
  MyST resolves ``page.md#anchor`` for headings only, and notebooks need plain links, because
  JupyterLab can't follow a Sphinx role such as ``{term}``. A link to a missing term is a warning,
  which fails the strict build.
* A link can also point to a label, such as ``(devlin-2019)=`` before a paper of the bibliography:
  ``[Devlin et al., 2019](../../../book/bibliography.md#devlin-2019)``.
* No page contains the state of widgets. MyST-NB adds it even to pages that show stored HTML.
* Formulas are MathML (``course_maths``), and buttons lead to where a page can be run, edited or
  downloaded (``course_buttons``). What is downloaded runs without a clone (``course_copies``).
* An exercise has its solution folded below it (``course_practice``).
* After the build, each page is edited: unused scripts are removed and metadata added
  (``course_head``), icons are drawn (``course_icons``), accessibility is repaired
  (``course_access``), and the security policy is applied (``course_policy``).
* The title and the repository's address are set once, at the top of ``_config.yml``. Values that
  depend on them, such as the address on GitHub Pages, are computed here.
"""

import html
import re
import shutil
import zlib
from pathlib import Path

from bs4 import BeautifulSoup
from course_access import repair
from course_buttons import is_on_github, set_buttons
from course_head import (
    describe,
    draw_card,
    leave_plain_words_alone,
    load_what_is_used,
    plain_words,
)
from course_icons import draw_icons
from course_policy import POLICY, apply_policy, has_policy

# Where MyST keeps the anchors of a page, as {anchor: (line, id, text)} in the page's metadata. This
# name isn't documented, but MyST has no public way to add an anchor. After an upgrade,
# test_myst_finds_our_anchors in tests/site/test_site.py says if the name has changed.
MYST_ANCHORS = "myst_slugs"

# Files of the theme that no page loads.
UNUSED = [
    "_static/scripts/fontawesome.js",
    "_static/vendor/fontawesome",
    "_static/locales",
    "_static/images",
]


def register_terms(app, env):
    """Make every glossary term an anchor of its page."""
    for (kind, term), (docname, anchor) in env.get_domain("std").objects.items():
        if kind == "term":
            anchors = env.metadata[docname].setdefault(MYST_ANCHORS, {})
            target = (0, anchor, term)
            anchors[anchor] = anchors[anchor.lower()] = target


def register_labels(app, env):
    """Make every label, ``(name)=`` in MyST, an anchor of its page."""
    for label, (docname, anchor) in env.get_domain("std").anonlabels.items():
        if docname in env.metadata and anchor:
            anchors = env.metadata[docname].setdefault(MYST_ANCHORS, {})
            anchors.setdefault(label, (0, anchor, label))


def drop_widget_state(app, pagename, templatename, context, doctree):
    """Remove the state of widgets from every page."""
    scripts = context["script_files"]
    scripts[:] = [
        script
        for script in scripts
        if script.attributes.get("type") != "application/vnd.jupyter.widget-state+json"
    ]


def set_addresses(app, config):
    """Set the theme's title and repository, and the site's address on GitHub Pages."""
    theme = config.html_theme_options
    theme.setdefault("logo", {})["text"] = config.project = config.html_title
    config.myst_substitutions["book_title"] = config.html_title  # the first page's heading
    set_buttons(theme)
    on_github = is_on_github(theme["repository_url"])
    if on_github and not config.html_baseurl:
        config.html_baseurl = "https://{}.github.io/{}/".format(*on_github.groups())
    if config.html_baseurl and not config.html_baseurl.endswith("/"):
        config.html_baseurl += "/"


def finish(app, exception):
    """Edit every page after the build."""
    if exception is None and app.builder.format == "html":
        config = app.config
        site = Path(app.outdir)
        finish_pages(site, config.html_title, config.html_baseurl)
        draw_card(config.html_title, site)
        write_front_door(config.html_title, config.language, config.root_doc, site)
        drop_unused_files(site)


def finish_pages(site, title, address):
    """Edit the pages that don't have the policy yet."""
    plain = plain_words((site / "_static" / "pygments.css").read_text(encoding="utf-8"))
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        if page.startswith("_static/") or page == "index.html":
            continue
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        if has_policy(soup):
            continue
        leave_plain_words_alone(soup, plain)  # first: the page is shorter then
        load_what_is_used(soup, page)
        describe(soup, page, title, address)
        add_lowercase_anchors(soup)
        draw_icons(soup)
        repair(soup)
        apply_policy(soup, page, site)
        path.write_text(str(soup), encoding="utf-8")


def add_lowercase_anchors(soup):
    """Let ``#term-bert`` find BERT, as in the notebooks: a browser wants the same letters."""
    for term in soup.select("dt[id^=term-]"):
        if term["id"] != term["id"].lower():
            term.insert(0, soup.new_tag("span", id=term["id"].lower()))


def drop_unused_files(site):
    """Delete files of the theme that no page loads."""
    for name in UNUSED:
        path = site / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in (site / "_static").rglob("*.map"):
        path.unlink()
    for path in (site / "_static" / "styles").glob("*.css"):  # the fonts of the deleted icons
        text = path.read_text(encoding="utf-8")
        kept = re.sub(r"@font-face\{[^}]*/vendor/fontawesome/[^}]*\}", "", text)
        if kept != text:
            path.write_text(kept, encoding="utf-8")


FRONT_DOOR = """<!DOCTYPE html>
<html lang="{language}">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="{policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="refresh" content="0; url={first}">
    <title>{title}</title>
    <meta name="description" content="The way to the first page of this book.">
    <link rel="icon" href="_static/favicon.svg">
  </head>
  <body>
    <main><h1>{title}</h1><p><a href="{first}">Read the book</a></p></main>
  </body>
</html>
"""


def write_front_door(title, language, first, site):
    """Write index.html, which redirects to the first page."""
    text = FRONT_DOOR.format(
        language=language, policy=POLICY, first=f"{first}.html", title=html.escape(title)
    )
    (site / "index.html").write_text(text, encoding="utf-8")


def version_of_extensions(folder=Path(__file__).parent):
    """Give a number that changes with the code here, so that Sphinx reads every page again."""
    code = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    return zlib.crc32(code)


def setup(app):
    app.setup_extension("course_maths")
    app.setup_extension("course_practice")
    app.setup_extension("course_buttons")
    app.setup_extension("course_copies")
    app.connect("config-inited", set_addresses, priority=900)
    app.connect("env-updated", register_terms)
    app.connect("env-updated", register_labels)
    app.connect("html-page-context", drop_widget_state, priority=900)  # after they are added
    app.connect("build-finished", finish, priority=900)
    return {
        "parallel_read_safe": True,
        "parallel_write_safe": True,
        "env_version": version_of_extensions(),
    }
