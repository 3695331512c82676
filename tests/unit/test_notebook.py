"""What a notebook shows: HTML in which names and texts are data, and nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

import brnn
from brnn.models import gated_dipole, rcf

HOSTILE = '<script>alert("x")</script> & <b>'


class Shown(HTMLParser):
    """The tags that are opened, those that are left open, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_network() -> None:
    shown = Shown(rcf.build(n=3)._repr_html_())
    assert "dx[i]/dt = -x[i] + (3 - x[i])·(I[i] + f(x[i])) - x[i]·Σ_{k≠i} f(x[k])" in shown.text
    assert "Network rcf, Grossberg (1973)" in shown.text
    assert "AllButSelf(weight=1.0)" in shown.text
    assert shown.open == []


def test_texts_are_data() -> None:
    network = gated_dipole.build().replace(reference=HOSTILE)
    shown = Shown(network._repr_html_())
    assert HOSTILE in shown.text
    assert shown.tags == {"div", "p", "b", "pre", "details", "summary", "table", "tr", "td"}
    assert shown.open == []
    shown = Shown(brnn.Comparison(1.0, 1.5, 0.1, HOSTILE)._repr_html_())
    assert HOSTILE in shown.text
    assert "FAILED" in shown.text
    assert shown.tags <= {"div", "table", "tr", "th", "td", "p"}


def test_latex() -> None:
    text = rcf.build(n=3).replace(name="a_b")._repr_latex_()
    assert text.startswith("\\begin{align}")
    assert text.endswith("\\end{align}")
    assert "\\frac{d x" in text
