"""ART 2, adaptive resonance theory for analog patterns, as differential equations.

    eps dw_i/dt = -w_i + I_i + a u_i                  eps dx_i/dt = w_i - |w| x_i                     F1 (1), (8), (9)
    eps dv_i/dt = -v_i + f(x_i) + b f(q_i)            eps du_i/dt = v_i - |v| u_i                         (7), (6)
    eps dp_i/dt = -p_i + u_i + sum_j g(y_j) z_ji      eps dq_i/dt = p_i - |p| q_i                         (4), (5)
    eps dr_i/dt = 10 (u_i + c p_i - (|u| + c |p|) r_i)                                               match (20)
    eps dy_j/dt = -y_j + sum_i p_i z_ij + 20000 on_j - 10000 spent_j + go                            F2 (12), (13)
    dz_ji/dt = g(y_j)(p_i - z_ji),  dz_ij/dt = g(y_j)(p_i - z_ij)                                    (16), (17)

f(x) is x from the threshold theta on and 0 below (11); g(y_J) = d for the chosen category, 0 for the others (14). The
lengths |.| are cells of their own (`NormLayer`), fifty times as fast. In the article eps goes to 0; e = 0.

A category is chosen when F1 has settled, 30 eps after the input came or after a reset: `go` then lifts all y_j alike,
and the largest one crosses first ("choice"). It is on until |r| falls below the vigilance ("reset"); it has been spent
then for the rest of the presentation, and the next one is chosen. When an input ends, F1 and F2 are cleared.

Source: Carpenter and Grossberg (1987), ART 2: self-organization of stable category recognition codes for analog input
patterns, Appl. Opt. 26, 4919-4930; how choices and resets come about in time is ours. The inputs of Fig. 8 are
drawings; they were read off (`brnn.theory.art2.PATTERNS`).

What is known:

- the five columns of Fig. 8: what contrast, feedback and vigilance do to the categories of four patterns. In the limit
  (`brnn.theory.art2.art2`) all five come out; with finite eps those with rho = 0, and the search of the first with rho
  from 0.98 to 0.985 instead of 0.95, as u is captured by the template while p still rises.
- |r| is a closed form of the angle between u and the template and of the template's length, (25).
- |z_J| goes to 1/(1 - d), in the template and in the filter.
- a template that matches perfectly changes nothing in F1 when it is read out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import (
    Curve,
    FigureDescription,
    Level,
    Mark,
    Panel,
    Raster,
    Run,
    figure,
    matrix_panel,
    time_panel,
    trace,
)
from brnn.models.parts import art2_by_hand
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.presentations import pattern_rows, unit_rows
from brnn.models.parts.resonance import refuse_size
from brnn.models.parts.runs import run
from brnn.signals import Function, Linear, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.actions import Action
from brnn.spec.events.set_state import SetState
from brnn.spec.events.stimulus_actions import StartStimulus
from brnn.spec.events.triggers import AtTimes, Crossing, Event
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.layers.norm import NormLayer
from brnn.spec.learning import Instar, Outstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Pulses, Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import art2 as theory

__all__ = ["COLUMNS", "ORDER", "TRIED", "build", "categories"]

ORDER = (0, 1, 2, 0, 3)  # A B C A D of Fig. 8
# Categories of the ten trials, from 1 on, of the columns of Fig. 8 without vigilance, and what is changed in each;
# those that are tried in each trial of column a.
COLUMNS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "b": ({}, [1, 1, 2, 2, 2, 2, 1, 2, 2, 2]),
    "c": ({"b": 0.0}, [1, 1, 2, 2, 2, 1, 1, 2, 2, 2]),
    "d": ({"a": 0.0}, [1, 1, 2, 2, 2, 1, 1, 2, 1, 2]),
    "e": ({"theta": 0.0}, [1] * 10),
}
TRIED = [[1], [1, 2], [1, 3], [1], [3, 1, 4], [1], [2], [3], [1], [4]]
SETTLE = 30.0  # until F1 has settled, in eps
_GO, _SPENT, _ON = 1e3, 1e4, 2e4
_F1 = ("w", "x", "v", "u", "p", "q")


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    rho: float = 0.98,
    m: int = 4,
    cycles: int = 1,
    a: float = 10.0,
    b: float = 10.0,
    c: float = 0.1,
    d: float = 0.9,
    theta: float = 0.2,
    fresh: float = 1.0,
    each: float = 60.0,
    eps: float = 0.2,
) -> Network:
    """Return ART 2, which sees a list of patterns one after the other.

    By default the inputs A, B, C, A and D of the article's Fig. 8.

    Parameters
    ----------
    pattern : array, >= 0
        The patterns as rows (1).
    rho : float, in [0, 1]
        Vigilance (1).
    m : int, >= 1
        Number of categories (1).
    cycles : int, >= 1
        How often the list is presented (1).
    a : float, >= 0
        Feedback from u to w (1).
    b : float, >= 0
        Feedback from q to v (1).
    c : float, >= 0
        Weight of p in the match; c d/(1 - d) must be at most 1 (27).
    d : float, in (0, 1)
        Signal of the chosen category (1/time).
    theta : float, >= 0
        Threshold of f: what is smaller counts as noise (1).
    fresh : float, > 0
        Weights z_ij of categories that have not learned (1), at most 1/((1 - d) sqrt(cells)) (29).
    each : float, > 0
        How long each pattern is shown (time).
    eps : float, > 0
        Time constant of all cells (time); it is to be short beside 1/d and `each`.

    Returns
    -------
    Network
        Layers "w", "x", "v", "u", "p", "q" of F1, "r", "F2", the lengths, and the registers "chosen" and "spent";
        projections "up" and "down" with the weights.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "art2"
    given = theory.PATTERNS[list(ORDER)] if pattern is None else pattern
    rows = pattern_rows(given, f"{at}: pattern", minimum=0.0)
    unit_rows(rows, f"{at}: pattern")  # whose direction is all that counts
    rows = np.tile(rows, (whole(cycles, f"{at}: cycles", minimum=1), 1))
    cells, count = rows.shape[1], whole(m, f"{at}: m", minimum=1)
    refuse_size(at, 2 * count * cells + rows.size, f"{count} categories of {cells} cells")
    vigilance, sent = number(rho, f"{at}: rho", minimum=0.0, maximum=1.0), number(d, f"{at}: d", above=0.0)
    if not sent < 1.0:
        raise SpecError(f"{at}: d = {sent:g}: must be a number > 0 and < 1")
    own, top_down = number(a, f"{at}: a", minimum=0.0), number(b, f"{at}: b", minimum=0.0)
    share, noise = number(c, f"{at}: c", minimum=0.0), number(theta, f"{at}: theta", minimum=0.0)
    if share * sent / (1.0 - sent) > 1.0 + 1e-9:
        raise SpecError(f"{at}: c = {share:g}: c d/(1 - d) is {share * sent / (1.0 - sent):g}, must be at most 1 (27)")
    weight, most = number(fresh, f"{at}: fresh", above=0.0), 1.0 / ((1.0 - sent) * np.sqrt(cells))
    if weight > most * (1.0 + 1e-9):
        raise SpecError(f"{at}: fresh = {weight:g}: must be at most 1/((1 - d) sqrt(cells)) = {most:g} (29)")
    length, k = number(each, f"{at}: each", above=0.0), 1.0 / number(eps, f"{at}: eps", above=0.0)
    if length <= SETTLE / k:
        raise SpecError(f"{at}: each = {length:g}: must be longer than {SETTLE:g} eps = {SETTLE / k:g}")

    f, square = Function("where(w < theta, 0, w)", theta=noise), Function("w**2")
    on = ThresholdLinear(gain=sent / _GO, threshold=4.0 * _GO, ceiling=_GO)  # g: d for the chosen category
    layers: list[LayerLaw] = []
    projections: list[Projection] = []

    def link(source: str, target: str, kind: Any, weight: float, signal: Any = Linear(), **more: Any) -> None:
        topology = AllToAll(weight) if source.startswith("length") or signal is square else OneToOne(weight)
        projections.append(Projection(source, target, kind, signal, topology, **more))

    for summed, unit in zip(_F1[::2], _F1[1::2], strict=True):
        layers += [Layer.additive(summed, cells, A=k), Layer(unit, (cells,), A=0.0, B=k, C=0.0, E=0.0, F=k)]
        link(summed, unit, "excitatory", 1.0)
    layers.append(Layer("r", (cells,), A=0.0, B=10.0 * k, C=0.0, E=0.0, F=10.0 * k))
    layers += [NormLayer(f"length_{name}", (1,), tau=0.02 / k) for name in ("w", "v", "p", "u", "r")]
    for name in ("w", "v", "p", "u", "r"):
        link(name, f"length_{name}", "excitatory", 1.0, square)
    for name, unit in (("w", "x"), ("v", "u"), ("p", "q")):
        link(f"length_{name}", unit, "inhibitory", 1.0)
    link("u", "w", "excitatory", k * own)
    link("x", "v", "excitatory", k, f)
    link("q", "v", "excitatory", k * top_down, f)
    link("u", "p", "excitatory", k)
    for name, weight_of in (("u", 1.0), ("p", share)):
        link(name, "r", "excitatory", weight_of)
        link(f"length_{name}", "r", "inhibitory", weight_of)
    layers.append(Layer.additive("F2", count, A=k))
    layers += [Layer.additive(name, count, A=0.0) for name in ("chosen", "spent")]
    link("chosen", "F2", "excitatory", k * _ON)
    link("spent", "F2", "inhibitory", k * _SPENT)
    filters = Instar(rate=1.0, sampling=on, sampled=Linear(), initial=weight)
    projections.append(Projection("p", "F2", "excitatory", Linear(), AllToAll(k), learning=filters, name="up"))
    templates = Outstar(rate=1.0, sampled=Linear(), initial=0.0)
    projections.append(Projection("F2", "p", "excitatory", on, AllToAll(k), learning=templates, name="down"))

    onsets = length * np.arange(len(rows))
    clear = [SetState(name, where="all") for name in (*_F1, "F2", "chosen", "spent")]
    begin: tuple[Action, ...] = (*clear, StartStimulus("go"))
    choose = (SetState("chosen", 1.0), SetState("spent", 1.0))
    searching = Pulses(np.stack([onsets + SETTLE / k, onsets + length], axis=1))
    events = [
        Event("choice", Crossing("F2", 0.5 * _GO, per="maximum"), choose),
        Event(
            "reset",
            Crossing("length_r", vigilance, "falling"),
            (SetState("chosen", 0.0, "all"), StartStimulus("go")),
            schedule=searching,
        ),
    ]
    if len(rows) > 1:
        events.append(Event("onset", AtTimes(onsets[1:]), begin))
    return Network(
        at,
        layers,
        projections,
        [
            Stimulus("w", "excitatory", k * rows, Sequence(np.arange(len(rows)), length)),
            Stimulus("F2", "excitatory", k * _GO, Pulse(SETTLE / k, np.inf), name="go"),
        ],
        events=events,
        duration=length * len(rows),
        reference="Carpenter and Grossberg (1987), Appl. Opt. 26, 4919-4930",
    )


def categories(result: Any) -> list[list[int]]:
    """Return, for each presentation of a run, the categories in the order in which they were chosen."""
    shown: Any = result.network.stimuli[0].schedule
    events = result.events
    chosen = np.asarray(events["name"]) == "choice"
    cells, when = np.asarray(events["cell"])[chosen].astype(int), np.asarray(events["time"])[chosen]
    return [cells[(start <= when) & (when < stop)].tolist() for start, stop in shown.intervals]


# Claims --------------------------------------------------------------------------------------------------------

_1987 = "Carpenter and Grossberg (1987)"
_TWICE = list(ORDER) * 2
_FAST: dict[str, Any] = {"solver": "RK45", "rtol": 1e-5, "atol": 1e-8}


@claim("In the limit of fast cells the five columns of Fig. 8 come out", source=f"{_1987}, Fig. 8")
def figure_8_in_the_limit() -> list[Comparison]:
    """The algorithm: categories of ten trials, the search of column (a), and the weakened features of column (b)."""
    learned = theory.art2(theory.PATTERNS, 0.95, order=_TWICE)
    tried = [[j + 1 for j in order] for order in learned.tried]
    rows = [Comparison.order(TRIED, tried, "column a, rho = 0.95: categories tried")]
    for name, (changed, path) in COLUMNS.items():
        learned = theory.art2(theory.PATTERNS, 0.0, order=_TWICE, **changed)
        rows.append(Comparison.order(path, learned.labels + 1, f"column {name}: categories"))
        if name == "b":
            z = learned.templates[:, 1]
            weak = z[[4, 5, 7, 8]][:, [6, 8, 10]].max(axis=1)
            rows += [
                Comparison.monotone("rising", weak, label="column b, trials 5, 6, 8, 9: features 6, 8, 10 come back"),
                Comparison.within(1.0, weak[0], 5.0, label="column b, trial 5: weakened, not erased"),
                Comparison.count(2, int((z[4] > 5.0).sum()), "column b, trial 5: large peaks"),
            ]
    return rows


@claim("With finite eps the four columns without vigilance come out", source=f"{_1987}, Fig. 8, as equations (1)")
def figure_8_in_time() -> list[Comparison]:
    """The network, ten presentations of each column."""
    rows = []
    for name, (changed, path) in COLUMNS.items():
        long = name in "bd"  # they need what is learned in long presentations
        options: dict[str, Any] = {"each": 300.0, "eps": 1.0} if long else {"each": 60.0, "eps": 0.5}
        network = build(rho=0.0, m=3, cycles=2, **options, **changed)
        found = categories(run(network, times=[0.0, float(network.duration or 0.0)], **_FAST))
        rows.append(Comparison.order([[j - 1] for j in path], found, f"column {name}: categories tried"))
    return rows


@claim("With finite eps the search of column (a) needs a vigilance of 0.98 to 0.985", source=f"{_1987}; computed")
def search_in_time() -> list[Comparison]:
    """A: 1; B tries 1, takes 2; C tries 1, takes 3; A: 1; D tries 3 and 1, takes 4. With 0.97 C keeps 1."""
    expected = [[j - 1 for j in order] for order in TRIED[:5]]
    rows = []
    for rho in (0.98, 0.985):
        found = categories(run(build(rho=rho), times=[0.0, 300.0], **_FAST))
        rows.append(Comparison.order(expected, found, f"rho = {rho:g}: categories tried"))
    found = categories(run(build(rho=0.97), times=[0.0, 180.0], duration=180.0, **_FAST))
    rows.append(Comparison.order([[0], [0, 1], [0]], found[:3], "rho = 0.97: categories tried by A, B and C"))
    return rows


@claim(
    "|z_J| goes to 1/(1 - d), and r is the closed form (25) of angle and length", source=f"{_1987}, (18), (19), (25)"
)
def lengths() -> list[Comparison]:
    """One pattern, three values of d: template and filter in the end; and |r| while the template grows."""
    rows = []
    for d in (0.5, 0.8, 0.9):
        duration = 16.0 / (d * (1.0 - d))
        times = np.append(0.0, 8.0 + np.linspace(0.0, duration - 8.0, 9))
        network = build(theory.PATTERNS[[0]], rho=0.0, m=1, d=d, fresh=0.3, each=duration)
        result = run(network, times=times, **{**_FAST, "rtol": 1e-7})
        z, u, r = (np.asarray(result[name]) for name in ("down.z", "u.x", "length_r.x"))
        rows.append(
            Comparison(1.0 / (1.0 - d), np.linalg.norm(z[-1]), 1e-3, f"d = {d:g}: |z_J|, template", relative=True)
        )
        filters = np.linalg.norm(result.final("up.z"))
        rows.append(Comparison(1.0 / (1.0 - d), filters, 1e-3, f"d = {d:g}: |z_J|, filter", relative=True))
        size = np.linalg.norm(z[2:, :, 0], axis=1)
        cosine = (u[2:] * z[2:, :, 0]).sum(axis=1) / (size * np.linalg.norm(u[2:], axis=1))
        rows.append(Comparison(theory.match_length(cosine, size, 0.1, d), r[2:, 0], 2e-3, f"d = {d:g}: |r|, (25)"))
    return rows


@claim("Reading out a template that matches perfectly changes nothing in F1", source=f"{_1987}, STM invariance")
def short_term_memory_is_invariant() -> list[Comparison]:
    """A pattern that was learned is shown again: x, v and u before and after its category is on."""
    network = build(theory.PATTERNS[[0, 0]], m=1, each=120.0)
    times = [0.0, 125.9, 127.0, 130.0, 150.0]
    result = run(network, duration=150.0, times=times, **{**_FAST, "rtol": 1e-7})
    rows = []
    for name in ("x", "v", "u"):
        x = np.asarray(result[f"{name}.x"])
        rows.append(
            Comparison(np.stack([x[1]] * 3), x[2:], 2e-3 * np.abs(x[1]).max(), f"{name} before, and with F2 on")
        )
    return rows


@claim("Its equations, written out by hand", source=f"{_1987} and the text above, integrated by SciPy between events")
def equations() -> list[Comparison]:
    """Two patterns of four cells and two categories, of which the first is reset; every parameter off its default."""
    parameters = {
        "pattern": np.array([[1.2, 0.9, 0.2, 0.1], [0.4, 1.0, 0.7, 0.6]]),
        "rho": 0.998,
        "cycles": 2,
        "a": 6.0,
        "b": 7.0,
        "c": 0.2,
        "d": 0.8,
        "theta": 0.15,
        "fresh": 0.3,
        "each": 4.0,
        "eps": 0.1,
    }
    return equations_by_hand(
        functools.partial(build, m=2),
        parameters,
        art2_by_hand.course,
        np.array([0.0, 0.1, 0.5, 3.3, 4.1, 7.1, 7.2, 7.5, 8.2]),
        apart=("m",),
        changed={"rho": 0.9965, "cycles": 1},
        tolerance=2e-6,
        solver="RK45",
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("F2.x", "length_r.x", "down.z")
def search(run: Run) -> FigureDescription | None:
    """Show which category answered each pattern, the match that decides it, and what was learned."""
    shown = run.network.stimuli[0]
    schedule: Any = shown.schedule
    onsets = schedule.intervals[:, 0]
    count, cells = run.view("F2").cells, run.view("u").cells
    if count > 24 or cells > 100 or run.end < schedule.intervals[-1, 1] - 1e-9:
        return None
    k = float(np.max(run.part("w").A))
    resets: Any = next(event.when for event in run.network.events if event.name == "reset")
    rho = float(resets.threshold)
    when, which = np.nonzero(run.values("chosen") > 0.5)
    tried = categories(run.result)
    last = [
        (onset + schedule.intervals[0, 1] * 0.5, order[-1]) for onset, order in zip(onsets, tried, strict=True) if order
    ]
    marks: list[Mark] = [Raster(run.times("chosen")[when], which, "category that is on")]
    if last:
        x, y = np.array(last).T
        marks.append(Curve(x, y, "answer", marker="o", color=1))
    ticks = tuple((float(j), str(j)) for j in range(count))
    chosen = Panel(
        "Who answers each pattern", marks, run.time_label, "category", legend="top", y_ticks=ticks,
        x_limits=(run.start, run.end), y_limits=(-0.7, count - 0.3 + 0.28 * count),
    )  # fmt: skip
    match = time_panel(
        run,
        "The match |r|: below the vigilance the category is reset",
        [trace(run, "length_r", label="|r|"), Level(rho, "vigilance", axis="y", role="guide")],
        y="|r|",
        spans=(),
        y_limits=(min(0.9, rho) - 0.05, 1.03),
    )
    patterns = np.unique(np.asarray(shown.pattern) / k, axis=0)
    given = matrix_panel(patterns, "Patterns", x="cell of F1", y="pattern", label="input")
    templates = matrix_panel(run.last("down.z").T, "Templates z", x="cell of F1", y="category")
    used = len({order[-1] for order in tried if order})
    title = f"Analog patterns find {counted(used, 'category', 'categories')} by search and match"
    return FigureDescription(title, run.below, ((chosen, match), (given, templates)), (1.0, 0.9))
