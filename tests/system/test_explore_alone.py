"""The page without a server, in a real browser: its numbers are those of `brnn.simulate`, and it asks nobody."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.cli.commands.explore import catalogue
from brnn.explore.alone.page import page_of
from brnn.explore.asked import Asked
from brnn.explore.controls import controls_of

WITHIN = 1e-8
TIMES = 21
PATIENT = 180_000  # milliseconds: the machine may be busy
COMPUTE = """([values, times]) => {
    const run = brnn.page.compute(values, Float64Array.from(times));
    return Array.from(run.states);
}"""


class Opened:
    """A page in a file, with what it complains of and whom it asks."""

    def __init__(self, browser: Any, folder: Path, model: str) -> None:
        known, name = catalogue(model)
        self.asked = Asked(known.model(name))
        self.path = folder / "page.html"
        self.path.write_text(page_of(self.asked), encoding="utf-8")
        self.page = browser.new_page()
        self.page.set_viewport_size({"width": 1300, "height": 1000})
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.set_default_timeout(PATIENT)
        self.page.goto(self.path.as_uri())
        self.page.locator(".summary:not(:empty)").wait_for()
        self.drawn()

    def drawn(self) -> None:
        """Wait until the newest values are drawn."""
        while self.page.evaluate("brnn.page.waiting") is not None:  # to wait for a function is forbidden to the page
            self.page.wait_for_timeout(50)

    @property
    def sliders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("brnn.page.network.sliders")
        return found

    def states(self, values: list[float], times: np.ndarray) -> np.ndarray:
        return np.array(self.page.evaluate(COMPUTE, [values, times.tolist()])).reshape(times.size, -1)


def moved(sliders: list[dict[str, Any]], seed: int) -> list[float]:
    """Return values of all sliders, a fifth of their way from the beginning at most."""
    rng = np.random.default_rng(seed)
    values = []
    for s in sliders:
        reach = 0.2 * (s["high"] - s["low"])
        value = float(rng.uniform(max(s["low"], s["value"] - reach), min(s["high"], s["value"] + reach)))
        values.append(s["low"] + s["step"] * round((value - s["low"]) / s["step"]) if s["stepwise"] else value)
    return values


def built(opened: Opened, values: list[float]) -> brnn.Network:
    """Return the network that Python builds of the page's values."""
    settings: dict[str, Any] = {}
    for s, value in zip(opened.sliders, values, strict=True):
        if s["group"]:
            settings.setdefault(s["group"], []).append(value)
        else:
            settings[s["name"]] = value
    # A list of patterns has a slider for each of its numbers; the build takes it in its shape.
    controls = controls_of(opened.asked, opened.asked.network())
    shapes = {control["name"]: control["shape"] for control in controls if control["kind"] == "pattern"}
    settings = {name: np.reshape(value, shapes[name]) if name in shapes else value for name, value in settings.items()}
    network: brnn.Network = opened.asked.model.module.build(**settings)
    return network


def expected(network: brnn.Network, times: np.ndarray, compiled: bool = False) -> np.ndarray:
    solver = {} if network.step is not None else {"solver": "DOP853", "rtol": 1e-12, "atol": 1e-14}
    late = any(projection.delay for projection in network.projections) and network.step is None
    if compiled or late:
        solver["solver"] = "RK45"
    result = brnn.simulate(network, float(times[-1]), times=times, **solver)
    return np.concatenate([np.asarray(result[name]).reshape(times.size, -1) for name in result], axis=1)


CHOSEN = (
    "rcf",  # competition
    "gated_dipole",  # gates
    "wilson_cowan",  # populations
    "may_leonard",  # three species
    "store",  # a working memory, its sliders in steps
    "outstar",  # learned weights
    "hartline_ratliff",  # a matrix of 100 x 100
    "membrane",  # potentials in volts
    "ltc",  # time constants that depend on inputs
    "vite",  # an input that varies all the time
    "serial_learning",  # delayed signals
    "lstm",  # discrete time, several products within a step
    "caianiello",  # discrete time with delays
    "art1",  # stiff: tens of thousands of steps; events that are only recorded
    "fuzzy_art",  # the same, and patterns that are a list of lists
)
MODELS = models.names() if os.environ.get("BRNN_PAGES") == "all" else CHOSEN  # `make pages` compares all
LONG = ("art1", "fuzzy_art")  # whose tens of thousands of steps take Python's DOP853 a minute
COMPILED = (*LONG, "saccade_generator")  # which DOP853 does not get through where cells are held at 0


@pytest.mark.parametrize("name", MODELS)
def test_the_page_integrates_to_the_numbers_of_simulate(browser: Any, tmp_path: Path, name: str) -> None:
    try:
        opened = Opened(browser, tmp_path, name)
    except brnn.InputError as refused:
        if name in CHOSEN or "\n" in str(refused):
            raise
        pytest.skip(str(refused))
    start = [s["value"] for s in opened.sliders]
    largest = 0.0
    for values in (start, moved(opened.sliders, 1)) if start and name not in LONG else (start,):
        network = built(opened, values)
        duration = float(network.duration or 20.0)
        if network.step is not None:
            times = np.arange(round(duration / network.step) + 1) * network.step
        else:
            times = np.linspace(0.0, duration, TIMES)
        found, wanted = opened.states(values, times), expected(network, times, name in COMPILED)
        size = np.maximum(np.abs(wanted), 1.0)
        largest = max(largest, float(np.max(np.abs(found - wanted) / size)))
        assert largest < WITHIN
    print(f"{name}: largest difference {largest:.1e}")
    assert not opened.said
    assert all(address.startswith(("file:", "data:")) for address in opened.requests)
    opened.page.close()


FADING = '''
"""Cells that fade, and are noticed."""
import brnn


def build(A: float = 1.0):
    """Return them.

    Parameters
    ----------
    A : float, > 0
        Decay.
    """
    layer = brnn.Layer.additive("F", 3, A=A, initial=[1.0, 0.8, 0.1])
    low = brnn.Event("low", brnn.Crossing("F", 0.25, "falling"))
    late = brnn.Event("late", brnn.Crossing("F", 0.2, "falling", "total"), schedule=brnn.Pulse(2.0, 3.0))
    return brnn.Network("fading", [layer], events=[low, late], duration=4.0)
'''


def test_crossings_are_found_where_they_are(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "fading.py").write_text(FADING, encoding="utf-8")
    opened = Opened(browser, tmp_path, str(tmp_path / "fading.py"))
    events = opened.page.evaluate("brnn.page.run.events")
    assert [(event["name"], event["cell"]) for event in events] == [("low", 1), ("low", 0), ("late", None)]
    assert np.allclose([event["time"] for event in events], np.log([3.2, 4.0, 9.5]), rtol=1e-8)
    events = opened.page.evaluate("brnn.page.compute([0.5]).events")  # in the window of `late` the total stays above
    assert np.allclose([event["time"] for event in events], 2.0 * np.log([3.2, 4.0]), rtol=1e-8)
    opened.page.close()


def test_the_formulas_that_the_beginning_does_not_show_are_those_of_the_build(browser: Any, tmp_path: Path) -> None:
    # The dipole's gates begin at rest, H K/(H + L f(I)): a ratio of five parameters.
    opened = Opened(browser, tmp_path, "gated_dipole")
    values = {s["name"]: s["value"] for s in opened.sliders} | {"H": 0.07, "L": 0.6, "K": 1.3, "I": 0.8}
    states = opened.states(list(values.values()), np.array([0.0, 1.0]))
    assert math.isclose(states[0, 6], 0.07 * 1.3 / (0.07 + 0.6 * 0.8), rel_tol=1e-10)
    opened.page.close()


def test_a_slider_moved_by_keyboard_draws_the_new_run(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, "rcf")
    page = opened.page
    assert page.locator("h2").inner_text() == "2 of 10 cells are stored, the others quenched"
    page.get_by_label("B", exact=True).focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    opened.drawn()
    assert "Recurrent competitive field" in page.locator("h2").inner_text()  # what was said of the beginning is gone
    B = float(page.get_by_label("B", exact=True).input_value())
    assert B > 3.0
    figure = page.locator("figure", has=page.locator("figcaption:text-is('Total activity: normalized')"))
    figure.locator("summary").click()
    heads = figure.locator("thead th").all_inner_texts()
    last = figure.locator("tbody tr").last.inner_text().split("\t")
    total = float(brnn.simulate(brnn.models.rcf.build(B=B)).final("rcf").sum())
    assert math.isclose(float(last[heads.index("total")]), total, rel_tol=1e-3)  # four digits are shown
    page.locator(f"pre:has-text('B={B}')").wait_for()
    picture = page.locator("figure canvas").first
    before = picture.screenshot()
    page.get_by_label("A, exact value").fill("100")
    page.get_by_label("A, exact value").press("Enter")
    page.locator(".error:has-text('A = 100: this page holds values from 0 to 4')").wait_for()
    assert picture.screenshot() == before
    assert not opened.said
    page.close()


def test_axe_finds_no_serious_fault(browser: Any, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="there is no axe-playwright-python")
    # axe-core is put into the page as text, which the page's own policy rightly refuses.
    context = browser.new_context(bypass_csp=True)
    opened = Opened(context, tmp_path, "rcf")
    for summary in opened.page.locator("summary").all():
        summary.click()
    faults = axe.Axe().run(opened.page).response["violations"]
    serious = [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in faults
               if fault["impact"] in ("serious", "critical")]  # fmt: skip
    assert serious == []
    context.close()
