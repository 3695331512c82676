"""The page of the explorer in a real browser: Debian's Chromium, driven by Playwright. Skipped where there is none."""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest

import brnn
from brnn.cli.commands.explore import catalogue
from brnn.explore.answers import Answers
from brnn.explore.server import ExploreServer

playwright = pytest.importorskip("playwright.sync_api", reason="there is no playwright: pip install 'brnn[test]'")

SETTLED = "globalThis.brnn?.panes.every(pane => pane.settled) ?? false"
PATIENT = 180_000  # milliseconds: a structure may have to be compiled on a busy machine
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExploreServer]:
    known, _ = catalogue("rcf")
    with ExploreServer(Answers(known, tmp_path_factory.mktemp("saved"))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


class Visit:
    """A page that notes what it complains of, and whom it asks."""

    def __init__(self, browser: Any, server: ExploreServer, query: str) -> None:
        self.page = browser.new_page()
        self.page.set_viewport_size({"width": 1400, "height": 1000})
        self.page.set_default_timeout(PATIENT)
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(str(urlsplit(request.url).hostname)))
        self.page.goto(f"{server.address}?{query}")
        self.ready()

    def ready(self) -> None:
        """Wait until all is there that the last change led to; theory and the summary come when the sliders rest."""
        self.until(SETTLED)

    def until(self, condition: str) -> None:
        while not self.page.evaluate(condition):  # what waits for a function evaluates text, which is forbidden
            self.page.wait_for_timeout(50)

    def table(self, title: str) -> dict[str, list[float]]:
        """Return the first table behind a panel, by the heads of its columns."""
        figure = self.page.locator("figure", has=self.page.locator(f"figcaption:text-is('{title}')")).first
        if figure.locator("details[open]").count() == 0:
            figure.locator("summary").click()
        table = figure.locator("table").first
        table.wait_for()
        heads = table.locator("thead th").all_inner_texts()
        rows = [row.split("\t") for row in table.locator("tbody tr").all_inner_texts()]
        return {head: [float(row[k]) for row in rows if row[k].strip()] for k, head in enumerate(heads)}


@pytest.fixture(scope="module")
def visit(browser: Any, server: ExploreServer) -> Iterator[Visit]:
    found = Visit(browser, server, "model=rcf")
    yield found
    found.page.close()


def test_a_slider_moved_by_keyboard_changes_the_picture_to_the_numbers_of_simulate(visit: Visit) -> None:
    page = visit.page
    slider = page.get_by_label("B", exact=True)
    before = float(slider.input_value())
    picture = page.locator("figure canvas").first
    pixels = picture.screenshot()
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    visit.ready()
    B = float(slider.input_value())
    assert B > before
    assert picture.screenshot() != pixels
    shown = visit.table("Activities")
    result = brnn.simulate(brnn.models.rcf.build(B=B))
    times = np.array(shown["time"])
    for cell in range(10):
        (column,) = (values for head, values in shown.items() if head.split()[0] == str(cell))
        expected = np.asarray(result["rcf.x"].sel(time=times, method="nearest"))[:, cell]
        assert np.allclose(column, expected, rtol=1e-3, atol=1e-3)  # four digits are shown
    total = float(result.final("rcf").sum())
    assert f"total {total:.4g}" in page.locator(".summary[aria-live=polite]").inner_text()  # which is read aloud
    page.wait_for_url(lambda url: f"B%3D{B:g}" in url)  # the address holds the state
    print("milliseconds from slider to picture:", statistics.median(page.evaluate("brnn.panes[0].timings")[1:]))


def test_a_reload_gives_the_same_picture_and_copies_say_the_same(visit: Visit) -> None:
    page = visit.page
    said = page.locator(".summary").inner_text()
    page.reload()
    visit.ready()
    assert page.locator(".summary").inner_text() == said
    page.get_by_text("Command line and script").click()
    assert "brnn run rcf --set B=" in page.get_by_label("command line").inner_text()


def test_two_panes_a_signal_and_what_if(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="Compare two").click()
    visit.ready()
    second = page.get_by_label("second pane")
    second.get_by_label("signal", exact=True).select_option("linear")
    visit.ready()
    playwright.expect(second.get_by_label("command line")).to_contain_text("linear", timeout=PATIENT)
    page.wait_for_url(lambda url: "beside=" in url)
    second.get_by_text("What if one parameter were another?").click()
    second.get_by_text("101 runs").wait_for()
    page.get_by_role("button", name="Compare two").click()


def test_what_a_user_does(browser: Any, server: ExploreServer, tmp_path: Path) -> None:
    """Draw a pattern, load one, keep a curve, drag a slider fast, copy, save; nothing moves without being wanted."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
    one = Visit(context, server, "model=rcf")
    page = one.page
    assert page.locator("button").first.evaluate("e => getComputedStyle(e).transitionDuration") == "0s"
    editor = page.locator("canvas.drawn").first
    box = editor.bounding_box()
    page.mouse.move(box["x"] + 0.05 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.2 * box["height"], steps=30)
    page.mouse.up()
    one.ready()
    drawn = [float(part) for part in page.evaluate("brnn.panes[0].settings.get('pattern')").split(",")]
    assert len(drawn) == 10
    assert drawn == sorted(drawn)  # the line that was drawn rises
    assert drawn[-1] > 1.3 * drawn[0]
    expected = brnn.simulate(brnn.models.rcf.build(pattern=drawn)).final("rcf")
    assert f"total {float(expected.sum()):.4g}" in page.locator(".summary").inner_text()

    rows = tmp_path / "rows.csv"
    rows.write_text("0.1,0.2,0.3,0.9\n", encoding="utf-8")
    page.locator("input[type=file]").set_input_files(str(rows))
    one.until("brnn.panes[0].settings.get('pattern') === '0.1,0.2,0.3,0.9'")  # the server has read it
    one.ready()
    (tmp_path / "no.png").write_text("this is no image", encoding="utf-8")
    page.locator("input[type=file]").set_input_files(str(tmp_path / "no.png"))
    page.get_by_role("alert").filter(has_text="no.png").wait_for()

    page.get_by_role("button", name="Keep this curve in grey").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/run" in request.url else None)
    page.get_by_label("A", exact=True).evaluate("""slider => { for (let k = 1; k <= 80; k += 1) {
        slider.value = 0.02 * k; slider.dispatchEvent(new Event('input', { bubbles: true })); } }""")
    one.ready()
    assert len(asked) < 10  # of 80 values: one in flight, and the newest after it
    assert "A=1.6" in page.evaluate("brnn.panes[0].query().toString()").replace("%3D", "=")
    total = float(brnn.simulate(brnn.models.rcf.build(pattern=[0.1, 0.2, 0.3, 0.9], A=1.6)).final("rcf").sum())
    shown = page.evaluate("(run => { const x = run.variables.get('rcf.x'); return Array.from(x.values.slice(-4)); })"
                          "(brnn.panes[0].answer)")  # fmt: skip
    assert abs(sum(shown) - total) < 1e-5
    pixels = """canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let found = 0; for (let k = 0; k < data.length; k += 4)
        if (data[k] === 0xa7 && data[k + 1] === 0xad && data[k + 2] === 0xb4) found += 1; return found; }"""
    assert page.locator("figure canvas").first.evaluate(pixels) > 50  # the curve that was kept is grey

    page.get_by_role("button", name="Copy the command line").click()
    page.get_by_text("copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "brnn run rcf --set pattern=0.1,0.2,0.3,0.9 --set A=1.6 -o rcf.h5"
    page.get_by_role("button", name="Save the result").click()
    page.get_by_text("wrote ").wait_for()
    saved = brnn.open(server.answers.folder / "rcf.h5")
    assert np.isclose(float(saved.final("rcf").sum()), total, rtol=1e-6)
    saved.close()
    assert one.said == ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]  # no.png
    context.close()


def test_a_wrong_address_is_one_line_on_the_page(browser: Any, server: ExploreServer) -> None:
    wrong = Visit(browser, server, urlencode([("model", "rcf"), ("set", "C=1")]))
    assert "rcf has no parameter 'C'" in wrong.page.get_by_role("alert").inner_text()
    wrong.page.close()


@pytest.mark.parametrize("model", ["gated_dipole", "may_leonard", "wilson_cowan", "store", "brain_state_in_a_box"])
def test_other_models_are_drawn(model: str, browser: Any, server: ExploreServer, tmp_path: Path) -> None:
    one = Visit(browser, server, f"model={model}")
    assert one.said == []
    assert one.page.locator("figure canvas").count() >= 1
    assert one.page.get_by_role("alert").inner_text() == ""
    folder = Path(os.environ.get("BRNN_ARTEFACTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=str(folder / f"explore_{model}.png"), full_page=True)
    assert (folder / f"explore_{model}.png").stat().st_size > 20_000
    one.page.close()


def test_axe_finds_no_serious_fault(browser: Any, server: ExploreServer) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="there is no axe-playwright-python")
    # axe-core is put into the page as text, which the page's own policy rightly refuses.
    context = browser.new_context(bypass_csp=True)
    one = Visit(context, server, "model=rcf")
    for summary in one.page.locator("summary").all():
        summary.click()
    faults = axe.Axe().run(one.page).response["violations"]
    serious = [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in faults
               if fault["impact"] in SERIOUS]  # fmt: skip
    assert serious == []
    context.close()


def test_the_page_has_no_complaints_and_asks_nobody_else(visit: Visit) -> None:
    assert visit.said == []
    assert visit.asked == {"127.0.0.1"}
