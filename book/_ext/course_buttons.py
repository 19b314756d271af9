"""The buttons at the top of a page: open it elsewhere, edit it, download it.

The theme makes them from ``repository`` and ``launch_buttons`` in ``_config.yml``. This module
changes what doesn't fit this book:

* Without a repository there are no buttons that need one; the theme would stop with an error.
* A host that the theme doesn't know, such as Codeberg, gets the link to the repository and to
  Binder. The address of its editor isn't known.
* *Edit* leads to the ``.md`` of a notebook, because the ``.ipynb`` is generated.
* Colab doesn't have the package ``helpers``, so it opens the copy of the notebook that
  ``tools/copies.py`` makes. Colab reads GitHub only: the workflow *publish* puts the copies on
  the branch ``published``, at the same paths. Binder and a JupyterHub install the book, and open
  the notebook itself.
* Beside a notebook's own file there is the book's wheel, for a machine without a network.
* The icons are those of ``course_icons``: the site doesn't have the theme's pictures.
"""

import re
from collections.abc import Iterator
from pathlib import Path

HOSTS = ("github", "gitlab", "bitbucket")  # those whose editor the theme knows
COPIES = "published"  # the branch: publish.yml has the same name


def set_buttons(theme: dict) -> None:
    """Choose the buttons that the repository's address allows.

    Parameters
    ----------
    theme : dict
        The options of the theme, which are changed.
    """
    address = theme.get("repository_url", "").rstrip("/").removesuffix(".git")
    known = any(host in address for host in HOSTS)
    theme["repository_url"] = address
    theme["use_repository_button"] = bool(address)
    theme["use_edit_page_button"] = known
    if address and not known:
        theme["repository_provider"] = "github"  # the theme needs one; only its icon is used
    launch = dict(theme.get("launch_buttons", {})) if address else {}
    if not is_on_github(address):
        launch.pop("colab_url", None)
    theme["launch_buttons"] = launch


def is_on_github(address: str) -> re.Match | None:
    """Match the address of a repository on GitHub: its owner and its name."""
    return re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", address)


def adjust_buttons(app, pagename, templatename, context, doctree):
    """Change the links and icons that the theme has made."""
    branch = app.config.html_theme_options.get("repository_branch")
    for button in _buttons(context.get("header_buttons", [])):
        if button.get("label") == "source-edit-button":
            button["url"] = re.sub(r"\.ipynb\b", ".md", button["url"])
        if button.get("icon", "").startswith("_static/images/"):
            button["icon"] = f"fas fa-{button['text'].lower()}"
        if button.get("text") == "Colab":
            button["url"] = button["url"].replace(f"/blob/{branch}/", f"/blob/{COPIES}/")
        if button.get("label") == "download-buttons" and pagename.startswith("notebooks/"):
            button["buttons"].insert(1, _wheel(app, context))


def _wheel(app, context):
    """Make the button that downloads the wheel, which ``course_copies`` has built."""
    (wheel,) = Path(app.outdir).glob("*.whl")
    return {
        "type": "link",
        "url": context["pathto"](wheel.name, 1),
        "text": ".whl",
        "tooltip": "Download the book's package",
        "icon": "fas fa-box",
        "label": "download-wheel-button",
    }


def _buttons(entries: list[dict]) -> Iterator[dict]:
    """Give every button, those in groups too."""
    for entry in entries:
        yield entry
        yield from entry.get("buttons", [])


def setup(app):
    app.connect("html-page-context", adjust_buttons, priority=900)  # after the theme's
    return {"parallel_read_safe": True, "parallel_write_safe": True}
