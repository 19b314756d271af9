r"""Render formulas as MathML, which browsers display without a script.

``html_math_renderer: mathml`` in ``_config.yml`` turns this on. MathJax is 1.2 MB of JavaScript,
and it writes styles, which the security policy forbids.
"""

import html

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)


def to_mathml(latex: str, display: str) -> str:
    r"""Convert a formula to MathML, with its LaTeX as text alternative.

    Parameters
    ----------
    latex : str
        The formula, such as ``n^2``.
    display : str
        ``inline`` or ``block``.

    Returns
    -------
    str
        A ``<math>`` element.
    """
    mathml = convert(latex, display=display)
    return mathml.replace("<math ", f'<math alttext="{html.escape(latex)}" ', 1)


def _formula(node, display: str) -> str:
    try:
        return to_mathml(node.astext(), display)
    except Exception as error:  # latex2mathml raises errors of many classes
        logger.warning("Couldn't convert this formula: %s", error, location=node)
        return html.escape(node.astext())


def visit_inline(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math"))
    self.body.append(f"{_formula(node, 'inline')}</span>")
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({node["number"]})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f"{_formula(node, 'block')}</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
