"""The equations of `brnn.models.grip_force`, written out by hand and integrated by SciPy, trial by trial."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.models.parts.by_hand import integrated_with_lag

__all__ = ["course"]


def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return all states at these times, for `equations_by_hand`; p has the parameters of `build`."""
    k = len(p.rates)
    r, context = np.asarray(p.rates), p.go - p.lead

    def velocity(t: float, u: np.ndarray, when: float, late: np.ndarray) -> np.ndarray:
        G, D, V, P, DT, VT, PT, S, e, _, _, eT, m, B, n, q, h, w = u[:18]
        g, l, z = u[18:].reshape(3, k)
        lifts, feels = float(when > p.go), float(when > p.go + p.lag)
        C = float(context < when < context + p.context)
        above = np.maximum(g - p.threshold, 0.0)
        f = 12.0 * above**2 / (1.0 + 4.0 * above**2)
        rate = 50.0 * (-e + p.gain * feels * max(p.load - late[7], 0.0))
        sent = {"slip": e * (q > 0.0), "constant": 0.1 * (q >= 0.0)}[p.climbing]
        alone = [
            30.0 * (-G + lifts * max(t, 0.0) ** 1.4),
            30.0 * (-D + 2.0 - P),
            300.0 * (-V + G * D),
            V,
            30.0 * (-DT + 5.0 * lifts - PT),
            300.0 * (-VT + G * max(DT, 0.0)),
            VT,
            40.0 * (e + max(n, 0.0) - 3.0 * max(V, 0.0) * S),
            rate,
            lifts * max(p.load - S, 0.0),
            40.0 * eT,
            50.0 * (-eT + 0.25 * feels * max(4.0 - late[10], 0.0)),
            -0.2 * m + 10.0 * (1.0 - m) * (C + m),
            p.relay * (-B + (f * z).sum() - f.sum()),
            100.0 * (-n + m * w - 1.0 - 1.5 * B * abs(B) / (1.0 + B * B)),
            p.relay * (-q + rate),
            p.relay * (-h + sent),
            m * (-p.forgetting * w + p.potentiation * (1.0 - w) * h),
        ]
        return np.concatenate([
            alone,
            r * ((1.0 - g) * m - p.inhibition * (g + 0.1) * l),
            -0.1 * l + 5.0 * (1.0 - l) * (0.02 * m + f),
            f * ((1.0 - z) - p.depression * h * z),
        ])  # fmt: skip

    z, w, I = np.ones(k), 0.0, 0.0
    breaks = [context, context + p.context, p.go, p.go + p.lag]
    rows = []
    for j in range(p.trials):
        inside = times[(times >= j * p.trial) & (times < (j + 1) * p.trial)] - j * p.trial
        if j * p.trial > times[-1]:
            break
        begun = np.zeros(18)
        begun[[1, 3, 9, 14, 17]] = 2.0 - p.opening, p.opening, I, -1.0, w
        start = np.concatenate([begun, np.zeros(2 * k), z])
        u = integrated_with_lag(velocity, start, np.concatenate([inside, [p.trial]]), p.lag, breaks)
        rows.append(u[:-1])
        z, w, I = u[-1, 18 + 2 * k :], u[-1, 17], u[-1, 9]
    u = np.concatenate(rows)
    names = ["GO", "difference", "velocity", "aperture", "transport_difference", "transport_velocity", "transport",
             "grip", "slip", "slipped", "load_force", "load_error", "mossy", "purkinje", "nuclear", "rise",
             "climbing"]  # fmt: skip
    found = {f"{name}.x": u[:, i] for i, name in enumerate(names)} | {"collateral.z": u[:, 17]}
    return found | dict(zip(("granule.x", "golgi.x", "parallel.z"), np.split(u[:, 18:], 3, axis=1), strict=True))
