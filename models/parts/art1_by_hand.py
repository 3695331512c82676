"""The equations of `brnn.models.art1`, written out by hand and integrated by SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.models.parts.by_hand import integrated
from brnn.models.parts.resonance_by_hand import chosen_by_hand, search_at_rest, search_by_hand

__all__ = ["course"]


def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return all states at these times, for `equations_by_hand`; p has the parameters of `build`."""
    (count, n), m, s, L = p.pattern.shape, p.m, p.speed, p.L
    sizes = [L * a / (L - 1.0 + b) for b in range(1, n + 1) for a in range(1, b + 1)]
    T = np.unique(np.round([*sizes, *(p.fresh * L * a / (L - 1.0 + n) for a in range(1, n + 1))], 9))
    search = search_by_hand(m, s, max(1e-8, min(2e-3, 0.5 * np.diff(T).min() / m)))
    matching = (1.0 + p.D1 - p.B1) / (1.0 + p.A1 * (1.0 + p.D1) + p.C1)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        I, x, v, rest = u[:n], u[n : 2 * n], u[2 * n : 2 * n + 1], u[2 * n + 1 : 2 * n + 3 + 3 * m]
        up, down = u[-2 * m * n : -m * n].reshape(m, n), u[-m * n :].reshape(n, m)
        part = when % 3.0
        place = int(when // 3.0)
        shown = p.pattern[place % count] if part < 1.0 and place < count * p.cycles else 0.0
        f, h = chosen_by_hand(rest[:m]), np.minimum(2.0 / matching * np.maximum(x, 0.0), 1.0)
        learn = p.M * (0.7 < part < 1.0) * f
        return np.concatenate([
            4.0 * s * (shown - I),
            2.0 * s * (-x + (1.0 - p.A1 * x) * (I + p.D1 * down @ f) - (p.B1 + p.C1 * x) * f.sum()),
            4.0 * s * (-v + p.rho * I.sum() - h.sum()),
            search(rest, up @ h, v, I.sum()),
            (learn[:, None] * ((1.0 - up) * L * h - up * (h.sum() - h))).ravel(),
            (learn * (h[:, None] - down)).ravel(),
        ])  # fmt: skip

    up, down = np.full((m, n), p.fresh * L / (L - 1.0 + n)), np.ones((m, n))
    for j, V in enumerate(p.templates):
        up[j], down[j] = L * V / (L - 1.0 + V.sum()), V
    start = np.concatenate([np.zeros(2 * n + 1), search_at_rest(m), up.ravel(), down.T.ravel()])
    breaks = [3.0 * k + part for k in range(int(times[-1] / 3.0) + 1) for part in (0.0, 0.7, 1.0)]
    u = integrated(velocity, start, times, breaks)
    names = {"input.x": n, "F1.x": n, "orienting.x": 1, "F2.x": m, "arousal.x": 1, "rebound.x": m, "silence.x": 1,
             "on_channel.y": m, "up.z": m * n, "down.z": m * n}  # fmt: skip
    found = dict(zip(names, np.split(u, np.cumsum(list(names.values()))[:-1], axis=1), strict=True))
    return {**found, "up.z": found["up.z"].reshape(-1, m, n), "down.z": found["down.z"].reshape(-1, n, m)}
