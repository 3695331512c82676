"""Free recall: the serial position curve of Item-and-Order read-out beside published data.

A list of words is stored by STORE 1, equations (40)-(42), and is then recalled by a rehearsal wave: what is stored
strongest is performed first and inhibits itself, what is stored below a threshold is not performed. Noise on the stored
activities, drawn anew for each list, makes this a matter of chance: item i is recalled with probability
Phi((y_i - h)/s), y_i being what the recursion of STORE says.

The data are those of six groups with lists of 10 to 40 words: beginning and end of a list are recalled best, the
middle is flat. For each group three numbers are fitted by least squares to the curve of the closed form: A, the
strength of the input; h, the threshold; s, the noise. Then the network itself stores and recalls many lists of each
group. Shown are the published curve, the closed form, and the frequencies of the network.

What comes out: recency and the flat middle are reproduced in all groups, primacy in the groups 10-2, 15-2 and 20-1. In
the others (20-2, 30-1, 40-1) the best fit gives primacy up: the ratio of first to last item falls with the length
of the list by the factor (1 + sqrt(1 + 4 A))/2 for each further item, while the people's first words stay well
remembered. The theory ascribes this to long-term memory, which this network does not have.

Reproduces: the bowed serial position curve of S. Grossberg, A theory of human memory (1978), beside B. B. Murdock, The
serial position effect of free recall, Journal of Experimental Psychology 64, 482-488 (1962).
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
from brnn.data import SubjectGroup, murdock_1962
from brnn.models import item_and_order_readout as readout
from brnn.models.parts.runs import frequencies
from brnn.theory import store as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEPT = "20-1"  # the group whose run -o keeps
PRIMACY = ("10-2", "15-2", "20-1")  # groups in which the model has primacy


@dataclass
class Fit:
    """A group and what the model makes of it.

    Attributes
    ----------
    group : SubjectGroup
        The published data.
    A, h, s : float
        Fitted strength of the input, threshold and noise.
    counts : ndarray, shape (list length,)
        How often each position was recalled by the network.
    lists : int
        Number of lists that it recalled.
    """

    group: SubjectGroup
    A: float
    h: float
    s: float
    counts: np.ndarray
    lists: int

    @property
    def curve(self) -> np.ndarray:
        """The closed form."""
        return theory.recalled(theory.stored(self.A, len(self.group.proportions)), self.h, self.s)

    @property
    def measured(self) -> np.ndarray:
        """The network's frequencies."""
        return np.asarray(self.counts / self.lists)


def fitted(curves: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Return the A, h and s whose closed form comes nearest to all of these serial position curves."""
    from scipy.optimize import minimize

    def distance(q: np.ndarray) -> float:
        A, h, s = np.exp(q)
        return float(sum(((theory.recalled(theory.stored(A, len(p)), h, s) - p) ** 2).sum() for p in curves))

    starts = [np.log([A, 0.1, s]) for A in (0.1, 0.2, 0.5) for s in (0.05, 0.2)]
    best = min((minimize(distance, q, method="Nelder-Mead", options={"maxiter": 2000}) for q in starts), key=_least)
    A, h, s = np.exp(best.x)
    return float(A), float(h), float(s)


def _least(found: Any) -> float:
    return float(found.fun)


def recall(group: SubjectGroup, lists: int, seed: int, options: argparse.Namespace | None) -> tuple[Fit, Any]:
    """Fit a group, let the network store and recall its lists, and return both."""
    A, h, s = fitted([group.proportions])
    n = len(group.proportions)
    network = readout.build(n, A, noise=s, threshold=h, lists=lists, seed=seed, rehearsal=25.0 + 1.5 * n)
    network = network.replace(name="free_recall")
    result = simulate(network, options, times=readout.wave_times(network, 2), rtol=1e-3, atol=1e-5, dtype="float32")
    counts = np.isfinite(readout.performed(result)).sum(axis=0)
    return Fit(group, A, h, s, counts, lists), result


def compare(fits: Sequence[Fit]) -> list[Comparison]:
    """Set closed form beside network, and both beside the data."""
    rows = []
    for fit in fits:
        label = f"{fit.group.name}: "
        published = fit.group.proportions
        rows += frequencies(fit.curve, fit.counts, fit.lists, label + "network, Phi((y - h)/s)")
        rows += [
            Comparison.at_most(
                0.08, np.sqrt(np.mean((fit.curve - published) ** 2)), label=label + "distance from the data, rms"
            ),
            Comparison(fit.group.mean, fit.curve.sum(), 0.5, label + "words recalled, Table 1 of Murdock"),
            Comparison(published[-1], fit.curve[-1], 0.12, label + "recency: the last word"),
        ]
        if fit.group.name in PRIMACY:
            inner = fit.curve[1:-1].min()
            rows.append(Comparison.at_least(inner + 0.2, fit.curve[0], label=label + "primacy: the first word"))
    return rows


def draw(fits: Sequence[Fit]) -> Figure:
    """Draw the six curves."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        7.6,
        "Free recall: noisy Item-and-Order read-out beside data",
        "circles: Murdock (1962)   ·   line: Φ((y$_i$ − h)/s), y$_i$ stored by STORE   ·   dots: the network, "
        f"{fits[0].lists} lists per group, with standard errors",
    )
    axes = figure.subplots(2, 3, sharey=True)
    for k, (ax, fit) in enumerate(zip(axes.ravel(), fits, strict=True)):
        n = len(fit.group.proportions)
        place = np.arange(1, n + 1)
        ax.plot(place, fit.group.proportions, "o", color="#222222", fillstyle="none", markersize=6, label="data")
        ax.plot(place, fit.curve, color=plot.PALETTE[1], linewidth=1.8, label="closed form")
        error = np.sqrt(fit.curve * (1.0 - fit.curve) / fit.lists)
        ax.errorbar(place, fit.measured, error, fmt=".", color=plot.PALETTE[0], elinewidth=1.0, label="network")
        ax.set_ylim(0.0, 1.05)
        title = f"{n} words, {fit.group.seconds:g} s each: A = {fit.A:.2f}, h = {fit.h:.2f}, s = {fit.s:.2f}"
        plot.polish(ax, title, "serial position", "probability of recall" if k % 3 == 0 else "")
    plot.key(axes[0, 0], loc="upper center")
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Fit, store, recall and compare."""
    if not 20 <= options.lists <= 5000:
        raise brnn.InputError(f"--lists {options.lists}: must be from 20 to 5000")
    groups = murdock_1962()
    fits, kept = [], None
    for seed, group in enumerate(groups):
        keep = group.name == KEPT
        fit, result = recall(group, options.lists, seed, options if keep else None)
        fits.append(fit)
        kept = result if keep else kept
    A, h, s = fitted([group.proportions for group in groups])
    apart = [theory.recalled(theory.stored(A, len(g.proportions)), h, s) - g.proportions for g in groups]
    notes = (
        "",
        *(
            f"{f.group.name}: A = {f.A:.3f}, h = {f.h:.3f}, s = {f.s:.3f}; first word {f.group.proportions[0]:.2f} in "
            f"the data, {f.curve[0]:.2f} in the model"
            for f in fits
        ),
        f"one set for all groups: A = {A:.3f}, h = {h:.3f}, s = {s:.3f}; rms distance from the data "
        f"{np.sqrt(np.mean(np.concatenate(apart) ** 2)):.3f}, first words of the longest lists {apart[-1][0]:+.2f}",
    )
    return Outcome(compare(fits), lambda: draw(fits), kept, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--lists", type=int, default=200, metavar="N", help="lists that the network recalls per group")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
