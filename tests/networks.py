"""Random networks for hypothesis: few structures (each is compiled once), any numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import brnn


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


def signals(linear: bool = True) -> st.SearchStrategy[brnn.Signal]:
    """A rate signal with any parameters; without `linear` none that is negative for negative activities."""
    return st.one_of(
        *([st.builds(brnn.Linear, gain=floats(0, 5))] if linear else []),
        st.builds(brnn.Power, gain=floats(0, 3), exponent=floats(0.5, 4)),
        st.builds(brnn.Saturating, gain=floats(0, 5), half=floats(0.01, 3)),
        st.builds(brnn.Sigmoid, gain=floats(0, 5), half=floats(0.05, 3), exponent=floats(1, 5)),
        st.builds(brnn.Logistic, gain=floats(0, 3), slope=floats(0.1, 10), midpoint=floats(-1, 2)),
        st.builds(brnn.ThresholdLinear, gain=floats(0, 5), threshold=floats(0, 1), ceiling=floats(0.1, 5)),
    )


def topologies(source: int, target: int) -> st.SearchStrategy[brnn.Topology]:
    """A topology with strengths >= 0 that joins layers of these sizes."""
    choices = [
        st.builds(brnn.AllToAll, floats(0, 2)),
        st.builds(brnn.Dense, arrays(float, (target, source), elements=floats(0, 2))),
    ]
    if source == target:
        choices += [
            st.builds(brnn.OneToOne, floats(0, 2)),
            st.builds(brnn.AllButSelf, floats(0, 2)),
            st.builds(brnn.GaussianKernel, floats(0, 2), floats(0.3, 3), st.sampled_from(["zero", "periodic"])),
        ]
    return st.one_of(choices)


def schedules() -> st.SearchStrategy[brnn.Schedule]:
    """A schedule whose factor is never negative."""
    return st.one_of(
        st.just(brnn.Constant()),
        st.builds(lambda on, length: brnn.Pulse(on, on + length), floats(0, 2), floats(0.001, 3)),
        st.builds(lambda f, a: brnn.Sine(f, a, a), floats(0.1, 3), floats(0, 2)),
        st.builds(lambda a, b: brnn.Ramp(0.5, 2.0, a, b), floats(0, 2), floats(0, 2)),
        st.builds(brnn.Noise, seed=st.integers(0, 1000), interval=floats(0.2, 1)),
    )


@st.composite
def shunting_networks(draw: st.DrawFn, layers: int, projections: int) -> brnn.Network:
    """A network of shunting layers: any weights, signals and inputs >= 0, starting inside its bounds."""
    sizes = [draw(st.integers(1, 5)) for _ in range(layers)]
    parts: list[brnn.Layer] = []
    for k, n in enumerate(sizes):
        B, D = draw(floats(0.1, 5)), draw(st.one_of(st.just(0.0), floats(0, 2)))
        initial = draw(arrays(float, n, elements=floats(0, 1))) * (B + D) - D
        parts.append(brnn.Layer.shunting(f"F{k}", n, A=draw(floats(0, 3)), B=B, D=D, initial=np.clip(initial, -D, B)))
    links = []
    for k in range(projections):
        i, j = draw(st.integers(0, layers - 1)), draw(st.integers(0, layers - 1))
        kind = draw(st.sampled_from(["excitatory", "inhibitory"]))
        links.append(
            brnn.Projection(
                f"F{i}",
                f"F{j}",
                kind,
                draw(signals(np.all(parts[i].E == 0))),
                draw(topologies(sizes[i], sizes[j])),
                name=f"p{k}",
            )
        )
    inputs = []
    for k, n in enumerate(sizes):
        kind = draw(st.sampled_from(["excitatory", "inhibitory"]))
        pattern = draw(arrays(float, n, elements=st.one_of(st.just(0.0), floats(0, 10))))
        inputs.append(brnn.Stimulus(f"F{k}", kind, pattern, draw(schedules())))
    return brnn.Network("random", parts, links, inputs)
