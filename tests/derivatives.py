"""What tests of derivatives share: complex steps through pieces of time, and one derivative read in both directions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

import brnn
from brnn.sensitivities.arguments import Arguments
from brnn.sensitivities.parameters import Parameters

__all__ = ["STEP", "by_complex_steps", "read_both_ways", "through_pieces"]

STEP = 1e-20  # of the complex step


def by_complex_steps(formula: Callable[[Mapping[str, Any]], np.ndarray], point: Mapping[str, float]) -> Any:
    """Return a formula's value, and its derivatives by each parameter, last."""
    columns = [formula({**point, name: value + 1j * STEP}).imag / STEP for name, value in point.items()]
    return formula(point).real, np.stack(columns, axis=-1)


def through_pieces(
    rates: Callable[[Any, np.ndarray, int], np.ndarray], edges: Sequence[Any], start: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Return the states at `times` of du/dt = rates(t, u, piece), of pieces whose ends may be complex; 0 is a time."""
    u, rows = start, [start]
    for piece, (first, last) in enumerate(itertools.pairwise(edges)):
        length = last - first

        def along(s: Any, u: np.ndarray, first: Any = first, length: Any = length, piece: int = piece) -> np.ndarray:
            return length * rates(first + s * length, u, piece)

        run = solve_ivp(along, (0.0, 1.0), u, "DOP853", dense_output=True, rtol=1e-12, atol=1e-13)
        for t in times[(np.real(first) < times) & (np.real(last) >= times)]:
            s = (t - first) / length
            state = run.sol(np.real(s))
            rows.append(state + 1j * np.imag(s) * along(np.real(s), state))  # the saved time stands still
        u = run.y[:, -1]
    return np.array(rows)


def read_both_ways(network: brnn.Network, names: Sequence[str], time: float) -> tuple[np.ndarray, np.ndarray, Any, Any]:
    """Return a state, du/dt there, and q (f_u v + f_p b) of random q, v and b, read backward and forward."""
    rng = np.random.default_rng(3)
    arguments = Arguments(Parameters(network, names), 3.0)
    own, slopes = arguments.own, arguments.slopes(arguments.parameters.start)
    numbers, arrays = arguments.moved(slopes)
    size = own.size
    u, v, q = rng.uniform(0.1, 0.9, size), rng.normal(size=size), rng.normal(size=size)
    text, read = own.tangents(numbers, arrays), own.backward(numbers, arrays)
    assert text.numbers == read.numbers
    forward, seeds = own.with_tangents(text, time, 1)
    for seed in seeds.values():
        seed[:] = rng.normal(size=seed.shape)
    moved = forward(time, np.concatenate([u, v]))[size:]
    backward = own.read_backward(read, time)
    out = np.empty(backward.size)
    backward.into(time, np.concatenate([u, q]), out)
    directions = np.concatenate([v, *(seeds[name].ravel() for name in ("p", *read.arrays))])
    return u, out[:size], out[size:] @ directions, q @ moved
