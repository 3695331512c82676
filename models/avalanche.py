"""Avalanche: a chain of outstars learns a space-time pattern, a movie for example, and replays it at any speed.

    dx/dt = R (-x + C(t))                                                              command cell
    dx_k/dt = -A x_k + P p_(k-1) + P p_k + x - J x_k p_(k+1) + I_k(t)                 chain, p_k = 1 from a threshold on
    dy_i/dt = S (-y_i + I_i(t)) + 1/2 S sum_k p_k z_ki                                 screen
    dz_ki/dt = M p_k [y_i - z_ki]                                                      outstars                 (11)

A movie is a series of spatial patterns. Each cell of the chain is an outstar that learns one of them: it samples the
screen while it fires. Later a start signal to the first cell, with nothing on the screen, plays the whole movie. Cells
of the chain are polyvalent: they fire only if the cell before them and the command cell are on together. The command
cell, which is nonspecific (it sends the same to all), starts, paces and stops the act, whatever the act is.

Source: Grossberg (1969), Some networks that can learn, remember, and reproduce any number of complicated space-time
patterns I, J. Math. Mech. 19, 53-91; review, sections "Avalanches" and "Command cells and nonspecific arousal". They
give the anatomy and what it does; the threshold signals, the shunting inhibition by the next cell and all numbers are
choices made here, which give the times of firing in closed form.

What is known:

- a cell fires the next one after ln[P/(P - (A threshold - c))]/A: the stronger the command c, the faster. Below
  A threshold - P nothing fires, and from A threshold on cells fire by themselves.
- when the command goes off, no further cell fires, and the last one is silent as soon as it has decayed to its
  threshold; then all activity falls at the cells' own rates. The place in the act is forgotten.
- between two firings everything is linear: weights and replay follow from matrix exponentials.
- one act is as good as any other: what is learned depends on how long a frame lasts, not on what it shows.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.claims import Comparison, claim
from brnn.errors import BrnnError, SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Picture, Raster, Run, Span, figure
from brnn.models.parts import avalanche_by_hand
from brnn.models.parts.avalanche import ChainRun, chain_runs
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.presentations import refuse_weights
from brnn.models.parts.runs import run
from brnn.signals import Step
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.protocol import Phase, Protocol
from brnn.spec.events.triggers import Crossing, Event
from brnn.spec.layers import Layer
from brnn.spec.learning import Outstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Pulses, Sequence
from brnn.spec.schedules.phases import InPhase
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.distance import Chain as NextCell
from brnn.spec.topologies.distance import Shift
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory.avalanche import AvalancheChain, play

__all__ = ["RECALLED", "build", "chain_of"]

RECALLED = 0.5  # of a weight; all of it would be added to what is shown, and the weights would grow without bound


@takes_dotted_names
def build(
    frames: ArrayLike | None = None,
    command: float = 0.8,
    replays: ArrayLike = (0.8, 1.2),
    stops: ArrayLike = 1.0,
    A: float = 2.0,
    P: float = 1.4,
    J: float = 20.0,
    threshold: float = 1.0,
    R: float = 50.0,
    S: float = 12.0,
    M: float = 12.0,
    weights: ArrayLike | None = None,
) -> Network:
    """Return an avalanche that sees a movie once, and then replays it without seeing it.

    While it learns, the movie runs at the pace of the chain: a frame for each cell. With `weights` it knows them
    already: there are only the replays, and no learning.

    Parameters
    ----------
    frames : array
        The movie (1), one frame after the other along the first axis; by default a spot that goes round.
    command : float
        Strength of the command while the movie is learned (1/time); from A threshold - P to A threshold.
    replays : array
        Strength of the command in each replay (1/time).
    stops : float or array
        Part of each replay after which the command goes off (1); 1 for all of it.
    A : float, > 0
        Decay rate of the cells of the chain (1/time).
    P : float, > 0
        Strength of their signals to the next cell and to themselves (1/time); less than A threshold.
    J : float, > 0
        Strength of their inhibition of the cell before (1/time).
    threshold : float, > 0
        Activity from which a cell of the chain fires (1).
    R : float, > 0
        Rate of the command cell (1/time), larger than A.
    S : float, > 0
        Rate of the screen (1/time), large beside the number of frames per unit of time.
    M : float, >= 0
        Learning rate (1/time), also large beside it.
    weights : float or array
        Learned weights, [pixel, cell] (1), or one number; by default the movie is learned, from weights of 0.

    Returns
    -------
    Network
        Layers "command", "chain" and "screen"; the weights are "outstars.z" (if they are learned), the events "fires"
        say when each cell of the chain fires; the phases are "learn", "replay" and "rest". For long movies choose the
        solver RK45: methods for stiff networks have to find every firing as well, at a greater cost.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    movie = _spot() if frames is None else array(frames, "avalanche: frames")
    if movie.ndim < 2 or len(movie) < 2:
        raise SpecError(
            f"avalanche: frames: has shape {movie.shape}, must be two frames or more, each of them an array"
        )
    n, pixels = len(movie), movie[0].size
    refuse_weights("avalanche", n * pixels)
    chain = chain_of(A, P, J, threshold, R)
    rate = number(S, "avalanche: S", above=0.0)
    commands = np.atleast_1d(array(replays, "avalanche: replays"))
    if commands.ndim != 1:
        raise SpecError(f"avalanche: replays: has shape {commands.shape}, must be a list of commands")
    parts = array(stops, "avalanche: stops")
    if parts.shape not in ((), commands.shape) or (parts <= 0.0).any() or (parts > 1.0).any():
        raise SpecError("avalanche: stops: must be one number, or one for each replay, above 0 and at most 1")
    parts = np.broadcast_to(parts, commands.shape)
    if weights is None:
        commands, parts = np.append(number(command, "avalanche: command"), commands), np.append(1.0, parts)
    for value in commands:
        _check_command(float(value), chain)
    plan = chain_runs(chain, n, commands.tolist(), parts.tolist())
    known = None if weights is None else array(weights, "avalanche: weights", shape=(pixels, n))
    screen = [] if known is not None else [_movie(movie, rate, plan[0])]
    starts = np.array([[act.go, act.start] for act in plan])
    return Network(
        "avalanche",
        layers=(
            Layer.additive("command", 1, A=chain.rate),
            Layer("chain", (n,), A=chain.A, B=1.0, C=0.0, E=0.0, F=1.0),
            Layer.additive("screen", movie.shape[1:], A=rate),
        ),
        projections=(*_chain(chain), _outstars(chain, rate, number(M, "avalanche: M", minimum=0.0), known)),
        stimuli=(
            *(Stimulus("command", "excitatory", chain.rate * act.command, Pulse(act.on, act.off)) for act in plan),
            Stimulus("chain", "excitatory", chain.P * np.eye(n)[0], Pulses(starts)),
            *screen,
        ),
        events=(Event("fires", Crossing("chain", chain.threshold)),),
        protocol=_protocol(plan, known is None, plan[-1].off + 5.0 / chain.A),
        reference="Grossberg (1969), J. Math. Mech. 19, 53-91",
    )


def chain_of(
    A: float = 2.0, P: float = 1.4, J: float = 20.0, threshold: float = 1.0, R: float = 50.0
) -> AvalancheChain:
    """Return what theory needs of the chain; the arguments are those of `build`.

    Raises
    ------
    SpecError
        If a cell that fires would keep itself on without the command, or could not switch off the one before.
    """
    chain = AvalancheChain(
        number(A, "avalanche: A", above=0.0),
        number(P, "avalanche: P", above=0.0),
        number(J, "avalanche: J", above=0.0),
        number(threshold, "avalanche: threshold", above=0.0),
        number(R, "avalanche: R"),
    )
    if chain.rate <= chain.A:
        raise SpecError(f"avalanche: R = {R:g}: the command cell must be faster than the chain, A = {A:g}")
    if chain.P >= chain.commands[1]:
        raise SpecError(f"avalanche: P = {P:g}: a cell would go on without the command; P must be below A threshold")
    least = (chain.commands[1] + 2.0 * chain.P) / chain.threshold - chain.A
    if chain.J <= least:
        raise SpecError(f"avalanche: J = {J:g}: too weak to switch a cell off; it must be above {least:g}")
    return chain


def _check_command(command: float, chain: AvalancheChain) -> None:
    lowest, highest = chain.commands
    if not lowest < command < highest:
        raise SpecError(
            f"avalanche: command = {command:g}: must lie between A threshold - P = {lowest:g}, below which nothing "
            f"fires, and A threshold = {highest:g}, from which on every cell fires by itself"
        )


def _chain(chain: AvalancheChain) -> list[Projection]:
    """Return the command's projection to the chain, and those within the chain."""
    fires = Step(1.0, chain.threshold)
    return [
        Projection("command", "chain", "excitatory", topology=AllToAll(), name="arousal"),
        Projection("chain", "chain", "excitatory", fires, NextCell(weight=chain.P), name="next"),
        Projection("chain", "chain", "excitatory", fires, OneToOne(weight=chain.P), name="itself"),
        Projection("chain", "chain", "inhibitory", fires, Shift(-1, chain.J), name="previous"),
    ]


def _outstars(chain: AvalancheChain, rate: float, M: float, weights: np.ndarray | None) -> Projection:
    """Return the outstars: they learn during the first act, or their weights are known."""
    fires = Step(1.0, chain.threshold)
    if weights is not None:
        return Projection("chain", "screen", "excitatory", fires, Dense(RECALLED * rate * weights), name="outstars")
    learning = Outstar(rate=M, schedule=InPhase("learn"))
    return Projection(
        "chain", "screen", "excitatory", fires, AllToAll(RECALLED * rate), learning=learning, name="outstars"
    )


def _protocol(plan: list[ChainRun], learned: bool, end: float) -> Protocol:
    """Return the acts as phases, with the silence after each of them."""
    phases, nexts = [], [*(act.on for act in plan[1:]), end]
    for k, (act, following) in enumerate(zip(plan, nexts, strict=True)):
        phases.append(Phase("learn" if learned and k == 0 else "replay", act.off - act.on))
        phases.append(Phase("rest", following - act.off))
    return Protocol(phases)


def _movie(movie: np.ndarray, rate: float, act: ChainRun) -> Stimulus:
    """Return the movie, whose frames change when the chain's cells fire."""
    frames = Sequence(np.arange(len(movie)), duration=np.diff(act.changes), start=float(act.fired[0]))
    return Stimulus("screen", "excitatory", rate * movie, frames)


def _spot(frames: int = 24, size: int = 8) -> np.ndarray:
    """Return a spot that goes round once, in `frames` frames of size x size pixels."""
    angle = 2.0 * np.pi * np.arange(frames) / frames
    place = (np.arange(size) + 0.5) / size
    row, column = (0.5 + 0.28 * turn(angle)[:, None] for turn in (np.sin, np.cos))
    down, across = (np.exp(-((place - middle) ** 2) / (2.0 * 0.13**2)) for middle in (row, column))
    return np.asarray(0.1 + 0.9 * down[:, :, None] * across[:, None, :])


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "review, section on command cells; "
_CHAIN = chain_of()
_RATE = 12.0  # of the screen, and of learning
_CELLS = 16


def _acted(commands: ArrayLike, stops: ArrayLike = 1.0) -> list[ChainRun]:
    """Return the acts of a chain that knows its movie."""
    given = np.atleast_1d(np.asarray(commands, dtype=np.float64))
    return chain_runs(_CHAIN, _CELLS, given.tolist(), np.broadcast_to(stops, given.shape).tolist())


def _known(commands: ArrayLike, stops: ArrayLike = 1.0, pixels: int = 6) -> Network:
    """Return a chain of 16 cells whose outstars know a random movie."""
    z = np.random.default_rng(69).uniform(size=(pixels, _CELLS))
    return build(np.zeros((_CELLS, pixels)), replays=commands, stops=stops, weights=z)


def _fired(result: Any) -> np.ndarray:
    """Return when the cells fired, in the order in which they did."""
    return np.asarray(result.events["time"])


@claim("A cell fires the next one after ln[P/(P - (A threshold - c))]/A", source=_REVIEW + "solved for each cell")
def the_command_sets_the_speed() -> list[Comparison]:
    """Five strengths of the command, whose steps differ by a factor of 20: every firing, and the mean step."""
    commands = np.array([0.65, 0.7, 0.8, 1.2, 1.8])
    plan = _acted(commands)
    rows, means = [], []
    for command, act in zip(commands, plan, strict=True):
        result = run(_known(command), times=[act.off - act.on])
        measured = act.on + _fired(result)
        rows += [
            Comparison(act.fired, measured, 1e-6, f"c = {command:g}: when each of {_CELLS} cells fires"),
            Comparison.order(range(_CELLS), np.asarray(result.events["cell"]), f"c = {command:g}: which one fires"),
        ]
        means.append(np.diff(measured)[4:].mean())
    rows.append(Comparison(_CHAIN.step(commands), means, 1e-5, "mean step", relative=True))
    return rows


@claim("Cells are polyvalent: they need the cell before them and the command", source=_REVIEW + "thresholds")
def cells_need_both_signals() -> list[Comparison]:
    """Cells that fire in 45 units of time: with neither signal, one, both, and at the limits of the command."""
    start = Stimulus("chain", "excitatory", _CHAIN.P * np.eye(_CELLS)[0], Pulse(5.0, 7.0))
    weakest, strongest = _CHAIN.commands
    cases = {
        "neither": (0.0, False, 0),
        "start, no command": (0.0, True, 0),
        "command, no start": (0.8, False, 0),
        "command and start": (0.8, True, _CELLS),
        "just too weak a command, and start": (weakest - 0.01, True, 0),
        "just strong enough a command, and start": (weakest + 0.05, True, _CELLS),
        "strong command, still not too strong, no start": (strongest - 0.01, False, 0),
    }
    rows = []
    for name, (command, started, predicted) in cases.items():
        arousal = Stimulus("command", "excitatory", _CHAIN.rate * command)
        network = _known(0.8).replace(stimuli=[arousal, start] if started else [arousal])
        x = np.asarray(run(network, 45.0, times=np.linspace(0.0, 45.0, 4501), rtol=1e-7, atol=1e-10)["chain.x"])
        rows.append(Comparison.count(predicted, int((x >= _CHAIN.threshold).any(axis=0).sum()), name))
    return rows


@claim("The command stops the act at once", source=_REVIEW + "solved for the decay")
def the_command_stops_the_act() -> list[Comparison]:
    """At six times: no further cell fires, the last is silent when it must, and all fades at the cells' own rates."""
    rows = []
    for command, part in ((0.8, 0.11), (0.8, 0.34), (0.8, 0.97), (1.2, 0.26), (1.2, 0.71), (0.7, 0.55)):
        act = _acted(command, part)[0]
        count, quiet = _CHAIN.stopped(command, act.fired, act.silent, act.start, act.off)
        # Rounding may put the last time beyond the end of the run.
        after = np.minimum(quiet + np.linspace(0.0, 2.0, 21), act.off + 2.5)
        network = _known(command, part)
        times = np.concatenate([np.linspace(0.0, act.off, 2001), after])
        result = run(network, times=times)
        x, y = np.asarray(result["chain.x"]), np.asarray(result["screen.x"])
        label = f"c = {command:g}, stop at {part:g}: "
        rows += [
            Comparison.count(count, int((x >= _CHAIN.threshold).any(axis=0).sum()), label + "cells that fire"),
            Comparison(_CHAIN.threshold, x[2001, count - 1], 1e-6, label + "x of the last when it must fall silent"),
            Comparison.at_most(_CHAIN.step(command), quiet - act.off, label=label + "time to silence, below a step"),
            Comparison(
                y[2001] * np.exp(-_RATE * (after - quiet))[:, None],
                y[2001:],
                1e-6,
                label + "the screen fades exp(-S t)",
            ),
            Comparison(
                x[2002, : count - 1] * np.exp(-_CHAIN.A * (after[1:] - after[1]))[:, None],
                x[2002:, : count - 1],
                1e-3,
                label + "the chain fades exp(-A t)",
            ),
        ]
    return rows


@claim(
    "Learning and replay are linear between two firings: exact by matrix exponentials", source="(11) and (7), solved"
)
def movies_are_learned_and_replayed() -> list[Comparison]:
    """A movie of single lights, whose replay is the response to each frame, and one of noise: weights and replays."""
    n, commands = 12, (0.8, 0.75, 1.1)
    plan = chain_runs(_CHAIN, n, commands, (1.0, 1.0, 1.0))
    rows = []
    for name, frames in (("lights", np.eye(n)), ("noise", np.random.default_rng(19).uniform(size=(n, 20)))):
        first = plan[0]
        rest = np.zeros((n, frames.shape[1]))
        options = {"M": _RATE, "frames": frames, "changes": first.changes, "stop": first.off}
        _, z = play([first.off], first.fired, first.silent, rest, _RATE, RECALLED * _RATE, **options)
        shots = [act.fired + 0.9 * float(_CHAIN.step(act.command)) for act in plan]
        network = build(frames, command=commands[0], replays=commands[1:])
        result = run(network, times=np.concatenate(shots), rtol=1e-8, atol=1e-10)
        seen = np.asarray(result["screen.x"]).reshape(len(plan), n, -1)
        rows.append(Comparison(z.T, result["outstars.z"][-1], 1e-5, f"{name}: weights"))
        for act, shot, screen in list(zip(plan, shots, seen, strict=True))[1:]:
            origin = act.on
            predicted, _ = play(shot - origin, act.fired - origin, act.silent - origin, z, _RATE, RECALLED * _RATE)
            label = f"{name}, c = {act.command:g}: "
            rows += [
                Comparison(predicted, screen, 1e-5, label + "replay, every frame"),
                Comparison(
                    _alike(frames, predicted), _alike(frames, screen), 1e-6, label + "correlation with the movie"
                ),
                Comparison.order(np.arange(n), _nearest(frames, screen), label + "which frame each is most like"),
            ]
    return rows


def _alike(frames: np.ndarray, screen: np.ndarray) -> float:
    """Return the correlation of two movies over all their pixels."""
    return float(np.corrcoef(frames.ravel(), screen.ravel())[0, 1])


def _nearest(frames: np.ndarray, screen: np.ndarray) -> np.ndarray:
    """Return the index of the frame with which each picture correlates most."""
    n = len(frames)
    return np.asarray(np.corrcoef(screen, frames)[:n, n:].argmax(axis=1))


@claim("A cell's weights change in no bit but while it fires", source="(11), stimulus sampling")
def silent_cells_learn_nothing() -> list[Comparison]:
    """Before a cell's own frame its weights are what they were at first, after it they stay, whatever is shown."""
    n = 10
    plan = chain_runs(_CHAIN, n, (0.8,), (1.0,))[0]
    frames = np.random.default_rng(4).uniform(size=(n, 9))
    network = build(frames, replays=[0.8])
    edges = np.concatenate([plan.fired - 0.01, plan.silent[:-1] + 0.01, [plan.off + 1.0, network.duration]])
    times = np.unique(edges)
    z = np.asarray(run(network, times=times, rtol=1e-7, atol=1e-10)["outstars.z"])
    before = np.concatenate([z[times < plan.fired[k], :, k].ravel() for k in range(n)])
    after = [z[times > min(plan.silent[k], plan.off), :, k] for k in range(n)]
    kept = np.concatenate([np.broadcast_to(rows[0], rows.shape).ravel() for rows in after])
    return [
        Comparison.exact(np.zeros_like(before), before, "before: weights at the beginning"),
        Comparison.exact(kept, np.concatenate([rows.ravel() for rows in after]), "after: weights when it fell silent"),
        Comparison.at_least(0.01, np.abs(z[-1]).max(axis=0), label="what each has learned"),
    ]


@claim("Its equations, written out by hand", source="the equations above, integrated by SciPy from firing to firing")
def equations() -> list[Comparison]:
    """Three cells that learn two pixels and replay them, and the same with known weights, all off their defaults."""
    parameters: dict[str, Any] = {
        "frames": np.array([[0.9, 0.1], [0.3, 0.7], [0.5, 0.6]]),
        "replays": np.array([1.0]),
        "stops": 0.8,
        "A": 2.5,
        "P": 1.9,
        "J": 23.0,
        "threshold": 0.9,
        "R": 40.0,
        "S": 9.0,
    }
    learning = {**parameters, "command": 0.9, "M": 7.0}
    acts = avalanche_by_hand.acts(SimpleNamespace(**learning, weights=None), 3)
    fires = np.concatenate([acts[0].changes, acts[1].changes[:-1]])
    times = np.unique([0.0, 0.05, *(fires - 0.02), *(fires + 0.02), acts[1].off + 0.05, acts[1].off + 0.4])
    known = {**parameters, "weights": np.array([[0.7, 0.2, 0.4], [0.1, 0.9, 0.3]])}
    frames = known.pop("frames")  # only how many there are
    (act,) = avalanche_by_hand.acts(SimpleNamespace(**known), 3)
    return [
        *equations_by_hand(
            build, learning,
            lambda p, times: avalanche_by_hand.course(SimpleNamespace(**vars(p), weights=None), times), times,
            apart=("weights",), tolerance=1e-6,
        ),
        *equations_by_hand(
            functools.partial(build, frames), known,
            lambda p, times: avalanche_by_hand.course(SimpleNamespace(**vars(p), frames=frames), times),
            np.unique([0.0, 0.1, *(act.changes - 0.02), act.off + 0.1, act.off + 0.4]),
            apart=("command", "M"), tolerance=1e-6,
        ),
    ]  # fmt: skip


# Figure -------------------------------------------------------------------------------------------------------


@figure("chain.x", "screen.x")
def movie_and_replay(run: Run) -> FigureDescription | None:
    """Show who fires when, beside theory, and frames of the movie above those of its first replay."""
    table, protocol, screen = run.result.event_table, run.network.protocol, run.view("screen")
    if table is None or protocol is None or "learn" not in protocol.names or len(screen.shape) != 2:
        return None
    when, cell = np.asarray(table.columns["time"]), np.asarray(table.columns["cell"])
    n = run.view("chain").cells
    first = [int(np.flatnonzero(cell == k)[0]) for k in range(n) if np.count_nonzero(cell == k) > 1]
    again = [int(np.flatnonzero(cell == k)[1]) for k in range(n) if np.count_nonzero(cell == k) > 1]
    if len(first) < 6:
        return None
    fired: list[Mark] = [
        Span(start, stop, name, color)
        for name, color in (("learn", 4), ("replay", 5))
        for start, stop in protocol.intervals(name)
        if start < run.end
    ]
    fired += [Raster(when, cell, "fires"), *_predicted_firing(run, n)]
    raster = Panel(
        "The chain: the command sets the pace",
        fired,
        run.time_label,
        "cell of the chain",
        x_limits=(run.start, run.end),
        y_limits=(-1.0, 1.35 * n),
        width=2.4,
        legend="top",
    )
    picked = np.linspace(1, len(first) - 3, 6).round().astype(int)
    # A frame is learned and played until the next cell fires.
    frames = [[run.at("screen", when[order[k + 1]] - 1e-9) for k in picked] for order in (first, again)]
    rows = []
    for name, images in zip(("movie", "replay"), frames, strict=True):
        low, high = min(float(image.min()) for image in images), max(float(image.max()) for image in images)
        rows.append(
            [
                Panel(f"{name}, {k}", (Picture(image, "", "gray", (low, high)),), "", "", width=0.4, legend="none")
                for k, image in zip(picked, images, strict=True)
            ]
        )
    title = "A chain of outstars learns a movie, and replays it at any speed"
    return FigureDescription(title, run.below, ((raster,), *rows), (1.0, 0.75, 0.75))


def _predicted_firing(run: Run, n: int) -> list[Mark]:
    """Return when theory lets the cells fire, while the command is on."""
    cells, command = run.part("chain"), float(np.max(run.part("command").A))
    excite, inhibit = float(run.part("next").topology.weight), float(run.part("previous").topology.weight)
    try:
        chain = chain_of(float(np.max(cells.A)), excite, inhibit, float(run.part("next").signal.threshold), command)
        acts = [s for s in run.network.stimuli if s.target == "command"]
        plan = chain_runs(chain, n, [float(np.max(act.pattern)) / command for act in acts], [1.0] * len(acts))
    except BrnnError:
        return []
    marks: list[Mark] = []
    for act, known in zip(acts, plan, strict=True):
        on, off = run.spans(act, "")[0].start, run.spans(act, "")[0].stop
        times = on + known.fired - known.on
        there = times <= min(off, run.end)
        marks.append(Curve(times[there], np.arange(n)[there], "theory", "predicted", 1, marker="o"))
    return marks
