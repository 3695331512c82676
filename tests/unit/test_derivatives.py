"""Exact derivatives of right-hand sides, beside complex steps through equations written out by hand here."""

import numpy as np
import pytest

import brnn
from brnn.base.codetext import code_of
from brnn.compiler.cache import load_module
from brnn.compiler.differentiable import jacobian
from brnn.compiler.partials import derivative

STEP = 1e-30  # of the complex step: what is lost is its square


def complex_jacobian(f, u):
    """Return df/du by complex steps."""
    columns = []
    for k in range(u.size):
        moved = u.astype(complex)
        moved[k] += 1j * STEP
        columns.append(f(moved).imag / STEP)
    return np.stack(columns, axis=1)


def hill(w, gain, half, n):
    return gain * w**n / (half**n + w**n)


def test_a_field_with_gates_and_every_learning_law():
    a, b = (
        brnn.Layer("a", 2, A=1.0, B=[2.0, 1.5], E=0.3, initial=0.4),
        brnn.MembraneLayer("b", 3, 2.0, 1.1, -0.2, 0.1, 0.5),
    )
    sigmoid, logistic = brnn.Sigmoid(gain=1.5, half=0.4, exponent=2.5), brnn.Logistic(gain=2.0, slope=3.0, midpoint=0.2)
    laws = {
        "outstar": brnn.Outstar(rate=0.7, sampled=sigmoid),
        "instar": brnn.Instar(rate=0.6),
        "decay": brnn.PassiveDecay(rate=0.5, decay=0.2),
        "doubly": brnn.DoublyGated(rate=0.4),
        "shared": brnn.SelfNormalizing(rate=0.3, L=1.7),
    }
    links = [
        brnn.Projection("a", "b", kind, logistic, brnn.AllToAll(weight=0.3), learning=law, name=name)
        for (name, law), kind in zip(laws.items(), ("excitatory", "inhibitory") * 3, strict=False)
    ]
    gate = brnn.HabituativeGate(H=0.2, K=1.0, L=2.0)
    links += [
        brnn.Projection("a", "a", "inhibitory", sigmoid, brnn.AllButSelf(), name="off"),
        brnn.Projection("a", "a", "excitatory", sigmoid, brnn.OneToOne(weight=2.0), gate=gate, name="on"),
        brnn.Projection(
            "b", "a", "excitatory", brnn.Power(gain=0.5, exponent=1.5), brnn.Dense([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
            gate=brnn.HabituativeGate(H=0.1, K=2.0, L=1.0, per="connection"), name="back",
        ),
    ]  # fmt: skip
    network = brnn.Network("all", [a, b], links, [brnn.Stimulus("a", "excitatory", [1.0, 0.5], brnn.Constant())])
    D = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])

    def f(u):
        xa, xb = u[:2], u[2:5]
        y, Y = u[5:7], u[7:13].reshape(2, 3)
        z = dict(zip(laws, u[13:].reshape(5, 3, 2), strict=True))
        fa, fb = 2.0 / (1.0 + np.exp(-3.0 * (xa - 0.2))), 2.0 / (1.0 + np.exp(-3.0 * (xb - 0.2)))
        s, p = hill(xa, 1.5, 0.4, 2.5), 0.5 * xb**1.5
        exc = s * y * 2.0 + (D * Y) @ p + np.array([1.0, 0.5])
        net = {name: 0.3 * weights @ fa for name, weights in z.items()}
        on, off = net["outstar"] + net["decay"] + net["shared"], net["instar"] + net["doubly"]
        sb = hill(xb, 1.5, 0.4, 2.5)
        slopes = [
            -xa + (np.array([2.0, 1.5]) - xa) * exc - (0.3 + xa) * (s.sum() - s),
            ((b.V_plus - xb) * on + (b.V_minus - xb) * off + (b.V_p - xb) * b.g_p) / 2.0,
            0.2 * (1.0 - y) - 2.0 * s * y,
            (0.1 * (2.0 - Y) - p * Y).ravel(),
            0.7 * fa * (sb[:, None] - z["outstar"]),
            0.6 * fb[:, None] * (xa - z["instar"]),
            0.5 * fa * fb[:, None] - 0.2 * z["decay"],
            0.4 * fa * fb[:, None] * (xb[:, None] - z["doubly"]),
            0.3 * fb[:, None] * ((1.0 - z["shared"]) * 1.7 * xa - z["shared"] * (xa.sum() - xa)),
        ]
        return np.concatenate([np.ravel(part) for part in slopes])

    u = np.random.default_rng(3).uniform(0.1, 0.9, 43)
    np.testing.assert_allclose(brnn.compiler.compile_network(network).f(0.0, u), f(u), rtol=1e-13)
    np.testing.assert_allclose(jacobian(network, 0.0, u), complex_jacobian(f, u), rtol=1e-12, atol=1e-13)


def cubed(w, k):
    """A text with a loop, a branch, and names that are used again."""
    total = 0.0
    for n in range(3):
        w = w * np.tanh(k * w) + n
        total += np.sqrt(w * w + k) if w > 0.5 else w**k
    return total / (1.0 + np.exp(-w)) - np.maximum(w, k) * np.arctan2(k, w) + np.hypot(w, 2.0) ** 2


@pytest.mark.parametrize("argument", [0, 1])
def test_text_with_loops_and_branches(argument):
    found = derivative(code_of(cubed), argument, {})[-1]
    slope = getattr(load_module(f"import numpy as np\n\n{found.source}"), found.name)
    for w, k in [(0.7, 1.3), (0.2, 0.4)]:
        h = 1e-3
        moved = [np.array([w, k]) + h * s * np.eye(2)[argument] for s in (-3, -2, -1, 1, 2, 3)]
        wanted = np.dot([-1, 9, -45, 45, -9, 1], [cubed(*at) for at in moved]) / 60.0
        assert slope(w, k) == pytest.approx(wanted / h, rel=1e-10)


def test_what_jumps_has_no_derivative():
    signal = brnn.Step(threshold=0.5)
    network = brnn.Network(
        "n", [brnn.Layer("a", 2, A=1.0, B=1.0)], [brnn.Projection("a", "a", "excitatory", signal, brnn.OneToOne())]
    )
    with pytest.raises(brnn.SpecError, match="it jumps at 'w >= threshold'"):
        jacobian(network, 0.0, np.zeros(2))


def test_what_comes_late_has_no_derivative():
    link = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(), delay=1.0)
    with pytest.raises(brnn.InputError, match="has a delay, through which derivatives are not taken"):
        jacobian(brnn.Network("n", [brnn.Layer("a", 2, A=1.0, B=1.0)], [link]), 0.0, np.zeros(2))
