"""Mathematics as MathML, which browsers draw themselves: the pages need no script and no other site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import latex2mathml.converter

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


_MARKS = {r"$\cdot$": "·", r"$\ge$": "≥", r"$\le$": "≤", r"\#": "#", "{align}": "{align*}"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; conf.py names it in `html_math_renderer`."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def as_mathml(latex: str, display: str) -> str:
    r"""Return LaTeX as MathML; marks in \text{} that the converter leaves as they are become what they mean."""
    for mark, meant in _MARKS.items():
        latex = latex.replace(mark, meant)
    return latex2mathml.converter.convert(latex, display=display)


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    from docutils import nodes as docutils_nodes

    self.body.append(as_mathml(node.astext(), "inline"))
    raise docutils_nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    from docutils import nodes as docutils_nodes

    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(as_mathml(node.astext(), "block"))
    self.body.append("</div>\n")
    raise docutils_nodes.SkipNode
