"""Known parameters come back from noisy recordings, and nineteen of twenty 95 % intervals hold them.

Three networks are run with known parameters, and their activities are sampled and given noise. `brnn.fit` finds the
parameters again, from a start that is up to an eighth off, by least squares with exact derivatives. This is done for
many data sets that differ in the noise alone, so that what a fit says of its own errors can be counted: an interval of
95 % is to hold the true value in 95 of 100 data sets, and the estimates less the true values, divided by their standard
errors, are to have the mean 0 and the standard deviation 1.

- a recurrent competitive field: decay A, saturation B, the half level of its sigmoid;
- a gated dipole: accumulation H and depletion L of its transmitters, its phasic input J;
- a pair of Wilson and Cowan, which oscillates: E to E, the threshold of E, and the unit of time, from two recordings
  with known inputs. A search for an oscillation must begin within half a cycle of it.

Noise is normal and known to nobody: its size is estimated with the parameters.

Reproduces: what theory says of least squares, G. A. F. Seber and C. J. Wild, Nonlinear Regression (1989), chapter 2.
The networks are those of Grossberg (1973), Grossberg (1972) and Wilson and Cowan (1972); the recordings are made here.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.base.checks import whole
from brnn.claims import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARE = 0.95


@dataclass(frozen=True)
class Case:
    """A model that is recorded and fitted.

    Attributes
    ----------
    title : str
        What the figure calls it.
    true, start : dict
        The parameters that are fitted: what they are, and where the search begins.
    settings : dict
        What else is set.
    runs : tuple of dict
        What differs between its recordings.
    times : ndarray
        When it is sampled.
    noise : float
        Standard deviation.
    """

    title: str
    true: dict[str, float]
    start: dict[str, float]
    settings: dict[str, Any]
    runs: tuple[dict[str, Any], ...]
    times: np.ndarray
    noise: float


CASES = {
    "rcf": Case(
        "recurrent competitive field",
        {"A": 0.8, "B": 2.5, "signal.half": 0.4},
        {"A": 0.9, "B": 2.8, "signal.half": 0.45},
        {"n": 4, "signal": brnn.Sigmoid(gain=2.0, half=0.4, exponent=2.0)},
        ({"initial": [0.2, 0.5, 0.7, 0.9]}, {"initial": [0.3, 0.25, 0.2, 0.15]}),
        np.linspace(0.0, 10.0, 41),
        0.02,
    ),
    "gated_dipole": Case(
        "gated dipole",
        {"H": 0.05, "L": 0.01, "pattern": 10.0},
        {"H": 0.055, "L": 0.011, "pattern": 9.0},
        {},
        ({},),
        np.linspace(0.0, 120.0, 61),
        0.01,
    ),
    "wilson_cowan": Case(
        "Wilson-Cowan pair",
        {"c1": 16.0, "theta_e": 4.0, "tau": 1.0},
        {"c1": 16.3, "theta_e": 4.05, "tau": 1.03},
        {},
        ({"pattern": 1.25}, {"pattern": 0.5}),
        np.linspace(0.0, 12.0, 61),
        0.01,
    ),
}


@dataclass(frozen=True)
class Found:
    """What came of the fits of one model.

    Attributes
    ----------
    estimates, errors : ndarray, shape (data sets, parameters)
        Values and standard errors.
    held : ndarray of bool, shape (data sets, parameters)
        Whether the interval holds the true value.
    noise : ndarray
        Estimated noise of each data set.
    exact, data, fitted : list of ndarray
        Of the first data set: the run, its noisy samples, and the fit, for each recording.
    """

    estimates: np.ndarray
    errors: np.ndarray
    held: np.ndarray
    noise: np.ndarray
    exact: list[np.ndarray]
    data: list[np.ndarray]
    fitted: list[np.ndarray]


def recover(name: str, sets: int, seed: int) -> Found:
    """Record a model, add noise, and fit, as often as there are data sets."""
    case, rng = CASES[name], np.random.default_rng(seed)
    true = np.array(list(case.true.values()))
    runs = []
    for own in case.runs:
        network = brnn.build(name, {**case.settings, **own, **case.true})
        runs.append(simulate(network, duration=case.times[-1], times=case.times))
    variables = [variable for variable in runs[0] if variable.endswith(".x")]
    exact = [{variable: np.asarray(run[variable]) for variable in variables} for run in runs]
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]] = []
    first: list[list[np.ndarray]] = []
    for _ in range(sets):
        noisy = [{key: x + case.noise * rng.normal(size=x.shape) for key, x in run.items()} for run in exact]
        data = [(own, {"time": case.times, **one}) for own, one in zip(case.runs, noisy, strict=True)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is doubtful is counted
            fit = brnn.fit(name, data, case.start, settings=case.settings)
        held = (fit.intervals[:, 0] <= true) & (true <= fit.intervals[:, 1])
        rows.append((fit.values, fit.standard_errors, held, fit.noise))
        if not first:
            columns = [[np.concatenate([x.reshape(len(x), -1) for x in run.values()], 1) for run in many]
                       for many in (exact, noisy)]  # fmt: skip
            first = [*columns, fit.predicted()]
    values, errors, held, noise = (np.array(column) for column in zip(*rows, strict=True))
    return Found(values, errors, held, noise, *first)


def compare(found: dict[str, Found], sets: int) -> list[Comparison]:
    """Set what was known beside what was found: 99.9 % of tables like this one hold in every row."""
    rows = []
    worst = 4.0 * np.sqrt(SHARE * (1.0 - SHARE) / sets)  # four standard deviations of a share
    for name, one in found.items():
        case = CASES[name]
        true = np.array(list(case.true.values()))
        scores = (one.estimates - true) / one.errors
        label = case.title
        for key, share, score in zip(case.true, one.held.mean(axis=0), scores.T, strict=True):
            rows.append(Comparison(SHARE, share, worst, f"{label}, {key}: share of intervals that hold it"))
            rows.append(Comparison(0.0, score.mean(), 4.0 / np.sqrt(sets), f"{label}, {key}: mean in standard errors"))
            spread = score.std(ddof=1)
            rows.append(
                Comparison(1.0, spread, 4.0 / np.sqrt(2.0 * sets), f"{label}, {key}: spread in standard errors")
            )
        off = 4.0 / np.sqrt(2.0 * sets * sum(data.size for data in one.data))
        rows.append(Comparison(1.0, one.noise.mean() / case.noise, off, f"{label}: estimated noise / true noise"))
    return rows


def draw(found: dict[str, Found], sets: int) -> Figure:
    """Draw a data set with its fit for each model, and all estimates in units of their errors."""
    plot = brnn.plot
    figure = plot.new_figure(
        13.0, 7.8, "Known parameters, found again in noisy recordings",
        f"dots: samples, lines: fit   ·   below: {sets} data sets each; bars: intervals of 95 % of the first 40, those "
        "that miss the true value in red",
    )  # fmt: skip
    axes = figure.subplots(2, len(found))
    for column, (name, one) in enumerate(found.items()):
        case = CASES[name]
        top, low = axes[0, column], axes[1, column]
        cells = one.data[0].shape[1]
        shown = [k for k in range(cells) if np.ptp(one.exact[0][:, k]) > 5.0 * case.noise][:4]
        for color, k in zip(plot.ordered_colors()(np.linspace(0.05, 0.9, len(shown))), shown, strict=True):
            top.plot(case.times, one.data[0][:, k], ".", color=color, markersize=4)
            top.plot(case.times, one.fitted[0][:, k], color=color, linewidth=1.5)
        plot.polish(
            top, f"{case.title[0].upper()}{case.title[1:]}: {sum(x.size for x in one.data)} values", "time", "activity"
        )
        some = min(sets, 40)
        for k, key in enumerate(case.true):
            scores = (one.estimates[:some, k] - case.true[key]) / one.errors[:some, k]
            place = k + np.linspace(-0.38, 0.38, some)
            for right, color in ((True, "#4a4a4a"), (False, "#c8102e")):
                which = one.held[:some, k] == right
                low.errorbar(place[which], scores[which], 1.97, fmt=".", color=color, linewidth=0.9, markersize=4)
        low.axhline(0.0, color="#888888", linewidth=1.0, linestyle=(0, (5, 3)))
        labels = [
            f"{key}\n{100 * share:.0f} % held" for key, share in zip(case.true, one.held.mean(axis=0), strict=True)
        ]
        plot.polish(low, "Estimates less the true values", "", "standard errors")
        low.set_xticks(range(len(labels)), labels)
        low.set_ylim(-6.0, 6.0)
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Fit all models to all data sets."""
    sets = whole(options.sets, "--sets", minimum=10)
    found = {name: recover(name, sets, seed) for seed, name in enumerate(CASES, start=1)}
    case = CASES["rcf"]
    network = brnn.build("rcf", {**case.settings, **case.runs[0], **case.true}).replace(name="fit_recovery")
    run = simulate(network, options, duration=case.times[-1], times=case.times)
    notes = [""]
    for name, one in found.items():
        keys = CASES[name].true
        told = ", ".join(
            f"{key} = {CASES[name].true[key]:g}: {mean:.4g} ±{spread:.2g}"
            for key, mean, spread in zip(keys, one.estimates.mean(axis=0), one.estimates.std(axis=0), strict=True)
        )
        notes.append(f"{CASES[name].title}: {told}")
    return Outcome(compare(found, sets), lambda: draw(found, sets), run, tuple(notes))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--sets", type=int, default=100, metavar="N", help="data sets of each model (100)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
