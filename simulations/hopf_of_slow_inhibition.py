"""Where slow inhibition begins to oscillate: the Hopf point along the interneuron's rate, and the cycles behind it.

Reproduces: form of Ellias and Grossberg (1975), Biol. Cybern. 20, 69-98, as in review, Grossberg, Scholarpedia
8(2):1888 (2013). At the rate e at which the trace of the Jacobian is 0 the equilibrium loses its stability; the cycles
behind it grow like the square root of the distance. Their numbers at e = 0.75 and 0.4 were computed by LSODA.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.theory import slow_inhibition as theory

A, B, I, G = 1.0, 1.0, 0.1, 8.0
SIGNAL = brnn.Sigmoid(gain=8.0, half=np.sqrt(0.5), exponent=2.0)
PERIODS = {0.75: 7.1460213, 0.4: 9.7976540}
NEAR = 0.02  # of e below the Hopf point, within which the square root is looked at


def experiment(options: argparse.Namespace) -> Outcome:
    """Follow the equilibrium and the cycles, and run the network at two rates."""
    settings = {"A": A, "B": B, "G": G, "pattern": I, "signal": SIGNAL}
    diagram = brnn.bifurcation_diagram("slow_inhibition", {"e": (1.2, 0.35)}, settings=settings)
    (x,) = theory.equilibria(A, B, I, G, SIGNAL)
    e, period = theory.hopf(x, A, B, I, G, SIGNAL)
    special = diagram.special.values == "Hopf point"
    equilibria, cycles = (diagram.kind.values == kind for kind in ("equilibrium", "cycle"))
    plain = equilibria & ~special
    along, periods = diagram.e.values, diagram.period.values
    width = (diagram["cells.x_max"] - diagram["cells.x_min"]).values.ravel()
    order = np.argsort(along[cycles])
    at, long, wide = along[cycles][order], periods[cycles][order], width[cycles][order]
    near = (at > e - NEAR) & (at < e - 1e-3 * NEAR) & (wide > 0.0)
    power = np.polyfit(np.log(e - at[near]), np.log(wide[near]), 1)[0] if near.sum() > 2 else np.nan
    rows = [
        Comparison(e, along[special][0], 1e-6, "Hopf point: trace of the Jacobian 0"),
        Comparison(0.81988549, along[special][0], 1e-6, "the same, as tabled"),
        Comparison(
            np.full(equilibria.sum(), x), diagram["cells.x_min"].values.ravel()[equilibria], 1e-8, "equilibrium"
        ),
        Comparison.exact(along[plain] > e, diagram.stable.values[plain], "equilibrium stable if the rate is above it"),
        Comparison(period, long[np.argmax(at)], 1e-3, "period of the smallest cycle"),
        Comparison(0.5, power, 0.05, "cycles grow like the distance to the power"),
    ]
    rows += [
        Comparison(known, float(np.interp(rate, at, long)), 1e-3 * known, f"e = {rate:g}: period of the cycle")
        for rate, known in PERIODS.items()
    ]
    network = brnn.models.slow_inhibition.build(e=0.4, **settings).replace(name="hopf_of_slow_inhibition")
    result = simulate(network, options, duration=100.0, times=np.linspace(0.0, 100.0, 4001))
    late = result["cells.x"].sel(time=slice(50.0, None)).values
    rows.append(
        Comparison(float(np.interp(0.4, at, wide)), float(np.ptp(late)), 2e-3, "e = 0.4: width, followed and simulated")
    )

    def draw() -> Any:
        figure = brnn.plot.diagram_figure(diagram, variable="cells.x")
        figure.set_size_inches(9.0, 7.4)
        return figure

    return Outcome(rows, draw, result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
