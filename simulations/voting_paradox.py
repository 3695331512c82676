"""The voting paradox: three competitors, each of which loses against one of the others, and competition without end.

    dx_i/dt = x_i (1 - x_i - a x_{i+1} - b x_{i-1}),   i = 1, 2, 3 in a ring,   0 < a < 1 < b

Of each two one wins: 1 against 2, 2 against 3, 3 against 1. What the three do together depends on a + b:

- a + b < 2: none wins, all coexist at 1/(1 + a + b).
- a + b = 2: they take turns on closed orbits, along which x1 x2 x3/(x1 + x2 + x3)^3 is constant.
- a + b > 2: they win in turn, and each dwell time is longer than the one before, (b - 1)/(1 - a) times in the limit.
  The time between jumps grows without bound; there is no last winner, though one who looks at any time sees one.

The networks run in u_i = log x_i. With a + b > 2 activities become smaller than the smallest number of a computer, and
in the variables x_i the cycle would end there. Winners and jumps are those of the growth rates, max_i M_i.

Reproduces: R. M. May and W. J. Leonard, Nonlinear aspects of competition between three species, SIAM Journal on
Applied Mathematics 29, 243-253 (1975), as an example of competition without decision in S. Grossberg, Competition,
decision, and consensus, Journal of Mathematical Analysis and Applications 66, 470-493 (1978).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.models import may_leonard
from brnn.theory import competition as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Case:
    """One kind of competition: a, b, where it starts, and what is said about it."""

    a: float
    b: float
    start: tuple[float, float, float]
    says: str


CASES = {
    "weak": Case(0.5, 0.9, (0.9, 0.08, 0.02), "all coexist"),
    "balanced": Case(0.6, 1.4, (0.5, 0.08, 0.3), "closed orbits"),
    "strong": Case(0.8, 1.3, (0.5, 0.3, 0.2), "no last winner"),
}
DURATION = 16000.0
SHOWN = 420.0
SMALLEST = np.log10(np.finfo(float).smallest_subnormal)
PAIRS = ((0, 1), (1, 2), (2, 0))


def build() -> brnn.Network:
    """Return the three cases, and the three contests of two (in x_i, where one can be absent)."""
    layers, links, inputs = [], [], []
    for name, case in CASES.items():
        network = may_leonard.build(case.a, case.b, case.start)
        layers.append(network.layers[0].replace(name=name))
        links.append(network.projections[0].replace(source=name, target=name, name=f"{name}_competes"))
        inputs.append(network.stimuli[0].replace(target=name))
    for winner, loser in PAIRS:
        name = f"pair_{winner + 1}{loser + 1}"
        start = np.where(np.arange(3) == winner, 0.1, np.where(np.arange(3) == loser, 0.9, 0.0))
        network = may_leonard.build(CASES["strong"].a, CASES["strong"].b, start, logarithmic=False)
        layers.append(network.layers[0].replace(name=name))
        links.append(network.projections[0].replace(source=name, target=name, name=f"{name}_competes"))
    return brnn.Network(
        "voting_paradox",
        layers,
        links,
        inputs,
        duration=DURATION,
        reference="May and Leonard (1975), SIAM J. Appl. Math. 29, 243-253",
    )


def jumps(result: Any, name: str) -> theory.Jumps:
    """Return who has the largest growth rate, from when on, and for how long."""
    case = CASES[name]
    rates = theory.growth_rates(np.exp(np.asarray(result[f"{name}.x"])), theory.community_matrix(case.a, case.b))
    return theory.jumps(np.asarray(result.times), rates)


def compare(result: Any) -> list[Comparison]:
    """Set the theorems beside the simulation."""
    rows = []
    for winner, loser in PAIRS:
        name = f"pair_{winner + 1}{loser + 1}"
        label = f"{winner + 1} against {loser + 1}, from 0.1 and 0.9: {winner + 1} wins"
        rows.append(Comparison(np.eye(3)[winner], result.final(name), 1e-8, label))
    weak, balanced, strong = CASES.values()
    ends = np.exp(np.asarray(result.final("weak")))
    rows.append(Comparison(theory.interior_point(weak.a, weak.b), ends, 1e-8, "a + b < 2: all at 1/(1 + a + b)"))
    x = np.exp(np.asarray(result["balanced.x"]))
    constant = np.prod(balanced.start) / np.sum(balanced.start) ** 3
    kept = x.prod(axis=1) / x.sum(axis=1) ** 3
    rows.append(Comparison(np.full(len(x), constant), kept, 1e-7, "a + b = 2: x1 x2 x3/(x1 + x2 + x3)^3 at all times"))
    rows.append(Comparison(1.0, x[-1].sum(), 1e-8, "a + b = 2: total in the end"))
    found = jumps(result, "strong")
    order = [2, 1, 0] * len(found.jumps)
    rows.append(Comparison.order(order[: len(found.jumps)], found.winners, "a + b > 2: who wins next, 3, 2, 1, 3 ..."))
    rows.append(Comparison.monotone("rising", found.dwell, label="a + b > 2: dwell times"))
    limit = theory.dwell_factors(strong.a, strong.b)[0]
    last = found.dwell[-1] / found.dwell[-2]
    rows.append(Comparison(limit, last, 0.01, "a + b > 2: last factor of dwell times, (b - 1)/(1 - a)"))
    return rows


def draw(result: Any) -> Figure:
    """Draw the three cases as paths between three corners, and the cycle that lengthens over time."""
    plot = brnn.plot
    strong = CASES["strong"]
    figure = plot.new_figure(
        12.8,
        8.4,
        "The voting paradox: of any two one wins, of three none",
        "dx$_i$/dt = x$_i$ (1 − x$_i$ − a x$_{i+1}$ − b x$_{i−1}$), i = 1, 2, 3 in a ring"
        "   ·   arrows: who wins while the third one is absent (if b > 1)   ·   after May and Leonard (1975)",
    )
    axes = figure.subplots(2, 3, height_ratios=[1.15, 1.0])
    for ax, (name, case) in zip(axes[0], CASES.items(), strict=True):
        _draw_triangle(ax, result, name, case)
    times = np.asarray(result.times)
    u = np.asarray(result["strong.x"])
    shown = times <= SHOWN
    for cell in range(3):
        axes[1, 0].plot(
            times[shown], np.exp(u[shown, cell]), color=plot.PALETTE[cell], linewidth=1.7, label=f"{cell + 1}"
        )
        axes[1, 1].plot(times, u[:, cell] / np.log(10.0), color=plot.PALETTE[cell], linewidth=1.4)
    axes[1, 0].set_xlim(0.0, SHOWN)
    axes[1, 0].set_ylim(0.0, 1.25)
    plot.polish(axes[1, 0], f"a = {strong.a:g}, b = {strong.b:g}: the winners take turns", "time t", "x$_i$(t)")
    plot.key(axes[1, 0], loc="upper right", ncols=3, title="activity of")
    axes[1, 1].axhline(SMALLEST, color="#222222", linewidth=1.1, linestyle=(0, (5, 3)))
    axes[1, 1].annotate(
        "smallest number of a computer",
        (0.02 * DURATION, SMALLEST),
        xytext=(0, -11),
        textcoords="offset points",
        fontsize=8.5,
    )
    axes[1, 1].set_xlim(0.0, DURATION)
    plot.polish(axes[1, 1], "The same for longer, as logarithms", "time t", "log$_{10}$ x$_i$(t)")
    _draw_dwell(axes[1, 2], result)
    return figure


_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])


def _draw_triangle(ax: Any, result: Any, name: str, case: Case) -> None:
    """Draw the path of the relative activities, from light to dark, and the outcomes of the three contests of two."""
    from matplotlib.collections import LineCollection

    plot = brnn.plot
    x = np.exp(np.asarray(result[f"{name}.x"]))
    path = (x / x.sum(axis=1, keepdims=True)) @ _CORNERS
    until = {"weak": 120, "balanced": 75, "strong": 1200}[name]  # samples: further turns would lie upon each other
    colors = plot.ordered_colors()(np.linspace(0.0, 1.0, until))
    outline = np.vstack([_CORNERS, _CORNERS[:1]])
    ax.plot(outline[:, 0], outline[:, 1], color="#c4c4c4", linewidth=1.0)
    steps = np.stack([path[: until - 1], path[1:until]], axis=1)
    ax.add_collection(LineCollection(list(steps), colors=colors, linewidths=1.6, capstyle="round"))
    ax.plot(*path[0], "o", markersize=5, color="white", markeredgecolor="#222222", zorder=4)
    center = theory.interior_point(case.a, case.b)
    ax.plot(*((center / center.sum()) @ _CORNERS), "+", markersize=9, color="#222222", zorder=4)
    # Only if b > 1 does the one in front win; else two coexist as well.
    for winner, loser in PAIRS if case.b > 1.0 else ():
        start, end = _CORNERS[loser], _CORNERS[winner]
        outward = 0.5 * (start + end) - _CORNERS.mean(axis=0)
        shift = 0.07 * outward / np.linalg.norm(outward)
        ax.annotate(
            "",
            shift + 0.35 * start + 0.65 * end,
            xytext=shift + 0.65 * start + 0.35 * end,
            arrowprops={"arrowstyle": "-|>", "color": "#6b6b6b", "linewidth": 1.3},
        )
    for cell, corner in enumerate(_CORNERS):
        away = corner + 0.085 * (corner - _CORNERS.mean(axis=0)) / np.linalg.norm(corner - _CORNERS.mean(axis=0))
        ax.text(*away, f"{cell + 1}", color=plot.PALETTE[cell], fontsize=12, weight="bold", ha="center", va="center")
    relation = {"weak": "<", "balanced": "=", "strong": ">"}[name]
    plot.polish(ax, f"a = {case.a:g}, b = {case.b:g}, a + b {relation} 2: {case.says}", grid=False)
    ax.set_xlim(-0.12, 1.12)
    ax.set_ylim(-0.12, 1.0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(ax.get_title(loc="left"), fontsize=10.5, color="#222222", loc="left")


def _draw_dwell(ax: Any, result: Any) -> None:
    plot = brnn.plot
    case = CASES["strong"]
    found = jumps(result, "strong")
    number = np.arange(1, found.dwell.size + 1)
    limit = theory.dwell_factors(case.a, case.b)[0]
    ax.semilogy(
        number,
        found.dwell[-1] * limit ** (number - number[-1]),
        color="#222222",
        linewidth=1.1,
        linestyle=(0, (5, 3)),
        label=f"predicted in the limit: each × (b − 1)/(1 − a) = {limit:.3g}",
    )
    for cell in range(3):
        chosen = np.array(found.winners[:-1]) == cell
        ax.semilogy(
            number[chosen], found.dwell[chosen], "o", markersize=5.5, color=plot.PALETTE[cell], label=f"{cell + 1} wins"
        )
    plot.polish(ax, "Time from one jump to the next", "number of the jump", "dwell time")
    ax.set_ylim(top=30.0 * found.dwell.max())
    plot.key(ax, loc="upper left")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all cases together and compare."""
    times = np.concatenate([np.linspace(0.0, 1000.0, 2001), np.arange(1001.0, DURATION + 1.0)])
    result = simulate(build(), options, times=times, solver="DOP853")
    found = jumps(result, "strong")
    factors = ", ".join(f"{factor:.3f}" for factor in found.dwell[1:] / found.dwell[:-1])
    notes = ("", f"a + b > 2: dwell times, each divided by the one before: {factors}")
    return Outcome(compare(result), lambda: draw(result), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
