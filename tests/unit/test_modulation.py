"""Projections whose signals a third layer multiplies, beside the same equations written out by hand here."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import brnn
from brnn.compiler import compile_network
from brnn.compiler.differentiable import jacobian
from brnn.compiler.jacobian import BlockJacobian
from brnn.equations.network import equations_of
from brnn.equations.printing import Text
from brnn.equations.scalar import scalar_equations
from brnn.integrate.side_by_side import side_by_side

STEP = 1e-30  # of the complex step
W = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.2, 0.1]])
HILL = brnn.Sigmoid(gain=1.5, half=0.4, exponent=2.0)


def hill(w: np.ndarray) -> np.ndarray:
    return 1.5 * w**2 / (0.4**2 + w**2)


def layers(initial: float = 0.3) -> list[brnn.Layer]:
    return [
        brnn.Layer.shunting("a", 3, A=1.0, B=2.0, D=0.3, initial=initial),
        brnn.Layer.shunting("b", 3, A=0.7, B=1.5, initial=initial),
        brnn.Layer.additive("m", 3, A=0.5, initial=initial),
        brnn.Layer.additive("r", 1, A=0.2, initial=initial),
    ]


def network() -> brnn.Network:
    """A network in which factors stand before everything that a projection can be."""
    by = brnn.Modulation
    links = [
        # without connections of their own
        brnn.Projection("a", "b", "excitatory", HILL, modulation=by("m", HILL, 1.0, 0.5), name="relay"),
        brnn.Projection("b", "b", "inhibitory", HILL, brnn.AllButSelf(0.3), modulation=by("r", at="total"), name="off"),
        brnn.Projection("a", "m", topology=brnn.AllToAll(0.2), modulation=by("a", HILL, at="source"), name="square"),
        # whole arrays at once
        brnn.Projection("a", "b", "inhibitory", topology=brnn.Dense(W), modulation=by("m", HILL, 1.0, -0.2), name="d"),
        brnn.Projection("b", "a", "excitatory", HILL, brnn.Shift(1), modulation=by("m", HILL, at="source"), name="s"),
        brnn.Projection(
            "b", "a", "inhibitory", HILL, brnn.GaussianKernel(1.0, 0.8), modulation=by("m", HILL, 0.2, 0.1, "total"),
            gate=brnn.HabituativeGate(0.3, 1.0, 2.0), name="g",
        ),
        # connections that change
        brnn.Projection(
            "a", "a", "excitatory", HILL, brnn.Dense(W), modulation=by("m", gain=0.7, at="source"),
            gate=brnn.HabituativeGate(0.2, 1.0, 0.5, per="connection"), name="c",
        ),
        brnn.Projection(
            "m", "a", "inhibitory", topology=brnn.AllToAll(0.4), modulation=by("b", HILL, 0.1, 0.9),
            learning=brnn.Outstar(0.3, initial=0.6), name="l",
        ),
    ]  # fmt: skip
    return brnn.Network(
        "modulated", layers(), links, [brnn.Stimulus("r", pattern=0.1), brnn.Stimulus("a", pattern=1.0)]
    )


def by_hand(u: np.ndarray) -> np.ndarray:
    """Return du/dt of `network`."""
    a, b, m, r = u[:3], u[3:6], u[6:9], u[9]
    g, c, z = u[10:13], u[13:22].reshape(3, 3), u[22:31].reshape(3, 3)
    fb = hill(b)
    taps = np.exp(-(np.arange(-4, 5) ** 2) / (2.0 * 0.8**2))
    G = np.array([[taps[4 + i - k] for k in range(3)] for i in range(3)]) / taps.sum()
    exc_a = 1.0 + np.array([0.0, fb[0] * hill(m[0]), fb[1] * hill(m[1])]) + (W * c) @ (hill(a) * 0.7 * m)
    inh_a = (G @ (fb * g)) * (0.2 + 0.1 * hill(m).sum()) + 0.4 * (z @ m) * (0.1 + 0.9 * fb)
    exc_b = hill(a) * (1.0 + 0.5 * hill(m))
    inh_b = 0.3 * (fb.sum() - fb) * r + (W @ a) * (1.0 - 0.2 * hill(m))
    slopes = [
        -a + (2.0 - a) * exc_a - (0.3 + a) * inh_a,
        -0.7 * b + (1.5 - b) * exc_b - b * inh_b,
        -0.5 * m + 0.2 * (a * hill(a)).sum(),
        np.array([-0.2 * r + 0.1]),
        0.3 * (1.0 - g) - 2.0 * fb * g,
        (0.2 * (1.0 - c) - 0.5 * hill(a) * c).ravel(),
        (0.3 * m * (a[:, None] - z)).ravel(),
    ]
    return np.concatenate(slopes)


@pytest.fixture(scope="module")
def state() -> np.ndarray:
    return np.random.default_rng(5).uniform(0.1, 0.9, 31)


def test_equations(state: np.ndarray) -> None:
    whole = network()
    np.testing.assert_allclose(compile_network(whole).f(0.0, state), by_hand(state), rtol=1e-13)
    wanted = np.stack([by_hand(state + 1j * STEP * e).imag / STEP for e in np.eye(31)], axis=1)
    np.testing.assert_allclose(jacobian(whole, 0.0, state), wanted, rtol=1e-12, atol=1e-13)
    cells, rest = BlockJacobian(compile_network(whole))(0.0, state)
    np.testing.assert_allclose(cells, wanted[:10, :10], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(rest, np.diag(wanted)[10:], rtol=1e-7, atol=1e-8)


def evaluated(node: ast.expr, values: dict[str, float]) -> float:
    """Return the value of a formula of sums, products, powers and choices."""
    match node:
        case ast.Constant(value):
            return float(value)
        case ast.Name(name):
            return values[name]
        case ast.UnaryOp(ast.USub(), inner):
            return -evaluated(inner, values)
        case ast.IfExp(test, then, other):
            assert isinstance(test, ast.Compare)
            holds = evaluated(test.left, values) >= evaluated(test.comparators[0], values)
            return evaluated(then if holds else other, values)
        case ast.BinOp(left, symbol, right):
            x, y = evaluated(left, values), evaluated(right, values)
            match symbol:
                case ast.Add():
                    return x + y
                case ast.Sub():
                    return x - y
                case ast.Mult():
                    return x * y
                case ast.Div():
                    return x / y
                case ast.Pow():
                    return x**y
        case ast.Call(ast.Name(name), arguments):
            return float(getattr(np, name)(*(evaluated(argument, values) for argument in arguments)))
    raise AssertionError(ast.dump(node))


def test_equations_one_unknown_at_a_time(state: np.ndarray) -> None:
    found = scalar_equations(network(), duration=1.0)
    values = {unknown.name: float(value) for unknown, value in zip(found.unknowns, state, strict=True)} | {"t": 0.5}
    for name, formula in found.auxiliaries:
        values[name] = evaluated(formula, values)
    rates = [evaluated(unknown.rate, values) for unknown in found.unknowns]
    np.testing.assert_allclose(rates, by_hand(state), rtol=1e-12)


def test_printed_equations() -> None:
    shown = equations_of(network())
    rate = {
        Text()(equation.state): Text()(equation.right) for equation in shown.equations if equation.right is not None
    }
    assert "f(a.x[i])·(1 + 0.5·f(m.x[i]))" in rate["b.x[i]"]
    assert "0.3·(Σ_{k≠i} f(b.x[k]))·r.x + Σ_k d.W[i,k]·a.x[k]·(1 - 0.2·f(m.x[i]))" in rate["b.x[i]"]
    assert "g.y[k]·(0.2 + 0.1·Σ_m f(m.x[m]))" in rate["a.x[i]"]
    assert "a.x[k]·f(a.x[k])" in rate["m.x[i]"]


def test_factors_with_a_closed_form() -> None:
    """Linear factors with a solution in closed form: x' = -x + m(t) s(t), with m = exp(-t/2), s = exp(-t/4)."""
    linear = brnn.Network(
        "closed",
        [
            brnn.Layer.additive("x", 2, A=1.0),
            brnn.Layer.additive("s", 2, A=0.25, initial=1.0),
            brnn.Layer.additive("m", 2, A=0.5, initial=[1.0, 2.0]),
        ],
        [brnn.Projection("s", "x", modulation=brnn.Modulation("m"))],
    )
    result = brnn.simulate(linear, 3.0, rtol=1e-9, atol=1e-12)
    wanted = np.array([1.0, 2.0]) * (np.exp(-0.75 * 3.0) - np.exp(-3.0)) / 0.25
    np.testing.assert_allclose(result.final("x"), wanted, rtol=1e-7)


def test_side_by_side_and_one_by_one() -> None:
    """Members of an ensemble go where each of them goes alone."""
    members = [network().with_({"relay.modulation.gain": gain, "off.modulation.base": 0.1}) for gain in (0.2, 0.5, 2.0)]
    members = [member.replace(duration=4.0) for member in members]
    together = side_by_side(members, "b", [4.0], rtol=1e-8, atol=1e-10)
    for member, found in zip(members, together, strict=True):
        alone = brnn.simulate(member, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found[-1], alone.final("b"), rtol=1e-6)


@pytest.mark.parametrize(("at", "late"), [("source", 1.0), ("target", 0.0)])
def test_a_factor_at_the_source_travels_with_the_signals(at: str, late: float) -> None:
    """x' = s m, from time 1 on; s = 1 and m = t."""
    delayed = brnn.Network(
        "late",
        [
            brnn.Layer.additive("x", 1, A=0.0),
            brnn.Layer.additive("s", 1, A=0.0, initial=1.0),
            brnn.Layer.additive("m", 1, A=0.0),
        ],
        [brnn.Projection("s", "x", modulation=brnn.Modulation("m", at=at), delay=1.0)],
        [brnn.Stimulus("m")],
    )
    times = np.array([0.0, 1.0, 2.0, 4.0])
    found = brnn.simulate(delayed, 4.0, times=times)
    start = 0.0 if late else 0.5  # before time 0 all was as at time 0: s = 1, and m = 0 at the source
    wanted = np.where(times < 1.0, 0.0, start + 0.5 * ((times - late) ** 2 - (1.0 - late) ** 2))
    np.testing.assert_allclose(found["x.x"].values[:, 0], wanted, atol=1e-6)


def test_json_and_names() -> None:
    whole = network()
    assert brnn.Network.from_json(whole.to_json()) == whole
    plain = brnn.Projection("a", "b")
    assert "modulation" not in plain.to_dict()  # as in files that are older
    assert brnn.Projection.from_dict(plain.to_dict()) == plain
    changed = whole.with_({"relay.modulation.signal.half": 0.9, "relay.modulation.base": 2.0})
    link = next(link for link in changed.projections if link.name == "relay")
    assert link.modulation == brnn.Modulation("m", HILL.replace(half=0.9), 2.0, 0.5)


def test_bounds_hold_only_where_no_factor_is_negative() -> None:
    def highest(modulation: brnn.Modulation) -> object:
        link = brnn.Projection("a", "b", signal=HILL, modulation=modulation)
        variables = compile_network(brnn.Network("n", layers(), [link])).variables
        return next(variable.highest for variable in variables if variable.group == "b")

    assert highest(brnn.Modulation("b", HILL, base=1.0)) == 1.5
    assert highest(brnn.Modulation("b")) == 1.5  # b itself stays above 0
    assert highest(brnn.Modulation("b", HILL, base=1.0, gain=-1.0)) is None
    assert highest(brnn.Modulation("m")) is None  # an additive layer may be below 0


@pytest.mark.parametrize(
    ("modulation", "message"),
    [
        (lambda: brnn.Modulation("q"), "'a_b_exc': modulation: layer = 'q': no such layer"),
        (lambda: brnn.Modulation("r"), "'a_b_exc': modulation: at = 'target': 'r' has 1 cells, 'b' has 3"),
        (lambda: brnn.Modulation("r", at="source"), "at = 'source': 'r' has 1 cells, 'a' has 3"),
        (lambda: brnn.Modulation("r", at="everywhere"), "Modulation by 'r': at = 'everywhere': must be one of target"),
        (lambda: brnn.Modulation("r", gain=np.inf), "Modulation by 'r': gain"),
        (lambda: "r", "modulation"),
    ],
)
def test_bad_input(modulation: object, message: str) -> None:
    with pytest.raises(brnn.SpecError, match=message) as caught:
        brnn.Network("n", layers(), [brnn.Projection("a", "b", modulation=modulation())])
    assert "\n" not in str(caught.value)


def test_discrete_time_has_none() -> None:
    cells = [brnn.BinaryLayer("a", 2), brnn.BinaryLayer("b", 2)]
    with pytest.raises(brnn.SpecError, match="modulation needs continuous time"):
        brnn.Network("n", cells, [brnn.Projection("a", "b", modulation=brnn.Modulation("a"))])


def test_theory_keeps_away() -> None:
    field = brnn.models.rcf.build()
    links = [link.replace(modulation=brnn.Modulation("rcf", base=1.0)) for link in field.projections]
    changed = field.replace(projections=links)
    assert len(list(brnn.theory.predict(changed))) < len(list(brnn.theory.predict(field)))
    with pytest.raises(brnn.InputError, match="is modulated by a third layer"):
        brnn.theory.liapunov(changed)
