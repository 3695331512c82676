"""The equations of lisTELOS written out by hand, and a trial integrated by SciPy between cues and saccades.

Nothing here knows a network. Sites are counted from 0; rates are those of the article's unit of 100 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.base.odes import solved

__all__ = ["noise", "rates", "stimulation", "trial"]

_SITES, _FOVEA = 81, 40
_FIELDS = ("PX", "PI", "PY", "PL", "SO", "FP", "FI", "FO", "FX", "T", "colliculus", "cues")
_RANKED = ("M", "MQ", "SX", "SI", "SY", "ZA", "ZD", "noise", "rank")
_PULL = np.array([0.0, 0.385, 0.708, 1.123, 1.599])  # W of sites that lie so far from the middle
_AT_START = {"D": -0.58, "I": -0.58, "G": 3.0 / 7.0, "N": 0.4894}  # the basal ganglia
State = dict[str, np.ndarray]


def _begin(ranks: int, eye: bool) -> State:
    """Return the state at time 0, with that of the saccade generator if there is an eye."""
    state: State = {name: np.zeros(_SITES) for name in _FIELDS}
    state |= {name: np.zeros((ranks, _SITES)) for name in _RANKED}
    state |= {gate: np.ones((ranks, _SITES)) for gate in ("ZA", "ZD")} | {"R": np.ones(1)}
    for loop, cells in (("M", 1), ("B", _SITES), ("G", _SITES)):
        state |= {loop + kind: np.full(cells, value) for kind, value in _AT_START.items()}
    if eye:
        state |= {"burst": np.zeros(_SITES), "omnipause": np.array([6.0 / 7.0]), "tonic": np.full(4, 0.5)}
        state |= {name: np.zeros(4) for name in ("long_lead", "excitatory_burst", "inhibitory_burst")}
    return state


def _hill(x: np.ndarray, half: float, n: int) -> np.ndarray:
    return np.asarray(x**n / (half**n + x**n))


def _cut(x: np.ndarray, at: float) -> np.ndarray:
    return np.where(x >= at, x, 0.0)


def _others(x: np.ndarray) -> np.ndarray:
    return np.asarray(x.sum() - x)


def _moved(x: np.ndarray, by: int) -> np.ndarray:
    """Return x with cell k at k + by; what leaves the map is lost."""
    result = np.zeros(_SITES)
    result[max(0, by) : _SITES + min(0, by)] = x[max(0, -by) : _SITES - max(0, by)]
    return result


def rates(s: State, gaze: int, sigma: np.ndarray, mu: float, drive: Any = 0.0) -> State:
    """Return the rates per 100 ms; `sigma` is the stimulation of each site, `drive` that of the noise per ms."""
    PX, PI, PY, PL, M, SY, SX, SI = (s[name] for name in ("PX", "PI", "PY", "PL", "M", "SY", "SX", "SI"))
    SO, FP, FI, FO, FX, C = (s[name] for name in ("SO", "FP", "FI", "FO", "FX", "colliculus"))
    by, elsewhere = gaze - _FOVEA, np.arange(_SITES) != _FOVEA
    f1 = np.where(PX**2 >= 0.1, PX**2, 0.0)
    item = elsewhere * _moved(elsewhere * _cut(PY, 0.4), by)
    attended, plan = _moved(_hill(FP, 0.4, 3), by), _moved(np.maximum(SO - 0.2, 0.0), -by)
    q, f10 = np.maximum(PL - 0.25, 0.0), _hill(FO, 0.4, 10)
    found = {
        "PX": 10 * (-PX + (1 - PX) * _moved(s["cues"], -by)),
        "PI": 10 * (-PI + (1 - PI) * f1),
        "PY": 10 * (-0.2 * PY + (1 - PY) * 20 * f1 - 300 * PY * PI**2),
        "PL": 10 * (-PL + (1 - PL) * (4 * _hill(PY, 0.2, 2) + _hill(PL, 0.4, 3) + 2 * FO)
                    - PL * (1 + 100 * _others(PL**4) + 0.3 * _others(FO))),
        "M": -0.1 * M + (1 - M) * (0.7 * _cut(M, 0.05) * (1 + s["noise"]) + 2 * mu * s["rank"] * item)
             - M * (0.4 * _others(s["MQ"]) + 1000 * np.maximum(SY - 0.5, 0.0)),
        "MQ": -0.1 * s["MQ"] + (1 - s["MQ"]) * 0.2 * M,
        "SX": -2 * SX + (1 - SX) * (0.9 * _cut(M, 0.05) * s["R"] + 10 * s["ZA"] * SY**2 + sigma)
              - SX * _hill(SI, 0.2, 2),
        "SI": 10 * (-2 * SI + (1 - SI) * (2 * _others(_hill(SX, 0.5, 4)) + sigma)),
        "SY": 10 * (-2 * SY + (1 - SY) * (25 * s["ZD"] * SX**2 + sigma) - 15 * SY * _hill(SI, 0.2, 2)),
        "ZD": 0.1 * (1 - s["ZD"]) - s["ZD"] * (SX**2 + 20 * SX**4),
        "ZA": 0.01 * (1 - s["ZA"]) - s["ZA"] * (SY**2 + 25 * SY**4),
        "SO": 10 * (-SO + (1 - SO) * (10 * (SY > 0.5).sum(axis=0) + sigma) * (1 + 1.5 * attended)
                    - 0.6 * SO * _others(attended)),
        "FP": 10 * (-2 * FP + (1 - FP) * (PL + 20 * plan) - FP * (2 * FI + 5 * FX + _others(plan))),
        "FI": 10 * (-0.1 * FI + (1 - FI) * (_others(_hill(FP, 0.2, 2)) + 0.8 * _others(PL))),
        "FO": 10 * (-FO + (1 - FO) * 3 * FP * s["T"] - 6 * FO * FX),
        "FX": -2 * FX + (1 - FX) * 100 * (C > 0.3),
        "R": 20 * (-0.1 * s["R"] + (1 - s["R"]) * 20 * (s["MN"] < 0.3)),
        "T": 15 * (-0.1 * s["T"] + (1 - s["T"]) * 10 * (s["BN"] < 0.3)),
        "colliculus": (1 - C) * (50 * _hill(PL, 0.5, 4) + 40 * _hill(FO, 0.5, 4))
                      - C * (800 * np.maximum(s["GN"] - 0.3, 0.0) + 10),
        "noise": 100 * (drive - s["noise"]),
    }  # fmt: skip
    driven: dict[str, tuple[Any, Any, Any]] = {
        "M": (50.0, 0.0, 400 * q[_FOVEA]),
        "B": (3 * PL + 20 * FP, 9 * FP.sum(), 0.0),
        "G": (50 * q + 100 * f10, 20 * (q.sum() + f10.sum()), 5 * elsewhere * q[_FOVEA]),
    }
    for loop, (d, i, j) in driven.items():
        D, I, G, N = (s[loop + kind] for kind in "DIGN")
        found[loop + "D"] = (1 - D) * d - (D + 0.58) * (1 + i)
        found[loop + "I"] = (1 - I) * j - (I + 0.58)
        found[loop + "G"] = (1 - G) * 0.5 - (G + 1) * (0.2 + 0.8 * np.maximum(I, 0.0))
        found[loop + "N"] = (1 - N) * 100 - (N + 1) * (54 * np.maximum(D, 0.0) + 80 * np.maximum(G, 0.0))
    return found | (_moving(s) if "burst" in s else {})


def _moving(s: State) -> State:
    """Return the rates per 100 ms of what moves the eye: left, right, down and up."""
    U, L, E, B, P = (s[name] for name in ("burst", "long_lead", "excitatory_burst", "inhibitory_burst", "omnipause"))
    column, row = np.divmod(np.arange(_SITES), 9)
    W = _PULL[np.maximum([4 - column, column - 4, row - 4, 4 - row], 0)]
    there = [1, 0, 3, 2]  # the opposite directions
    g_L, g_P = _hill(L, 0.1, 4), _hill(P, 0.1, 4)
    found = {
        "long_lead": -1.3 * L + W @ np.minimum(U, 1.0) - 2 * B,
        "excitatory_burst": -3.5 * E + (2 - E) * (5 * L + 1) - (E + 1) * (10 * L[there] + 20 * g_P),
        "inhibitory_burst": -2.4 * B + 3 * E,
        "omnipause": -0.2 * P + (1 - P) * 1.2 - 3.5 * (P + 0.4) * g_L.sum(),
    }
    found = {name: np.where((s[name] <= 0.0) & (rate < 0.0), 0.0, rate) for name, rate in found.items()}
    found["tonic"] = 0.1 * (E - E[there])
    return {"burst": -4 * U} | {name: 2 * rate for name, rate in found.items()}


def stimulation(p: Any, time: float) -> np.ndarray:
    """Return the stimulation of each site, a Gaussian of 3 sites on the field of 9 by 9."""
    at, site = np.arange(_SITES), p.site - 1
    far = (at % 9 - site % 9) ** 2 + (at // 9 - site // 9) ** 2
    return np.asarray(p.strength * np.exp(-far / 18.0) * (p.stimulation[0] < time < p.stimulation[1]))


def noise(p: Any, ranks: int, interval: int) -> np.ndarray:
    """Return the drive of the noise in an interval of 5 ms; what is 10 deviations below its mean is cut off."""
    drawn = np.random.default_rng([p.seed, interval]).standard_normal((ranks, _SITES))
    return np.asarray(p.working_memory_noise * np.sqrt(1.0 / 36.0 / 5.0) * np.maximum(drawn, -10.0))


def trial(p: Any, ranks: int, rtol: float) -> tuple[State, list[tuple[float, int]]]:
    """Return the state at the end of a trial, and the saccades: when (ms), and to which site (from 1)."""
    state, gaze, looked, seen, t = _begin(ranks, p.eye), p.gaze - 1, [], 0, 0.0
    names = [name for name in state if name not in ("cues", "rank")]
    shapes, ends = [state[name].shape for name in names], np.cumsum([state[name].size for name in names])
    shown = [(time + 50.0, on, k) for on, all_ in ((1, p.onsets), (0, p.offsets)) for k, time in enumerate(all_)]
    stops = {*(time for time, *_ in shown), *p.stimulation, *np.arange(5.0, p.duration, 5.0), p.duration}
    now: Any = None

    def parts(u: np.ndarray) -> State:
        found = zip(names, np.split(u, ends[:-1]), shapes, strict=True)
        return {name: part.reshape(shape) for name, part, shape in found}

    def passes(_: float, u: np.ndarray) -> float:
        return float(parts(u)["colliculus"].max() - 0.3)

    def velocity(_: float, u: np.ndarray) -> np.ndarray:
        cues, rank, gaze, sigma, drive = now
        there = rates({**parts(u), "cues": cues, "rank": rank}, gaze, sigma, p.working_memory, drive)
        return np.concatenate([0.01 * np.ravel(there[name]) for name in names])

    passes.terminal, passes.direction = True, 1.0  # type: ignore[attr-defined]  # after it -1, until the next one
    while t < p.duration:
        stop = min(time for time in stops if time > t)
        middle = 0.5 * (t + stop)
        now = state["cues"], state["rank"], gaze, stimulation(p, middle), noise(p, ranks, int(middle // 5.0))
        u = np.concatenate([state[name].ravel() for name in names])
        found = solved(velocity, (t, stop), u, "RK45", rtol=rtol, atol=1e-2 * rtol, events=passes)
        state |= parts(found.y[:, -1])
        t = float(found.t[-1])
        if len(found.t_events[0]):
            site = int(state["colliculus"].argmax())
            goal = gaze + site - _FOVEA
            if p.eye and passes.direction > 0.0:  # type: ignore[attr-defined]
                state["burst"] = np.where(np.arange(_SITES) == site, 5.0, state["burst"])
            if passes.direction > 0.0 and goal != gaze and 0 <= goal < _SITES:  # type: ignore[attr-defined]
                gaze = goal
                looked.append((t, gaze + 1))
            passes.direction *= -1.0  # type: ignore[attr-defined]
        for cue, on in [(p.cues[k] - 1, on) for time, on, k in shown if time == t]:
            state["cues"] = np.where(np.arange(_SITES) == cue, float(on), state["cues"])
            if on and cue != _FOVEA:
                state["rank"] = np.outer(np.arange(ranks) == seen, np.arange(_SITES) != _FOVEA).astype(float)
                seen += 1
    return state, looked
