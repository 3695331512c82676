"""What goes to another process and comes back, as multiprocessing, joblib and Dask send it: in pickle."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn


def received(text: bytes) -> Any:
    return pickle.loads(text)  # noqa: S301 - made here


def network() -> brnn.Network:
    """dx/dt = -A x + 1: x = (1 - exp(-A t)) / A."""
    layer = brnn.Layer.additive("x", 1, A=0.5)
    return brnn.Network("sent", [layer], [], [brnn.Stimulus("x", "excitatory", [1.0])])


def test_a_result_in_memory() -> None:
    result = received(pickle.dumps(brnn.simulate(network(), 2.0, rtol=1e-9, atol=1e-12)))
    assert result["x.x"].values[-1] == pytest.approx(2.0 * (1.0 - np.exp(-1.0)), rel=1e-8)
    assert (result.status, result.network) == ("complete", network())
    assert (result.duration, result.solver.method) == (2.0, "Tsit5")


def test_a_result_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened again, from wherever; what was read of it goes as values, which need no file."""
    monkeypatch.chdir(tmp_path)
    with brnn.simulate(network(), 2.0, record="run.h5") as result:
        text, array = pickle.dumps(result), pickle.dumps(result["x.x"])
        expected = result["x.x"].values
    monkeypatch.chdir("/")
    with received(text) as result:
        np.testing.assert_array_equal(result["x.x"].values, expected)
        assert result.path == tmp_path / "run.h5"
    (tmp_path / "run.h5").unlink()
    np.testing.assert_array_equal(received(array).values, expected)


def test_a_sweep(tmp_path: Path) -> None:
    """As values; its measures go by their own names there, too."""
    design = brnn.Grid({"x.A": [0.5, 2.0]})
    with brnn.sweep(network(), design, duration=60.0, measures=["total", "final"], out=tmp_path / "s.h5") as data:
        text = pickle.dumps(data)
    (tmp_path / "s.h5").unlink()
    data = received(text)
    for total in (data["total"], data.total, data["x.total"]):
        np.testing.assert_allclose(total.values, [2.0, 0.5], rtol=1e-5)
    assert data["x.x"].dims == ("member", "x")
    with pytest.raises(AttributeError, match="totl"):
        data.totl  # noqa: B018


def test_predictions() -> None:
    """They are found again there, with what they measure: x = 2 at rest; one alone says why it does not go."""
    said = brnn.theory.predict(network())
    there = received(pickle.dumps(said))
    assert repr(there) == repr(said)
    first = next(iter(said))
    assert first.measurable == next(iter(there)).measurable
    with pytest.raises(TypeError, match="send all that predict"):
        pickle.dumps(first)


def test_a_fit() -> None:
    """A = 0.5 is found from x = (1 - exp(-A t)) / A, and its profile is as steep there as it is here."""
    t = np.linspace(0.5, 6.0, 12)
    table = {"time": t, "x.x": (2.0 * (1.0 - np.exp(-0.5 * t)))[:, None]}
    found = brnn.fit(network(), table, {"x.A": 1.0}, noise=0.1)
    there = received(pickle.dumps(found))
    assert there["x.A"] == found["x.A"] == pytest.approx(0.5, rel=1e-6)
    np.testing.assert_allclose(there.predicted()[0], table["x.x"], rtol=1e-5)
    np.testing.assert_allclose(there.profile("x.A", 3), found.profile("x.A", 3), rtol=1e-9)
