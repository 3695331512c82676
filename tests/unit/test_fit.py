"""`brnn.fit`: known parameters come back from noisy samples, and what the data do not determine is said."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit
from uncompiled import run_uncompiled

import brnn
from brnn.cli import main
from brnn.compiler import compile_network
from brnn.fitting.recordings import recordings

TIMES = np.linspace(0.0, 8.0, 41)


def decays(**changes):
    """Cells that decay, each by itself: x = x0 exp(-A t)."""
    return brnn.Network("decays", [brnn.Layer.additive("a", 2, A=1.0, initial=[1.0, 2.0])]).with_(changes)


@pytest.fixture(scope="module")
def noisy():
    exact = np.exp(-0.7 * TIMES)[:, None] * [1.5, 2.5]
    return {"time": TIMES, "a.x": exact + 0.05 * np.random.default_rng(0).normal(size=exact.shape)}


def closed(t, A, one, two):
    return np.concatenate([one * np.exp(-A * t), two * np.exp(-A * t)])


def test_values_errors_and_covariance_are_those_of_the_closed_form(noisy):
    found = brnn.fit(decays(), noisy, ["a.A", "a.initial"], rtol=1e-10, atol=1e-12)
    values, covariance = curve_fit(closed, TIMES, noisy["a.x"].T.ravel(), [1.0, 1.0, 2.0], ftol=1e-12, xtol=1e-12)
    assert found.parameters == ("a.A", "a.initial.0", "a.initial.1")
    np.testing.assert_allclose(found.values, values, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4)
    assert found.converged
    assert not found.warnings
    assert found.freedom == 79
    np.testing.assert_allclose(
        found.intervals, values[:, None] + 1.990450 * np.sqrt(np.diag(covariance))[:, None] * [-1, 1], rtol=1e-5
    )  # Student's t of 79 degrees of freedom
    known = brnn.fit(decays(), noisy, ["a.A", "a.initial"], noise=0.1, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(known.covariance, covariance * (0.1 / found.noise) ** 2, rtol=1e-4)
    assert known.noise == 0.1
    # the profile of a nearly linear parameter is the parabola of its standard error
    profile = found.profile("a.A", points=5, width=2.0)
    np.testing.assert_allclose(profile, [4.0, 1.0, 0.0, 1.0, 4.0], rtol=0.1, atol=1e-3)
    np.testing.assert_allclose(found.predicted()[0], closed(TIMES, *found.values).reshape(2, -1).T, rtol=1e-6)


def test_each_column_has_a_noise_of_its_own(noisy):
    # the second cell, ten times as noisy: curve_fit with the same weights
    data = {"time": TIMES, "a.x[0]": noisy["a.x"][:, 0], "a.x[1]": noisy["a.x"][:, 1]}
    sigma = np.repeat([0.05, 0.5], TIMES.size)
    values, covariance = curve_fit(
        closed, TIMES, noisy["a.x"].T.ravel(), [1.0, 1.0, 2.0], sigma, True, ftol=1e-12, xtol=1e-12
    )
    given = {"a.x[0]": 0.05, "a.x[1]": 0.5}
    found = brnn.fit(decays(), data, ["a.A", "a.initial"], noise=given, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.values, values, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4)
    left = noisy["a.x"] - closed(TIMES, *found.values).reshape(2, -1).T
    assert found.sum_of_squares == pytest.approx((left**2).sum(), rel=1e-6)
    assert found.noise == pytest.approx(np.sqrt((0.05**2 + 0.5**2) / 2.0))
    np.testing.assert_allclose(found.profile("a.A", points=5, width=2.0), [4, 1, 0, 1, 4], rtol=0.2, atol=1e-3)
    whole = brnn.fit(decays(), noisy, ["a.A"], noise={"a.x": 0.05})
    assert whole.standard_errors == pytest.approx(brnn.fit(decays(), noisy, ["a.A"], noise=0.05).standard_errors)
    for wrong, says in [({"a.x": 0.1}, "'a.x' is not in the data"), ({"a.x[0]": 0.1}, r"a.x\[1\] has none")]:
        with pytest.raises(brnn.InputError, match=says):
            brnn.fit(decays(), data, ["a.A"], noise=wrong)


def test_several_recordings_that_differ_in_settings():
    layer = brnn.Layer.shunting("a", 1, A=0.5, B=2.0)
    network = brnn.Network("one", [layer], stimuli=[brnn.Stimulus("a", "excitatory", 1.0, brnn.Constant(), name="I")])
    data = []
    for strength in (0.5, 2.0):  # x = B I / (A + I) (1 - exp(-(A + I) t)) with A = 0.8, B = 1.5
        x = 1.5 * strength / (0.8 + strength) * (1.0 - np.exp(-(0.8 + strength) * TIMES))
        data.append(({"I.pattern": strength}, {"time": TIMES, "a.x.0": x}))
    found = brnn.fit(network, data, ["a.A", "a.B"])
    np.testing.assert_allclose(found.values, [0.8, 1.5], rtol=1e-6)
    assert [one.settings for one in found.recordings] == [{"I.pattern": 0.5}, {"I.pattern": 2.0}]


def test_what_the_data_do_not_determine_is_named():
    # only the product of gain and weight acts
    link = brnn.Projection("a", "a", "excitatory", brnn.Linear(gain=2.0), brnn.OneToOne(weight=0.2), name="own")
    network = brnn.Network("product", [brnn.Layer.additive("a", 1, A=1.0, initial=1.0)], [link])
    data = {"time": TIMES, "a.x[0]": np.exp(-0.5 * TIMES)}
    with pytest.warns(UserWarning, match="the data do not determine"):
        found = brnn.fit(network, data, ["own.signal.gain", "own.topology.weight"])
    assert found["own.signal.gain"] * found["own.topology.weight"] == pytest.approx(0.5, rel=1e-6)
    assert np.isinf(found.standard_errors).all()
    (says,) = [text for text in found.warnings if "do not determine" in text]
    assert "own.signal.gain" in says
    assert "own.topology.weight" in says
    assert "in units of their sizes" in says


MODELS = {
    "rcf": (
        {"A": 0.8, "B": 2.5, "signal.half": 0.4},
        {"n": 4, "initial": [0.2, 0.5, 0.7, 0.9], "signal": brnn.Sigmoid(gain=2.0, half=0.4, exponent=2.0)},
        ["rcf.x"], 10.0,
    ),
    "gated_dipole": ({"H": 0.06, "L": 0.012, "pattern": 8.0}, {}, None, None),
    "wilson_cowan": ({"c1": 15.0, "theta_e": 4.3, "pattern": 1.3}, {}, None, 30.0),
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_known_parameters_come_back(model):
    true, settings, names, duration = MODELS[model]
    network = brnn.build(model, {**settings, **true})
    result = brnn.simulate(network, duration, times=np.linspace(0.0, duration or network.duration, 120))
    random, data = np.random.default_rng(1), {}
    for name in names or [name for name in result if name.endswith(".x")]:
        data[name] = result[name] + 0.01 * float(result[name].std()) * random.normal(size=result[name].shape)
    found = brnn.fit(model, xr.Dataset(data), {name: 1.15 * value for name, value in true.items()}, settings=settings)
    errors = np.abs(found.values - list(true.values())) / found.standard_errors
    assert (errors < 3.5).all(), found
    assert (np.abs(found.values / list(true.values()) - 1.0) < 0.1).all(), found


def test_files_in_and_out(tmp_path, noisy):
    table = tmp_path / "data.csv"
    rows = [f"{t!r},{one!r},{two!r}" for t, (one, two) in zip(TIMES.tolist(), noisy["a.x"].tolist(), strict=True)]
    table.write_text("\n".join(["time,a.x[0],a.x[1]", *rows]))
    found = brnn.fit(decays(), table, ["a.A"])
    brnn.simulate(decays(**{"a.A": 0.7}), 8.0, times=TIMES, record=tmp_path / "run.h5")
    again = brnn.fit(decays(), tmp_path / "run.h5", ["a.A"])
    assert again["a.A"] == pytest.approx(0.7, rel=1e-6)
    said = json.loads(found.save(tmp_path / "fit.json").read_text())
    assert said["parameters"]["a.A"]["value"] == found["a.A"]
    with h5py.File(found.save(tmp_path / "fit.h5")) as file:
        assert file["value"][0] == found["a.A"]
    with xr.open_dataset(tmp_path / "fit.h5", engine="h5netcdf") as opened:
        assert float(opened.standard_error[0]) == found.standard_errors[0]
    assert re.search(r"a\.A +\d", repr(found))
    assert "<table>" in found._repr_html_()


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("cells.json").write_text(decays().to_json())
    exact = np.exp(-0.7 * TIMES)[:, None] * [1.0, 2.0]
    rows = [f"{t!r};{one!r};{two!r}" for t, (one, two) in zip(TIMES.tolist(), exact.tolist(), strict=True)]
    Path("cells.csv").write_text("\n".join(["t;a.x[0];a.x[1]", *rows]))
    command = ["fit", "cells.json", "--data", "cells.csv", "--free", "a.A=1.5", "--bounds", "a.A=0:3"]
    assert main([*command, "-o", "fit.json", "--plot", "fit.png", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"]["a.A"]["value"] == pytest.approx(0.7, rel=1e-6)
    assert found["parameters"]["a.A"]["highest"] == 3.0
    assert [Path(each["file"]).name for each in found["files"]] == ["fit.json", "fit.png"]
    assert main(command) == 0
    assert re.search(r"a\.A  0\.7 ", capsys.readouterr().out)
    for options, says in [
        (["--free", "a.A", "--bounds", "a.A=1"], "must be NAME=LO:HI"),
        (["--free", "a.A="], "must be NAME or NAME=START"),
        (["--free", "a.A", "-o", "fit.json"], "exists"),
    ]:
        assert main(["fit", "cells.json", "--data", "cells.csv", *options]) == 2
        assert says in capsys.readouterr().err


def test_discrete_time(monkeypatch):
    # x(t + 1) = tanh(w x(t) + b s(t)), s = 1 in steps 2 to 4
    run_uncompiled(monkeypatch)
    x = [0.3]
    for k in range(12):
        x.append(np.tanh(0.9 * x[-1] + (0.6 if 2 <= k < 5 else 0.0)))
    loop = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(weight=0.5), name="loop")
    stimulus = brnn.Stimulus("a", "excitatory", 0.2, brnn.Pulse(2.0, 5.0), name="b")
    network = brnn.Network("n", [brnn.UnitLayer("a", 1, "tanh", initial=0.3)], [loop], [stimulus])
    data = {"time": np.arange(13.0), "a.x[0]": x}
    found = brnn.fit(network, data, ["loop.topology.weight", "b.pattern"])
    np.testing.assert_allclose(found.values, [0.9, 0.6], rtol=1e-9)
    for times, free, says in [
        ([0.0, 1.5, 3.0], "b.pattern", "data: times: 1.5 is not a multiple of the step 1"),
        ([0.0, 2.0, 3.0], "b.schedule.on", "nothing depends smoothly on the times of a schedule"),
    ]:
        with pytest.raises(brnn.InputError, match=says):
            brnn.fit(network, {"time": times, "a.x[0]": x[:3]}, [free])


def bad(**changes):
    return {"time": TIMES, "a.x": np.ones((41, 2)), **changes}


BAD = [
    (bad(**{"a.x": [[np.nan, 1.0]] * 41}), ["a.A"], {}, "41 values are not finite, the first at time 0;"),
    (bad(), ["a.shape"], {}, "no derivative|no number"),
    (bad(), ["b.A"], {}, "no 'b'"),
    (bad(), ["a.initial.2"], {}, "a.initial.2: there are 2 elements, counted from 0"),
    (bad(), ["a.initial.\u00b2"], {}, "there is no '\u00b2'"),
    (bad(), {"a.A": 10**400}, {}, "is no number, so that there is no derivative by it"),
    ({"time": TIMES, "b.x": np.ones(41)}, ["a.A"], {}, "'b.x' is no variable of the network"),
    ({"time": TIMES, "a.x.7": np.ones(41)}, ["a.A"], {}, "there is no such cell"),
    ({"time": TIMES, f"a.x.{'7' * 5000}": np.ones(41)}, ["a.A"], {}, "there is no such cell"),
    (bad(), ["a.A"], {"duration": 5.0}, "the time 8 is outside of the run, which goes from 0 to 5"),
    ({"time": TIMES - 1.0, "a.x": np.ones((41, 2))}, ["a.A"], {}, "the time -1 is outside of the run"),
    ({"time": TIMES[::-1], "a.x": np.ones((41, 2))}, ["a.A"], {}, "must be finite and rise"),
    ({"a.x": np.ones((41, 2))}, ["a.A"], {}, "has no times"),
    (bad(**{"a.x": np.ones((41, 3))}), ["a.A"], {}, r"has shape \(41, 3\), must have \(41, 2\)"),
    (bad(**{"a.x": np.ones(41)}), ["a.A"], {}, r"has shape \(41,\), .* of single cells it is a.x\[0\]"),
    (bad(), ["a.A"], {"bounds": {"a.B": (0, 1)}}, "'a.B' is no free parameter"),
    (bad(), ["a.A"], {"bounds": {"a.A": (2, 3)}}, "the search begins at 1, which is outside of 2 to 3"),
    (bad(), ["a.A"], {"bounds": {"a.A": (3, 2)}}, "is not below the highest"),
    ([], ["a.A"], {}, "the list is empty"),
    (3.0, ["a.A"], {}, "is float, must be a result"),
    ("nothing.csv", ["a.A"], {}, "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "free", "options", "says"), BAD)
def test_bad_input_is_one_line(data, free, options, says):
    with pytest.raises((brnn.InputError, brnn.SpecError), match=says) as caught:
        brnn.fit(decays(), data, free, **options)
    assert "\n" not in str(caught.value)


def test_the_only_cell_needs_no_number(tmp_path):
    """dx/dt = 1 - A x: a table names x.x as the network does, or x.x[0]."""
    network = brnn.Network(
        "one", [brnn.Layer.additive("x", 1, A=0.8)], [], [brnn.Stimulus("x", "excitatory", [1.0])], duration=4.0
    )
    times = np.linspace(0.5, 4.0, 8)
    rows = "\n".join(f"{t},{(1.0 - np.exp(-0.5 * t)) / 0.5}" for t in times.tolist())
    for name in ("x.x", "x.x[0]"):
        (tmp_path / "data.csv").write_text(f'time,"{name}"\n{rows}\n')
        found = brnn.fit(network, tmp_path / "data.csv", free=["x.A"])
        assert found["x.A"] == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize("name", ["a.x[1,2]", "a.x[1, 2]", "a.x[5]", "a.x.5"])
def test_a_cell_of_a_field_is_named_as_xarray_or_a_table_does(name):
    network = brnn.Network("field", [brnn.Layer.additive("a", (2, 3), A=1.0)])
    (found,) = recordings({"time": TIMES, name: TIMES}, compile_network(network).variables)
    assert list(found.unknowns) == [5]  # the last of six, row by row
