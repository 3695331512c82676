"""Steps in which layers move one after the other: order, damping, jumps of inputs, what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.linalg import expm

import brnn
from brnn.compiler import bands
from brnn.compiler.rooms import room_apart
from brnn.compiler.sequence import in_order
from brnn.integrate.methods.gauss_seidel import GaussSeidel, lengths
from brnn.integrate.steppers import bands as band_stepper

OFF = 0.7  # when the input of the linear network ends


def linear() -> tuple[brnn.Network, np.ndarray]:
    """Return a chain of additive cells of which the last inhibits the first, and the matrix of its equations."""
    rates = (1.3, 2.0, 9.0)
    layers = [brnn.Layer.additive(name, 1, A=A) for name, A in zip("abc", rates, strict=True)]
    links = (("a", "b", "excitatory", 1.5), ("b", "c", "excitatory", 5.0), ("c", "a", "inhibitory", 2.0))
    projections = [
        brnn.Projection(source, target, kind, brnn.Linear(), brnn.Dense(np.array([[weight]])))
        for source, target, kind, weight in links
    ]
    A = np.array([[-1.3, 0.0, -2.0], [1.5, -2.0, 0.0], [0.0, 5.0, -9.0]])
    pulse = brnn.Stimulus("a", "excitatory", np.array([3.0]), brnn.Pulse(0.0, OFF))
    # Given in the wrong order: the method finds the one in which they send.
    return brnn.Network("linear", layers[::-1], projections, [pulse]), A


def final(network: brnn.Network, duration: float, **options: object) -> np.ndarray:
    result = brnn.simulate(network, duration, times=[0.0, duration], **options)  # type: ignore[arg-type]
    return np.concatenate([np.ravel(result.final(layer.name)) for layer in network.layers])


def test_order_is_2_in_a_circle_with_a_jump_of_the_input() -> None:
    network, A = linear()
    rest = -np.linalg.solve(A, [3.0, 0.0, 0.0])
    exact = expm(0.5 * A) @ (rest - expm(OFF * A) @ rest)
    errors = [
        np.abs(final(network, OFF + 0.5, solver="GaussSeidel", step=step)[::-1] - exact).max() for step in (0.04, 0.02)
    ]
    assert errors[0] < 2e-3
    assert 3.4 < errors[0] / errors[1] < 4.6


@pytest.mark.parametrize("rate", [2.0, 500.0])
def test_a_step_is_damped_by_the_rational_function_of_its_rate(rate: float) -> None:
    layer = brnn.Layer.additive("a", 1, A=rate, initial=1.0)
    network = brnn.Network("decay", [layer], [], [brnn.Stimulus("a", "excitatory", 0.25 * rate)])
    w = rate * lengths(1.0, 0.0, 0.4)
    factors = (1.0 - w / 3.0) / (1.0 + 2.0 * w / 3.0 + w**2 / 6.0)
    found = final(network, 1.0, solver="GaussSeidel", step=0.4)
    np.testing.assert_allclose(found, 0.25 + 0.75 * np.prod(factors), rtol=1e-13)


def test_the_first_step_after_a_jump_is_half_as_long_and_all_fill_what_there_is() -> None:
    np.testing.assert_allclose(lengths(1.75, 0.0, 1.0), np.array([0.5, 1.0, 1.0]) * 1.75 / 2.5)
    np.testing.assert_allclose(lengths(1.0, 0.0, 0.4), np.array([0.2, 0.4, 0.4]))
    np.testing.assert_allclose(lengths(1.0, 0.5, 0.5), [0.5, 0.5])
    np.testing.assert_allclose(lengths(0.1, 0.0, 1.0), [0.1])


def of_everything() -> brnn.Network:
    """Return a network with a gate, modulations at every place, signals back and forth, and inputs that vary."""
    rng = np.random.default_rng(7)
    f = brnn.Sigmoid(1.0, 0.5)

    def dense() -> brnn.Dense:
        return brnn.Dense(rng.uniform(0.0, 0.6, (3, 3)))

    return brnn.Network(
        "everything",
        [
            brnn.Layer.shunting("a", 3, A=1.0, B=2.0, D=0.3, initial=rng.uniform(0.0, 1.0, 3)),
            brnn.MembraneLayer("b", 3, C=0.5, V_plus=1.0, V_minus=-0.5, V_p=0.0, g_p=0.7),
            brnn.CohenGrossbergLayer("c", 3, a=brnn.Function("1 + w**2"), b=brnn.Function("0.5 - 2*w - w**3")),
            brnn.Layer.shunting("d", 3, A=2.0, B=1.0),
        ],
        [
            brnn.Projection("a", "b", "excitatory", f, dense(), brnn.HabituativeGate(0.3, 1.0, 4.0), name="gated"),
            brnn.Projection("d", "a", "inhibitory", f, dense(), brnn.HabituativeGate(0.4, 1.0, 2.0), name="back"),
            brnn.Projection("b", "c", "inhibitory", f, dense(), modulation=brnn.Modulation("d", f, at="source")),
            brnn.Projection("b", "d", "excitatory", f, dense(), modulation=brnn.Modulation("c", f)),
            brnn.Projection(
                "c", "d", "inhibitory", f, brnn.OneToOne(0.5), modulation=brnn.Modulation("a", f, at="total")
            ),
            brnn.Projection("d", "d", "excitatory", f, brnn.AllButSelf(0.2)),
        ],
        [
            brnn.Stimulus("a", "excitatory", 20.0 * rng.random(3), brnn.Pulse(0.0, 0.4)),
            brnn.Stimulus("d", "excitatory", rng.random(3), brnn.Sine(0.5, 0.5, 1.0)),
            brnn.Stimulus("b", "inhibitory", rng.random(3)),
        ],
    )


def test_order_is_2_with_gates_modulations_and_varying_inputs() -> None:
    network = of_everything()
    exact = final(network, 1.0, rtol=1e-10, atol=1e-12)
    errors = [
        np.abs(final(network, 1.0, solver="GaussSeidel", step=step) - exact).max() for step in (0.02, 0.01, 0.005)
    ]
    assert errors[0] < 2e-3
    assert errors[0] / errors[2] > 12.0


def stacks(as_matrices: bool) -> brnn.Network:
    """Return layers of maps that send through shifts and across maps, or through the same matrices."""
    rng = np.random.default_rng(11)
    shape, f = (3, 4, 5), brnn.ThresholdLinear()
    kernels = np.zeros((3, 3, 3))
    kernels[[0, 1, 2], [0, 1, 2], [2, 0, 1]] = 0.8

    def as_asked(topology: brnn.Topology) -> brnn.Topology:
        return brnn.Dense(topology.strengths(shape, shape)) if as_matrices else topology

    others = as_asked(brnn.AcrossChannels(1.0 - np.eye(3)))
    shifts = as_asked(brnn.ChannelKernels(kernels, np.array([1, 2, 0])))
    some = as_asked(brnn.AcrossChannels(np.array([[0.5, 0.0, 0.0], [0.0, 0.0, 1.5], [0.0, 2.0, 0.5]])))
    return brnn.Network(
        "stacks",
        [
            brnn.Layer.additive("a", shape, A=2.0, initial=rng.uniform(0.0, 1.0, shape)),
            brnn.Layer.shunting("b", shape, A=0.5, B=1.0, D=0.2),
        ],
        [
            brnn.Projection("a", "a", "inhibitory", f, shifts),
            brnn.Projection("a", "b", "excitatory", f, some),
            brnn.Projection("a", "b", "inhibitory", f, others),
            brnn.Projection("b", "a", "excitatory", f, shifts),
        ],
        [brnn.Stimulus("a", "excitatory", rng.uniform(0.0, 2.0, shape))],
    )


def test_stacks_move_as_by_their_matrices() -> None:
    options = {"solver": "GaussSeidel", "step": 0.25}
    found, expected = (final(stacks(as_matrices), 1.0, **options) for as_matrices in (False, True))
    assert np.abs(expected).max() > 0.3
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-13)


def test_layers_are_ordered_as_they_send() -> None:
    network, _ = linear()
    assert [layer.name for layer in in_order(network)] == ["c", "b", "a"]  # in a circle as they were given
    network = network.replace(projections=network.projections[:2])
    assert [layer.name for layer in in_order(network)] == ["a", "b", "c"]


def test_what_is_refused() -> None:
    network, _ = linear()
    one, method = brnn.Dense(np.array([[0.5]])), GaussSeidel()
    for more, line in (
        ({"learning": brnn.Outstar(0.5, initial=0.1)}, "weights that learn are not its unknowns"),
        ({"gate": brnn.HabituativeGate(0.3, 1.0, 0.5, per="connection")}, "gates of single connections"),
        ({"delay": 0.2}, "delays need an explicit method"),
    ):
        changed = network.replace(projections=[brnn.Projection("a", "b", "excitatory", brnn.Linear(), one, **more)])
        assert line in str(method.refuses(changed, "duration", 0.1))
    assert method.refuses(network, "steady", 0.1) == "equal steps look for no rest"
    with pytest.raises(brnn.InputError, match=r"'GaussSeidel': must be one of .* \(needs a step\)"):
        brnn.simulate(network, 1.0, solver="GaussSeidel")


@pytest.mark.parametrize("solver", ["GaussSeidel", "Euler", "RK45", "ETD4"])
def test_compiled_steps_write_nothing_beyond_their_arrays(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fences = []

    def fenced(size: int, dtype: type = np.float64) -> np.ndarray:
        whole = np.full(size + 64, 77, dtype)
        fences.append((whole[:32], whole[32 + size :]))
        return whole[32 : 32 + size]

    plain = room_apart
    for module in list(sys.modules.values()):
        if getattr(module, "room_apart", None) is plain:
            monkeypatch.setattr(module, "room_apart", fenced)
    network, _ = linear()
    given = {"step": 0.01} if solver in ("GaussSeidel", "Euler") else {}
    final(network.replace(name="fenced"), 1.0, solver=solver, **given)
    assert fences
    assert all((side == 77).all() for sides in fences for side in sides)


def pyramid() -> brnn.Network:
    """Return maps that compete across channels, their blocks, which are filtered by FFT, and one cell for all."""
    rng = np.random.default_rng(5)
    fine, coarse, f = (4, 8, 12), (4, 4, 6), brnn.ThresholdLinear()
    filters = brnn.ChannelKernels(rng.uniform(0.0, 0.05, (4, 5, 5)))
    vars(filters)["_methods"] = {coarse: "fourier"}  # what large maps are filtered by
    gate = brnn.HabituativeGate(0.3, 1.0, 0.5)
    shift = np.zeros((3, 3))
    shift[0, 2] = 0.8
    return brnn.Network(
        "pyramid",
        [
            brnn.Layer.additive("a", fine, A=2.0, initial=rng.uniform(0.0, 1.0, fine)),
            brnn.Layer.shunting("b", fine, A=0.5, B=1.0, D=0.2),
            brnn.Layer.shunting("c", coarse, A=0.5, B=1.0, D=0.2),
            brnn.Layer.shunting("d", 3, A=1.0, B=1.0),
        ],
        [
            brnn.Projection("a", "a", "inhibitory", f, brnn.ChannelKernels(shift, np.array([1, 2, 3, 0]))),
            brnn.Projection("a", "b", "excitatory", f, brnn.AcrossChannels(np.eye(4)[::-1]), gate=gate),
            brnn.Projection("a", "b", "inhibitory", f, brnn.AcrossChannels(1.0 - np.eye(4))),
            brnn.Projection(
                "b", "c", "excitatory", f, brnn.Successive((brnn.BlockSums(2, margin=1), filters), (coarse,))
            ),
            brnn.Projection("c", "d", "excitatory", f, brnn.Dense(rng.uniform(0.0, 0.1, (3, 96)))),
            brnn.Projection("d", "c", "inhibitory", f, brnn.Dense(rng.uniform(0.0, 0.5, (96, 3)))),
            brnn.Projection("d", "d", "inhibitory", f, brnn.AllButSelf(0.7)),
        ],
        [brnn.Stimulus("a", "excitatory", rng.uniform(0.0, 2.0, fine), brnn.Pulse(0.0, OFF))],
    )


def test_bands_move_as_whole_maps_do_and_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    network, options = pyramid(), {"solver": "GaussSeidel", "step": 0.25}
    expected = final(network.replace(name="whole"), 1.0, **options)
    monkeypatch.setattr(bands, "_SMALL", 1)
    for size, count in ((40, 32), (320, 4)):  # the smallest maps have fewer rows than there are bands, or as many
        monkeypatch.setattr(bands, "_BAND", size)
        divided, found = network.replace(name="divided"), []
        program = brnn.compile_network(divided).in_sequence.program
        begun = [(int(phase), int(band)) for phase, band, _, _ in program.tasks]
        assert sorted(begun) == [(phase, band) for phase in range(7) for band in range(count)]
        assert (begun == sorted(begun)) == (count == 32)  # four bands of two rows follow each other through phases
        for k, (phase, band, first, last) in enumerate(program.tasks):
            assert first <= max(0, band - 1)
            assert last >= min(count, band + 2)
            assert phase == 0 or {(phase - 1, other) for other in range(first, last)} <= {*begun[:k]}
        for threads in (1, 2, 4):
            monkeypatch.setattr(band_stepper, "processors", lambda count=threads: count)
            found.append(final(divided, 1.0, **options))
        np.testing.assert_allclose(found[0], expected, rtol=0.0, atol=1e-13)
        for other in found[1:]:
            np.testing.assert_array_equal(other, found[0])
