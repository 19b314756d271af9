"""Publish the files of the live things: their modules, and what `tools/vendor.py` made.

The modules of ``helpers/display/live`` go to ``_static/live``, the folders of ``book/_vendor`` to
``_static/vendor``. A page that holds a live thing loads ``site.js``, which finds the rest; no other
page loads anything of it.
"""

import json
import shutil
from pathlib import Path

from sphinx.errors import ExtensionError

ROOT = Path(__file__).parents[2]
LIVE = ROOT / "helpers" / "display" / "live"
VENDOR = ROOT / "book" / "_vendor"
MARK = "data-live="


def check(app):
    """Stop the build if a download of the live things is missing."""
    missing = [
        name
        for name in ("tokenizers", "onnxruntime", "models")
        if not (VENDOR / name / "complete.json").is_file()
    ]
    if missing:
        raise ExtensionError(
            f"expected {', '.join(missing)} in book/_vendor; not there. Make it, once, on a "
            "machine with a network: python -m tools.vendor"
        )


def load_live_things(app, pagename, templatename, context, doctree):
    """Let a page with a live thing load the script that finds it."""
    if MARK in context.get("body", ""):
        app.add_css_file("live/pictures.css")
        app.add_css_file("live/live.css")
        app.add_js_file("live/site.js", loading_method="defer")


def copy_files(app, exception):
    """Copy the modules and what they load, and list how large each file is."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for folder in (static / "live", static / "vendor"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for path in LIVE.iterdir():
        shutil.copyfile(path, static / "live" / path.name)
    shutil.copyfile(LIVE.parent / "pictures.css", static / "live" / "pictures.css")
    sizes = {}
    for path in sorted(VENDOR.glob("[!.]*/*")):
        if path.name != "complete.json":
            name = path.relative_to(VENDOR).as_posix()
            sizes[name] = path.stat().st_size
            target = static / "vendor" / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
    (static / "vendor" / "sizes.json").write_text(json.dumps(sizes, indent=1))


def setup(app):
    app.connect("builder-inited", check)
    app.connect("html-page-context", load_live_things)
    app.connect("build-finished", copy_files, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
