"""Oscillations: slow inhibition, the gated pacemaker, Wilson and Cowan's populations.

A competitive network with symmetric connections settles (Cohen and Grossberg 1983). It need not if inhibition is slow,
if excitation is gated, or if the two kinds of cells obey different laws:

- slow inhibition, dx/dt = -x + (B - x) [I + f(x)] - G x y, dy/dt = e (x - y): at the rate e = p the equilibrium loses
  its stability (Hopf); slower interneurons make limit cycles. Cells that share their inhibition cycle together, and
  the one with the larger input is more active at every moment. A row of excitable cells carries a traveling wave.
- gated pacemaker: two cells take turns as their gates are used up. The gates are the clock: their rate times the
  period goes to a constant.
- Wilson and Cowan (1972): a limit cycle around an unstable crossing of nullclines.

Periods and ranges that have no closed form are set beside tabled numbers, computed by other solvers, or beside an
integration of the written-out equations by SciPy. The parameters of slow inhibition and of the pacemaker are our own.

Reproduces: S. A. Ellias and S. Grossberg, Biological Cybernetics 20, 69-98 (1975); G. A. Carpenter and S. Grossberg,
Biological Cybernetics 48, 35-59 (1983); H. R. Wilson and J. D. Cowan, Biophysical Journal 12, 1-24 (1972).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.analysis import Oscillation, arrival_times, measure_oscillation, phase_lag
from brnn.claims import Comparison
from brnn.models import gated_pacemaker, slow_inhibition, wilson_cowan
from brnn.theory import pacemaker as pacemaker_theory
from brnn.theory import slow_inhibition as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

F = brnn.Sigmoid(gain=8.0, half=math.sqrt(0.5), exponent=2.0)
CELL = {"A": 1.0, "B": 1.0, "I": 0.1, "G": 8.0, "f": F}  # one cell with slow inhibition
TABLED_CELL = {0.75: (0.15180904, 0.33866585, 7.1460213), 0.4: (0.06836807, 0.47106518, 9.7976540)}
SHOWN = (0.9, 0.75, 0.4)
RATES = np.concatenate([np.linspace(0.1, 0.8, 15), [0.815]])  # of the bifurcation diagram
INPUTS = np.array([0.15, 0.13, 0.11, 0.09, 0.07, 0.05])
WIDTH, CELLS, LEVEL = 4.0, 160, 0.2  # of the traveling wave
WAVE_END = 20.0

PACEMAKER = {"A": 1.0, "B": 1.0, "C": 0.5, "I": 0.3, "D": 0.02, "H": 0.06, "g": 0.3}
PACEMAKER_F = brnn.Sigmoid(gain=3.0, half=math.sqrt(0.1), exponent=2.0)
TABLED_PERIODS = {1.0: 99.1978, 0.5: 178.8763, 0.25: 333.2222, 0.1: 784.8382}
SLOW = (0.03, 0.01, 0.003)  # rates beyond the table

TABLED_WILSON_COWAN = (0.10152301, 0.27148734, 5.0034109)
P = 1.25


@dataclass
class Runs:
    """Everything that was simulated.

    Attributes
    ----------
    cell : dict
        Result of one cell with slow inhibition, by the rate e.
    ranges : dict
        Its measured oscillation, by the rate e.
    cells : Result
        Six cells with different inputs.
    wave : Result
        The traveling wave.
    pacemaker : Result
        The gated pacemaker.
    periods : dict
        Its measured period, by the rate of its gates.
    populations : Result
        Wilson and Cowan's populations.
    """

    cell: dict[float, Any]
    ranges: dict[float, Oscillation]
    cells: Any
    wave: Any
    pacemaker: Any
    periods: dict[float, float]
    populations: Any


def run(options: argparse.Namespace) -> Runs:
    """Simulate everything."""
    cell = {e: simulate(slow_inhibition.build(e=e), duration=60.0, times=np.linspace(0.0, 60.0, 2401)) for e in SHOWN}
    ranges = {}
    for e in (*RATES, *TABLED_CELL):
        times = np.linspace(400.0, 460.0, 6001)
        late = simulate(slow_inhibition.build(e=e), duration=460.0, times=times)
        ranges[float(e)] = measure_oscillation(times, np.asarray(late["cells.x"])[:, 0])
    network = slow_inhibition.build(pattern=INPUTS)
    cells = simulate(network, duration=120.0, times=np.linspace(0.0, 120.0, 4801))
    wave = simulate(excitable(), options, duration=WAVE_END, times=np.linspace(0.0, WAVE_END, 801))
    times = np.linspace(0.0, 500.0, 10001)
    pacemaker = simulate(gated_pacemaker.build(), duration=500.0, times=times)
    return Runs(
        cell,
        ranges,
        cells,
        wave,
        pacemaker,
        {s: pacemaker_period(s) for s in (*TABLED_PERIODS, *SLOW)},
        simulate(wilson_cowan.build(), duration=150.0, times=np.linspace(0.0, 150.0, 15001)),
    )


def excitable() -> brnn.Network:
    """Return a row of cells that rest until they are kicked, which those at one end are at time 0."""
    rest = float(theory.equilibria(**{**CELL, "I": 0.02})[0])  # type: ignore[arg-type]
    network = slow_inhibition.build(
        pattern=np.full(CELLS, 0.02),
        e=0.2,
        lateral=0.0,
        center_width=WIDTH,
        surround_width=1.5 * WIDTH,
        initial=np.where(np.arange(CELLS) < 3 * WIDTH, 0.3, rest),
        interneurons=rest,
    )
    return network.replace(name="oscillations", duration=WAVE_END)


def pacemaker_period(s: float) -> float:
    """Return the measured period of a pacemaker whose gates have the rate s."""
    about = 75.0 / s + 25.0 / s ** (1.0 / 3.0)
    times = np.linspace(12.0 * about, 14.5 * about, 10001)
    x = np.asarray(simulate(gated_pacemaker.build(s=s), duration=times[-1], times=times)["pacemaker.x"])
    return measure_oscillation(times, x[:, 0]).period


def wave_by_scipy() -> np.ndarray:
    """Return when the wave arrives at each cell, from the equations with full matrices and SciPy."""
    from scipy.integrate import solve_ivp

    network = excitable()
    start = np.concatenate([np.broadcast_to(layer.initial, CELLS) for layer in network.layers])  # type: ignore[attr-defined]
    distance = np.subtract.outer(np.arange(CELLS), np.arange(CELLS))
    center, surround = (_gaussian(distance, width) for width in (WIDTH, 1.5 * WIDTH))

    def velocity(t: float, u: np.ndarray) -> np.ndarray:
        y, x = np.split(u, 2)
        f = 8.0 * x**2 / (0.5 + x**2)
        return np.concatenate([0.2 * (x - y), -x + (1.0 - x) * (0.02 + center @ f) - 8.0 * x * (surround @ y)])

    times = np.linspace(0.0, WAVE_END, 801)
    found = solve_ivp(velocity, (0.0, WAVE_END), start, "DOP853", t_eval=times, rtol=1e-10, atol=1e-12)
    return arrival_times(times, found.y[CELLS:].T, LEVEL)


def _gaussian(distance: np.ndarray, width: float) -> np.ndarray:
    """Return a Gaussian of the sum 1 that ends at four widths, beyond the edges there are no cells."""
    reach = math.ceil(4.0 * width)
    profile = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2.0 * width**2))
    return np.exp(-(distance**2) / (2.0 * width**2)) * (np.abs(distance) <= reach) / profile.sum()


def speed(arrival: np.ndarray) -> tuple[float, float]:
    """Return (cells per unit of time, arrival at cell 0) of the wave, away from the kick and from the end."""
    middle = np.arange(CELLS)[slice(int(12 * WIDTH), int(32 * WIDTH))]
    slope, first = np.polyfit(middle, arrival[middle], 1)
    return 1.0 / float(slope), float(first)


def hopf() -> tuple[float, float, float]:
    """Return the equilibrium of the cell, and rate and period at which it loses its stability."""
    x = float(theory.equilibria(**CELL)[0])  # type: ignore[arg-type]
    return (x, *theory.hopf(x, **CELL))  # type: ignore[arg-type]


def compare(runs: Runs) -> list[Comparison]:
    """Set what is predicted beside the simulation."""
    x, rate, period = hopf()
    settled = float(simulate(slow_inhibition.build(e=0.9), until="steady").final("cells")[0])
    rows = [Comparison(x, settled, 1e-8, "slow inhibition, e = 0.9: settles at x")]
    for e, (low, high, tabled) in TABLED_CELL.items():
        found = runs.ranges[e]
        rows += [
            Comparison([low, high], [found.low, found.high], 1e-6, f"slow inhibition, e = {e:g}: range of x, tabled"),
            Comparison(tabled, found.period, 1e-6, f"slow inhibition, e = {e:g}: period, tabled"),
        ]
    near = RATES[-3:]
    squares = [runs.ranges[float(e)].amplitude ** 2 for e in near[[0, -1]]]
    # After a Hopf bifurcation the square of the amplitude is proportional to the distance from it.
    lost = near[-1] + (near[-1] - near[0]) * squares[1] / (squares[0] - squares[1])
    rows += [
        Comparison(rate, lost, 5e-3, "slow inhibition: rate e at which the amplitude is 0, predicted p"),
        Comparison(period, runs.ranges[float(near[-1])].period, 0.1, f"slow inhibition, e = {near[-1]:g}: Hopf period"),
    ]
    activities = np.asarray(runs.cells["cells.x"])
    times = np.asarray(runs.cells.times)
    measured = [measure_oscillation(times, activities[:, k], start=60.0) for k in range(INPUTS.size)]
    rows += [
        Comparison.at_least(0.0, -np.diff(activities[1:], axis=1), label="six cells: order of x_i at all times"),
        Comparison(np.full(6, measured[0].period), [one.period for one in measured], 1e-6, "six cells: one period"),
    ]
    arrival = arrival_times(runs.wave.times, runs.wave["cells.x"], LEVEL)
    oracle = wave_by_scipy()
    rows += [
        Comparison(oracle, arrival, 1e-6, "wave: arrival at each of 160 cells, by SciPy"),
        Comparison(speed(oracle)[0], speed(arrival)[0], 1e-6, "wave: speed in cells per unit of time, by SciPy"),
    ]
    limit, _ = pacemaker_theory.singular_period(f=PACEMAKER_F, **PACEMAKER)
    late = np.asarray(runs.pacemaker.times) >= 100.0
    both = np.asarray(runs.pacemaker["pacemaker.x"])[late]
    shift = phase_lag(np.asarray(runs.pacemaker.times)[late], both[:, 0], both[:, 1])
    rows.append(Comparison(0.5, shift, 1e-3, "pacemaker: the cells are in antiphase"))
    for s, tabled in TABLED_PERIODS.items():
        rows.append(Comparison(tabled, runs.periods[s], 2e-4, f"pacemaker, gates at rate {s:g}: period, tabled"))
    powers = np.array(SLOW[-2:]) ** (2.0 / 3.0)
    scaled = np.array([s * runs.periods[s] for s in SLOW[-2:]])
    continued = float(np.polyfit(powers, scaled, 1)[1])
    rows.append(Comparison(limit, continued, 0.05, "pacemaker: rate times period at rate 0, from the slow flow"))
    low, high, tabled = TABLED_WILSON_COWAN
    found = measure_oscillation(runs.populations.times, np.asarray(runs.populations["E.x"])[:, 0], start=110.0)
    return [
        *rows,
        Comparison([low, high], [found.low, found.high], 1e-6, "Wilson-Cowan: range of E, tabled"),
        Comparison(tabled, found.period, 1e-6, "Wilson-Cowan: period, tabled"),
    ]


def draw(runs: Runs) -> Figure:
    """Draw what is found."""
    plot = brnn.plot
    figure = plot.new_figure(
        14.0,
        11.0,
        "Oscillations of competitive networks: slow inhibition, gated excitation, two kinds of cells",
        "circles, arrows and broken lines: predicted   ·   after Ellias and Grossberg (1975), Carpenter and Grossberg "
        "(1983), Wilson and Cowan (1972)",
    )
    axes = figure.subplots(3, 3)
    _draw_cell(axes[0, 0], runs)
    _draw_ranges(axes[0, 1], runs)
    _draw_cells(axes[0, 2], runs)
    _draw_wave(axes[1, 0], runs)
    _draw_profiles(axes[1, 1], runs)
    _draw_pacemaker(axes[2, 0], runs)
    _draw_periods(axes[2, 1], runs)
    _draw_plane(axes[1, 2], runs)
    _draw_populations(axes[2, 2], runs)
    return figure


_DASHED: dict[str, Any] = {"linestyle": (0, (5, 3)), "linewidth": 1.2, "color": "#444444"}


def _draw_cell(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    for e, color in zip(SHOWN, (plot.PALETTE[6], plot.PALETTE[5], plot.PALETTE[0]), strict=True):
        x = np.asarray(runs.cell[e]["cells.x"])[:, 0]
        tabled = TABLED_CELL.get(e)
        label = f"e = {e:g}" + (f", period {tabled[2]:.2f} predicted" if tabled else ", settles")
        ax.plot(runs.cell[e].times, x, color=color, linewidth=1.6, label=label)
    ax.axhline(hopf()[0], **_DASHED)
    ax.set_xlim(0.0, 60.0)
    ax.set_ylim(0.0, 0.85)
    plot.polish(ax, "One cell with slow inhibition", "time", "activity x")
    plot.key(ax, loc="upper right")


def _draw_ranges(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    x, rate, period = hopf()
    low = [runs.ranges[float(e)].low for e in RATES]
    high = [runs.ranges[float(e)].high for e in RATES]
    ax.fill_between([*RATES, rate], [*low, x], [*high, x], color=plot.PALETTE[5], alpha=0.25, linewidth=0.0)
    for levels, name in ((high, "range of x"), (low, None)):
        ax.plot([*RATES, rate], [*levels, x], color=plot.PALETTE[0], linewidth=1.8, label=name)
    ax.plot([rate, 1.1], [x, x], color=plot.PALETTE[0], linewidth=1.8)
    ax.plot([0.1, rate], [x, x], **_DASHED)
    style: dict[str, Any] = {"color": plot.PALETTE[1], "linewidth": 1.4, "linestyle": (0, (5, 3))}
    ax.axvline(rate, 0.0, 0.75, label=f"predicted: e = p = {rate:.4f}", **style)
    for e, (least, most, _) in TABLED_CELL.items():
        ax.plot([e, e], [least, most], "o", markerfacecolor="none", markeredgecolor="#222222", markersize=6.5)
    ax.set_xlim(0.1, 1.1)
    ax.set_ylim(0.0, 0.85)
    plot.polish(ax, f"Hopf bifurcation (period there {period:.3f})", "rate e of the interneurons", "activity x")
    plot.key(ax, loc="upper right")


def _draw_cells(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    shown = np.asarray(runs.cells.times) >= 90.0
    colors = plot.ordered_colors()(plot.ranked(INPUTS))
    for k in range(INPUTS.size):
        x = np.asarray(runs.cells["cells.x"])[shown, k]
        ax.plot(np.asarray(runs.cells.times)[shown], x, color=colors[k], linewidth=1.6, label=f"I = {INPUTS[k]:g}")
    ax.set_xlim(90.0, 120.0)
    ax.set_ylim(0.0, 0.75)
    plot.polish(ax, "Shared inhibition: cycles that preserve order", "time", "activity x$_i$")
    plot.key(ax, loc="upper right", ncols=3)


def _draw_wave(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    plot.draw_heat(ax, runs.wave.times, np.asarray(runs.wave["cells.x"]), title="A traveling wave", x="time", y="x")
    velocity, first = speed(wave_by_scipy())
    place = np.array([0.0, CELLS - 1.0])
    ax.plot(first + place / velocity, place, color="white", linewidth=1.4, linestyle=(0, (4, 3)))
    ax.text(
        0.97,
        0.06,
        f"broken: {velocity:.4f} cells per unit\nof time, by SciPy",
        transform=ax.transAxes,
        color="white",
        fontsize=8.5,
        ha="right",
    )


def _draw_profiles(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    times = np.asarray(runs.wave.times)
    colors = plot.ordered_colors()(np.linspace(0.15, 1.0, 4))
    for time, color in zip((5.0, 8.0, 11.0, 14.0), colors, strict=True):
        k = int(np.argmin(np.abs(times - time)))
        ax.plot(np.asarray(runs.wave["cells.x"])[k], color=color, linewidth=1.8, label=f"x, t = {time:g}")
        ax.plot(np.asarray(runs.wave["interneurons.x"])[k], color=color, linewidth=1.0, linestyle=(0, (1, 1)))
    ax.plot([], [], color="#444444", linewidth=1.0, linestyle=(0, (1, 1)), label="interneurons y")
    ax.set_xlim(0, CELLS - 1)
    ax.set_ylim(0.0, 1.0)
    plot.polish(ax, "The wave keeps its shape; inhibition follows", "cell", "activity")
    plot.key(ax, loc="upper right", ncols=3)


def _draw_pacemaker(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    times = np.asarray(runs.pacemaker.times)
    x, z = np.asarray(runs.pacemaker["pacemaker.x"]), np.asarray(runs.pacemaker["gates.y"])
    for k, color in ((0, plot.PALETTE[0]), (1, plot.PALETTE[1])):
        ax.plot(times, x[:, k], color=color, linewidth=1.8, label=f"x$_{k + 1}$")
        ax.plot(times, z[:, k], color=color, linewidth=1.0, linestyle=(0, (1, 1)), label=f"gate z$_{k + 1}$")
    begin = measure_oscillation(times, x[:, 0], start=200.0).crossings[0]
    end = begin + TABLED_PERIODS[1.0]
    ax.annotate("", (end, 0.84), (begin, 0.84), arrowprops={"arrowstyle": "<->", "color": "#222222", "lw": 1.0})
    ax.text(0.5 * (begin + end), 0.86, f"predicted {TABLED_PERIODS[1.0]:.2f}", ha="center", fontsize=8.5)
    ax.set_xlim(150.0, 450.0)
    ax.set_ylim(-0.1, 1.2)
    plot.polish(ax, "Gated pacemaker: two cells take turns", "time", "activity, gate")
    plot.key(ax, loc="upper right", ncols=4)


def _draw_periods(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    rates = np.array(sorted(runs.periods))
    ax.plot(
        rates,
        [s * runs.periods[s] for s in rates],
        "o-",
        color=plot.PALETTE[0],
        linewidth=1.6,
        markersize=4,
        label="measured",
    )
    tabled = np.array(sorted(TABLED_PERIODS))
    ax.plot(
        tabled,
        [s * TABLED_PERIODS[s] for s in tabled],
        "o",
        markerfacecolor="none",
        markeredgecolor="#222222",
        markersize=8,
        label="tabled",
    )
    limit, _ = pacemaker_theory.singular_period(f=PACEMAKER_F, **PACEMAKER)
    ax.axhline(limit, **_DASHED, label=f"relaxation oscillation, {limit:.4f}")
    ax.set_xscale("log")
    ax.set_ylim(65.0, 105.0)
    plot.polish(ax, "The gates are the clock", "rate s of the gates", "s times the period")
    plot.key(ax, loc="upper left")


def _draw_plane(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    E, I = np.meshgrid(np.linspace(-0.02, 0.5, 300), np.linspace(-0.02, 0.42, 300))
    slopes = brnn.compile_network(wilson_cowan.build(n=E.size)).rhs(0.0)(0.0, np.concatenate([I.ravel(), E.ravel()]))
    for part, color, name in ((1, plot.PALETTE[2], "dE/dt = 0"), (0, plot.PALETTE[1], "dI/dt = 0")):
        values = slopes[part * E.size : (part + 1) * E.size].reshape(E.shape)
        ax.contour(E, I, values, [0.0], colors=[color], linewidths=1.3)
        ax.plot([], [], color=color, linewidth=1.3, label=name)
    x, y = (np.asarray(runs.populations[f"{name}.x"])[:, 0] for name in ("E", "I"))
    ax.plot(x, y, color=plot.PALETTE[0], linewidth=1.8, label="from rest to the limit cycle")
    for level in TABLED_WILSON_COWAN[:2]:
        ax.axvline(level, 0.0, 0.75, **{**_DASHED, "linewidth": 0.9})
    ax.set_xlim(-0.02, 0.5)
    ax.set_ylim(-0.02, 0.56)  # with room for the legend
    plot.polish(ax, f"Wilson and Cowan's populations, P = {P:g}", "E", "I")
    plot.key(ax, loc="upper right")


def _draw_populations(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    times = np.asarray(runs.populations.times)
    for name, color in (("E", plot.PALETTE[0]), ("I", plot.PALETTE[1])):
        ax.plot(times, np.asarray(runs.populations[f"{name}.x"])[:, 0], color=color, linewidth=1.8, label=name)
    E = np.asarray(runs.populations["E.x"])[:, 0]
    begin = measure_oscillation(times, E, start=40.0).crossings[0]
    period = TABLED_WILSON_COWAN[2]
    ax.annotate(
        "", (begin + period, 0.3), (begin, 0.3), arrowprops={"arrowstyle": "<->", "color": "#222222", "lw": 1.0}
    )
    ax.text(begin + 0.5 * period, 0.31, f"predicted {period:.4f}", ha="center", fontsize=8.5)
    for level in TABLED_WILSON_COWAN[:2]:
        ax.axhline(level, **{**_DASHED, "linewidth": 0.9})
    ax.set_xlim(35.0, 60.0)
    ax.set_ylim(0.0, 0.4)
    plot.polish(ax, "Their limit cycle over time", "time", "active fraction")
    plot.key(ax, loc="upper right", ncols=2)


def experiment(options: argparse.Namespace) -> Outcome:
    """Simulate and compare."""
    runs = run(options)
    return Outcome(compare(runs), lambda: draw(runs), runs.wave)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
