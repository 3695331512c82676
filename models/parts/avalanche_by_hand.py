"""The equations of `brnn.models.avalanche`, written out by hand and integrated by SciPy from firing to firing."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from brnn.models.parts.by_hand import integrated_with_switches

__all__ = ["acts", "course"]


def acts(p: Any, n: int) -> list[SimpleNamespace]:
    """Return for each act when its command goes on and off, its start signal, its frames change, and its strength.

    The cells are alone for 10/A with the command; then the start signal comes, for 1.25 of a step. The act is over a
    step after the last cell has fired; 12/A later comes the next command.
    """
    commands, parts = np.array(p.replays, dtype=float), np.broadcast_to(p.stops, np.shape(p.replays))
    if p.weights is None:
        commands, parts = np.append(p.command, commands), np.append(1.0, parts)
    begin, found = 0.0, []
    for c, part in zip(commands, parts, strict=True):
        step, go = math.log(p.P / (p.P - (p.A * p.threshold - c))) / p.A, 10.0 / p.A

        def velocity(t: float, u: np.ndarray, when: float, on: Any, _: Any, c: float = c, go: float = go) -> np.ndarray:
            started = p.P * (np.arange(n) == 0) * (when > go)
            before, after = np.append(0.0, on[:-1]), np.append(on[1:], 0.0)
            dx = -p.A * u[1:] + p.P * before + p.P * on + u[0] - p.J * u[1:] * after + started
            return np.append(p.R * (c - u[0]), dx)

        _, fired = integrated_with_switches(
            velocity, np.zeros(n + 1), np.array([0.0, go + 2.0 * n * step]), lambda u: u[1:] - p.threshold, [go]
        )
        first = np.array([next(t for t, k in fired if k == cell) for cell in range(n)])
        changes = begin + np.append(first, first[-1] + step)
        off = changes[0] + part * (changes[-1] - changes[0])
        found.append(
            SimpleNamespace(c=c, on=begin, off=off, go=begin + go, end=begin + go + 1.25 * step, changes=changes)
        )
        begin = off + 12.0 / p.A
    return found


def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return all states at these times, for `equations_by_hand`; p has the parameters of `build`."""
    n, k = p.frames.shape
    every = acts(p, n)
    learned = p.weights is None

    def velocity(t: float, u: np.ndarray, when: float, on: np.ndarray, _: Any) -> np.ndarray:
        x, y, z = u[1 : n + 1], u[n + 1 : n + k + 1], u[n + k + 1 :].reshape(k, n)
        act = next((a for a in every if a.on < when < a.off), None)
        command = act.c if act else 0.0
        started = p.P * (np.arange(n) == 0) * any(a.go < when < a.end for a in every)
        before, after = np.append(0.0, on[:-1]), np.append(on[1:], 0.0)
        dx = -p.A * x + p.P * before + p.P * on + u[0] - p.J * x * after + started
        frame = np.searchsorted(every[0].changes, when) - 1
        shown = p.frames[frame] if learned and 0 <= frame < n else 0.0
        dz = p.M * on * (y[:, None] - z) if learned and every[0].on < when < every[0].off else np.zeros((k, n))
        return np.concatenate([[p.R * (command - u[0])], dx, p.S * (shown - y + 0.5 * z @ on), dz.ravel()])

    start = np.concatenate([np.zeros(n + 1 + k), np.zeros(n * k) if learned else np.ravel(p.weights)])
    breaks = [b for act in every for b in (act.on, act.off, act.go, act.end, *act.changes)]
    u, _ = integrated_with_switches(velocity, start, times, lambda u: u[1 : n + 1] - p.threshold, breaks)
    found = {"command.x": u[:, :1], "chain.x": u[:, 1 : n + 1], "screen.x": u[:, n + 1 : n + k + 1]}
    return {**found, "outstars.z": u[:, n + k + 1 :].reshape(-1, k, n)} if learned else found
