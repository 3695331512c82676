"""Stacks of maps: kernels per channel, sums across channels, block sums, and what they refuse. Judged by SciPy."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from reference import applied, reference_rhs

import brnn
from brnn.compiler import compile_network
from brnn.spec.topologies.across_channels import shared_sums
from brnn.spec.topologies.channels import ChannelKernels
from brnn.spec.topologies.rows import across_in_rows, shared_in_rows, shifted_in_rows

MODES = {"zero": "constant", "periodic": "wrap", "reflect": "reflect", "nearest": "nearest"}


@pytest.mark.parametrize("method", ["direct", "separable", "fourier"])
@pytest.mark.parametrize("boundary", list(MODES))
def test_each_map_is_convolved_with_a_kernel_of_its_own(boundary: str, method: str, monkeypatch) -> None:
    rng = np.random.default_rng(3)
    kernels = rng.random((3, 5, 3))
    kernels[:, 1, 2] = 0.0
    if method == "separable":
        kernels[1] = np.outer(rng.random(5), rng.random(3))  # ranks 3, 1, 3
    s = rng.random((2, 6, 9))
    senders = [1, 0, 1]
    expected = [
        scipy.ndimage.convolve(s[k], kernel, mode=MODES[boundary]) for k, kernel in zip(senders, kernels, strict=True)
    ]
    monkeypatch.setattr(ChannelKernels, "method", lambda self, target: method)
    topology = brnn.ChannelKernels(kernels, senders, boundary)
    np.testing.assert_allclose(applied(topology, (2, 6, 9), s.ravel(), (3, 6, 9)), np.ravel(expected), rtol=1e-12)
    W = topology.strengths((2, 6, 9), (3, 6, 9))
    np.testing.assert_allclose(W @ s.ravel(), np.ravel(expected), rtol=1e-12)


def test_one_kernel_for_all_maps_costs_what_it_costs_alone() -> None:
    """A kernel of few taps is applied tap by tap, a wide product in passes, a wide one that is none by FFT."""
    shift = np.zeros((3, 3))
    shift[0, 2] = 1.0
    wide = np.random.default_rng(4).random((41, 41))
    product = np.outer(wide[0, :21], wide[1, :21])
    methods = [brnn.ChannelKernels(kernels).method((4, 64, 64)) for kernels in (shift, product, wide)]
    assert methods == ["direct", "separable", "fourier"]


def test_sums_across_channels() -> None:
    s, M = np.random.default_rng(5).random((3, 40, 50)), np.arange(6.0).reshape(2, 3)
    expected = np.einsum("ck,kij->cij", M, s)
    topology = brnn.AcrossChannels(M)
    np.testing.assert_allclose(applied(topology, (3, 40, 50), s.ravel(), (2, 40, 50)), expected.ravel(), rtol=1e-12)
    small = s[:, :3, :4]
    np.testing.assert_allclose(
        topology.strengths((3, 3, 4), (2, 3, 4)) @ small.ravel(), np.einsum("ck,kij->cij", M, small).ravel(), rtol=1e-12
    )
    alone = brnn.AcrossChannels(np.ones((2, 1)))  # a layer of rows and columns is one map
    np.testing.assert_array_equal(applied(alone, (3, 4), small[0].ravel(), (2, 3, 4)), np.tile(small[0].ravel(), 2))


@pytest.mark.parametrize(
    ("matrix", "additions"),
    [
        (1.0 - np.tile(np.eye(8), 2), 34),  # 112 without shared sums
        (np.array([0.0, 0.5, 1.0, 1.0, 10.0])[np.abs((np.arange(8)[:, None] - np.arange(8) + 4) % 8 - 4)], 49),  # 56
        (np.array([[1.0, 1.0, -2.0, 0.0], [1.0, 1.0, 3.0, 3.0], [0.0, 2.0, 3.0, 3.0]]), 8),  # 10
        (np.eye(3), 3),
    ],
)
def test_what_several_maps_receive_is_added_up_once(matrix: np.ndarray, additions: int) -> None:
    s = np.random.default_rng(6).random((matrix.shape[1], 20, 30))  # two times what is done at once, and a part
    topology = brnn.AcrossChannels(matrix)
    found = applied(topology, s.shape, s.ravel(), (len(matrix), 20, 30))
    np.testing.assert_allclose(found, np.einsum("ck,kij->cij", matrix, s).ravel(), rtol=0.0, atol=1e-13)
    pairs, weights = shared_sums(matrix)
    assert len(pairs) + np.count_nonzero(weights) == additions
    alone = np.zeros_like(s)
    alone[0] = s[0]  # sums of nothing are 0, as nothing is subtracted
    found = applied(topology, s.shape, alone.ravel(), (len(matrix), 20, 30)).reshape(len(matrix), -1)
    np.testing.assert_array_equal(found, matrix[:, :1] * s[0].ravel())


def test_block_sums_go_to_a_coarser_map() -> None:
    s = np.random.default_rng(6).random((2, 12, 8))
    expected = 0.25 * s.reshape(2, 6, 2, 4, 2).sum(axis=(2, 4))
    edge = np.zeros((6, 4))
    edge[1:-1, 1:-1] = 1.0
    for margin, result in ((0, expected), (1, expected * edge)):
        topology = brnn.BlockSums(2, 0.25, margin)
        np.testing.assert_allclose(applied(topology, (2, 12, 8), s.ravel(), (2, 6, 4)), result.ravel(), rtol=1e-14)
        np.testing.assert_allclose(topology.strengths((2, 12, 8), (2, 6, 4)) @ s.ravel(), result.ravel(), rtol=1e-14)


def stacked() -> brnn.Network:
    """Return a network with every topology of stacks, and two that follow each other; two links share the last one."""
    rng = np.random.default_rng(7)
    fine = brnn.Layer.shunting("fine", (2, 6, 8), A=1.0, B=1.0, D=0.3, initial=rng.random((2, 6, 8)))
    coarse = brnn.Layer.shunting("coarse", (2, 3, 4), A=1.0, B=1.0, D=0.3)
    blurred = brnn.Successive([brnn.BlockSums(2), brnn.ChannelKernels(rng.random((2, 3, 3)))], [(2, 3, 4)])
    half = brnn.Successive([brnn.BlockSums(2, 0.5), brnn.ChannelKernels(blurred.parts[1].kernels.copy())], [(2, 3, 4)])
    links = [
        brnn.Projection("fine", "fine", "inhibitory", brnn.Linear(), brnn.ChannelKernels(rng.random((3, 3)), [1, 0])),
        brnn.Projection("fine", "fine", "excitatory", brnn.Linear(0.1), brnn.AcrossChannels(rng.random((2, 2)))),
        brnn.Projection("fine", "coarse", "excitatory", brnn.Power(0.2, 2.0), blurred),
        brnn.Projection("fine", "coarse", "excitatory", brnn.Linear(0.3), half, name="half"),
        brnn.Projection("fine", "coarse", "inhibitory", brnn.Linear(0.1), brnn.BlockSums(2, 0.5, 1)),
    ]
    return brnn.Network("stacked", [fine, coarse], links)


def test_stacks_are_serialised_and_have_their_slopes() -> None:
    network = stacked()
    assert brnn.Network.from_json(network.to_json()) == network
    system = compile_network(network)
    u = np.random.default_rng(8).random(system.size)
    np.testing.assert_allclose(system.f(0.0, u), reference_rhs(network)(0.0, u), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("topology", "source", "target", "message"),
    [
        (lambda: brnn.BlockSums(4), (2, 95, 128), (2, 24, 32), "95 x 128 cells are not whole blocks of 4 x 4"),
        (lambda: brnn.BlockSums(4), (2, 96, 128), (2, 24, 31), "must have (2, 24, 32)"),
        (lambda: brnn.BlockSums(4), (96,), (24,), "or (rows, columns), not (96,)"),
        (lambda: brnn.ChannelKernels(np.ones((2, 3, 3))), (3, 4, 4), (3, 4, 4), "2 kernels for the 3 channels"),
        (lambda: brnn.ChannelKernels(np.ones((3, 3))), (3, 4, 4), (2, 4, 4), "senders= must say which"),
        (lambda: brnn.ChannelKernels(np.ones((3, 3)), [0, 3]), (3, 4, 4), (2, 4, 4), "must be 2 below 3"),
        (lambda: brnn.ChannelKernels(np.ones((3, 3))), (3, 4, 4), (3, 4, 5), "(4, 4) (source) and (4, 5) (target)"),
        (lambda: brnn.ChannelKernels(np.ones((2, 3, 4))), None, None, "odd height and width"),
        (lambda: brnn.ChannelKernels(np.ones((2, 3, 3)), [0]), None, None, "has 1 elements"),
        (lambda: brnn.AcrossChannels(np.ones((2, 3))), (2, 4, 4), (3, 4, 4), "has shape (2, 3), must have"),
        (lambda: brnn.Successive([brnn.BlockSums(2)], []), None, None, "at least two"),
        (lambda: brnn.Successive([brnn.BlockSums(2), brnn.OneToOne()], [(2, 2)]), None, None, "OneToOne cannot be one"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(topology: Any, source: Any, target: Any, message: str) -> None:
    with pytest.raises(brnn.SpecError, match=re.escape(message)) as error:
        topology().check(source, target, "Projection 'p'")
    assert "\n" not in str(error.value)


def test_a_filter_in_rows_sets_what_it_would_add() -> None:
    """Rows and columns that the first tap does not reach are 0, whatever stood there; others add to it."""
    rng = np.random.default_rng(6)
    height, width = 7, 5
    for _ in range(40):
        count = int(rng.integers(0, 4))
        down, across, taps = rng.integers(-8, 9, count), rng.integers(-6, 7, count), rng.normal(size=count)
        s, (low, high) = rng.normal(size=height * width), sorted(rng.integers(0, height + 1, 2))
        around = np.pad(s.reshape(height, width), 8)
        expected = np.zeros((high - low, width))
        for i, j, tap in zip(down, across, taps, strict=True):
            expected += tap * around[8 + low + i : 8 + high + i, 8 + j : 8 + j + width]
        given = (np.array([height, width]), np.array([0]), np.array([0, count]), down, across, taps)
        for begins, before in ((True, np.nan), (False, 0.0)):
            net = np.full(expected.size, before)
            shifted_in_rows(s, net, *given, 0, low, high, width, s.size, 0, begins)
            np.testing.assert_allclose(net, expected.ravel(), rtol=0, atol=1e-12)


def test_sums_of_maps_in_rows_set_what_they_would_add() -> None:
    """A map that no other sends to is 0, whatever stood there; maps of source and target begin with other rows."""
    rng = np.random.default_rng(7)
    width, low, high = 5, 2, 6
    matrix = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 0.5, 0.0], [0.0, 0.0, -1.0, 0.0]])
    s = rng.normal(size=(4, 8, width))
    expected = np.einsum("ck,kij->cij", matrix, s[:, low:high])
    for begins, before in ((True, np.nan), (False, 0.0)):
        for c in range(len(matrix)):
            net = np.full((high - low) * width, before)
            across_in_rows(s.ravel(), net, matrix, c, low, high, width, 8 * width, 0, begins)
            np.testing.assert_allclose(net, expected[c].ravel(), rtol=0.0, atol=1e-13)
        pairs, weights = shared_sums(matrix)
        (left, right), sums = pairs.T, np.empty(256 * len(pairs))
        whole = np.full((4, 7, width), before)
        given = left, right, weights, sums
        shared_in_rows(s.ravel(), whole.ravel(), *given, low, high, width, 8 * width, 0, 7 * width, 1, begins)
        np.testing.assert_allclose(whole[:, low - 1 : high - 1], expected, rtol=0.0, atol=1e-13)
