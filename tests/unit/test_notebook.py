"""What a notebook shows: HTML in which names and texts are data, and nothing else."""

from __future__ import annotations

import base64
from html import escape
from html.parser import HTMLParser
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image

import brnn
from brnn.models import gated_dipole, rcf
from brnn.plot.notebook import load_ipython_extension, result_html

HOSTILE = '<script>alert("x")</script> & <b>'


class Shown(HTMLParser):
    """The tags that are opened, those that are left open, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.pictures: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":  # which has no end
            self.pictures.append(str(dict(attrs)["src"]))
        else:
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


def size_of(source: str) -> tuple[int, int]:
    """Return the size of a picture that stands in HTML."""
    kind, _, data = source.partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(BytesIO(base64.b64decode(data))) as image:
        return image.size


def test_a_result_has_its_summary_and_its_figure() -> None:
    result = brnn.simulate(rcf.build(n=3).replace(reference=HOSTILE), 2.0)
    shown = Shown(result._repr_html_())
    assert shown.text.startswith("brnn.Result of 'rcf': complete, at t = 2")
    assert "rcf.x  (time: 201, rcf: 3)" in shown.text
    assert shown.tags == {"div", "p", "b", "pre", "img"}
    assert shown.open == []
    (picture,) = shown.pictures
    width, height = size_of(picture)
    assert width > 500
    assert height > 300


def test_a_result_without_states_says_why_there_is_no_figure() -> None:
    class Empty(dict[str, Any]):
        def __repr__(self) -> str:
            return "<brnn.Result of '<b>': failed>"

    result: Any = Empty()
    shown = Shown(result_html(result))
    assert "there is nothing to draw: no state was recorded" in shown.text
    assert shown.pictures == []
    assert shown.open == []


def test_an_extension_of_ipython_shows_sweeps() -> None:
    known: dict[str, Any] = {}
    html = SimpleNamespace(for_type_by_name=lambda module, name, function: known.update({f"{module}.{name}": function}))
    load_ipython_extension(SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": html})))
    (name,) = known
    assert name == f"{xr.Dataset.__module__}.{xr.Dataset.__name__}"
    show = known[name]
    sweep = brnn.sweep("additive", brnn.Grid(A=[1.0, 2.0, 4.0]), measures=["total"], progress=False)
    text = show(sweep)
    assert "brnn sweep: 3 members: 3 complete" in text
    size_of(text.partition('src="')[2].partition('"')[0])
    assert sweep._repr_html_()[:40] in text
    other = xr.Dataset({"a": ("member", np.arange(3))})
    assert "img" not in show(other)
    assert "brnn" not in show(other)


def test_what_was_predicted_is_a_table_beside_what_was_measured() -> None:
    result = brnn.simulate(brnn.models.rcf.build(n=2, pattern=[0.1, 0.2]), 20.0)
    compared = result.compare()
    html = compared._repr_html_()
    assert html.count("<tr>") == 1 + len(compared) + sum(bool(row.reason) for row in compared)
    assert "predicted" in html
    assert all(escape(row.cells()[1]) in html for row in compared)
