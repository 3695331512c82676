"""lisTELOS: eye fields, basal ganglia and colliculus plan saccades, one at once or a list from working memory.

Per 100 ms; [w]+ = max(w, 0), [P] = 1 if P is true; sums go over all other cells; the eye position e joins maps of the
eye and of the field, W: c = p + e - 41.

    dPX/dt = 10 (-PX + (1 - PX) I)                                                         retina, parietal cortex
    dPI/dt = 10 (-PI + (1 - PI) f1(PX))
    dPY/dt = 10 (-0.2 PY + (1 - PY) 20 f1(PX) - 300 PY PI^2)
    dPL/dt = 10 (-PL + (1 - PL)(4 f2(PY) + f3(PL) + 2 FO) - PL (1 + 100 sum PL^4 + 0.3 sum FO))
    dM/dt = -0.1 M + (1 - M)(0.7 f4(M)(1 + N) + 2 mu P f5(W PY)) - M (0.4 sum MQ + 1000 [SY - 0.5]+)   ranked items
    dMQ/dt = -0.1 MQ + (1 - MQ) 0.2 M
    dSX/dt = -2 SX + (1 - SX)(0.9 f4(M) R + 10 ZA SY^2 + s) - SX f2(SI)                    supplementary eye fields
    dSI/dt = 10 (-2 SI + (1 - SI)(2 sum f7(SX) + s))
    dSY/dt = 10 (-2 SY + (1 - SY)(25 ZD SX^2 + s) - 15 SY f2(SI))
    dZD/dt = 0.1 (1 - ZD) - ZD (SX^2 + 20 SX^4)
    dZA/dt = 0.01 (1 - ZA) - ZA (SY^2 + 25 SY^4)
    dSO/dt = 10 (-SO + (1 - SO)(10 sum_r [SY_r > 0.5] + s)(1 + 1.5 W f3(FP)) - 0.6 SO sum W f3(FP))
    dFP/dt = 10 (-2 FP + (1 - FP)(PL + 20 G) - FP (2 FI + 5 FX + sum G))                   frontal eye fields
    dFI/dt = 10 (-0.1 FI + (1 - FI)(sum f2(FP) + 0.8 sum PL)),  G = [SO - 0.2]+, moved back to the eye
    dFO/dt = 10 (-FO + (1 - FO) 3 FP T - 6 FO FX)
    dFX/dt = -2 FX + (1 - FX) 100 [C > 0.3]
    dD/dt = (1 - D) d - (D + 0.58)(1 + i)                                                  loops of the basal ganglia
    dI/dt = (1 - I) j - (I + 0.58)
    dG/dt = (1 - G) 0.5 - (G + 1)(0.2 + 0.8 [I]+)
    dN/dt = (1 - N) 100 - (N + 1)(54 [D]+ + 80 [G]+)
    dR/dt = 20 (-0.1 R + (1 - R) 20 [MN < 0.3])
    dT/dt = 15 (-0.1 T + (1 - T) 10 [BN < 0.3])
    dC/dt = (1 - C)(50 f7(PL) + 40 f7(FO)) - C (800 [GN - 0.3]+ + 10)                      colliculus

A loop's letter stands before D, I, G, N: M of working memory (d = 50, j = 400 q_41, q = [PL - 0.25]+), B of the frontal
fields (d = 3 PL + 20 FP, i = 9 sum_k FP_k), G of the colliculus (d = 50 q + 100 f10(FO), i = 20 sum_k (q + f10(FO))_k,
j = 5 q_41 for all other cells). When C passes 0.3 at site p, the eye goes to c = p + e - 41. Signals f2, f3, f7, f10
are w^n/(h^n + w^n) with n, h = 2, 0.2; 3, 0.4; 4, 0.5; 10, 0.4; f1 = w^2 from 0.1 on; f4, f5 are w from 0.05, 0.4 on.

With `eye` the saccade generator of the brain stem (`brnn.models.saccade_generator`) moves an eye, in the same network:

    dU_p/dt = -U_p/25 ms,  U_p = 5 when C passes 0.3 at site p;   I_o = sum_p W_op min(U_p, 1)

U are burst cells of the colliculus, I the inputs of the long-lead cells; W_op depends on how far site p lies from the
middle in direction o, so that a saccade along an axis has 5 degrees for each site. U starts at the event, since C at
p falls as soon as it has passed 0.3: the maps have moved. U, W and the size of a site are ours.

Source: Silver, Grossberg, Bullock, Histed and Miller (2012), Neural Networks 26, 29-58, with the numbers of the public
code: the printed equations (8), (31), (40), (41), those of R and T, and f1 are others, with which latencies are not the
published ones.

What is known: the latencies of four tasks, 137, 64, 137 and 256 ms; lists are recalled in order, repeated items
included; microstimulation turns an order around; a nigral gate opens at D = 0.362 (0.997 with a silent pallidum).

The steps of f1, f4, f5, of [SY > 0.5], [C > 0.3] and of both gates are not located: a step of the solver that passes
one has an error estimate that sees it. Found as events, which begin the integration anew, they move no saccade by more
than 0.01 ms at rtol 1e-6; 1000 ms take 4,116 evaluations at 1e-4, and 40,000 with the steps of 0.1 ms of the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice, number, whole
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Mark, Panel, Run, figure
from brnn.models.parts import eye_fields_by_hand as by_hand
from brnn.models.parts.eye_fields import CENTRE, INWARD, OUTWARD, SITES, eye_fields
from brnn.models.parts.runs import run
from brnn.models.parts.saccade_burst import burst_generator, eye_position
from brnn.signals import ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.actions import Action
from brnn.spec.events.maps import MoveMaps
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import AtTimes, Crossing, Event
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Noise, Pulse
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["FIXATION", "build", "eye_path", "saccades", "site_position", "stimulated"]

FIXATION = CENTRE + 1
_LATE = 50.0  # ms from the eye to parietal cortex
_SPREAD = 3.0  # of microstimulation, in sites
_APART = 5.0  # degrees from site to site, for the eye
_BURST, _RELEASE = 5.0, 25.0  # U at its event, and its time constant (ms)
# W of 0 to 4 sites: with U as above the generator then moves the eye by 0, 5, 10, 15 and 20 degrees along an axis.
_PULL = np.array([0.0, 0.385, 0.708, 1.123, 1.599])
_RATE = 0.02  # 1/ms: of the saccade generator
_HELD = 5.0  # ms for which noise is drawn; in the code it is drawn in each stage of steps of 0.1 ms
_DENSITY = 0.1 * 10.0 / 36.0  # ms: the variance that a unit of time of the code's noise adds up to


@dataclass(frozen=True)
class _Task:
    """What is shown, in ms; sites are counted from 1."""

    cues: tuple[int, ...]
    on: tuple[float, ...]
    off: tuple[float, ...]
    duration: float
    memory: bool = False
    ranks: int = 4
    overlap: bool = True  # whether fixation and target may be on together
    stimulation: tuple[float, float] | None = None


_TASKS = {
    "saccade": _Task((41, 14), (0.0, 500.0), (500.0, 1000.0), 1000.0, overlap=False),
    "gap": _Task((41, 14), (0.0, 1000.0), (500.0, 1500.0), 1400.0, overlap=False),
    "overlap": _Task((41, 14), (0.0, 500.0), (1000.0, 1500.0), 1400.0),
    "delayed": _Task((41, 14), (0.0, 500.0), (1500.0, 1000.0), 2000.0, memory=True),
    "serial_recall": _Task(
        (41, 38, 14, 38, 68), (0.0, 100.0, 300.0, 500.0, 700.0), (1000.0, 200.0, 400.0, 600.0, 800.0), 2000.0,
        memory=True, ranks=5,
    ),
    "histed_miller": _Task(
        (41, 20, 56), (0.0, 500.0, 630.0), (2000.0, 1000.0, 1000.0), 2700.0, memory=True, ranks=3,
        stimulation=(1000.0, 1900.0),
    ),
}  # fmt: skip


@takes_dotted_names
def build(
    task: str = "saccade",
    site: int | None = None,
    stimulation: ArrayLike | None = None,
    working_memory_noise: float = 0.0,
    seed: int | None = None,
    cues: ArrayLike | None = None,
    onsets: ArrayLike | None = None,
    offsets: ArrayLike | None = None,
    working_memory: bool | None = None,
    strength: float = 0.4,
    gaze: int = 1,
    duration: float | None = None,
    eye: bool = False,
) -> Network:
    """Return the eye fields in one trial of a task, in ms.

    Sites of the field of 9 by 9 are counted from 1 to 81, column by column; 41 is the middle. Every cue is seen 50 ms
    late. The trial begins with a saccade from `gaze` to the fixation point.

    Parameters
    ----------
    task : str
        "saccade", "gap", "overlap", "delayed", "serial_recall" or "histed_miller"; "own" for cues of one's own.
    site : int, optional
        Where the supplementary eye fields are stimulated, 1 to 81; nowhere by default.
    stimulation : (float, float), optional
        When the stimulation goes on and off (ms); by default as in the task "histed_miller", or in the whole trial.
    working_memory_noise : float, >= 0
        Standard deviation of N, as in the code (1): what a step of 0.1 ms of its method makes of it.
    seed : int, optional
        Of the noise, which needs one.
    cues : list of int, optional
        Sites in the order in which they are remembered; 41 is the fixation point, which is not remembered.
    onsets : list of float, optional
        When each cue comes (ms).
    offsets : list of float, optional
        When it goes (ms).
    working_memory : bool, optional
        Whether cues are stored; by default as the task has it, and with cues of one's own.
    strength : float, >= 0
        Largest input by stimulation, at the site (1).
    gaze : int
        Where the eye looks at time 0.
    duration : float, > 0
        Of the trial (ms); that of the task, or 700 ms after the last offset by default.
    eye : bool
        Whether the saccade generator is part of the network and moves an eye, whose path is `eye_path`.

    Returns
    -------
    Network
        Layers by their letters, "colliculus" for C; "cues" and "gaze" have a cell for each site of the field. Events
        "saccade" record where the eye goes, the cell being the site less 1 (`saccades`). With `eye` also "burst" and
        the layers of the saccade generator.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite; if there is no such site.
    """
    at = "listelos"
    plan = _plan(task, cues, onsets, offsets, working_memory, duration)
    noise = number(working_memory_noise, f"{at}: working_memory_noise", minimum=0.0)
    start = _site(gaze, f"{at}: gaze")
    parts = eye_fields(plan.ranks, plan.memory, start, noise > 0.0)
    stimuli = list(parts.stimuli)
    if noise > 0.0:
        if seed is None:
            raise SpecError(f"{at}: seed: working_memory_noise = {noise:g} needs one, a whole number")
        size = noise * np.sqrt(_DENSITY / _HELD)
        drawn = Noise(whole(seed, f"{at}: seed", minimum=0), _HELD, mean=10.0 * size, deviation=size)
        stimuli += [
            Stimulus("noise", "excitatory", np.ones((plan.ranks, SITES)), drawn),
            Stimulus("noise", "inhibitory", 10.0 * size),
        ]
    elif seed is not None:
        whole(seed, f"{at}: seed", minimum=0)
    most = number(strength, f"{at}: strength", minimum=0.0)
    if site is not None:
        bump = most * stimulated(site)
        window = _window(stimulation, plan)
        for layer, rate in (("SX", 0.01), ("SI", 0.1), ("SY", 0.1), ("SO", 0.1)):
            pattern = rate * (bump if layer == "SO" else np.tile(bump, (plan.ranks, 1)))
            stimuli.append(Stimulus(layer, "excitatory", pattern, Pulse(*window)))
    elif stimulation is not None:
        raise SpecError(f"{at}: stimulation: needs a site, 1 to {SITES}")
    if not isinstance(eye, (bool, np.bool_)):
        raise SpecError(f"{at}: eye = {eye!r}: must be true or false")
    layers, projections = list(parts.layers), list(parts.projections)
    if eye:
        driven = burst_generator(1.0 / _RATE, omnipause=6.0 / 7.0)
        layers += [Layer.additive("burst", SITES, A=1.0 / _RELEASE), *driven.layers]
        pull = Projection("burst", "long_lead", "excitatory", ThresholdLinear(ceiling=1.0), Dense(_pull()))
        projections += [pull, *driven.projections]
        stimuli += driven.stimuli
    return Network(
        at,
        layers,
        projections,
        stimuli,
        events=(*_shown(plan), *_looks(bool(eye))),
        duration=plan.duration,
        time_units="ms",
        reference="Silver, Grossberg, Bullock, Histed and Miller (2012), Neural Networks 26, 29-58",
    )


def _site(value: Any, where: str) -> int:
    """Return the cell of a site."""
    site = whole(value, where)
    if not 1 <= site <= SITES:
        raise SpecError(f"{where} = {site}: must be a site from 1 to {SITES}")
    return site - 1


def stimulated(site: int) -> np.ndarray:
    """Return the input of every site, relative to that of the stimulated one: a Gaussian of 3 sites."""
    column, row = divmod(_site(site, "listelos: site"), 9)
    columns, rows = np.divmod(np.arange(SITES), 9)
    return np.asarray(np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2.0 * _SPREAD**2)))


def _plan(task: Any, cues: Any, onsets: Any, offsets: Any, memory: Any, duration: Any) -> _Task:
    at = "listelos"
    choice(task, f"{at}: task", (*_TASKS, "own"))
    plan = _TASKS.get(task, _Task((), (), (), 0.0, memory=True))
    given = {"cues": cues, "onsets": onsets, "offsets": offsets}
    if any(value is not None for value in given.values()) or task == "own":
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise SpecError(f"{at}: {missing[0]}: cues of one's own need cues, onsets and offsets")
        lists = {name: _numbers(value, f"{at}: {name}") for name, value in given.items()}
        sizes = {name: len(values) for name, values in lists.items()}
        if len(set(sizes.values())) > 1:
            raise SpecError(f"{at}: cues, onsets and offsets have {', '.join(map(str, sizes.values()))} elements")
        sites = tuple(_site(cue, f"{at}: cues[{k}]") + 1 for k, cue in enumerate(lists["cues"]))
        end = max(lists["offsets"]) + 700.0
        plan = _Task(
            sites, lists["onsets"], lists["offsets"], end, plan.memory, max(len(sites), plan.ranks), plan.overlap,
            plan.stimulation,
        )  # fmt: skip
        _check_times(plan, task)
    if memory is not None and not isinstance(memory, (bool, np.bool_)):
        raise SpecError(f"{at}: working_memory = {memory!r}: must be true or false")
    stored = plan.memory if memory is None else bool(memory)
    length = plan.duration if duration is None else number(duration, f"{at}: duration", above=0.0)
    late = next((k for k, on in enumerate(plan.on) if on >= length), None)
    if cues is not None and late is not None:
        raise SpecError(
            f"{at}: cue {late} (site {plan.cues[late]}): onset {plan.on[late]:g} is when the trial is over, at "
            f"{length:g} ms"
        )
    return _Task(plan.cues, plan.on, plan.off, length, stored, plan.ranks, plan.overlap, plan.stimulation)


def _numbers(value: Any, where: str) -> tuple[float, ...]:
    values = value if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str) else [value]
    found = tuple(number(v, f"{where}[{k}]") for k, v in enumerate(values))
    if not found:
        raise SpecError(f"{where}: must have one element at least")
    return found


def _check_times(plan: _Task, task: str) -> None:
    at = "listelos"
    for k, (cue, on, off) in enumerate(zip(plan.cues, plan.on, plan.off, strict=True)):
        if not 0.0 <= on < off:
            raise SpecError(f"{at}: cue {k} (site {cue}): onset {on:g}, offset {off:g}: must be 0 <= onset < offset")
        for other in range(k):
            apart = off <= plan.on[other] or plan.off[other] <= on
            if cue == plan.cues[other] and not apart:
                raise SpecError(
                    f"{at}: cues {other} and {k}: site {cue} would be shown twice at once, from {on:g} ms on"
                )
            fixation = FIXATION in (cue, plan.cues[other])
            if fixation and not plan.overlap and not apart:
                raise SpecError(
                    f"{at}: cues {other} and {k}: fixation and target overlap, which the task '{task}' does not have "
                    f"(task='overlap' does)"
                )


def _window(stimulation: Any, plan: _Task) -> tuple[float, float]:
    at = "listelos: stimulation"
    if stimulation is None:
        return plan.stimulation or (0.0, plan.duration)
    found = _numbers(stimulation, at)
    if len(found) != 2 or not 0.0 <= found[0] < found[1]:
        raise SpecError(f"{at} = {', '.join(f'{v:g}' for v in found)}: must be two times, 0 <= on < off")
    if found[0] >= plan.duration:
        raise SpecError(f"{at} = {found[0]:g}, {found[1]:g}: begins when the trial is over, at {plan.duration:g} ms")
    return found[0], found[1]


def _shown(plan: _Task) -> list[Event]:
    """Return the events by which cues come and go; the n-th that is not fixation opens rank n."""
    events, rank = [], 0
    for k in np.argsort(plan.on, kind="stable").tolist():
        cell = plan.cues[k] - 1
        shown: list[SetState] = [SetState("cues", 1.0, [cell])]
        if cell != CENTRE:
            opened = np.zeros((plan.ranks, SITES))
            opened[rank] = 1.0
            opened[:, CENTRE] = 0.0  # the fixation point is never stored
            shown.append(SetState("rank", opened, "all"))
            rank += 1
        events.append(Event(f"cue_{k}_on", AtTimes(plan.on[k] + _LATE), shown))
    for k in range(len(plan.cues)):
        hidden = SetState("cues", 0.0, [plan.cues[k] - 1])
        events.insert(0, Event(f"cue_{k}_off", AtTimes(plan.off[k] + _LATE), hidden))
    return events


def _looks(eye: bool) -> list[Event]:
    command = Crossing("colliculus", 0.3, per="maximum")
    done: list[Action] = [MoveMaps("gaze", CENTRE, outward=OUTWARD, inward=INWARD)]
    if eye:
        done.append(SetState("burst", _BURST, "crossing"))
    return [
        Event("command", command, done),
        Event("saccade", Crossing("gaze", 0.5)),
    ]


def _pull() -> np.ndarray:
    """Return W, from the sites of the colliculus to left, right, down and up."""
    right, up = np.round(site_position(np.arange(SITES) + 1) / _APART).astype(int).T
    return np.stack([_PULL[np.maximum(part, 0)] for part in (-right, right, -up, up)])


def site_position(site: ArrayLike) -> np.ndarray:
    """Return how far sites (1 to 81) lie to the right of the middle and above it, in degrees, shape (..., 2).

    The first row is the uppermost one.
    """
    column, row = np.divmod(np.asarray(site) - 1, 9)
    return np.stack([_APART * (column - 4.0), _APART * (4.0 - row)], axis=-1)


def eye_path(result: Any) -> np.ndarray:
    """Return where the eye of a run with ``eye=True`` is at its saved times, in degrees from the middle, (times, 2)."""
    start = int(np.argmax(result.network.layer("gaze").initial)) + 1
    return eye_position(result["tonic.x"]) + site_position(start)


def saccades(result: Any) -> list[tuple[float, int]]:
    """Return the saccades of a run: when (ms), and to which site (1 to 81)."""
    events = result.events
    found = np.asarray(events["name"]) == "saccade"
    times, cells = (np.asarray(events[name])[found] for name in ("time", "cell"))
    return [(float(time), int(cell) + 1) for time, cell in zip(times, cells, strict=True)]


# Claims --------------------------------------------------------------------------------------------------------

_ARTICLE = "Silver and others (2012)"
# When the saccades of a trial are (ms): latencies from the article, the list as the public code recalls it.
_PUBLISHED = {
    "saccade": (64.0, 637.2),
    "gap": (64.0, 1064.0),
    "overlap": (64.0, 1137.2),
    "delayed": (64.0, 1756.8),
    "serial_recall": (64.0, 1279.6, 1386.4, 1528.4, 1708.8),
}


def _trial(times: ArrayLike | None = None, **options: Any) -> Any:
    """Return a run at tolerances at which a saccade is at its time to 0.5 ms."""
    network = build(**options)
    return run(network, times=[0.0, network.duration] if times is None else times, rtol=1e-4, atol=1e-6)


@claim("Latencies are 137, 64, 137 and 256 ms: saccade, gap, overlap, memory-guided", source=_ARTICLE)
def latencies() -> list[Comparison]:
    """From the offset of the fixation point, in the gap task from the onset of the target."""
    rows = []
    for task, since in (("saccade", 500.0), ("gap", 1000.0), ("overlap", 1000.0), ("delayed", 1500.0)):
        found, (first, last) = saccades(_trial(task=task)), _PUBLISHED[task]
        rows.append(Comparison.order([41, 14], [site for _, site in found], f"{task}: sites"))
        latency = found[-1][0] - since
        rows.append(
            Comparison([first, last - since], [found[0][0], latency], 2.0, f"{task}: first saccade, latency (ms)")
        )
    return rows


@claim("A list is recalled in its order, the repeated item included", source=_ARTICLE)
def serial_recall() -> list[Comparison]:
    """Sites 38, 14, 38, 68; times and the primacy gradient of working memory as the code has them."""
    result = _trial([0.0, 240.0, 840.0, 1020.0, 2000.0], task="serial_recall")
    found = saccades(result)
    gradients = np.asarray(result["M.x"]).max(axis=2)[1:4, :4]
    expected = [[0.218, 0.0, 0.0, 0.0], [0.682, 0.498, 0.303, 0.179], [0.623, 0.498, 0.344, 0.222]]
    return [
        Comparison.order([41, 38, 14, 38, 68], [site for _, site in found], "sites"),
        Comparison(_PUBLISHED["serial_recall"][1:], [time for time, _ in found[1:]], 2.0, "times (ms)"),
        Comparison(expected, gradients, 5e-3, "M of ranks 1 to 4 at 240, 840, 1020 ms"),
    ]


@claim("Microstimulation turns the order of two remembered saccades around", source=_ARTICLE)
def microstimulation() -> list[Comparison]:
    """The task of Histed and Miller: cues at 20 and 56, stimulation near the first one, at site 21."""
    return [
        Comparison.order([41, *expected], [s for _, s in saccades(_trial(task="histed_miller", site=site))], name)
        for site, expected, name in ((None, (20, 56), "not stimulated"), (21, (56, 20), "site 21, 1000 to 1900 ms"))
    ]


@claim(
    "With an eye: the brain stem makes each saccade that is commanded, as large as its site is far", source="derived"
)
def moved_eye() -> list[Comparison]:
    """A saccade of three sites, or 15 degrees, to the left after one from the corner to the fixation point."""
    result = _trial(np.arange(0.0, 721.0), task="saccade", eye=True, duration=720.0)
    commands, eye = saccades(result), eye_path(result)
    E = np.asarray(result["excitatory_burst.x"])
    fast = [np.hypot(E[k, 1] - E[k, 0], E[k, 3] - E[k, 2]) for k in range(len(E))]
    start = commands[1][0] + int(np.argmax(np.array(fast)[int(commands[1][0]) :] > 0.06))
    return [
        Comparison.order([41, 14], [site for _, site in commands], "sites"),
        Comparison([64.0, 637.2], [time for time, _ in commands], 2.0, "commands (ms), as without an eye"),
        Comparison(site_position([1, 41]), eye[[50, 600]], 1.8, "the eye before and after the first one (degrees)"),
        Comparison([-15.0, 0.0], eye[-1] - eye[600], 0.3, "how far the second one takes it (degrees)"),
        Comparison.within(10.0, start - commands[1][0], 35.0, label="from its command to its beginning (ms)"),
    ]


def _nigra(direct: np.ndarray, indirect: float) -> np.ndarray:
    """Return the nigral cells of a loop at rest whose direct and indirect cells are held."""
    parts = eye_fields(1, False, 0, False)
    held = [Layer.additive("GD", SITES, A=0.0, initial=direct), Layer.additive("GI", SITES, A=0.0, initial=indirect)]
    own = [layer for layer in parts.layers if layer.name in ("GG", "GN")]
    links = [link for link in parts.projections if link.source in ("GD", "GI", "GG") and link.target in ("GG", "GN")]
    tonic = [stimulus for stimulus in parts.stimuli if stimulus.target in ("GG", "GN")]
    return np.asarray(run(Network("nigra", [*held, *own], links, tonic, duration=5000.0)).final("GN"))


@claim(
    "A nigral gate opens at D = 0.362, at 0.997 with a silent pallidum; fixation shuts memory's", source="closed form"
)
def gates() -> list[Comparison]:
    """N at rest, with D in small steps about the values at which it is 0.3."""
    rest, open_at, alone = 3.0 / 7.0, (70.0 / 1.3 - 80.0 * 3.0 / 7.0) / 54.0, 70.0 / (1.3 * 54.0)
    rows = [
        Comparison((100.0 - 80.0 * rest) / (100.0 + 80.0 * rest), _nigra(np.zeros(SITES), 0.0)[0], 1e-6, "N at rest")
    ]
    for label, expected, indirect in (("pallidum at rest", open_at, 0.0), ("silent pallidum", alone, 50.0)):
        D = expected + np.linspace(-0.01, 0.01, SITES)
        found = np.interp(-0.3, -_nigra(D, indirect), D)
        rows.append(Comparison(expected, found, 1e-5, f"{label}: D at which N = 0.3"))
    fixation: dict[str, Any] = {"cues": [FIXATION], "onsets": [0.0], "offsets": [500.0], "working_memory": False}
    result = _trial([0.0, 40.0, 500.0], task="own", duration=500.0, **fixation)
    MD, MN, R = (np.asarray(result[f"{name}.x"])[1:, 0] for name in ("MD", "MN", "R"))
    driven = 49.42 / 51.0
    shut, opened = ((100.0 - 54.0 * driven - g) / (100.0 + 54.0 * driven + g) for g in (0.0, 80.0 * rest))
    return [
        *rows,
        Comparison([driven, driven], MD, 1e-4, "MD, fixation or not: 49.42/51"),
        Comparison([opened, shut], MN, 1e-3, "MN without and with fixation: open 0.072, shut 0.313"),
        Comparison([400.0 / 402.0, 0.0], R, 1e-2, "R, released and held"),
    ]


@claim(
    "Its equations, written out by hand",
    source=f"{_ARTICLE} and the public code; du/dt at random states, and a trial integrated by SciPy",
)
def equations() -> list[Comparison]:
    """Two cues of one's own, stimulation, noise: a saccade, and what is seen after it; no parameter is the default."""
    from brnn.compiler import compile_network

    given: dict[str, Any] = {
        "task": "own", "cues": [50, 33], "onsets": [5.0, 30.0], "offsets": [38.0, 44.0], "gaze": 30, "site": 21,
        "stimulation": (20.0, 60.0), "strength": 0.7, "working_memory": True, "working_memory_noise": 1.5, "seed": 3,
        "duration": 96.0, "eye": True,
    }  # fmt: skip
    p = SimpleNamespace(**given)
    result = run(build(**given), times=[0.0, p.duration], rtol=1e-5, atol=1e-7)
    state, looked = by_hand.trial(p, 4, 1e-5)
    found = {name: np.asarray(result.final(name)) for name in state if name not in ("ZA", "ZD")}
    found |= {gate: np.asarray(result.final(f"{gate}.y")) for gate in ("ZA", "ZD")}
    there = saccades(result)
    rows = [
        Comparison.order([site for _, site in looked], [site for _, site in there], "saccades to"),
        Comparison([time for time, _ in looked], [time for time, _ in there], 0.02, "saccades at (ms)"),
        *(Comparison(value.ravel(), found[name].ravel(), 5e-3, f"{name} at the end") for name, value in state.items()),
    ]
    rng, courses = np.random.default_rng(2012), []
    u = {name: rng.uniform(0.0, 0.95, value.shape) for name, value in state.items()}
    u["rank"] = np.outer(np.arange(4) == 1, np.arange(SITES) != CENTRE).astype(float)
    changes: dict[str, Any] = {"gaze": 57, "site": 66, "strength": 0.8, "stimulation": (0.0, 25.0), "seed": 4,
                               "working_memory": False, "working_memory_noise": 1.6}  # fmt: skip
    for name, value in {"as given": None, **changes}.items():
        q = SimpleNamespace(**{**given, **({} if value is None else {name: value})})
        system = compile_network(build(**vars(q)))
        sigma = by_hand.stimulation(q, 30.0)
        slopes = by_hand.rates(u, q.gaze - 1, sigma, q.working_memory, by_hand.noise(q, 4, 6))
        parts = [(part, part.name.partition(".")[0]) for part in system.variables]
        expected = np.concatenate(
            [np.broadcast_to(0.01 * np.ravel(slopes.get(n, 0.0)), part.size) for part, n in parts]
        )
        at = np.concatenate([u.get(n, np.zeros(part.size)).ravel() for part, n in parts])
        rows.append(Comparison(expected, system.f(30.0, at), 1e-11, f"{name}: du/dt"))
        courses.append(expected)
        if value is not None:
            rows.append(
                Comparison.at_least(1e-6, np.abs(expected - courses[0]).max(), label=f"{name}: has an influence")
            )
    return rows


# Figure --------------------------------------------------------------------------------------------------------


def _published(run: Run) -> tuple[float, ...]:
    """Return when the saccades of a task are published to be, if the run is one of these, undisturbed (ms)."""
    network = run.network
    if any(s.target in ("SO", "noise") for s in network.stimuli):
        return ()

    def shown(events: Sequence[Event]) -> list[tuple[str, float, int]]:
        return [
            (event.name, float(event.when.at[0]), int(event.then[0].where[0]))  # type: ignore[attr-defined,index,union-attr]
            for event in events
            if event.name.startswith("cue_")
        ]

    tasks = (name for name in _PUBLISHED if shown(_shown(_TASKS[name])) == shown(network.events))
    return next((_PUBLISHED[name] for name in tasks), ())


@figure("M.x", "MN.x", "GN.x", "PL.x", "FP.x", "FO.x", "colliculus.x", "cues.x")
def eye_movements(run: Run) -> FigureDescription | None:
    """Show cues and gaze, what is held in memory, and the gates and the colliculus that let the eye go."""
    try:
        found = saccades(run.result)
    except (KeyError, AttributeError):
        return None
    start = int(np.argmax(run.part("gaze").initial)) + 1
    places = [start, *(site for _, site in found)]
    times = [run.start, *(time for time, _ in found), run.end]
    t, cues = run.times("cues"), run.values("cues")
    shown: list[Mark] = [Curve(times, [*places, places[-1]], "gaze", steps=True)]
    expected = _published(run) if start == 1 else ()
    shown += [Level(time, "" if k else "published", "x") for k, time in enumerate(expected) if time <= run.end]
    for k, site in enumerate(np.flatnonzero(cues.max(axis=0) > 0.5).tolist()):
        on = np.where(cues[:, site] > 0.5, site + 1.0, np.nan)
        shown.append(Curve(t, on, "" if k else "cue, as seen", "given", color=1))
    memory = run.values("M").reshape(len(t), -1, SITES)
    if memory.any():
        held = Panel("Working memory: largest M of each rank", [
            Curve(t, memory[:, rank].max(axis=1), f"rank {rank + 1}", shade=rank / max(1, memory.shape[1] - 1))
            for rank in range(memory.shape[1])
        ], run.time_label, "M", legend="top")  # fmt: skip
    else:  # nothing is remembered: the target is seen, and planned
        fields = (("PL", "attention, PL"), ("FP", "plan, FP"), ("FO", "command, FO"))
        held = Panel("Parietal and frontal fields: largest activities", [
            Curve(t, run.values(name).max(axis=1), words, color=k) for k, (name, words) in enumerate(fields)
        ], run.time_label, "activity", legend="top")  # fmt: skip
    gate: list[Mark] = [
        Curve(t, run.values("MN")[:, 0], "working memory, MN"),
        Curve(t, run.values("GN").min(axis=1), "colliculus, smallest GN", color=1),
        Level(0.3, "open below 0.3", role="guide"),
        Level((100.0 - 80.0 * 3.0 / 7.0) / (100.0 + 80.0 * 3.0 / 7.0), "at rest, closed form"),
    ]
    moved: list[Mark] = [
        Curve(t, run.values("colliculus").max(axis=1), "largest C"),
        Level(0.3, "saccade above 0.3", role="guide"),
    ]
    label = run.time_label
    goals = ", ".join(str(site) for _, site in found[1:]) or "nowhere"
    rows = (
        (Panel("Cues, and where the eye looks", shown, label, "site", y_limits=(0.0, SITES + 1.0)),),
        (held, Panel("Gates of the basal ganglia", gate, label, "N", legend="top")),
        (Panel("Superior colliculus", moved, label, "C", legend="top"),),
    )
    stimuli = [s for s in run.network.stimuli if s.target == "SO"]
    how = ", stimulated" if stimuli else ""
    return FigureDescription(f"From the fixation point the eye goes to {goals}{how}", run.below, rows, (1.0, 1.0, 0.8))
