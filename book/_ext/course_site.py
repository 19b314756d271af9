"""Three things that Sphinx does not do by itself, for this book's site.

* A Markdown link can reach a glossary term: ``[logits](../../../book/glossary.md#term-logits)``.
  MyST resolves ``page.md#anchor`` for headings only, and notebooks need plain links, because
  JupyterLab cannot follow a Sphinx role such as ``{term}``. A link to a term that does not exist is
  a warning, and so fails the strict build.
* In the same way, it can reach a label, such as ``(devlin-2019)=`` before a paper of the
  bibliography: ``[Devlin et al., 2019](../../../book/bibliography.md#devlin-2019)``.
* A page loads no script that it has no use for. Sphinx puts MathJax (1.2 MB) on a page whose
  *children* have maths, too, and MyST-NB puts the
  widgets' state on a page even if it shows their stored HTML.
"""


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


def drop_unused_scripts(app, pagename, templatename, context, doctree):
    """Take MathJax off a page that has no equation of its own, and the widgets' state off all."""
    has_maths = app.env.get_domain("math").data["has_equations"].get(pagename, False)

    def is_used(script):
        if script.attributes.get("type") == "application/vnd.jupyter.widget-state+json":
            return False
        return has_maths or script.filename != f"_static/{app.config.mathjax_path}"

    scripts = context["script_files"]
    scripts[:] = [script for script in scripts if is_used(script)]


def setup(app):
    app.connect("env-updated", register_terms)
    app.connect("env-updated", register_labels)
    app.connect("html-page-context", drop_unused_scripts, priority=900)  # after they are added
    return {"parallel_read_safe": True, "parallel_write_safe": True}
