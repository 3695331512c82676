"""lisTELOS: its right-hand side beside the equations written out here, tasks of one's own, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn.compiler import compile_network
from brnn.models import listelos

SITES, RANKS = 81, 3


def hill(x: np.ndarray, half: float, n: int) -> np.ndarray:
    return x**n / (half**n + x**n)


def cut(x: np.ndarray, at: float) -> np.ndarray:
    return np.where(x >= at, x, 0.0)


def others(x: np.ndarray) -> np.ndarray:
    return x.sum() - x


def moved(x: np.ndarray, by: int) -> np.ndarray:
    """Return x with cell k at k + by; what leaves the map is lost."""
    result = np.zeros(SITES)
    for k in range(SITES):
        if 0 <= k + by < SITES:
            result[k + by] = x[k]
    return result


def by_hand(s: dict[str, np.ndarray], gaze: int, sigma: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rates per 100 ms, as the page of the model has them; `gaze` is counted from 0."""
    PX, PI, PY, PL, M, SY, SX, SI = (s[name] for name in ("PX", "PI", "PY", "PL", "M", "SY", "SX", "SI"))
    SO, FP, FI, FO, FX, C = (s[name] for name in ("SO", "FP", "FI", "FO", "FX", "colliculus"))
    by = gaze - 40
    f1 = np.where(PX**2 >= 0.1, PX**2, 0.0)
    item = np.where(np.arange(SITES) == 40, 0.0, cut(PY, 0.4))
    item = np.where(np.arange(SITES) == 40, 0.0, moved(item, by))
    f7, attended = hill(SX, 0.5, 4), moved(hill(FP, 0.4, 3), by)
    plan = moved(np.maximum(SO - 0.2, 0.0), -by)
    q, f10 = np.maximum(PL - 0.25, 0.0), hill(FO, 0.4, 10)
    elsewhere = np.where(np.arange(SITES) == 40, 0.0, q[40])
    rates = {
        "PX": 10 * (-PX + (1 - PX) * moved(s["cues"], -by)),
        "PI": 10 * (-PI + (1 - PI) * f1),
        "PY": 10 * (-0.2 * PY + (1 - PY) * 20 * f1 - 300 * PY * PI**2),
        "PL": 10 * (-PL + (1 - PL) * (4 * hill(PY, 0.2, 2) + hill(PL, 0.4, 3) + 2 * FO)
                    - PL * (1 + 100 * others(PL**4) + 0.3 * others(FO))),
        "M": -0.1 * M + (1 - M) * (0.7 * cut(M, 0.05) + 2 * s["rank"] * item)
             - M * (0.4 * others(s["MQ"]) + 1000 * np.maximum(SY - 0.5, 0.0)),
        "MQ": -0.1 * s["MQ"] + (1 - s["MQ"]) * 0.2 * M,
        "SX": -2 * SX + (1 - SX) * (0.9 * cut(M, 0.05) * s["R"] + 10 * s["ZA"] * SY**2 + sigma) - SX * hill(SI, 0.2, 2),
        "SI": 10 * (-2 * SI + (1 - SI) * (2 * others(f7) + sigma)),
        "SY": 10 * (-2 * SY + (1 - SY) * (25 * s["ZD"] * SX**2 + sigma) - 15 * SY * hill(SI, 0.2, 2)),
        "ZD": 0.1 * (1 - s["ZD"]) - s["ZD"] * (SX**2 + 20 * SX**4),
        "ZA": 0.01 * (1 - s["ZA"]) - s["ZA"] * (SY**2 + 25 * SY**4),
        "SO": 10 * (-SO + (1 - SO) * (10 * (SY > 0.5).sum(axis=0) + sigma) * (1 + 1.5 * attended)
                    - 0.6 * SO * others(attended)),
        "FP": 10 * (-2 * FP + (1 - FP) * (PL + 20 * plan) - FP * (2 * FI + 5 * FX + others(plan))),
        "FI": 10 * (-0.1 * FI + (1 - FI) * (others(hill(FP, 0.2, 2)) + 0.8 * others(PL))),
        "FO": 10 * (-FO + (1 - FO) * 3 * FP * s["T"] - 6 * FO * FX),
        "FX": -2 * FX + (1 - FX) * 100 * (C > 0.3),
        "R": 20 * (-0.1 * s["R"] + (1 - s["R"]) * 20 * (s["MN"] < 0.3)),
        "T": 15 * (-0.1 * s["T"] + (1 - s["T"]) * 10 * (s["BN"] < 0.3)),
        "colliculus": (1 - C) * (50 * hill(PL, 0.5, 4) + 40 * hill(FO, 0.5, 4))
                      - C * (800 * np.maximum(s["GN"] - 0.3, 0.0) + 10),
    }  # fmt: skip
    driven = {
        "M": (50.0, 0.0, 400 * q[40]),
        "B": (3 * PL + 20 * FP, 9 * FP.sum(), 0.0),
        "G": (50 * q + 100 * f10, 20 * (q.sum() + f10.sum()), 5 * elsewhere),
    }
    for loop, (d, i, j) in driven.items():
        D, I, G, N = (s[f"{loop}{kind}"] for kind in "DIGN")
        rates[f"{loop}D"] = (1 - D) * d - (D + 0.58) * (1 + i)
        rates[f"{loop}I"] = (1 - I) * j - (I + 0.58)
        rates[f"{loop}G"] = (1 - G) * 0.5 - (G + 1) * (0.2 + 0.8 * np.maximum(I, 0.0))
        rates[f"{loop}N"] = (1 - N) * 100 - (N + 1) * (54 * np.maximum(D, 0.0) + 80 * np.maximum(G, 0.0))
    return rates


@pytest.mark.parametrize("gaze", [1, 41, 57])
def test_the_equations_are_those_of_the_code(gaze: int) -> None:
    net = listelos.build("histed_miller", gaze=gaze, site=21, stimulation=(100.0, 200.0))
    system = compile_network(net)
    u = np.random.default_rng(gaze).uniform(0.0, 0.95, system.size)
    states = {v.name.partition(".")[0]: u[v.start : v.stop].reshape(v.shape) for v in system.variables}
    states |= {gate: states[gate].reshape(RANKS, SITES) for gate in ("ZA", "ZD")}
    states["rank"] = np.zeros((RANKS, SITES))
    states["rank"][1] = np.arange(SITES) != 40
    states["cues"] = (states["cues"] > 0.8).astype(float)
    for v in system.variables:
        u[v.start : v.stop] = states[v.name.partition(".")[0]].ravel()
    at = np.arange(SITES)
    sigma = 0.4 * np.exp(-((at % 9 - 2) ** 2 + (at // 9 - 2) ** 2) / 18.0)  # site 21 is the third of the third column
    for time, strength in ((50.0, 0.0 * sigma), (150.0, sigma), (250.0, 0.0 * sigma)):
        wanted, found = by_hand(states, gaze - 1, strength), system.f(time, u)
        for v in system.variables:
            name = v.name.partition(".")[0]
            rate = np.ravel(wanted.get(name, 0.0)) * 0.01
            np.testing.assert_allclose(found[v.start : v.stop], np.broadcast_to(rate, v.size), rtol=1e-11, atol=1e-12)


def ends(net: brnn.Network, **options: Any) -> list[tuple[float, int]]:
    return listelos.saccades(brnn.simulate(net, times=[0.0, net.duration], rtol=1e-4, atol=1e-6, **options))


def test_a_task_of_ones_own_is_the_task_when_it_says_the_same() -> None:
    own = listelos.build("own", cues=[41, 14], onsets=[0, 500], offsets=[500, 1000], working_memory=False, duration=700)
    expected = ends(listelos.build("saccade", duration=700))
    assert [site for _, site in expected] == [41, 14]
    np.testing.assert_allclose(ends(own), expected, rtol=1e-6)


def test_an_eye_that_looks_at_the_fixation_point_need_not_move_there() -> None:
    net = listelos.build("saccade", gaze=41, duration=700)
    (saccade,) = ends(net)
    assert saccade[1] == 14
    assert abs(saccade[0] - 637.2) < 2.0


def test_noise_keeps_the_order_and_moves_times_by_less_than_10_ms() -> None:
    arguments = {"cues": [41, 38], "onsets": [0, 100], "offsets": [300, 200], "duration": 620}
    quiet = ends(listelos.build("own", **arguments))
    noisy = ends(listelos.build("own", working_memory_noise=1.0, seed=1, **arguments))
    assert [site for _, site in quiet] == [site for _, site in noisy] == [41, 38]
    assert 1e-3 < abs(noisy[1][0] - quiet[1][0]) < 10.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "antisaccade"}, "listelos: task = 'antisaccade': must be one of saccade, gap"),
        ({"site": 82}, "listelos: site = 82: must be a site from 1 to 81"),
        ({"site": 0}, "listelos: site = 0: must be a site"),
        ({"gaze": 90}, "listelos: gaze = 90"),
        ({"stimulation": (0.0, 10.0)}, "listelos: stimulation: needs a site"),
        ({"site": 21, "stimulation": (20.0, 10.0)}, "stimulation = 20, 10: must be two times, 0 <= on < off"),
        ({"cues": [41, 14]}, "listelos: onsets: cues of one's own need cues, onsets and offsets"),
        ({"task": "own"}, "listelos: cues: cues of one's own"),
        ({"cues": [41, 99], "onsets": [0, 1], "offsets": [1, 2]}, r"cues\[1\] = 99: must be a site from 1 to 81"),
        ({"cues": [41, 14], "onsets": [0, 1], "offsets": [1]}, "have 2, 2, 1 elements"),
        ({"cues": [41, 14], "onsets": [0, 400], "offsets": [500, 900]}, "cues 0 and 1: fixation and target overlap"),
        ({"task": "own", "cues": [5, 5], "onsets": [0, 4], "offsets": [9, 9]}, "site 5 would be shown twice at once"),
        ({"cues": [41], "onsets": [5], "offsets": [5]}, "onset 5, offset 5: must be 0 <= onset < offset"),
        ({"working_memory_noise": 1.0}, "listelos: seed: working_memory_noise = 1 needs one"),
        ({"working_memory_noise": -1.0}, "listelos: working_memory_noise = -1"),
        ({"working_memory": 1}, "listelos: working_memory = 1: must be true or false"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((brnn.SpecError, brnn.InputError), match=message) as caught:
        listelos.build(**arguments)
    assert "\n" not in str(caught.value)
