"""Competitive market: firms that know nothing of each other but the price find one that suits all of them.

    dx_i/dt = x_i [p(x) - cost_i - rise x_i],   p(x) = top - demand sum_k x_k

x_i is the production of firm i, cost_i + rise x_i its unit cost, p the price that the whole supply makes. A firm
expands while a further unit earns more than it costs. It is an adaptation level system (28) with b_i = top - cost_i -
rise x_i and c = demand sum_k x_k.

Source: Grossberg (1978), Competition, decision, and consensus, J. Math. Anal. Appl. 66, 470-493; Grossberg (1980),
Biological competition: decision rules, pattern formation, and oscillations, PNAS 77, 2338-2342; review, after (28).

What is known: whatever the costs are, the price converges, and to the same value from every start with all firms in
the market. At rest a firm produces where its unit cost is the price, or has left the market if even its first unit
costs more (`brnn.theory.competition.market_equilibrium`). As b_i falls in x_i, max_i b_i never rises once some firm
expands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Level, Mark, Run, figure, layer_panel, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.liapunov import falls_along_runs
from brnn.models.parts.patterns import activities, field_shape
from brnn.models.parts.runs import final, run, slope
from brnn.signals import Function, Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll
from brnn.theory.competition import market_equilibrium

__all__ = ["build"]

_COSTS = (1.0, 1.5, 2.0, 3.0, 4.5, 6.0)


@takes_dotted_names
def build(
    costs: ArrayLike | None = None,
    top: float = 10.0,
    demand: float = 1.0,
    rise: float = 0.5,
    initial: ArrayLike = 0.5,
    n: int | None = None,
) -> Network:
    """Return a market; by default of six firms, of which the two dearest have to leave.

    Parameters
    ----------
    costs : float or array, shape (firms,), or None
        Cost of the first unit (1); by default six different ones, or as many between 1 and 6 as there are firms.
    top : float
        Price at which nothing is sold (1).
    demand : float, >= 0
        By how much a unit of supply lowers the price (1).
    rise : float, > 0
        By how much a unit of production raises the firm's unit cost (1).
    initial : float or array, >= 0
        Productions at time 0 (1); what is 0 stays 0.
    n : int or None, >= 1
        Number of firms (1); by default that of costs or `initial`, else 6.

    Returns
    -------
    Network
        One layer, "firms".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite.
    """
    at = "competitive_market"
    cells = field_shape(at, n, len(_COSTS), (("costs", costs), ("initial", initial)))
    if costs is None:
        costs = np.array(_COSTS) if cells == (6,) else np.linspace(1.0, 6.0, int(np.prod(cells))).reshape(cells)
    cost = activities(costs, f"{at}: costs", cells)
    q = number(rise, f"{at}: rise", above=0.0)
    start = activities(initial, f"{at}: initial", cells, minimum=0.0)
    return Network(
        at,
        [CohenGrossbergLayer("firms", cells, a=Function("w"), b=Function("-rise*w", rise=q), initial=start)],
        [Projection("firms", "firms", "inhibitory", Linear(), AllToAll(number(demand, f"{at}: demand", minimum=0.0)))],
        [Stimulus("firms", "excitatory", number(top, f"{at}: top") - np.asarray(cost))],
        duration=20.0,
        reference="Grossberg (1978), J. Math. Anal. Appl. 66, 470-493",
    )


# Claims --------------------------------------------------------------------------------------------------------

_SOURCE = "Grossberg (1978); review, after (28)"


@claim("Price and productions converge, from every start to the same values", source=_SOURCE)
def price_is_found() -> list[Comparison]:
    """Random costs and starts; the price from the supply at rest, the productions, and who has left."""
    rng = np.random.default_rng(28)
    rows = []
    for firms, top, demand, rise in ((6, 10.0, 1.0, 0.5), (20, 5.0, 0.2, 0.1), (3, 4.0, 2.0, 3.0)):
        costs = rng.uniform(0.5, 6.0, firms)
        price, production = market_equilibrium(costs, top, demand, rise)
        for _ in range(3):
            network = build(costs, top, demand, rise, initial=rng.uniform(0.01, 3.0, firms))
            stored = final(network)
            at = f"{firms} firms, top price {top:g}"
            rows.append(Comparison(price, top - demand * stored.sum(), 1e-7, f"{at}: price"))
            rows.append(Comparison(production, stored, 1e-7, f"{at}: productions"))
            rows.append(Comparison.count((production > 0).sum(), (stored > 1e-6).sum(), f"{at}: firms that stay"))
    price, production = market_equilibrium(_COSTS, 10.0, 1.0, 0.5)
    rows.append(Comparison(price, 10.0 - final(build()).sum(), 1e-8, "the default market: price"))
    return rows


@claim("Firms know only the price: each obeys (28)", source=_SOURCE)
def firms_know_only_the_price() -> Comparison:
    """The simulator's own derivative at random states is production times what a further unit earns."""
    states = np.random.default_rng(28).uniform(0.0, 3.0, size=(20, 6))
    price = 10.0 - states.sum(axis=1, keepdims=True)
    return Comparison(states * (price - np.array(_COSTS) - 0.5 * states), slope(build(), states), 1e-13, "dx_i/dt")


@claim("max_i b_i never rises once a firm expands, min_i b_i never falls once one shrinks", source=_SOURCE)
def price_is_enclosed() -> list[Comparison]:
    """From too large a supply and from a small one; -max_i b_i and -min_i b_i are the lowest and highest unit cost."""
    rows = []
    for label, initial in (("small supply", 0.01), ("large supply", 5.0)):
        network = build(initial=initial)
        x = np.asarray(run(network, 20.0, times=np.linspace(0.0, 20.0, 2001))["firms.x"])
        b, c = 10.0 - np.array(_COSTS) - 0.5 * x, x.sum(axis=1)
        highest, lowest = b.max(axis=1), b.min(axis=1)
        rows.append(
            Comparison.monotone("falling", highest[highest >= c], 1e-8, f"{label}: max_i b_i while one expands")
        )
        rows.append(Comparison.monotone("rising", lowest[lowest <= c], 1e-8, f"{label}: min_i b_i while one shrinks"))
        first = int(np.argmax(highest >= c))
        rows.append(Comparison.at_least(0.0, (highest - c)[first:], 1e-8, f"{label}: some firm expands from then on"))
    return rows


@claim("(33) is a Liapunov function of the market", source="Cohen and Grossberg (1983); review, (33), (34)")
def value_falls() -> list[Comparison]:
    """From random productions."""
    return falls_along_runs(build(), np.random.default_rng(33).uniform(0.05, 3.0, size=(3, 6)), "market", 30.0)


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        price = p.top - p.demand * x.sum()
        return np.asarray(x * (price - p.costs - p.rise * x))

    return {"firms.x": integrated(velocity, p.initial, times)}


@claim("Its equations, written out by hand", source=_SOURCE + ", integrated by SciPy")
def equations() -> list[Comparison]:
    """Three firms, every parameter off its default."""
    parameters = {
        "costs": np.array([1.2, 2.1, 3.3]),
        "top": 8.0,
        "demand": 1.3,
        "rise": 0.7,
        "initial": np.array([0.2, 0.6, 0.4]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 1.5, 7))


# Figure -------------------------------------------------------------------------------------------------------


@figure("firms.x")
def market(run: Run) -> FigureDescription | None:
    """Show the productions beside those of theory, and what each firm earns at the price of the moment."""
    view = run.view("firms")
    if len(view.shape) > 1 or view.cells > 12:
        return None
    demand, q = float(run.part("firms_firms_inh").topology.weight), float(dict(run.part("firms").b.parameters)["rise"])
    margin = run.inputs_to("firms")  # the price at which nobody buys, less the cost of each firm
    _, stored = market_equilibrium(-margin, 0.0, demand, q)
    times, x = run.times("firms"), run.values("firms")
    names = [f"firm {k}" for k in range(view.cells)]
    at_end = Curve(np.full(stored.size, run.end), stored, "theory", "predicted", 6, marker="o")
    earned = margin - demand * x.sum(axis=1, keepdims=True) - q * x
    marks: list[Mark] = [Level(0.0, role="guide"), *(Curve(times, earned[:, k], color=k) for k in range(view.cells))]
    panels = (
        layer_panel(run, "firms", "Productions", labels=names, overlays=[at_end], y="production x"),
        time_panel(run, "Price less cost of one more unit", marks, y="earned by one more unit", width=0.8),
    )
    title = "A market balances: firms with high costs leave it"
    return FigureDescription(title, run.below, (panels,), (1.25,))
