"""What Sphinx does not do by itself, for this book's site.

* A Markdown link can reach a glossary term: ``[logits](../../../book/glossary.md#term-logits)``.
  MyST resolves ``page.md#anchor`` for headings only, and notebooks need plain links, because
  JupyterLab cannot follow a Sphinx role such as ``{term}``. A link to a term that does not exist is
  a warning, and so fails the strict build.
* In the same way, it can reach a label, such as ``(devlin-2019)=`` before a paper of the
  bibliography: ``[Devlin et al., 2019](../../../book/bibliography.md#devlin-2019)``.
* No page loads the widgets' state, which MyST-NB puts on a page even if it shows their stored HTML.
* Formulas are MathML (``course_maths``).
* Once the pages are written, each is finished: it loads what it uses and says what it is about
  (``course_head``), its icons are drawn (``course_icons``), everyone can use it
  (``course_access``), and it keeps to a strict policy (``course_policy``).
* The title and the repository's address stand once, at the top of ``_config.yml``: what follows
  from them, such as the address of the site on GitHub Pages, is worked out here.
"""

import html
import re
import shutil
import zlib
from pathlib import Path

from bs4 import BeautifulSoup
from course_access import mend
from course_head import (
    describe,
    draw_card,
    leave_plain_words_alone,
    load_what_is_used,
    plain_words,
)
from course_icons import draw_icons
from course_policy import POLICY, apply_policy, has_policy

# What the theme brings and no page of ours loads.
UNUSED = [
    "_static/scripts/fontawesome.js",
    "_static/vendor/fontawesome",
    "_static/locales",
    "_static/images",
]


def register_terms(app, env):
    """Add every glossary term to the anchors that MyST knows for the term's page."""
    for (kind, term), (docname, anchor) in env.get_domain("std").objects.items():
        if kind == "term":
            anchors = env.metadata[docname].setdefault("myst_slugs", {})
            target = (0, anchor, term)  # MyST's order: line, id, text
            anchors[anchor] = anchors[anchor.lower()] = target


def register_labels(app, env):
    """Add every label, ``(name)=`` in MyST, to the anchors that MyST knows for the label's page."""
    for label, (docname, anchor) in env.get_domain("std").anonlabels.items():
        if docname in env.metadata and anchor:
            anchors = env.metadata[docname].setdefault("myst_slugs", {})
            anchors.setdefault(label, (0, anchor, label))


def drop_widget_state(app, pagename, templatename, context, doctree):
    """Take the widgets' state off every page."""
    scripts = context["script_files"]
    scripts[:] = [
        script
        for script in scripts
        if script.attributes.get("type") != "application/vnd.jupyter.widget-state+json"
    ]


def work_out_addresses(app, config):
    """Let the theme know the title, the repository, and where GitHub Pages would put the site."""
    theme = config.html_theme_options
    theme.setdefault("logo", {})["text"] = config.project = config.html_title
    config.myst_substitutions["book_title"] = config.html_title  # the first page's heading
    repository = theme.get("repository_url", "")
    theme["use_repository_button"] = bool(repository)
    on_github = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?/?", repository)
    if on_github and not config.html_baseurl:
        config.html_baseurl = "https://{}.github.io/{}/".format(*on_github.groups())
    if config.html_baseurl and not config.html_baseurl.endswith("/"):
        config.html_baseurl += "/"


def finish(app, exception):
    """Finish every page that was written."""
    if exception is None and app.builder.format == "html":
        config = app.config
        site = Path(app.outdir)
        finish_pages(site, config.html_title, config.html_baseurl)
        draw_card(config.html_title, site)
        write_front_door(config.html_title, config.language, config.root_doc, site)
        drop_unused_files(site)


def finish_pages(site, title, address):
    """Finish the pages of a site which are not finished yet."""
    plain = plain_words((site / "_static" / "pygments.css").read_text(encoding="utf-8"))
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        if page.startswith("_static/") or page == "index.html":
            continue
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        if has_policy(soup):
            continue
        load_what_is_used(soup, page)
        leave_plain_words_alone(soup, plain)
        describe(soup, page, title, address)
        draw_icons(soup)
        mend(soup)
        apply_policy(soup, page, site)
        path.write_text(str(soup), encoding="utf-8")


def drop_unused_files(site):
    """Take away what the theme brings and no page loads: it would only make the site larger."""
    for name in UNUSED:
        path = site / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in (site / "_static").rglob("*.map"):
        path.unlink()
    for path in (site / "_static" / "styles").glob("*.css"):  # nothing is written in these fonts
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
    """Write the page that leads to the first one."""
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
    app.connect("config-inited", work_out_addresses, priority=900)
    app.connect("env-updated", register_terms)
    app.connect("env-updated", register_labels)
    app.connect("html-page-context", drop_widget_state, priority=900)  # after they are added
    app.connect("build-finished", finish, priority=900)
    return {
        "parallel_read_safe": True,
        "parallel_write_safe": True,
        "env_version": version_of_extensions(),
    }
