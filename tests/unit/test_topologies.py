"""Each topology against W as it is defined, and against convolutions made by SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse
from reference import applied, reference_rhs

import brnn
from brnn.compiler import compile_network
from brnn.compiler.cache import text_hash
from brnn.compiler.generate import generate
from brnn.compiler.module_text import text_of_arrays
from brnn.compiler.system import equations_hash
from brnn.spec.topologies import convolution

MODES = {"zero": "constant", "periodic": "wrap", "reflect": "reflect", "nearest": "nearest"}
SHAPES = [(7,), (40,), (6, 9), (33, 20)]


@pytest.mark.parametrize("topology", [brnn.OneToOne(0.5), brnn.AllToAll(0.5), brnn.AllButSelf(0.5)])
def test_uniform_topologies_apply_their_matrix(topology: brnn.Topology) -> None:
    s = np.random.default_rng(1).random(12)
    n = {"OneToOne": np.eye(12), "AllToAll": np.ones((12, 12)), "AllButSelf": 1 - np.eye(12)}
    expected = 0.5 * n[type(topology).__name__]
    np.testing.assert_array_equal(topology.strengths((12,), (12,)), expected)
    np.testing.assert_allclose(applied(topology, (12,), s), expected @ s, rtol=1e-14)


def test_all_to_all_joins_layers_of_different_shape() -> None:
    s = np.arange(4.0)
    np.testing.assert_allclose(applied(brnn.AllToAll(2.0), (4,), s, (3,)), np.full(3, 12.0))


def test_dense_and_sparse_are_target_by_source() -> None:
    rng = np.random.default_rng(2)
    W = rng.normal(size=(3, 5)) * (rng.random((3, 5)) < 0.6)
    s = rng.random(5)
    np.testing.assert_allclose(applied(brnn.Dense(W), (5,), s, (3,)), W @ s, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(
        applied(brnn.Sparse(scipy.sparse.coo_array(W)), (5,), s, (3,)), W @ s, rtol=1e-13, atol=1e-15
    )
    with pytest.raises(brnn.SpecError, match="transposed"):
        applied(brnn.Dense(W.T), (5,), s, (3,))
    wrong = brnn.Sparse(scipy.sparse.csr_array(W)).csr
    wrong.indptr[1] = wrong.nnz + 1  # SciPy's sorting does not look, and raises a RuntimeError of C++
    with pytest.raises(brnn.SpecError, match="damaged matrix"):
        brnn.Sparse(wrong)


@pytest.mark.parametrize("method", ["separable", "fourier", "direct"])
@pytest.mark.parametrize("boundary", list(MODES))
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_of_convolution_agrees_with_scipy(shape, boundary, method, monkeypatch) -> None:
    rng = np.random.default_rng(3)
    taps = rng.random((5,) if len(shape) == 1 else (5, 3))
    if method == "separable" and len(shape) == 2:
        taps = np.outer(rng.random(5), rng.random(3)) + np.outer(rng.random(5), rng.random(3))
    s = rng.random(shape)
    # scipy.ndimage.correlate turns the kernel; convolve does not.
    expected = scipy.ndimage.convolve(s, taps, mode=MODES[boundary], cval=0.0)
    monkeypatch.setattr(convolution.Convolution, "method", lambda self, shape, **_: method)
    topology = brnn.Kernel(taps, boundary)
    np.testing.assert_allclose(applied(topology, shape, s.ravel()), expected.ravel(), rtol=1e-12)
    np.testing.assert_allclose(topology.strengths(shape, shape) @ s.ravel(), expected.ravel(), rtol=1e-12)


@pytest.mark.parametrize("boundary", list(MODES))
@pytest.mark.parametrize("shape", [(50,), (32, 24)])
def test_gaussian_agrees_with_scipy(shape, boundary) -> None:
    s = np.random.default_rng(4).random(shape)
    expected = 2.5 * scipy.ndimage.gaussian_filter(s, 2.0, mode=MODES[boundary], truncate=4.0)
    np.testing.assert_allclose(
        applied(brnn.GaussianKernel(2.5, 2.0, boundary), shape, s.ravel()), expected.ravel(), rtol=1e-12
    )


def test_kernels_share_the_transform_of_their_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pairs share one each, of other signals or other sizes; one has its own. Judged by the full matrices."""
    monkeypatch.setattr(convolution.Convolution, "method", lambda self, shape, **_: "fourier")
    slow, fast, rng = brnn.Linear(0.5), brnn.Sigmoid(1.0, 0.5), np.random.default_rng(4)

    def link(kind: str, signal: brnn.Signal, boundary: str, size: int) -> brnn.Projection:
        name = f"{kind[0]}{type(signal).__name__}{size}"
        return brnn.Projection("F", "F", kind, signal, brnn.Kernel(rng.random((size, size)), boundary), name=name)

    links = [
        link("excitatory", fast, "periodic", 3),
        link("inhibitory", slow, "zero", 3),
        link("inhibitory", fast, "periodic", 5),
        link("excitatory", slow, "zero", 3),
        link("inhibitory", slow, "zero", 5),
    ]
    network = brnn.Network("shared", [brnn.Layer.shunting("F", (6, 7), A=1.0, B=1.0, D=0.3)], links)
    system, u = compile_network(network), rng.random(42)
    assert system.source.count("    transform(") == 2
    assert system.source.count("    transform_back(") == 4
    assert system.source.count("    convolve_fourier(") == 1
    for _ in range(2):  # the arrays of work hold what the first call left
        np.testing.assert_allclose(system.f(0.0, u), reference_rhs(network)(0.0, u), rtol=1e-12, atol=1e-12)
    # Files of sweeps hold the hash of the equations, which says nothing of it.
    assert equations_hash(network) == text_hash(text_of_arrays(generate(network, system.variables, apart=True)))
    assert "transform" not in generate(network, system.variables, apart=True).source


@pytest.mark.parametrize(
    ("shape", "boundary", "symmetric"),
    [
        *itertools.product([(8, 8), (25, 15), (18, 40), (36, 32)], MODES, [False]),
        *itertools.product([(8, 8), (25, 15), (18, 40), (36, 32)], ["periodic"], [True]),
        *itertools.product([(9, 64), (16, 256)], ["periodic"], [False, True]),  # rows that are transformed as they lie
    ],
)
def test_kernels_whose_lengths_are_products_of_small_numbers(shape, boundary, symmetric, monkeypatch) -> None:
    """Two kernels of one transform add to the same input, beside one of another; more and fewer rows than lanes."""
    monkeypatch.setattr(convolution.Convolution, "method", lambda self, shape, **_: "fourier")
    rng, f = np.random.default_rng(5), brnn.Linear()
    taps = rng.random((5, 3)), rng.random((5, 3)), rng.random((3, 5))
    if symmetric:  # what they are transformed to is real then
        taps = tuple(kernel + kernel[::-1, ::-1] for kernel in taps)
    links = [
        brnn.Projection("F", "G", "excitatory", f, brnn.Kernel(kernel, boundary), name=f"kernel{k}")
        for k, kernel in enumerate(taps)
    ]
    layers = [brnn.Layer.additive(name, shape, A=1.0) for name in "FG"]
    system, u = compile_network(brnn.Network("three", layers, links)), rng.random(2 * shape[0] * shape[1])
    assert system.source.count("    transform_rows_back(") == 3
    x = u.reshape(2, *shape)
    sums = sum(scipy.ndimage.convolve(x[0], kernel, mode=MODES[boundary], cval=0.0) for kernel in taps)
    for _ in range(2):
        np.testing.assert_allclose(system.f(0.0, u).reshape(x.shape)[1], sums - x[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("side", "in_phases"), [(64, True), (62, False)])
def test_a_field_takes_phases_where_they_cost_less_than_separable_passes(side: int, in_phases: bool) -> None:
    """62 = 2 * 31 is not made of small factors; members of ensembles, which share no work, keep their passes."""
    links = [brnn.Projection("F", "F", "excitatory", brnn.Linear(), brnn.GaussianKernel(1.0, 2.0, "periodic"))]
    network = brnn.Network("field", [brnn.Layer.additive("F", (side, side), A=1.0)], links)
    system, u = compile_network(network), np.random.default_rng(6).random(side * side)
    assert ("    transform_rows(" in system.source) == in_phases
    assert ("    convolve_separable(" in system.source) != in_phases
    assert "convolve_separable" in generate(network, system.variables, apart=True).source
    x = u.reshape(side, side)
    expected = scipy.ndimage.gaussian_filter(x, 2.0, mode="wrap", truncate=4.0) - x
    np.testing.assert_allclose(system.f(0.0, u).reshape(x.shape), expected, rtol=1e-12, atol=1e-12)


def test_a_kernel_wider_than_a_ring_goes_round_it() -> None:
    s = np.random.default_rng(5).random(6)
    expected = scipy.ndimage.gaussian_filter1d(s, 3.0, mode="wrap", truncate=4.0)
    np.testing.assert_allclose(applied(brnn.GaussianKernel(1.0, 3.0, "periodic"), (6,), s), expected, rtol=1e-12)


def test_difference_of_gaussians_is_the_difference() -> None:
    shape = (30, 31)
    s = np.random.default_rng(6).random(shape)
    center = scipy.ndimage.gaussian_filter(s, 1.0, mode="constant", truncate=4.0)
    surround = scipy.ndimage.gaussian_filter(s, 3.0, mode="constant", truncate=4.0)
    measured = applied(brnn.DifferenceOfGaussians(2.0, 1.0, 0.5, 3.0), shape, s.ravel())
    np.testing.assert_allclose(measured, (2.0 * center - 0.5 * surround).ravel(), rtol=1e-11, atol=1e-13)


def test_peak_normalization_is_the_strength_at_distance_zero() -> None:
    taps = brnn.GaussianKernel(0.7, 2.0, normalize="peak").taps(2)
    d = np.hypot(*np.meshgrid(np.arange(-8, 9), np.arange(-8, 9)))
    np.testing.assert_allclose(taps, 0.7 * np.exp(-(d**2) / 8.0), rtol=1e-12)


def test_shift_and_chain_move_activity() -> None:
    s = np.arange(1.0, 6.0)
    np.testing.assert_array_equal(applied(brnn.Chain(), (5,), s), [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(applied(brnn.Chain(boundary="periodic"), (5,), s), [5, 1, 2, 3, 4])
    np.testing.assert_array_equal(applied(brnn.Shift(-2, 3.0), (5,), s), [9, 12, 15, 0, 0])
    field = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(
        applied(brnn.Shift((1, -1), boundary="periodic"), (3, 4), field.ravel()),
        np.roll(field, (1, -1), (0, 1)).ravel(),
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: brnn.OneToOne(-1), "OneToOne: weight = -1: must be a number >= 0"),
        (lambda: brnn.OneToOne("a"), "OneToOne: weight = 'a': must be a number"),
        (lambda: brnn.GaussianKernel(1, 0), "GaussianKernel: width = 0: must be a number > 0"),
        (lambda: brnn.GaussianKernel(1, 1, "perodic"), "did you mean 'periodic'"),
        (lambda: brnn.Kernel(np.ones(4)), "odd length"),
        (lambda: brnn.Kernel([1.0, np.nan, 1.0]), "element 1 is nan"),
        (lambda: brnn.Dense(np.ones(3)), "has 1 dimensions, must have 2"),
        (lambda: brnn.Dense([[1.0, np.inf]]), "must be finite"),
        (lambda: brnn.Sparse(np.eye(3)), "use Dense for a NumPy array"),
        (lambda: brnn.Shift(0.5), "must be a whole number"),
    ],
)
def test_bad_topologies_are_refused_in_one_line(make, says) -> None:
    with pytest.raises(brnn.SpecError) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shapes_must_fit() -> None:
    layers = [
        brnn.Layer.shunting("a", 3, 1, 1),
        brnn.Layer.shunting("b", 4, 1, 1),
        brnn.Layer.shunting("c", (2, 2, 2), 1, 1),
    ]
    for topology in (brnn.OneToOne(), brnn.AllButSelf(), brnn.GaussianKernel()):
        with pytest.raises(brnn.SpecError, match="same shape"):
            brnn.Network("n", layers, [brnn.Projection("a", "b", "excitatory", brnn.Linear(), topology)])
    with pytest.raises(brnn.SpecError, match="1 or 2 dimensions"):
        brnn.Network("n", layers, [brnn.Projection("c", "c", "excitatory", brnn.Linear(), brnn.GaussianKernel())])


def test_the_cheapest_way_is_chosen() -> None:
    assert brnn.GaussianKernel(1, 2).method((256, 256)) == "separable"
    assert brnn.GaussianKernel(1, 40).method((512, 512)) == "fourier"
    assert brnn.Kernel(np.random.default_rng(0).random((41, 41))).method((256, 256)) == "fourier"
