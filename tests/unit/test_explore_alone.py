"""What a page without a server is made of: formulas of its sliders, and equations in JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.base.codetext import code_of
from brnn.cli.commands.explore import catalogue
from brnn.compiler.javascript import _function
from brnn.errors import InputError
from brnn.explore.alone.dependence import dependence_of
from brnn.explore.alone.formulas import Slider, ratio_text, simple_formula
from brnn.explore.alone.page import page_of
from brnn.explore.asked import Asked


def cell(values: Mapping[str, Any]) -> brnn.Network:
    """One cell whose input, start and time depend on two parameters in five ways."""
    a, b = float(values.get("a", 2.0)), float(values.get("b", 3.0))
    c = float(values.get("c", 0.5))
    layer = brnn.Layer.additive("F", 1, A=1.0, initial=a * b / (a + b))
    inputs = [
        brnn.Stimulus("F", "excitatory", 0.5 / a, brnn.Pulse(1.0, 2.0 + b)),
        brnn.Stimulus("F", "inhibitory", np.cos(c) + np.exp(-c), brnn.Pulse(1.0, 2.0 + b)),
    ]
    return brnn.Network("cell", [layer], stimuli=inputs, duration=10.0)


def test_numbers_are_formulas_of_the_sliders() -> None:
    sliders = [Slider("a", 2.0, 1.0, 4.0), Slider("b", 3.0, 1.0, 5.0), Slider("c", 0.5, 0.0, 2.0)]
    found = dependence_of(cell, sliders)
    assert [slider.name for slider in found.sliders] == ["a", "b", "c"]
    assert found.fitted == ["c"]  # no simple formula: a polynomial
    assert "0.5 / s[0]" in found.text
    assert "2.0 + 1.0 * s[1]" in found.text


def test_simple_formulas_are_found_exactly() -> None:
    x = np.array([0.3, 4.0, 1.1, 2.7, 0.9])
    for y, text in (
        (2.5 / x, "2.5 / $"),
        (np.sqrt(x), "1.0 * Math.sqrt($)"),
        (1.5 - 2.0 * np.log(x), "* Math.log($)"),
        (0.25 * np.exp(-x), "* Math.exp(-$)"),
        ((1.0 + x) / (2.0 + x), "/ ("),
    ):
        found = simple_formula(x, y)
        assert found is not None
        assert text.removeprefix("1.0 * ") in found.text
        assert np.allclose([found.value(one) for one in x], y, rtol=1e-12)
    assert simple_formula(x, np.cos(x)) is None


def test_a_slider_that_changes_the_structure_is_left_out() -> None:
    def make(values: Mapping[str, Any]) -> brnn.Network:
        late = float(values.get("late", 0.0))
        inputs = [brnn.Stimulus("F", "excitatory", 1.0, brnn.Pulse(0.0, 1.0))]
        inputs += [brnn.Stimulus("F", "excitatory", late, brnn.Pulse(2.0, 3.0))] if late else []
        return brnn.Network("cell", [brnn.Layer.additive("F", 1, A=1.0)], stimuli=inputs, duration=5.0)

    found = dependence_of(make, [Slider("late", 0.0, 0.0, 1.0)])
    assert not found.sliders
    assert "another structure" in found.left_out["late"]


def test_a_ratio_of_several_parameters_is_found_exactly() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0.1, 2.0, (90, 3))
    text = ratio_text(["H", "K", "S"], x, x[:, 0] * x[:, 1] / (x[:, 0] + x[:, 2]))
    assert text is not None
    numbers = [float(number) for number in re.findall(r"\d+\.\d+(?:e-?\d+)?", text)]
    assert np.allclose(np.array(numbers) / numbers[0], 1.0, rtol=1e-10)  # H K / (H + S)
    assert text.count("*") == 4
    assert ratio_text(["H", "K", "S"], x, np.exp(x[:, 0] * x[:, 1] - x[:, 2])) is None


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("avalanche", (), "1,625 unknowns"),
        ("leaky_competing_accumulator", ("sigma=0.1",), "it draws at random"),
    ],
)
def test_models_that_a_page_cannot_hold_say_why(name: str, settings: tuple[str, ...], why: str) -> None:
    known, _ = catalogue("rcf")
    with pytest.raises(InputError, match=rf"--html: {name}: .*{why}"):
        page_of(Asked(known.model(name), settings))


def test_events_that_do_something_are_refused(tmp_path: Path) -> None:
    network = brnn.Network(
        "resets", [brnn.Layer.additive("F", 1, A=1.0, initial=1.0)],
        events=[brnn.Event("reset", brnn.Crossing("F", 0.5, "falling"), brnn.SetState("F", 1.0))], duration=3.0,
    )  # fmt: skip
    (tmp_path / "resets.json").write_text(network.to_json(), encoding="utf-8")
    known, name = catalogue(str(tmp_path / "resets.json"))
    with pytest.raises(InputError, match="its events change the run"):
        page_of(Asked(known.model(name)))


def test_what_is_more_than_arithmetic_is_not_translated() -> None:
    def law(x: float) -> float:
        return float(np.interp(x, [0.0, 1.0], [0.0, 2.0]))

    with pytest.raises(InputError, match="law: .* is more than arithmetic"):
        list(_function(code_of(law)))


def test_a_page_names_no_other_place(tmp_path: Path) -> None:
    known, _ = catalogue("rcf")
    text = page_of(Asked(known.model("may_leonard")))
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\s'\"<]+", text)) <= {"http://www.w3.org/2000/svg"}  # a name, not an address


def later(values: Mapping[str, Any]) -> brnn.Network:
    """Two cells with inputs in units of the time constant; the first of them is 0 at the beginning."""
    tau, second = float(values.get("tau", 1.0)), float(values.get("second", 0.0))
    inputs = [brnn.Stimulus("F", "excitatory", np.array([second, 1.0]) / tau, brnn.Pulse(1.0, 2.0))]
    return brnn.Network("cells", [brnn.Layer.additive("F", 2, A=1.0 / tau)], stimuli=inputs, duration=10.0)


def longer(values: Mapping[str, Any]) -> brnn.Network:
    """One cell that runs as long as the slower of two time constants says."""
    fast, slow = values.get("fast", 1.0), values.get("slow", 1.0)
    layers = [brnn.Layer.additive(name, 1, A=1.0 / tau) for name, tau in (("F", fast), ("G", slow))]
    return brnn.Network("cell", layers, duration=40.0 * float(max(slow, fast)))


def test_what_shows_only_when_several_sliders_have_moved_is_no_formula_of_one() -> None:
    sliders = [Slider("tau", 1.0, 0.5, 2.0), Slider("second", 0.0, 0.0, 3.0)]
    found = dependence_of(later, sliders)  # along `tau` alone an input of 0 stays 0, whatever it is divided by
    assert len(found.sliders) == 1
    assert "other parameters" in next(iter(found.left_out.values()))
    found = dependence_of(longer, [Slider("fast", 1.0, 0.5, 2.0), Slider("slow", 1.0, 0.5, 2.0)])
    assert len(found.sliders) == 1  # of two the larger one is neither a sum nor a product of both
