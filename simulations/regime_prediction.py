"""1,000 random recurrent competitive fields: what theory says becomes of each, beside what becomes of it.

Fields of five cells with random numbers and random initial activities, half of them with cells that are alike and no
inputs, half with cells that differ and inputs that stay on; signals of all kinds: linear, powers above and below 1,
saturating, sigmoid, threshold-linear, logistic, a step, and a formula. Where theory determines the final state it must
be that of the simulation; where it gives a list, the state must be one of it; where it says that several states are
possible and lists none, nothing is compared, and the last line says how many these are. No field is left out. The file
of -o is the sweep of the first kind of fields.

Reproduces: the theorems of Grossberg (1973), Stud. Appl. Math. 52, 213-257, and (1978), J. Math. Anal. Appl. 66,
470-493; review, (21)-(31).
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from _common import Outcome, command_line, execute

import brnn
from brnn.claims import Comparison
from brnn.theory.regime import FieldRegime, field_regime

CELLS = 5
SIGNALS: dict[str, tuple[brnn.Signal, dict[str, tuple[float, float]]]] = {
    "linear": (brnn.Linear(), {"gain": (0.5, 3.0)}),
    "power": (brnn.Power(), {"gain": (0.5, 3.0), "exponent": (1.5, 4.0)}),
    "saturating": (brnn.Saturating(), {"gain": (0.5, 3.0), "half": (0.1, 1.0)}),
    "sigmoid": (brnn.Sigmoid(), {"gain": (0.5, 3.0), "half": (0.1, 1.0), "exponent": (1.5, 4.0)}),
    "threshold": (
        brnn.ThresholdLinear(1.0, 0.1, 1.0),
        {"gain": (0.5, 3.0), "threshold": (0.02, 0.3), "ceiling": (0.2, 1.0)},
    ),
    "root": (brnn.Power(1.0, 0.5), {"gain": (0.5, 3.0), "exponent": (0.3, 0.95)}),
    "logistic": (brnn.Logistic(), {"gain": (0.5, 3.0), "slope": (1.0, 8.0), "midpoint": (0.1, 1.0)}),
    "step": (brnn.Step(1.0, 0.1), {"gain": (0.5, 3.0), "threshold": (0.02, 0.5)}),
    "formula": (brnn.Expression("c*w**2/(d + w**2)", c=1.0, d=0.1), {"c": (0.5, 3.0), "d": (0.01, 1.0)}),
}
TOLERANCE = 1e-5  # of a state; those that are approached slowly stop within their tolerance


def design(name: str, count: int, differ: bool, random: np.random.Generator) -> tuple[brnn.Network, dict[str, Any]]:
    """Return a network and the numbers of `count` fields like it, by their dotted names."""
    signal, ranges = SIGNALS[name]
    field = brnn.models.rcf.build(n=CELLS, signal=signal, pattern=0.0, initial=np.full(CELLS, 0.5), A=1.0, B=2.0)
    values: dict[str, Any] = {}
    if differ:
        layer = field.layers[0].replace(A=np.ones(CELLS), B=np.full(CELLS, 2.0))
        field = field.replace(layers=[layer], stimuli=[brnn.Stimulus("rcf", pattern=np.ones(CELLS))])
        for i in range(CELLS):
            values[f"rcf.A.{i}"] = random.uniform(0.5, 2.0, count)
            values[f"rcf.B.{i}"] = random.uniform(1.0, 4.0, count)
            values[f"stimuli.0.pattern.{i}"] = random.uniform(0.0, 0.5, count)
    else:
        values["rcf.A"], values["rcf.B"] = random.uniform(0.5, 2.0, count), random.uniform(1.0, 4.0, count)
    for parameter, (low, high) in ranges.items():
        drawn = random.uniform(low, high, count)
        values |= {f"rcf_rcf_{kind}.signal.{parameter}": drawn for kind in ("exc", "inh")}
    values |= {f"rcf.initial.{i}": random.uniform(0.0, 1.0, count) for i in range(CELLS)}
    return field, values


def predicted(name: str, values: dict[str, Any], k: int) -> FieldRegime:
    """Return what theory says of one field."""
    signal, ranges = SIGNALS[name]

    def numbers(part: str) -> Any:
        every = values.get(part)
        return every[k] if every is not None else np.array([values[f"{part}.{i}"][k] for i in range(CELLS)])

    f = signal.replace(**{parameter: values[f"rcf_rcf_exc.signal.{parameter}"][k] for parameter in ranges})
    inputs = numbers("stimuli.0.pattern") if "stimuli.0.pattern.0" in values else 0.0
    return field_regime(numbers("rcf.A"), numbers("rcf.B"), f, numbers("rcf.initial"), inputs)


def experiment(options: argparse.Namespace) -> Outcome:
    """Predict and run all fields."""
    random = np.random.default_rng(options.seed)
    each = max(1, options.fields // (2 * len(SIGNALS)))
    rows: list[Comparison] = []
    points: list[Any] = []
    kept = None
    numbers = np.zeros(4, dtype=int)
    for differ in (False, True):
        for name in SIGNALS:
            first = not rows
            count = max(each, 101) if first else each
            network, values = design(name, count, differ, random)
            run = brnn.sweep(
                network,
                brnn.Table(**values),
                duration=20000.0,
                until="steady",
                measures=["final"],
                progress=False,
                rtol=1e-8,
                atol=1e-13,
                out=options.output if first else None,
                force=options.force,
                resume=options.resume and first,
            )
            final = run["rcf.x"].values
            regimes = [predicted(name, values, k) for k in range(count)]
            distances = np.array([regime.distance(x) for regime, x in zip(regimes, final, strict=True)])
            sure = np.array([regime.final is not None for regime in regimes])
            listed = np.array([len(regime.states) > 1 for regime in regimes])
            label = f"{name}, {'cells that differ, inputs' if differ else 'cells that are alike'}"
            if sure.any():
                rows.append(Comparison.count(
                    int(sure.sum()), int(np.sum(distances[sure] <= TOLERANCE)), f"{label}: state determined"
                ))  # fmt: skip
            if listed.any():
                rows.append(Comparison.count(
                    int(listed.sum()), int(np.sum(distances[listed] <= TOLERANCE)), f"{label}: state one of a list"
                ))  # fmt: skip
            answers = np.array([sure.sum(), listed.sum(), np.sum(~sure & ~listed)])
            numbers += np.array([count, *answers])
            kept = run if first else kept
            points.append(
                (label, final.sum(axis=1), [r.final.sum() if r.final is not None else np.nan for r in regimes], answers)
            )

    def draw() -> Any:
        figure = brnn.plot.new_figure(12.0, 6.0, "What theory says of random fields, and what they do")
        totals, answered = figure.subplots(1, 2)
        colors = brnn.plot.PALETTE
        for k, (label, measured, said, _) in enumerate(points):
            if np.isfinite(said).any():
                again, color = divmod(k % len(SIGNALS), len(colors))  # there are more signals than colors
                marker = ("ox", "s+")[again][k // len(SIGNALS)]
                totals.plot(said, measured, marker, color=colors[color], ms=6, alpha=0.7, label=label)
        brnn.plot.polish(totals, "Total activity, where theory determines the state", "predicted", "measured")
        brnn.plot.key(totals, loc="lower right", fontsize=7.0)  # below the diagonal, on which the points are
        shares = np.array([100.0 * answers / answers.sum() for *_, answers in points])[::-1]
        below = np.zeros(len(points))
        for k, answer in enumerate(("the state", "one of a list of states", "left open")):
            answered.barh(range(len(points)), shares[:, k], left=below, color=(*colors[:2], "0.8")[k], label=answer)
            below += shares[:, k]
        brnn.plot.polish(answered, "What theory determines", "percent of the fields", "")
        answered.set_yticks(range(len(points)), [label for label, *_ in points][::-1])
        answered.set_ylim(-0.6, len(points) + 1.2)
        brnn.plot.key(answered, loc="upper center", ncols=3)
        return figure

    every, sure_of, from_list, left = numbers
    note = f"{every} fields: {sure_of} determined, {from_list} one of a list, {left} left open by theory"
    return Outcome(rows, draw, kept, (note,))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument("--fields", type=int, default=1000, help="how many fields in all")
    parser.add_argument("--seed", type=int, default=2026, help="seed of the random numbers")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
