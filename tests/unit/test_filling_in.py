"""Boundary-gated diffusion: shifted projections that a layer of permeabilities modulates come to rest as filled in."""

from __future__ import annotations

import numpy as np

import brnn
from brnn.theory import contours


def test_a_surface_fills_in_between_boundaries() -> None:
    """dS_i/dt = sum_n P_ni (S_n - S_i); at rest each region has the mean of its luminances."""
    rng = np.random.default_rng(3)
    shape = (5, 6)
    L = rng.uniform(0.0, 1.0, shape)
    h, v = (rng.uniform(size=shape) < 0.3 for _ in range(2))
    P = {offset: np.zeros(shape) for offset in ((1, 0), (-1, 0), (0, 1), (0, -1))}
    for i in range(5):
        for j in range(6):
            if i and not (h[i - 1, j] or (j and h[i - 1, j - 1])):
                P[1, 0][i, j] = P[-1, 0][i - 1, j] = 1.0
            if j and not (v[i, j - 1] or (i and v[i - 1, j - 1])):
                P[0, 1][i, j] = P[0, -1][i, j - 1] = 1.0
    layers = [brnn.Layer.additive("S", shape, A=0.0, initial=L)]
    links = []
    for k, (offset, permeability) in enumerate(P.items()):
        layers.append(brnn.Layer.additive(f"P{k}", shape, A=0.0, initial=permeability))
        gated = brnn.Modulation(f"P{k}")
        links += [
            brnn.Projection("S", "S", "excitatory", topology=brnn.Shift(offset), modulation=gated, name=f"in{k}"),
            brnn.Projection("S", "S", "inhibitory", topology=brnn.OneToOne(), modulation=gated, name=f"out{k}"),
        ]
    found = brnn.simulate(brnn.Network("surface", layers, links), 400.0, rtol=1e-8, atol=1e-10).final("S")
    expected = contours.filled_in(L, h, v)
    assert 1 < len(np.unique(expected.round(9))) < L.size
    np.testing.assert_allclose(found, expected, atol=1e-6)
