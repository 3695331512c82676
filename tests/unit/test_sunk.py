"""Species that fall below the absolute tolerance and come back: said in a line, once a run."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest

import brnn
from brnn.cli import main

build = functools.partial(brnn.models.may_leonard.build, logarithmic=False)


def test_a_species_that_comes_back_from_below_atol_is_said() -> None:
    with pytest.warns(
        UserWarning, match=r"species.x\[\d\] was below .* atol = 1e-09, at t = \d+.* grew again: "
    ) as said:
        brnn.simulate(build(), 1000.0)
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        brnn.simulate(build(), 300.0)  # before any is so small
        brnn.simulate(build(initial=[0.5, 0.0, 0.2]), 300.0)  # one is not there, and one dies out
        brnn.simulate(build(), 1000.0, solver="RK45", atol=1e-300)


def test_a_species_below_zero_is_said() -> None:
    """x >= 0 is invariant; a linearly implicit step does not know."""
    with pytest.warns(UserWarning, match=r"species.x\[1\] was -5 at t = .*, though no activity of may_leonard can"):
        found = brnn.simulate(build(), 3000.0, solver="Radau")
    assert found["species.x"].values.min() < -1.0


@pytest.mark.filterwarnings("default::UserWarning")
def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "may_leonard", "--set", "logarithmic=false", "--duration", "1000"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "grew again" in said
    assert said.count("\n") == 1
    assert main([*words, "--solver", "RK45", "--atol", "1e-300"]) == 0
    assert capsys.readouterr().err == ""


def test_cells_at_rest_at_zero_are_no_fault() -> None:
    """Logistic growth from 0.1, beside an empty place: x = 1/(1 + 9 exp(-t))."""
    layer = brnn.CohenGrossbergLayer("F", 2, brnn.Function("w"), brnn.Function("1 - w"), [0.1, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = brnn.simulate(brnn.Network("logistic", [layer]), 20.0).final("F").values
    np.testing.assert_allclose(found, [1.0 / (1.0 + 9.0 * np.exp(-20.0)), 0.0], atol=1e-6)
