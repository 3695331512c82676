"""What a notebook shows of a result and of a sweep: a summary, and a small figure.

A result needs nothing for that; a sweep is a Dataset of xarray, which brnn shows so after
``%load_ext brnn.plot.notebook``.
"""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from brnn.base.text import counted
from brnn.errors import BrnnError
from brnn.plot.run import run_figure
from brnn.plot.sweep import sweep_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from brnn.result.result import Result

__all__ = ["load_ipython_extension", "result_html", "sweep_html"]

_WIDTH = 620  # pixels of the small figure
_DPI = 110  # of which the screen shows fewer, so that it is sharp
_SWEEP = ("complete", "steady", "failed", "missing")


def result_html(result: Result) -> str:
    """Return a result as HTML: what its text says, and its figure."""
    head, *lines = repr(result).splitlines()
    picture = _picture(lambda: run_figure(result))
    return f"<div><p><b>{escape(head.strip('<>'))}</b></p>{picture}<pre>{escape(chr(10).join(lines))}</pre></div>"


def sweep_html(sweep: xr.Dataset) -> str:
    """Return a sweep as HTML: how its members ended, its figure, and what xarray shows of it; of others only that."""
    own = str(sweep._repr_html_())
    if "member" not in sweep.dims or sweep.attrs.get("kind") != "sweep":
        return own
    counts = ", ".join(f"{int(sweep.attrs[word])} {word}" for word in _SWEEP if int(sweep.attrs.get(word, 0)))
    head = f"brnn sweep: {counted(sweep.sizes['member'], 'member')}{': ' if counts else ''}{counts}"
    return f"<div><p><b>{escape(head)}</b></p>{_picture(lambda: sweep_figure(sweep))}{own}</div>"


def load_ipython_extension(ipython: Any) -> None:
    """Let a running IPython show sweeps with a summary and a figure: ``%load_ext brnn.plot.notebook``."""
    html = ipython.display_formatter.formatters["text/html"]
    html.for_type_by_name("xarray.core.dataset", "Dataset", sweep_html)


def _picture(draw: Any) -> str:
    """Return a small figure as HTML, or, if there is nothing that can be drawn, why."""
    try:
        figure: Figure = draw()
    except BrnnError as error:
        return f"<p><i>{escape(str(error))}</i></p>"
    memory = BytesIO()
    figure.savefig(memory, format="png", dpi=_DPI)
    data = base64.b64encode(memory.getvalue()).decode("ascii")
    return f'<img alt="figure" width="{_WIDTH}" src="data:image/png;base64,{data}">'
