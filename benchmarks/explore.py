"""The explorer in a headless Chromium: how long after a slider is moved its picture is there.

Sliders are moved by the keyboard, one step at a time, and each is waited for; what theory says is drawn when they rest.
It needs Playwright and Chromium (or what CHROMIUM names).
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.measure import machine, verdict
from brnn.base.text import text_table
from brnn.cli.commands.explore import catalogue
from brnn.explore.answers import Answers
from brnn.explore.server import ExploreServer

__all__ = ["draw", "run", "summary"]

# What is shown, the slider that is moved, and how many milliseconds its picture may take.
SHOWN = (
    ("rcf, 20 cells", "model=rcf&set=n%3D20", "A", 50.0),
    ("rcf, field of 64 x 64", "model=rcf&set=n%3D64,64", "A", 200.0),
)
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
IDLE = ".pane[aria-busy=false]"
PATIENT = 180_000  # milliseconds: a structure may have to be compiled


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Returns
    -------
    dict
        Machine; for each row the median and the smallest number of milliseconds, none without Chromium or Playwright.
    """
    rows: list[dict[str, Any]] = []
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is not None:
        with tempfile.TemporaryDirectory(prefix="brnn-explore-") as folder:
            known, _ = catalogue("rcf")
            with ExploreServer(Answers(known, Path(folder))) as server, sync_playwright() as started:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                browser = started.chromium.launch(executable_path=chromium, args=OPTIONS)
                for words, query, slider, target in SHOWN:
                    found = moved(browser, f"{server.address}?{query}", slider, 3 if quick else 30)
                    rows.append(
                        {"work": words, "target": target, "median": statistics.median(found), "lowest": min(found)}
                    )
                browser.close()
                server.shutdown()
    return {"benchmark": "explore", "settings": {"quick": quick}, "machine": machine(), "rows": rows}


def moved(browser: Any, address: str, slider: str, times: int) -> list[float]:
    """Return how many milliseconds pass from a slider's move to the picture, each time."""
    page = browser.new_page()
    page.set_default_timeout(PATIENT)
    page.goto(address)
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(2000)  # theory and the what-if sweep are over
    page.get_by_label(slider, exact=True).focus()
    count = "brnn.panes[0].timings.length"
    seen: int = page.evaluate(count)
    for _ in range(times + 1):
        page.keyboard.press("ArrowRight")
        while page.evaluate(count) == seen:  # the page's policy takes no text for a condition
            page.wait_for_timeout(5)
        seen += 1
    found: list[float] = page.evaluate("brnn.panes[0].timings")
    page.close()
    return found[-times:]


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    if not report["rows"]:
        return "explore: there is no Chromium or no Playwright; nothing was measured"
    table = [
        [row["work"], f"{row['median']:.0f}", f"{row['lowest']:.0f}", f"{row['target']:.0f}"]
        + [verdict(row["target"] / row["median"], 1.0)]
        for row in report["rows"]
    ]
    heads = ["from slider to picture", "ms", "lowest", "at most", ""]
    return text_table(table, heads, right=True)


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the medians as bars."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2), layout="constrained")
    axes = figure.subplots()
    axes.barh([row["work"] for row in report["rows"]], [row["median"] for row in report["rows"]])
    axes.set(xlabel="milliseconds", title="from slider to picture")
    figure.savefig(path, dpi=150)
