"""Equilibria, exponents, jump graphs and basins that are computed, against closed forms and theorems."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.cli.commands.theory import _few
from brnn.dynamics.certain_jumps import CertainGrowth
from brnn.plot import theory_figure
from brnn.theory.every_equilibrium import every_equilibrium
from brnn.theory.predictions.base import Prediction, Predictions

A, B = 1.0, 3.0


def field(n: int, signal: brnn.Signal) -> brnn.Network:
    return models.rcf.build(n=n, signal=signal, A=A, B=B, pattern=0.0)


def test_every_equilibrium_of_a_faster_than_linear_field() -> None:
    """f = w^2: k equal cells, k u^2 - B u + A = 0, and nothing else: 1 + 2 (2^3 - 1) of three cells, without k = 3."""
    found = every_equilibrium(A, B, brnn.Power(), 3)
    assert sum(e.copies for e in found) == 1 + 2 * 3 + 2 * 3  # B^2 < 4 A k for k = 3
    for e in found[1:]:
        (u,), (k,) = e.levels, e.counts
        assert k * u * u - B * u + A == pytest.approx(0.0, abs=1e-14)
        assert e.stable == (k == 1 and u > 1.5)


def test_every_equilibrium_of_a_sigmoid_field() -> None:
    """f = w^2/(1/4 + w^2): each is one by (21) itself; of two cells as many as a fine search in the plane finds."""
    for n in (1, 2, 3, 4):
        found = every_equilibrium(A, B, brnn.Sigmoid(half=0.5), n)
        for e in found:
            x = e.state
            f = x**2 / (0.25 + x**2)
            np.testing.assert_allclose(-A * x + (B - x) * f - x * (f.sum() - f), 0.0, atol=1e-14)
    side = np.concatenate([np.geomspace(1e-3, 2.0, 60), [0.0]])
    x = np.array(list(itertools.product(side, side)))  # Newton's method of two equations, from each point of a plane
    for _ in range(80):
        f, slope = x**2 / (0.25 + x**2), 0.5 * x / (0.25 + x**2) ** 2
        rates = -A * x + (B - x) * f - x * (f.sum(axis=1, keepdims=True) - f)
        J = -x[:, :, None] * slope[:, None, :]
        J[:, [0, 1], [0, 1]] = -A - f + (B - x) * slope - (f.sum(axis=1, keepdims=True) - f)
        good = np.abs(np.linalg.det(J)) > 1e-12
        x = x[good] - np.linalg.solve(J[good], rates[good][:, :, None])[:, :, 0]
    plane = {tuple(np.round(p, 6) + 0.0) for p in x if (p > -1e-9).all() and p.max() < 3.0}
    assert len(plane) == sum(e.copies for e in every_equilibrium(A, B, brnn.Sigmoid(half=0.5), 2)) == 9


def test_every_equilibrium_says_what_it_does_not_know() -> None:
    with pytest.raises(brnn.InputError, match="must be a Power with an exponent above 1"):
        every_equilibrium(A, B, brnn.Sigmoid(exponent=3), 2)
    (_, *others) = every_equilibrium(A, B, brnn.Saturating(half=0.25), 10)
    assert [e.stable for e in others] == [False] * 9 + [True]
    np.testing.assert_allclose(others[-1].state, 0.25, rtol=1e-14)


def test_a_search_finds_them_and_no_others() -> None:
    found = brnn.equilibria(field(3, brnn.Sigmoid(half=0.5)), starts=60)
    known = []
    for e in every_equilibrium(A, B, brnn.Sigmoid(half=0.5), 3):
        known += sorted(set(itertools.permutations(np.round(e.state, 6))))
    for e in found:
        assert min(np.abs(np.array(k) - e.state).max() for k in known) < 1e-5
    assert len(found) >= 0.85 * len(known)
    assert {tuple(np.round(e.state + 0.0, 5)) for e in found.stable} == {
        tuple(p)
        for e in every_equilibrium(A, B, brnn.Sigmoid(half=0.5), 3)
        if e.stable
        for p in itertools.permutations(np.round(e.state, 5))
    }
    assert "there may be others" in repr(found)
    again = brnn.equilibria(field(3, brnn.Sigmoid(half=0.5)), starts=60)
    assert all(np.array_equal(a.state, b.state) for a, b in zip(found, again, strict=True))


def test_a_search_ends_where_equilibria_are_no_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """dx_i/dt = x_i (B - sum_j x_j)/2 rests wherever the total is B, below 0 as well, in any order of its 6 cells."""
    monkeypatch.setattr("brnn.dynamics.equilibria._COPIES", 50)
    line = brnn.models.rcf.build(n=6, A=0.0, signal=brnn.Expression("0.5*w"))
    found = brnn.equilibria(line, starts=4)
    assert all(min(abs(total), abs(total - 3.0)) < 1e-6 for total in (e.state.sum() for e in found))
    assert 13 < len(found) + found.outside <= 50 + 5 + 13  # those of the last exchange, and one for each start


def test_gates_and_weights_are_unknowns_too() -> None:
    """One cell, x' = -x + 1, y' = H (K - y) - L x y, z' = x (x - z): x = 1, y = H K/(H + L), z = 1."""
    layers = [brnn.Layer.additive("S", 1, A=1.0), brnn.Layer.additive("T", 1, A=1.0)]
    gate = brnn.HabituativeGate(H=0.5, K=2.0, L=0.25)
    links = [
        brnn.Projection("S", "T", gate=gate, name="gated"),
        brnn.Projection(
            "S", "T", topology=brnn.AllToAll(), learning=brnn.Instar(sampling=brnn.Linear()), name="instar"
        ),
    ]
    (found,) = brnn.equilibria(brnn.Network("both", layers, links, [brnn.Stimulus("S")], duration=1.0), starts=10)
    assert found["gated.y"].item() == pytest.approx(0.5 * 2.0 / 0.75, rel=1e-9)
    assert found["instar.z"].item() == pytest.approx(1.0, rel=1e-9)
    T = found["T.x"].item()
    assert T == pytest.approx(4.0 / 3.0 + 1.0, rel=1e-9)
    np.testing.assert_allclose(np.sort(found.eigenvalues.real), np.sort([-1.0, -1.0, -0.75, -T]), rtol=1e-6)


def test_kinds() -> None:
    (found,) = brnn.equilibria(models.wilson_cowan.build(), starts=10)
    assert brnn.equilibria(models.wilson_cowan.build(), starts=10).kinds == ("unstable focus",)
    assert not found.stable
    search = brnn.equilibria(field(2, brnn.Power()), starts=40)
    assert sorted(search.kinds) == ["saddle (1 unstable)"] * 3 + ["stable node"] * 3 + ["unstable node"]


@pytest.mark.parametrize(("name", "words"), [("caianiello", "continuous time"), ("art1_fast", "no events")])
def test_networks_without_equilibria(name: str, words: str) -> None:
    with pytest.raises(brnn.InputError, match=words):
        brnn.equilibria(models.load(name).build())


def test_exponents_of_a_linear_network() -> None:
    """They are the real parts of the eigenvalues of M = W - diag(A): here -1 +- 2i and -3."""
    W = np.array([[0.0, 2.0, 0.0], [-2.0, 0.0, 0.0], [0.3, 0.0, -2.0]])
    layer = brnn.Layer.additive("F", 3, A=1.0, initial=1.0)
    links = [
        brnn.Projection("F", "F", "excitatory", topology=brnn.Dense(np.maximum(W, 0.0))),
        brnn.Projection("F", "F", "inhibitory", topology=brnn.Dense(np.maximum(-W, 0.0))),
    ]
    found = brnn.lyapunov_exponents(brnn.Network("spiral", [layer], links), duration=200.0, transient=0.0)
    np.testing.assert_allclose(found.values, [-1.0, -1.0, -3.0], atol=0.02)
    assert found.values.sum() == pytest.approx(np.trace(W) - 3.0, rel=1e-6)  # Liouville's formula
    assert "equilibrium attracts" in found.words


def test_exponents_of_a_limit_cycle() -> None:
    found = brnn.lyapunov_exponents(models.wilson_cowan.build(), duration=200.0)
    assert abs(found.largest) < 0.02
    assert found.values[1] < -0.1
    assert "a cycle" in found.words


def test_exponents_of_chaos() -> None:
    """Lorenz's equations are no network here; three species of Lotka and Volterra with a fourth one are (Vano 2006)."""
    c = np.array([[1.0, 1.09, 1.52, 0.0], [0.0, 1.0, 0.44, 1.36], [2.33, 0.0, 1.0, 0.47], [1.21, 0.51, 0.35, 1.0]])
    r = np.array([1.0, 0.72, 1.53, 1.27])
    layer = brnn.CohenGrossbergLayer("species", (4,), a=brnn.Function("w"), b=brnn.Function("0*w"), initial=0.3)
    link = brnn.Projection("species", "species", "inhibitory", brnn.Linear(), brnn.Dense(r[:, None] * c))
    network = brnn.Network("chaos", [layer], [link], [brnn.Stimulus("species", pattern=r)])
    found = brnn.lyapunov_exponents(network, count=1, duration=2000.0, transient=500.0, interval=10.0)
    assert found.largest == pytest.approx(0.0203, abs=0.007)  # published: 0.0203
    assert "chaos" in found.words


def test_jump_graph_of_the_voting_paradox() -> None:
    """Each loses against one: 1 - a = 0.2 is the rate with which i - 1 grows where i is alone; no one else grows."""
    graph = brnn.jump_graph(models.may_leonard.build(a=0.8, b=1.3, logarithmic=False))
    assert graph.edges == {(0, 2), (2, 1), (1, 0)}
    assert [jump.rate for jump in graph.jumps] == pytest.approx([0.2, 0.2, 0.2], abs=2e-6)
    assert graph.levels == ((pytest.approx(1.0),),) * 3
    assert set(graph.circle) == {0, 1, 2}
    assert "for ever" in graph.verdict
    result = brnn.simulate(models.may_leonard.build(a=0.8, b=1.3), 400.0)
    jumps = brnn.theory.competition.jumps(
        result,
        lambda u: brnn.theory.competition.growth_rates(np.exp(u), brnn.theory.competition.community_matrix(0.8, 1.3)),
    )
    assert set(itertools.pairwise(jumps.winners[1:])) <= graph.edges


def test_jump_graphs_without_circles() -> None:
    """A stored winner of a field lets nobody in; species in a row of dominance: the best wins."""
    graph = brnn.jump_graph(field(3, brnn.Power()))
    assert graph.jumps == ()
    assert graph.levels[0] == (pytest.approx((3.0 + np.sqrt(5.0)) / 2.0),)
    row = np.array([[1.0, 0.5, 0.5], [1.5, 1.0, 0.5], [1.5, 1.5, 1.0]])
    layer = brnn.CohenGrossbergLayer("species", (3,), a=brnn.Function("w"), b=brnn.Function("1 + 0*w"), initial=0.3)
    links = [brnn.Projection("species", "species", "inhibitory", brnn.Linear(), brnn.Dense(row))]
    graph = brnn.jump_graph(brnn.Network("row", [layer], links))
    assert graph.edges == {(1, 0), (2, 0), (2, 1)}
    assert graph.circle == ()
    assert "competition decides" in graph.verdict
    market = brnn.jump_graph(models.competitive_market.build())
    assert "let each other in" in market.verdict


def test_what_is_not_competitive_gets_no_verdict() -> None:
    layer = brnn.CohenGrossbergLayer("species", (2,), a=brnn.Function("w"), b=brnn.Function("1 - w"), initial=0.3)
    links = [brnn.Projection("species", "species", "excitatory", brnn.Linear(0.5), brnn.AllButSelf())]
    assert "not competitive" in brnn.jump_graph(brnn.Network("mutualists", [layer], links)).verdict
    with pytest.raises(brnn.InputError, match="does not stay at 0"):
        brnn.jump_graph(models.rcf.build(n=2).replace(stimuli=[brnn.Stimulus("rcf")]))


def test_basins_of_a_winner_take_all_field() -> None:
    """f = w^2: the larger cell wins if it is not quenched; the diagonal and its rest are no basin of a winner."""
    found = brnn.basins(field(2, brnn.Power()), "rcf.initial.0", "rcf.initial.1", ((0.0, 2.9), (0.0, 2.9)), points=8)
    level = (3.0 + np.sqrt(5.0)) / 2.0
    for i, j in itertools.product(range(8), range(8)):
        x, y = found["rcf.initial.0"].values[i], found["rcf.initial.1"].values[j]
        if x == y or max(x, y) < 0.5:
            continue
        state = found["final"].values[int(found["basin"].values[i, j])]
        np.testing.assert_allclose(state, [level, 0.0] if x > y else [0.0, level], atol=1e-5)
    with pytest.raises(brnn.InputError, match="must be an initial activity"):
        brnn.basins(field(2, brnn.Power()), "rcf.A", "rcf.initial.1", ((0.0, 1.0), (0.0, 1.0)))


@dataclass(frozen=True)
class Square(brnn.Signal):
    """w^2, of which nobody knows bounds."""

    @staticmethod
    def _kernel(w: Any) -> Any:
        return w * w


@pytest.mark.parametrize("signal", [brnn.Power(), brnn.Sigmoid(), brnn.Expression("w**2/(0.3 + w**2)")])
def test_jump_graphs_are_certain_where_bounds_of_the_law_are_known(signal: brnn.Signal) -> None:
    graph = brnn.jump_graph(field(3, signal))
    assert graph.sampled == ()
    assert graph.certainty == "certain: by bounds of the law"
    assert graph.certainty in graph.verdict


def test_what_is_found_by_samples_says_so() -> None:
    """The levels of w^2, but nobody knows what a class does between samples; a double level is never certain."""
    graph = brnn.jump_graph(field(2, Square()))
    assert graph.levels[0] == (pytest.approx((3.0 + np.sqrt(5.0)) / 2.0),)
    assert len(graph.sampled) == 3
    assert "at 64 random states" in graph.certainty
    assert "at 4,000 activities" in graph.verdict
    assert "sampled" in graph.words
    # (B - x) x = A at B = 2 has one level, 1, at which the rate touches 0
    touching = brnn.jump_graph(models.rcf.build(n=2, signal=brnn.Power(), A=1.0, B=2.0, pattern=0.0))
    assert any("levels" in text for text in touching.sampled)


def test_bounds_of_growth_contain_what_the_law_gives() -> None:
    """May and Leonard: 1 - x_i - a x_{i+1}; a field: (B - x) x - A, less the other's x^2."""
    species = CertainGrowth(models.may_leonard.build(a=0.8, b=1.3, logarithmic=False), 1.0, 1.0)
    alone = species.growth(0, np.array([0.25, 0.5]), np.array([0.5, 0.75]))
    np.testing.assert_allclose(alone.low, [0.5, 0.25], atol=1e-12)
    np.testing.assert_allclose(alone.high, [0.75, 0.5], atol=1e-12)
    beside = species.growth(0, np.array(1e-300), np.array(1e-9), (1, 0.5, 0.5))
    assert float(beside.low) == pytest.approx(0.6)
    cell = CertainGrowth(field(2, brnn.Power()), 1.0, B)
    found = cell.growth(0, np.array([1.0]), np.array([1.0]), (1, 0.5, 0.5))
    assert found.low == pytest.approx((B - 1.0) - A - 0.25)
    assert not cell.all_levels(0, [(3.0 + np.sqrt(5.0)) / 2.0])  # the other one, (3 - sqrt 5)/2, is not named
    assert cell.all_levels(0, [(3.0 - np.sqrt(5.0)) / 2.0, (3.0 + np.sqrt(5.0)) / 2.0])


def test_cells_that_others_take_below_0_have_no_jump_graph() -> None:
    """-D < 0: cell 0 at rest is driven below 0 by the other one, so that its law is not a(x) M(x)."""
    layer = brnn.Layer.shunting("F", 2, A=1.0, B=3.0, D=0.5, initial=0.5)
    links = [
        brnn.Projection("F", "F", "excitatory", brnn.Power(), brnn.OneToOne()),
        brnn.Projection("F", "F", "inhibitory", brnn.Power(), brnn.AllButSelf()),
    ]
    with pytest.raises(brnn.InputError, match="does not stay at 0"):
        brnn.jump_graph(brnn.Network("below", [layer], links))


def test_the_figure_of_theory_draws_unknowns_that_meet() -> None:
    """The two inputs of a dipole know nothing of each other."""
    dipole = theory_figure(models.gated_dipole.build())
    assert (dipole.axes[0].get_xlabel(), dipole.axes[0].get_ylabel()) == ("on_input.x", "on_gated.x")
    market = theory_figure(models.competitive_market.build())
    plane, landscape = (next(ax for ax in market.axes if ax.get_title("left").startswith(t)) for t in ("Phase", "Liap"))
    np.testing.assert_allclose(landscape.get_xlim(), plane.get_xlim(), rtol=0.01, atol=0.01)
    jumps = next(ax for ax in market.axes if ax.get_title("left").startswith("Jumps"))
    assert jumps.get_xlabel() == "certain: by bounds of the law"


def test_no_level_is_no_winner() -> None:
    """Cells that only decay."""
    graph = brnn.jump_graph(brnn.Network("decay", [brnn.Layer.shunting("F", 2, A=1.0, B=1.0, initial=0.5)]))
    assert graph.levels == ((), ())
    assert "no winner" in graph.verdict


def test_what_is_said_of_many_intervals_of_time_is_listed_for_the_first_ones() -> None:
    said = [Prediction("x", k, f"is {k}", "", "", during=(k, k + 1.0)) for k in range(9)]
    rows = list(_few(Predictions("n", (Prediction("network", 0, "one", "", ""), *said))))
    assert [words for _, words in rows[:-1]] == ["one", "is 0", "is 1", "is 2", "is 3"]
    assert rows[-1] == ("x", "... and of 5 more intervals of time: --json has them all")


@pytest.mark.parametrize(("level", "said"), [(1.9, True), (2.0, None), (2.1, False)])
def test_what_takes_over_is_certain_or_not_said(level: float, said: bool | None) -> None:
    """A silent cell beside one at x grows at -A + B - x where f(w) = w: at x = B - A bounds have both signs."""
    growth = CertainGrowth(brnn.models.rcf.build(n=2, A=1.0, B=3.0, signal=brnn.Linear()), 100.0, 3.0)
    assert growth.takes_over(0, 1, level) is said
