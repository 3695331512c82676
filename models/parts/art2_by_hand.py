"""The equations of `brnn.models.art2`, written out by hand and integrated by SciPy from event to event."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.base.odes import solved
from brnn.models.parts.by_hand import accuracy

__all__ = ["course"]


def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return all states at these times, for `equations_by_hand`; p has the parameters of `build`."""
    n, count, m = p.pattern.shape[1], len(p.pattern), 2  # m is 4 by default
    k, settle = 1.0 / p.eps, 30.0 * p.eps
    names = {
        **dict.fromkeys(("w", "x", "v", "u", "p", "q", "r"), n),
        **dict.fromkeys(("Nw", "Nv", "Np", "Nu", "Nr"), 1),
    }
    edges = np.cumsum([0, *names.values(), m, m * n, m * n])
    on, spent, since = np.zeros(m), np.zeros(m), 0.0

    def f(x: np.ndarray) -> np.ndarray:
        return np.where(x < p.theta, 0.0, x)

    def velocity(t: float, state: np.ndarray, I: np.ndarray, go: float, on: np.ndarray, spent: np.ndarray) -> Any:
        w, x, v, u, pp, q, r, Nw, Nv, Np, Nu, Nr, y, up, down = np.split(state, edges[1:-1])
        up, down = up.reshape(m, n), down.reshape(n, m)
        g = p.d * np.clip((y - 4000.0) / 1000.0, 0.0, 1.0)
        length = [50.0 * k * (np.sqrt((z * z).sum()) - N) for z, N in ((w, Nw), (v, Nv), (pp, Np), (u, Nu), (r, Nr))]
        return np.concatenate([
            k * (-w + I + p.a * u),
            k * (w - Nw * x),
            k * (-v + f(x) + p.b * f(q)),
            k * (v - Nv * u),
            k * (-pp + u + down @ g),
            k * (pp - Np * q),
            10.0 * k * (u + p.c * pp - (Nu + p.c * Np) * r),
            *length,
            k * (-y + up @ pp + 20000.0 * on - 10000.0 * spent + go),
            (g[:, None] * (pp - up)).ravel(),
            (g * (pp[:, None] - down)).ravel(),
        ])  # fmt: skip

    def chosen(t: float, state: np.ndarray, *_: Any) -> float:
        return float(state[edges[12] : edges[13]].max() - 500.0)

    def mismatched(t: float, state: np.ndarray, *_: Any) -> float:
        return float(state[edges[11]] - p.rho)

    chosen.terminal, chosen.direction = True, 1.0  # type: ignore[attr-defined]
    mismatched.terminal, mismatched.direction = True, -1.0  # type: ignore[attr-defined]
    state = np.concatenate([np.zeros(edges[13]), np.full(m * n, p.fresh), np.zeros(m * n)])
    t, end = 0.0, float(times[-1])
    rows, registers = np.empty((len(times), state.size)), np.empty((2, len(times), m))
    rtol = accuracy() or 1e-10
    while t < end:
        place = int(t / p.each + 1e-9)
        onset, go = place * p.each, since + settle
        stop = min([e for e in (onset + p.each, onset + settle, go, end) if e > t + 1e-12])
        waits = not on.any()  # for a choice; else it may be reset
        searching = t > onset + settle - 1e-9 and not waits
        I = p.pattern[place % count] if place < count * p.cycles else np.zeros(n)
        found = solved(
            velocity, (t, stop), state, "LSODA" if accuracy() else "DOP853", rtol=rtol, atol=1e-2 * rtol,
            dense_output=True, events=[chosen] if waits else [mismatched] if searching else [],
            args=(I, 1000.0 * (t > go - 1e-9), on.copy(), spent.copy()),
        )  # fmt: skip
        inside = (times >= t) & (times <= found.t[-1])
        if inside.any():
            rows[inside] = found.sol(times[inside]).T
            registers[:, inside] = np.stack([on, spent])[:, None]
        state, t = found.y[:, -1], float(found.t[-1])
        if waits and len(found.t_events[0]):
            J = int(state[edges[12] : edges[13]].argmax())
            on[J] = spent[J] = 1.0
        elif searching and len(found.t_events[0]):
            on[:], since = 0.0, t
        elif abs(t - onset - p.each) < 1e-9:
            on[:] = spent[:] = 0.0
            since = t
            state[: edges[6]] = state[edges[12] : edges[13]] = 0.0
    parts = dict(zip([*names, "F2", "up", "down"], np.split(rows, edges[1:-1], axis=1), strict=True))
    told = {"Nw": "length_w", "Np": "length_p", "Nr": "length_r"}
    states = {f"{told.get(name, name)}.x": parts[name] for name in ("w", "x", "v", "u", "p", "q", "r", *told)}
    return {
        **states,
        "up.z": parts["up"].reshape(-1, m, n),
        "down.z": parts["down"].reshape(-1, n, m),
        "chosen.x": registers[0],
        "spent.x": registers[1],
    }
