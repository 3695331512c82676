"""Random networks for hypothesis: of any structure, or of a few (each is compiled once), with any numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import brnn


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


# Rate signals with any parameters; none but the first is negative for negative activities.
SIGNALS: list[st.SearchStrategy[brnn.Signal]] = [
    st.builds(brnn.Linear, gain=floats(0, 5)),
    st.builds(brnn.Power, gain=floats(0, 3), exponent=floats(0.5, 4)),
    st.builds(brnn.Saturating, gain=floats(0, 5), half=floats(0.01, 3)),
    st.builds(brnn.Sigmoid, gain=floats(0, 5), half=floats(0.05, 3), exponent=floats(1, 5)),
    st.builds(brnn.Logistic, gain=floats(0, 3), slope=floats(0.1, 10), midpoint=floats(-1, 2)),
    st.builds(brnn.ThresholdLinear, gain=floats(0, 5), threshold=floats(0, 1), ceiling=floats(0.1, 5)),
]
# Schedules whose factor is never negative.
SCHEDULES: list[st.SearchStrategy[brnn.Schedule]] = [
    st.just(brnn.Constant()),
    st.builds(lambda on, length: brnn.Pulse(on, on + length), floats(0, 2), floats(0.001, 3)),
    st.builds(lambda f, a: brnn.Sine(f, a, a), floats(0.1, 3), floats(0, 2)),
    st.builds(lambda a, b: brnn.Ramp(0.5, 2.0, a, b), floats(0, 2), floats(0, 2)),
    st.builds(brnn.Noise, seed=st.integers(0, 1000), interval=floats(0.2, 1)),
]


# Models whose default is too large for what looks at every equation by itself.
SMALL: dict[str, dict[str, Any]] = {
    "contour_adaptation": {"pattern": np.eye(3, 4), "adaptor": np.eye(3, 4), "adapt": 0.3},
    "vistars": {"frames": np.eye(12, 16)[None], "scales": 1},
}


def topologies(source: int, target: int, alike: bool) -> list[st.SearchStrategy[brnn.Topology]]:
    """Topologies with strengths >= 0 that join layers of these sizes; `alike` if these are the same by structure."""
    choices: list[st.SearchStrategy[brnn.Topology]] = [
        st.builds(brnn.AllToAll, floats(0, 2)),
        st.builds(brnn.Dense, arrays(float, (target, source), elements=floats(0, 2))),
    ]
    if alike:
        choices += [
            st.builds(brnn.OneToOne, floats(0, 2)),
            st.builds(brnn.AllButSelf, floats(0, 2)),
            *(st.builds(brnn.GaussianKernel, floats(0, 2), floats(0.3, 3), st.just(b)) for b in ("zero", "periodic")),
        ]
    return choices


@st.composite
def shunting_networks(draw: st.DrawFn, layers: int, projections: int, structures: int | None = None) -> brnn.Network:
    """A network of shunting layers: any weights, signals and inputs >= 0, starting inside its bounds.

    Hypothesis chooses the structure; or, if so many `structures` are given, one of these, which are always the same.
    """
    fixed = None if structures is None else random.Random(draw(st.integers(0, structures - 1)))

    def one_of(options: Sequence[Any]) -> Any:
        return options[draw(st.integers(0, len(options) - 1)) if fixed is None else fixed.randrange(len(options))]

    alike = one_of([True, False])
    first = draw(st.integers(1, 5))
    sizes = [first if alike else draw(st.integers(1, 5)) for _ in range(layers)]
    parts: list[brnn.Layer] = []
    signals = []  # of each layer: Linear keeps its sign, which is no rate where activities may be negative
    for k, n in enumerate(sizes):
        lowest = one_of([0.0, 2.0])
        B, D = draw(floats(0.1, 5)), draw(floats(0, lowest))
        initial = draw(arrays(float, n, elements=floats(0, 1))) * (B + D) - D
        parts.append(brnn.Layer.shunting(f"F{k}", n, A=draw(floats(0, 3)), B=B, D=D, initial=np.clip(initial, -D, B)))
        signals.append(SIGNALS[1 if lowest else 0 :])
    links = []
    for k in range(projections):
        i, j = one_of(range(layers)), one_of(range(layers))
        kind = one_of(["excitatory", "inhibitory"])
        signal, topology = one_of(signals[i]), one_of(topologies(sizes[i], sizes[j], alike or i == j))
        links.append(brnn.Projection(f"F{i}", f"F{j}", kind, draw(signal), draw(topology), name=f"p{k}"))
    inputs = []
    for k, n in enumerate(sizes):
        kind, schedule = one_of(["excitatory", "inhibitory"]), one_of(SCHEDULES)
        pattern = draw(arrays(float, n, elements=st.one_of(st.just(0.0), floats(0, 10))))
        inputs.append(brnn.Stimulus(f"F{k}", kind, pattern, draw(schedule)))
    return brnn.Network("random", parts, links, inputs)
