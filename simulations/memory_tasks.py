"""What recurrent networks can hold, for how long, at what cost: RCF, STORE and others beside LSTM and GRU.

Nine networks of 24 cells are shown the same sequences: the recurrent competitive field with linear signals (RCF),
STORE, a leaky additive network, liquid time constants (LTC), ORGaNICs, the Legendre memory unit (LMU), and the cells
Elman, LSTM and GRU, these as they begin and, "trained", after backpropagation through time. Every network is read in
the same way: by weights that are fitted, for each answer, to its states after the step at which it is asked, and
judged on sequences that were not fitted. So the scores say what is in the states. 1 is without error, 0 as good as a
constant answer:

- store a pattern (eight cells, a delay); copy memory (symbols, a delay; constant answer: ln 8, which over all steps of
  the task is the 10 ln 8/(T + 20) of the literature); the adding problem (constant answer: 1/6); serial recall;
- time series: Mackey and Glass's equation by brnn's own delays, one step ahead and running free; yearly sunspots, if
  the package statsmodels is installed;
- handwritten digits row by row, and their names letter by letter (scikit-learn); the next letter of numbers in words;
  numbers in words translated to digits.

Predicted: the ratios of activities that the RCF keeps, whatever the delay; what passive decay leaves; the order that
STORE holds, read by rank; the losses of constant answers. The singular values of d state(t)/d state(0) show which
networks forget.

Reproduces: what is known of each network and task by Grossberg (1973); Bradski, Carpenter and Grossberg (1994);
Hochreiter and Schmidhuber (1997); Arjovsky, Shah and Bengio (2016), arXiv:1511.06464; Voelker, Kajic and Eliasmith
(2019); Mackey and Glass (1977), Science 197, 287. The networks and sequences are new.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate
from _memory_networks import CELLS, CONTINUOUS, DISCRETE, Memory, continuous, discrete, trained
from _memory_series import captions, digits_by_rows, letters, mackey_glass, sunspots

import brnn
from brnn.base.checks import whole
from brnn.base.text import text_table
from brnn.claims import Comparison
from brnn.models import additive, rcf, store
from brnn.sequences.readout import Score, score
from brnn.sequences.tasks import (
    Task,
    adding_problem,
    copy_memory,
    serial_recall,
    store_a_pattern,
    translation,
    windows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORKS = (*CONTINUOUS, *DISCRETE, *(f"{name}, trained" for name in DISCRETE))
FREE_RUN = 20  # steps
DELAYS = (1, 3, 10, 30, 100)


@dataclass(frozen=True)
class Found:
    """Scores by task and network, one for each seed, and what networks cost.

    Attributes
    ----------
    scores : dict
        (task, network) -> scores.
    free : dict
        Network -> root mean square error of each step of the free run of Mackey and Glass, over the standard deviation.
    delays : dict
        Network -> what is gained on stored patterns after each of DELAYS.
    kept : dict
        Network -> times and singular values of d state(t)/d state(0).
    cost : dict
        Network -> parameters, evaluations of its equations in 20 steps, and milliseconds for these.
    """

    scores: dict[tuple[str, str], list[Score]]
    free: dict[str, np.ndarray]
    delays: dict[str, list[float]]
    kept: dict[str, tuple[np.ndarray, np.ndarray]]
    cost: dict[str, tuple[int, float, float]]


def tasks(seed: int, count: int) -> list[tuple[Task, Task]]:
    """Return each task twice: the sequences that weights are fitted to, and those that they are judged by."""
    makers: list[Callable[[int], Task]] = [
        lambda s: store_a_pattern(count, 8, 10, s),
        lambda s: copy_memory(count, 10, s),
        lambda s: adding_problem(count, 20, s),
        lambda s: serial_recall(count, 5, 8, 5, s),
    ]
    pairs = [(make(2 * seed + 1), make(2 * seed + 2)) for make in makers]
    for task in (windows("Mackey-Glass", mackey_glass(2 * count + 60, seed), 24), *sunspots(), letters(2 * count)):
        cut = len(task.shown) // 2
        pairs.append((task.part(slice(cut)), task.part(slice(cut, None))))
    for task in (digits_by_rows(), captions(), translation()):
        order = np.random.default_rng(seed).permutation(len(task.shown))[: 2 * count]
        cut = 3 * len(order) // 4
        pairs.append((_chosen(task, order[:cut]), _chosen(task, order[cut:])))
    return pairs


def _chosen(task: Task, rows: np.ndarray) -> Task:
    return Task(task.name, task.shown[rows], task.read, task.targets[rows], task.outputs, task.baseline)


def remembered(name: str, task: Task, seed: int, steps: int) -> Memory:
    """Return a network for a task, trained if its name says so."""
    if name in CONTINUOUS:
        return continuous(name, task, seed)
    cell, _, after = name.partition(",")
    memory = discrete(cell, task, seed)
    return trained(memory, task, steps, seed) if after else memory


def free_run(memory: Memory, fit: Task, test: Task) -> np.ndarray:
    """Return the error of each step of a run that is shown its own answers: windows slide over what was answered."""
    shown, known = test.shown[::5].copy(), test.targets[:, 0, 0]
    starts = np.arange(0, len(test.shown), 5)
    good = starts + FREE_RUN <= len(known)
    shown, starts = shown[good], starts[good]
    states, errors = memory.states(fit.shown), []
    for k in range(FREE_RUN):
        asked = Task(fit.name, shown, fit.read, known[starts + k][:, None, None], 1, fit.baseline)
        answer = score(fit, states, asked, memory.states(shown), 1e-5)
        errors.append(np.sqrt(answer.loss / fit.baseline))
        nearest = np.clip(answer.answers[:, 0], 0.0, 1.0)
        shown = np.concatenate([shown[:, 1:], nearest[:, None]], axis=1)
    return np.array(errors)


def compete(seeds: int, count: int, steps: int) -> Found:
    """Let every network do every task."""
    found = Found({}, {}, {}, {}, {})
    for seed in range(seeds):
        for fit, test in tasks(seed, count):
            for name in NETWORKS:
                memory = remembered(name, fit, seed, steps)
                begun = time.perf_counter()
                states = memory.states(test.shown)
                spent = 1e3 * (time.perf_counter() - begun) / len(test.shown) * 20 / test.steps
                result = score(fit, memory.states(fit.shown), test, states)
                found.scores.setdefault((fit.name, name), []).append(result)
                if fit.name == "copy memory" and name not in found.cost:
                    asked = memory.evaluations(test.shown[0]) * 20 / test.steps
                    found.cost[name] = (memory.parameters, asked, spent)
                if fit.name == "Mackey-Glass" and seed == 0:
                    found.free[name] = free_run(memory, fit, test)
    for name in (*CONTINUOUS, *DISCRETE):
        found.delays[name] = []
        for delay in DELAYS:
            fit, test = (store_a_pattern(count // 2, 8, delay, s) for s in (1, 2))
            memory = remembered(name, fit, 0, steps)
            states = memory.states(fit.shown)
            found.delays[name].append(score(fit, states, test, memory.states(test.shown), 1e-5).gained)
        found.kept[name] = forgetting(name)
    return found


def forgetting(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return times, and the median singular value of d state(t)/d state(0) with no input after t = 0."""
    lags = np.arange(1, 31)
    pattern = store_a_pattern(2, 8, 1, 0)
    if name in DISCRETE:
        unrolled = brnn.sequences.Unrolled(discrete(name, pattern, 0).network)
        values = brnn.sequences.influence(unrolled, np.zeros((30, 8)), ("c", "h") if name == "LSTM" else ("h",))
        return lags, np.median(values, axis=1)
    memory = continuous(name, pattern, 0)
    network = memory.network
    layers = {"RCF": ("rcf",), "STORE": ("store", "trace"), "ORGaNICs": ("x", "a"), "LMU": ("m",)}.get(name, ("F1",))
    if name == "STORE":
        network = network.replace(stimuli=[])
    start = {layer: np.linspace(0.05, 0.2, network.layer(layer).cells) for layer in layers}
    values = brnn.influence(network, lags.astype(float), layers=layers, initial=start)
    return lags, np.median(values, axis=1)


def compare(found: Found, options: argparse.Namespace) -> tuple[list[Comparison], Any]:
    """Set beside theory what it speaks of; return the run that is kept, too."""
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    field = rcf.build(signal=brnn.Linear(), A=1.0, B=3.0, initial=0.1 * shares).replace(name="memory_tasks")
    run = simulate(field, options, duration=100.0, times=np.linspace(0.0, 100.0, 101))
    x = np.asarray(run["rcf.x"])
    rows = [Comparison(shares, x[-1] / x[-1].sum(), 1e-9, "RCF: shares after 100 units, f(w) = w")]
    rows.append(Comparison(3.0 - 1.0, x[-1].sum(), 1e-8, "RCF: total, B - A/C"))
    leaky = additive.build(3, A=0.3, B=0.2, C=0.0, pattern=0.0, on=np.inf, initial=[0.1, 0.2, 0.3])
    end = simulate(leaky, duration=10.0, times=[10.0])
    wanted = np.exp(-0.1 * 10.0) * np.array([0.1, 0.2, 0.3])
    rows.append(Comparison(wanted, np.asarray(end["F1.x"])[-1], 1e-9, "additive: left after 10 units, exp(-(A - B) t)"))
    rng, orders, read = np.random.default_rng(40), [], []
    for _ in range(10):
        order = rng.permutation(5)
        shown = store.build(items=order, A=0.02)
        held = simulate(shown, times=[shown.duration], rtol=1e-7, atol=1e-10).final("trace")
        orders.append(order)
        read.append(np.argsort(-np.asarray(held)))
    rows.append(Comparison.order(np.array(orders).ravel(), np.array(read).ravel(), "STORE: ten lists of 5, by rank"))
    rows += _constant_answers(options.sequences)
    keeps = found.kept["RCF"][1]
    rows.append(Comparison(keeps[9], keeps[-1], 1e-4, "RCF: median of d x(t)/d x(0), t = 30 as t = 10", True))
    leaks = found.kept["additive"][1]
    rows.append(Comparison(np.exp(-0.1 * np.arange(1, 31)), leaks, 1e-6, "additive: d x(t)/d x(0) = exp(-(A - B) t)"))
    best = max(_mean(found, "adding problem", f"{name}, trained") for name in ("LSTM", "GRU"))
    rows.append(Comparison.at_least(0.5, best, label="adding problem: a trained gate gains more than half"))
    return rows, run


def _constant_answers(count: int) -> list[Comparison]:
    """Return the losses of constant answers, which the scores are measured by."""
    many = adding_problem(20_000, 20, 9)
    rows = [
        Comparison(1.0 / 6.0, float(np.mean((many.targets - 1.0) ** 2)), 0.005, "adding: loss of the answer 1, 1/6")
    ]
    task = copy_memory(count, 10, 9)
    steps = task.steps
    loss = task.baseline * len(task.read) / steps
    rows.append(Comparison(10.0 * np.log(8.0) / (10 + 20), loss, 1e-12, "copy: constant answer, 10 ln 8/(T + 20)"))
    return rows


def _mean(found: Found, task: str, name: str) -> float:
    return float(np.mean([s.gained for s in found.scores[task, name]]))


def listed(found: Found) -> str:
    """Return the table of what is gained: mean and standard deviation over seeds."""
    names = list(dict.fromkeys(task for task, _ in found.scores))
    rows = [("task", *NETWORKS)]
    for task in names:
        cells = []
        for name in NETWORKS:
            gained = [s.gained for s in found.scores[task, name]]
            cells.append(f"{np.mean(gained):.2f} ±{np.std(gained):.2f}")
        rows.append((task, *cells))
    rows.append(("parameters", *(str(found.cost[name][0]) for name in NETWORKS)))
    rows.append(("evaluations for 20 steps", *(f"{found.cost[name][1]:.0f}" for name in NETWORKS)))
    rows.append(("ms for 20 steps", *(f"{found.cost[name][2]:.2f}" for name in NETWORKS)))
    return text_table([tuple(column) for column in zip(*rows, strict=True)])


def draw(found: Found, seeds: int) -> Figure:
    """Draw what is gained, how long patterns last, what is forgotten, and the free run."""
    plot = brnn.plot
    figure = plot.new_figure(
        13.5, 9.0, "What recurrent networks hold, for how long, at what cost",
        f"{CELLS} cells each, read by weights fitted to their states   ·   seeds: {seeds}   ·   1: no error, "
        "0: as good as a constant answer",
    )  # fmt: skip
    grid = figure.add_gridspec(2, 3, height_ratios=(1.25, 1.0))
    ax = figure.add_subplot(grid[0, :])
    names = list(dict.fromkeys(task for task, _ in found.scores))
    gained = np.array([[max(0.0, _mean(found, task, name)) for name in NETWORKS] for task in names])
    ax.imshow(gained, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
    for (i, k), value in np.ndenumerate(gained):
        ax.text(k, i, f"{value:.2f}", ha="center", va="center", color="black" if value > 0.55 else "white", fontsize=9)
    labels = [f"{name.replace(', ', chr(10))}\n{found.cost[name][0]}\n{found.cost[name][1]:.0f}" for name in NETWORKS]
    ax.set_xticks(range(len(NETWORKS)), labels, fontsize=9)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set_title(
        "What is gained on each task; under each network, how many numbers it has, and its evaluations in 20 steps",
        fontsize=11, loc="left",
    )  # fmt: skip
    panels = [figure.add_subplot(grid[1, k]) for k in range(3)]
    colors = plot.ordered_colors()(np.linspace(0.0, 0.95, len(found.delays)))
    for color, name, mark in zip(colors, found.delays, "osv^D<>ph", strict=True):
        style: dict[str, Any] = {"color": color, "marker": mark, "markersize": 4, "linewidth": 1.4, "label": name}
        panels[0].plot(DELAYS, np.maximum(found.delays[name], 0.0), **style)
        lags, values = found.kept[name]
        panels[1].plot(lags, np.maximum(values, 1e-12), markevery=5, **style)
        panels[2].plot(np.arange(1, FREE_RUN + 1), np.minimum(found.free[name], 2.0), markevery=4, **style)
    panels[0].set_xscale("log")
    panels[1].set_yscale("log")
    panels[1].set_ylim(1e-7, 30.0)
    panels[2].axhline(1.0, color="#888888", linewidth=1.0, linestyle=(0, (5, 3)))
    plot.polish(panels[0], "A stored pattern", "delay (steps)", "gained")
    plot.polish(panels[1], "What is left of the past", "lag t (steps)", "median singular value of ∂x(t)/∂x(0)")
    plot.polish(panels[2], "Mackey-Glass, running free", "steps ahead", "error / standard deviation")
    plot.key(panels[0], loc="lower left", ncols=2)
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all tasks, and say what they gain."""
    seeds = whole(options.seeds, "--seeds", minimum=1)
    count = whole(options.sequences, "--sequences", minimum=20)
    found = compete(seeds, count, whole(options.training, "--training", minimum=1))
    rows, run = compare(found, options)
    notes = ["", f"gained on each task, mean and standard deviation over {seeds} seeds:", listed(found)]
    if not any(task == "sunspots" for task, _ in found.scores):
        notes.append("sunspots are left out: the package statsmodels is not installed")
    return Outcome(rows, lambda: draw(found, seeds), run, tuple(notes))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="networks and sequences drawn anew (5)")
    parser.add_argument("--sequences", type=int, default=100, metavar="N", help="to fit, and as many to judge (100)")
    parser.add_argument("--training", type=int, default=50, metavar="N", help="steps of Adam (50)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
