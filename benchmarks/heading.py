"""Heading from optic flow (`vistars`) in frames of 96 x 128 pixels: brnn beside the same equations in plain NumPy.

NumPy makes steps of Euler of 0.1 frames, as the published code does: arrays of all directions at once, separable
surrounds, filters by FFT. brnn makes the same steps; four steps a frame of GaussSeidel, whose errors are not larger;
and, with error control, those of RK23. Errors are those of MT and MSTd at the end of each frame, root mean square,
from RK45 at a smaller tolerance. Whole runs are timed, with what each makes ready before its first step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import correlate1d

import brnn
from benchmarks.measure import answers, interleaved, machine
from brnn.base.text import text_table
from brnn.models import vistars
from brnn.theory import optic_flow

__all__ = ["draw", "run", "summary"]

STEP = 0.1
TARGET = 5.0
FEWER = 0.3  # of GaussSeidel: four steps a frame
NUMPY, EULER, RK23, SEIDEL = "NumPy, Euler", "brnn, Euler", "brnn, RK23", "brnn, GaussSeidel"


class ByHand:
    """The equations in NumPy, for frames of this size."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.coarse = (shape[0] // 4, shape[1] // 4)
        templates = optic_flow.heading_templates(*self.coarse)
        self.W = templates.reshape(len(templates), -1)
        self.room = tuple(2 ** int(np.ceil(np.log2(size + 24))) for size in self.coarse)
        self.filters = np.fft.rfft2(optic_flow.flow_filters(), self.room)
        self.line = np.exp(-(np.arange(-3.0, 4.0) ** 2))
        self.levels = []
        for block in (1, 2, 4):
            size = (shape[0] // block, shape[1] // block)
            shapes = {"a": (2, *size), "x": (2, *size), "c": (2, 8, *size), "e": (2, 8, *size), "f": (8, *size)}
            state = {name: np.zeros(own) for name, own in shapes.items()} | {"z": np.ones((2, *size))}
            self.levels.append((block, state, np.zeros((2, 8, *size))))
        self.q, self.r = np.zeros((8, *self.coarse)), np.zeros(len(self.W))

    def shows(self, frame: np.ndarray) -> None:
        """Take the next frame."""
        self.inputs = []
        for block, _, _ in self.levels:
            rows, columns = (size // block for size in frame.shape)
            I = frame.reshape(rows, block, columns, block).mean(axis=(1, 3))
            both = np.stack([I, 1.0 - I])
            around = correlate1d(
                correlate1d(both, self.line, axis=1, mode="constant"), self.line, axis=2, mode="constant"
            )
            self.inputs.append((2.0 * both, 10.225 / (2.0 * np.pi) * around))

    def step(self, h: float) -> None:
        """Make one step of Euler."""
        m = np.zeros((8, *self.coarse))
        for (block, state, net), (exc, inh) in zip(self.levels, self.inputs, strict=True):
            a, x, z, c, e, f = (state[name] for name in "axzcef")
            over = np.maximum(a - 0.1, 0.0) ** 2
            b = over / (0.031623**2 + over)
            y = np.maximum(x * z, 0.0)
            vetoing = np.maximum(c, 0.0)
            rows, columns = y.shape[1:]
            net[:] = y[:, None]
            for k, (down, right) in enumerate(optic_flow.STEPS):
                here = (slice(max(0, -down), rows - max(0, down)), slice(max(0, -right), columns - max(0, right)))
                there = (slice(max(0, down), rows - max(0, -down)), slice(max(0, right), columns - max(0, -right)))
                net[:, k][:, *here] -= 2.0 * vetoing[:, (k + 4) % 8][:, *there]
            S = np.maximum(e, 0.0).sum(axis=0)
            sent = np.maximum(f, 0.0)
            side = 4 // block
            m += sent.reshape(8, self.coarse[0], side, self.coarse[1], side).sum(axis=(2, 4)) / side
            a += h * (-0.001 * a + (1.0 - a) * exc - (0.25 + a) * inh)
            z += 0.01 * h * (1.0 - z - 20.0 * x * z)
            x += 10.0 * h * ((2.0 - x) * b - x)
            f += h * ((1.0 - f) * S - 0.1 * f - (0.01 + f) * (S.sum(axis=0) - S))
            c += h * (net - c)
            e += 10.0 * h * (net - e)
        m[:, [0, -1]] = 0.0
        m[:, :, [0, -1]] = 0.0
        rows, columns = self.coarse
        seen = np.fft.irfft2(np.fft.rfft2(m, self.room) * self.filters, self.room)[:, 12 : 12 + rows, 12 : 12 + columns]
        q, r = self.q, self.r
        Q, over = np.maximum(q - 0.2, 0.0) ** 2, np.maximum(r - 0.2, 0.0) ** 2
        R = over / (0.01 + over)
        D = 10.0 * np.roll(Q, 4, axis=0)
        for apart, weight in ((1, 0.5), (2, 1.0), (3, 1.0)):
            D += weight * (np.roll(Q, apart, axis=0) + np.roll(Q, -apart, axis=0))
        back = (R @ self.W).reshape(q.shape)
        r += h * (
            -0.5 * r + (1.0 - r) * (4.0 / self.W.sum(axis=1).min() * (self.W @ Q.ravel()) + 0.25 * R)
            - 0.25 * r * (R.sum() - R)
        )  # fmt: skip
        q += h * (-0.5 * q + (1.0 - q) * (seen * (1.0 + 0.5 / len(R) * back) + 0.5 * Q) - q * D)

    def course(self, movie: np.ndarray) -> np.ndarray:
        """Return MT and MSTd at the end of each frame."""
        rows = []
        for frame in movie:
            self.shows(frame / 255.0)
            for _ in range(round(1.0 / STEP)):
                self.step(STEP)
            rows.append(np.concatenate([self.q.ravel(), self.r]))
        return np.array(rows)


def by_brnn(network: brnn.Network, **options: Any) -> np.ndarray:
    """Return MT and MSTd at the end of each frame."""
    times = np.arange(float(network.duration or 0.0) + 1.0)
    result = brnn.simulate(network, times=times, record=brnn.Record(variables=("mt.x", "mstd.x")), **options)
    return np.concatenate([np.asarray(result[name])[1:].reshape(len(times) - 1, -1) for name in ("mt.x", "mstd.x")], 1)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Time the contenders in turn."""
    shape, frames = ((24, 80), 4) if quick else ((96, 128), 24)
    movie = optic_flow.moving_dots((0.3 * shape[0], 0.5 * shape[1]), frames, shape, dots=shape[0] * shape[1] // 50)
    network = vistars.build(movie)
    contenders: dict[str, Callable[[], np.ndarray]] = {
        NUMPY: lambda: ByHand(shape).course(movie),
        EULER: lambda: by_brnn(network, solver="Euler", step=STEP),
        SEIDEL: lambda: by_brnn(network, solver="GaussSeidel", step=FEWER),
        RK23: lambda: by_brnn(network, solver="RK23", rtol=1e-2, atol=1e-2, norm="rms"),
    }
    exact = by_brnn(network, solver="RK45", rtol=1e-4, atol=1e-4, norm="rms")
    found, timed = answers(contenders)
    error = {name: float(np.sqrt(np.mean((course - exact) ** 2))) for name, course in found.items()}
    if np.abs(found[EULER] - found[NUMPY]).max() > 1e-9:
        raise AssertionError("the same steps give other states")
    if not quick:
        timed = interleaved(contenders, budget=60.0, most=5, warm=True)
    return {
        "machine": machine(),
        "shape": shape,
        "frames": frames,
        "contenders": [
            {"name": name, "error": error[name], **timed[name].to_dict(),
             "ratio": min(timed[NUMPY].seconds) / min(timed[name].seconds)}
            for name in contenders
        ],
    }  # fmt: skip


def summary(report: dict[str, Any]) -> str:
    """Return the table."""
    rows = []
    for entry in report["contenders"]:
        pace = f"{1e3 * entry['lowest'] / report['frames']:.1f} ms"
        rows.append((entry["name"], pace, f"{entry['ratio']:.2f}", f"{entry['error']:.1e}"))
    height, width = report["shape"]
    head = f"Heading from optic flow, frames of {height} x {width} pixels"
    table = text_table(rows, ["run", "a frame", "times as fast", "rms error"], right=True)
    allowed = next(entry["error"] for entry in report["contenders"] if entry["name"] == NUMPY)
    fit = [
        entry for entry in report["contenders"] if entry["name"] != NUMPY and entry["error"] <= (1.0 + 1e-9) * allowed
    ]
    if not fit:
        return "\n".join([head, table, f"target of {TARGET:g}: no run of brnn has an error as small as NumPy's"])
    best = max(fit, key=lambda entry: entry["ratio"])
    short = "met" if best["ratio"] >= TARGET else f"short by a factor of {TARGET / best['ratio']:.1f}"
    said = f"{best['name']} is {best['ratio']:.2f} times as fast: {short}"
    return "\n".join([head, table, f"target of {TARGET:g} at an error not larger: {said}"])


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw error over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    ax = figure.subplots()
    for entry in report["contenders"]:
        ax.loglog(1e3 * entry["lowest"] / report["frames"], entry["error"], "o", label=entry["name"])
    ax.set_xlabel("ms a frame")
    ax.set_ylabel("rms error")
    ax.legend()
    figure.savefig(path)
