"""An avalanche learns a movie of hundreds of frames, and replays it without seeing it, at any speed.

A camera pans over a photograph: 200 frames of 16 x 16 pixels, each shown for a unit of time. A chain of 200 cells fires
one after the other, at the pace that a command cell sets, and each of them is an outstar that samples its frame:

    dx_k/dt = -A x_k + P p_(k-1) + P p_k + c - J x_k p_(k+1),  p_k = 1 if x_k >= threshold         chain
    dy_i/dt = S (-y_i + I_i(t)) + 1/2 S sum_k p_k z_ki                                             screen
    dz_ki/dt = M p_k [y_i - z_ki]                                                                  outstars      (11)

Then the screen gets no input any more. A start signal to the first cell, with the command on, plays the whole movie.
Predicted are, without the simulator: when each cell fires (a logarithm), the weights, every replayed frame and its
correlation with the original (exponentials of small matrices); the speed at other commands; and that a command that
goes off stops the act at once: no further cell fires, and the last one is silent in a part of a step.

Reproduces: the avalanche, S. Grossberg, Some networks that can learn, remember, and reproduce any number of complicated
space-time patterns I, J. Math. Mech. 19, 53-91 (1969), with the command cell of S. Grossberg, Recurrent neural
networks, Scholarpedia 8(2):1888 (2013), which gives the anatomy in words; brnn.models.avalanche says what is chosen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute

import brnn
from brnn.claims import Comparison
from brnn.models.avalanche import RECALLED, build, chain_of
from brnn.models.parts.avalanche import ChainRun, chain_runs
from brnn.theory.avalanche import play

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHOTOGRAPH = "grace_hopper.jpg"  # ships inside matplotlib
SHRUNK = 4  # pixels of the photograph to one of the movie
CHAIN = chain_of()
RATE = 12.0  # of the screen, and of learning
COMMAND = float(CHAIN.command(1.0))  # a frame takes a unit of time
OTHERS = (0.65, 1.2, 1.5)  # commands of the other replays
STOPS = (0.23, 0.52, 0.81)  # parts of a replay after which the command goes off
SHOT = 0.9  # part of each step at which a frame is compared
LEARNING: dict[str, Any] = {"solver": "RK45", "rtol": 1e-5, "atol": 1e-8}
REPLAYING: dict[str, Any] = {"solver": "RK45", "rtol": 1e-7, "atol": 1e-10}


def movie(frames: int, width: int) -> np.ndarray:
    """Return a pan over the photograph, one pixel a frame: to the right, down, to the left, down, and so on."""
    import matplotlib.cbook
    from PIL import Image

    from brnn.files.patterns import read_pattern

    gray = read_pattern(str(matplotlib.cbook.get_sample_data(PHOTOGRAPH, asfileobj=False)))
    light = np.where(gray <= 0.04045, gray / 12.92, ((gray + 0.055) / 1.055) ** 2.4)  # sRGB
    size = (light.shape[1] // SHRUNK, light.shape[0] // SHRUNK)
    small = np.asarray(Image.fromarray(light.astype(np.float32)).resize(size, Image.Resampling.BOX), dtype=np.float64)
    moves = ([(0, 1)] * 80 + [(1, 0)] * 20 + [(0, -1)] * 80 + [(1, 0)] * 20) * 2
    corners = np.cumsum([(20, 20), *moves[: frames - 1]], axis=0)
    if (corners + width > small.shape).any():
        raise brnn.InputError(f"--frames {frames}: the pan leaves the photograph")
    return np.array([small[row : row + width, column : column + width] for row, column in corners])


@dataclass
class Replay:
    """One replay, as predicted and as measured."""

    act: ChainRun
    predicted: np.ndarray  # frames at their shots, (frames, pixels)
    screen: np.ndarray
    fired: np.ndarray  # when cells fired, measured
    label: str


def shots(act: ChainRun) -> np.ndarray:
    """Return when each frame is compared."""
    return act.fired + SHOT * np.diff(act.changes)


def expected(act: ChainRun, z: np.ndarray) -> np.ndarray:
    """Return what theory says of the screen at the shots of a replay, from the weights [cell, pixel]."""
    on = act.on
    return play(shots(act) - on, act.fired - on, act.silent - on, z, RATE, RECALLED * RATE)[0]


def alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the correlation of each frame with its counterpart."""
    a, b = (m - m.mean(axis=1, keepdims=True) for m in (a, b))
    return np.asarray((a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1)))


def learn(frames: np.ndarray, options: argparse.Namespace) -> tuple[Any, list[ChainRun]]:
    """Return the run in which the movie is learned and replayed once, and its two acts."""
    plan = chain_runs(CHAIN, len(frames), (COMMAND, COMMAND), (1.0, 1.0))
    within = np.concatenate([act.fired + part * np.diff(act.changes) for act in plan for part in (0.3, 0.6, SHOT)])
    network = build(frames, command=COMMAND, replays=[COMMAND]).replace(name="avalanche_replay")
    ends = [0.0, plan[0].off, network.duration or 0.0]
    record = brnn.Record(path=options.output, force=options.force, ltm_every=plan[0].off)
    result = brnn.simulate(
        network, times=np.unique([*within, *ends]), record=record, progress=sys.stderr.isatty(), **LEARNING
    )
    return result, plan


def replay(frames: np.ndarray, z: np.ndarray, command: float, label: str) -> Replay:
    """Return a replay at another command, of a network whose weights are those that were learned."""
    act = chain_runs(CHAIN, len(frames), (command,), (1.0,))[0]
    result = brnn.simulate(build(frames, replays=[command], weights=z.T), times=shots(act), **REPLAYING)
    seen = np.asarray(result["screen.x"]).reshape(len(frames), -1)
    return Replay(act, expected(act, z), seen, np.asarray(result.events["time"]), label)


@dataclass
class Stop:
    """A replay whose command goes off."""

    act: ChainRun
    count: int  # cells that fire, predicted
    quiet: float  # when the last is silent, predicted
    fired: int  # measured
    times: np.ndarray
    chain: np.ndarray
    screen: np.ndarray


def stopped(frames: np.ndarray, z: np.ndarray, part: float) -> Stop:
    """Return a replay that is stopped after a part of it."""
    part = (int(part * len(frames)) + 0.6) / len(frames)  # between two firings
    act = chain_runs(CHAIN, len(frames), (COMMAND,), (part,))[0]
    count, quiet = CHAIN.stopped(COMMAND, act.fired, act.silent, act.start, act.off)
    times = np.unique(np.append(np.linspace(act.off - 6.0, act.off + 2.4, 841), quiet))
    network = build(frames, replays=[COMMAND], stops=part, weights=z.T)
    result = brnn.simulate(network, times=times, **REPLAYING)
    screen = np.asarray(result["screen.x"]).reshape(times.size, -1)
    fired = int(result.events["time"].size)
    return Stop(act, count, quiet, fired, times, np.asarray(result["chain.x"]), screen)


@dataclass
class Seen:
    """Everything that is compared and drawn."""

    frames: np.ndarray  # (frames, rows, columns)
    plan: list[ChainRun]
    fired: np.ndarray  # when cells fired in both runs
    cell: np.ndarray  # and which
    z: np.ndarray  # learned, [cell, pixel]
    z_predicted: np.ndarray
    main: Replay
    others: list[Replay]
    stops: list[Stop]


def see(frames: np.ndarray, result: Any, plan: list[ChainRun]) -> Seen:
    """Return what the run gave, and further replays with its weights."""
    first, second = plan
    flat = frames.reshape(len(frames), -1)
    nothing = np.zeros_like(flat)
    light = {"M": RATE, "frames": flat, "changes": first.changes, "stop": first.off}
    _, predicted = play([first.off], first.fired, first.silent, nothing, RATE, RECALLED * RATE, **light)
    times = np.asarray(result.times)
    screen = np.asarray(result["screen.x"], dtype=np.float64).reshape(times.size, -1)
    z = np.asarray(result["outstars.z"], dtype=np.float64)[-1].T
    fired, cell = (np.asarray(result.events[name]) for name in ("time", "cell"))
    own = screen[np.searchsorted(times, shots(second))]
    main = Replay(second, expected(second, predicted), own, fired[len(flat) :], f"c = {COMMAND:.4g}")
    others = [replay(frames, z, command, f"c = {command:g}") for command in OTHERS]
    return Seen(frames, plan, fired, cell, z, predicted, main, others, [stopped(frames, z, part) for part in STOPS])


def compare(seen: Seen) -> list[Comparison]:
    """Set theory beside the simulation."""
    flat = seen.frames.reshape(len(seen.frames), -1)
    n = len(flat)
    fired = np.concatenate([act.fired for act in seen.plan])
    rows = [
        Comparison(fired, seen.fired, 1e-3, "learning and replay: when each cell fires"),
        Comparison.order(np.tile(np.arange(n), 2), seen.cell, "learning and replay: which cell fires"),
        Comparison(seen.z_predicted, seen.z, 1e-3, "weights of all outstars after one showing"),
    ]
    for one in (seen.main, *seen.others):
        at = f"{one.label}: "
        found = np.corrcoef(one.screen, flat)[:n, n:]
        rows += [
            Comparison(one.predicted, one.screen, 1e-3, at + "replayed frames, all pixels"),
            Comparison(
                np.corrcoef(one.predicted.ravel(), flat.ravel())[0, 1],
                np.corrcoef(one.screen.ravel(), flat.ravel())[0, 1],
                1e-5,
                at + "correlation with the movie, overall",
            ),
            Comparison(
                alike(one.predicted, flat).min(), alike(one.screen, flat).min(), 1e-4, at + "correlation, worst frame"
            ),
            Comparison.count(n, int((found.argmax(axis=1) == np.arange(n)).sum()), at + "frames in their place"),
        ]
    for one in seen.others:
        rows.append(Comparison(one.act.fired, one.fired, 1e-4, f"{one.label}: when each cell fires"))
        step = float(CHAIN.step(one.act.command))
        mean = (one.fired[-1] - one.fired[0]) / (n - 1)
        rows.append(Comparison(step, mean, 1e-5, f"{one.label}: time for each frame"))
    for stop in seen.stops:
        at = f"stop at t = {stop.act.off:.1f}: "
        k = int(np.searchsorted(stop.times, stop.quiet))
        fading = stop.screen[k] * np.exp(-RATE * (stop.times[k:] - stop.quiet))[:, None]
        rows += [
            Comparison.count(stop.count, stop.fired, at + "cells that fire"),
            Comparison(CHAIN.threshold, stop.chain[k, stop.count - 1], 1e-5, at + "its x when it must fall silent"),
            Comparison(fading, stop.screen[k:], 1e-5, at + "the screen fades exp(-S t)"),
        ]
    return rows


def draw(seen: Seen) -> Figure:
    """Draw frames and their replay, correlations, firing, speed and stop."""
    plot = brnn.plot
    n = len(seen.frames)
    figure = plot.new_figure(
        12.8,
        9.6,
        "An avalanche learns a movie in one showing, and replays it at the speed of its command",
        f"{n} frames of {seen.frames.shape[1]} × {seen.frames.shape[2]} pixels, panned over a photograph   ·   "
        f"a chain of {n} outstars, A = {CHAIN.A:g}, P = {CHAIN.P:g}, J = {CHAIN.J:g}   ·   after Grossberg (1969)",
    )
    parts: Any = figure.subfigures(3, 1, height_ratios=[2.9, 1.75, 1.75])
    top, middle, bottom = parts
    strip, below, last = top.subplots(2, 8), middle.subplots(1, 2, width_ratios=[13, 11]), bottom.subplots(1, 3)
    chosen = np.linspace(0, n - 1, 8).round().astype(int)
    flat, replayed = seen.frames.reshape(n, -1), seen.main.screen.reshape(seen.frames.shape)
    r = alike(seen.main.screen, flat)
    white = float(np.sqrt(seen.frames.max()))
    for column, k in enumerate(chosen):
        pictures = ((seen.frames[k], f"frame {k + 1}"), (replayed[k], f"r = {r[k]:.4f}"))
        for row, (picture, title) in enumerate(pictures):
            ax = strip[row, column]
            plot.draw_image(ax, np.sqrt(np.maximum(picture, 0.0)), title, limits=(0.0, white))
            if column == 0:
                ax.set_ylabel(("movie", "replay")[row], fontsize=9.5, color="#6b6b6b")
    _draw_chain(below[0], seen)
    _draw_correlation(below[1], seen)
    _draw_speed(last[0], seen)
    _draw_step(last[1], seen)
    _draw_stop(last[2], seen)
    return figure


def _draw_chain(ax: Any, seen: Seen) -> None:
    """Draw which cells fire when, while the movie is learned and while it is replayed."""
    plot = brnn.plot
    first, second = seen.plan
    ax.plot(seen.fired, seen.cell + 1, ".", color=plot.PALETTE[0], markersize=3.5, label="a cell fires")
    for act in seen.plan:
        ax.plot(act.fired, np.arange(len(act.fired)) + 1, color=plot.PALETTE[1], linewidth=0.9, label="predicted")
    plot.mark_intervals(ax, [(first.fired[0], first.end)], label="movie on")
    ax.text(second.fired[0], 0.92 * len(first.fired), "replay, nothing shown", fontsize=8.5, color="#6b6b6b")
    ax.set_xlim(0.0, second.off + 5.0)
    plot.polish(ax, "The chain: each cell samples one frame, and plays it back", "time t", "cell")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[:2], labels[:2], fontsize=8.5, frameon=False, loc="lower right", markerscale=2.0)


def _draw_correlation(ax: Any, seen: Seen) -> None:
    """Draw the correlation of every replayed frame with its original, and with its neighbours."""
    plot = brnn.plot
    flat = seen.frames.reshape(len(seen.frames), -1)
    frame = np.arange(len(flat)) + 1
    for color, one in zip(plot.PALETTE, (seen.main, *seen.others), strict=False):
        ax.semilogy(frame, 1.0 - alike(one.screen, flat), color=color, linewidth=1.4, label=one.label)
        ax.semilogy(frame, 1.0 - alike(one.predicted, flat), color="#222222", linewidth=0.7, linestyle=(0, (2, 5)))
    ax.semilogy(frame[1:], 1.0 - alike(flat[:-1], flat[1:]), color="#b0b0b0", linewidth=1.0, label="the frame before")
    ax.set_xlim(0.0, len(flat) + 1)
    plot.polish(ax, "1 − r of each replayed frame with its original (dashed: predicted)", "frame", "1 − r")
    plot.key(ax, ncols=3, loc="upper center", columnspacing=1.0)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * 1e3)


def _draw_speed(ax: Any, seen: Seen) -> None:
    """Draw how far the replays are over time."""
    plot = brnn.plot
    cells = np.arange(len(seen.frames)) + 1
    for color, one in zip(plot.PALETTE[1:], seen.others, strict=False):
        ax.plot(one.fired - one.fired[0], cells, color=color, linewidth=1.9, label=one.label)
        ax.plot(one.act.fired - one.act.fired[0], cells, color="#222222", linewidth=0.8, linestyle=(0, (2, 4)))
    ax.set_xlim(left=0.0)
    ax.set_ylim(bottom=0.0)
    plot.polish(ax, "The same act at three speeds", "time since the first frame", "frames replayed", ticks=5)
    plot.key(ax, loc="lower right")


def _draw_step(ax: Any, seen: Seen) -> None:
    """Draw the time for a frame over the command."""
    plot = brnn.plot
    low, high = CHAIN.commands
    grid = low + (high - low) * np.linspace(0.004, 0.93, 300)
    ax.semilogy(grid, CHAIN.step(grid), color=plot.PALETTE[0], linewidth=1.8, label="ln[P/(P − (Aθ − c))]/A")
    steps = [(one.fired[-1] - one.fired[0]) / (len(one.fired) - 1) for one in seen.others]
    ax.semilogy(
        [one.act.command for one in seen.others], steps, "o", color=plot.PALETTE[1], markersize=6, label="simulated"
    )
    ax.axvspan(0.0, low, color="#f0f0f0", zorder=0)
    ax.text(0.5 * low, 0.3, "nothing\nfires", ha="center", fontsize=8.5, color="#6b6b6b")
    ax.set_xlim(0.0, high)
    plot.polish(ax, "The command sets the time for a frame", "command c", "time")
    plot.key(ax, loc="upper right")


def _draw_stop(ax: Any, seen: Seen) -> None:
    """Draw the chain around a stop."""
    plot = brnn.plot
    stop = seen.stops[1]
    t = stop.times - stop.act.off
    last = stop.count - 1
    for k in range(max(0, last - 5), min(last + 2, stop.chain.shape[1])):
        label = f"cell {k + 1}" if k >= last else None
        color = plot.PALETTE[0] if k < last else plot.PALETTE[1] if k == last else plot.PALETTE[2]
        ax.plot(t, stop.chain[:, k], color=color, linewidth=1.5, alpha=0.45 if k < last else 1.0, label=label)
    ax.plot(
        t, stop.screen.mean(axis=1) / stop.screen.mean(axis=1).max(), color="#8a8a8a", linewidth=1.2, label="screen"
    )
    ax.axhline(CHAIN.threshold, color="#222222", linewidth=0.8, linestyle=(0, (5, 3)))
    ax.axvline(0.0, color="#222222", linewidth=0.8)
    ax.axvline(
        stop.quiet - stop.act.off, color="#222222", linewidth=0.8, linestyle=(0, (2, 3)), label="silent, predicted"
    )
    ax.set_xlim(-4.0, 2.4)
    ax.set_ylim(0.0, 1.75)
    plot.polish(ax, "The command goes off: no further cell fires", "time since the command is off", "x$_k$", ticks=5)
    plot.key(ax, loc="upper right", ncols=2, columnspacing=1.0)


def experiment(options: argparse.Namespace) -> Outcome:
    """Learn the movie, replay it at several speeds, stop it, and compare."""
    if not 8 <= options.frames <= 400:
        raise brnn.InputError(f"--frames {options.frames}: must be from 8 to 400")
    if not 4 <= options.width <= 24:
        raise brnn.InputError(f"--width {options.width}: must be from 4 to 24 pixels")
    frames = movie(options.frames, options.width)
    result, plan = learn(frames, options)
    seen = see(frames, result, plan)
    flat = frames.reshape(len(frames), -1)
    each = alike(seen.main.screen, flat)
    overall = np.corrcoef(seen.main.screen.ravel(), flat.ravel())[0, 1]
    notes = (
        "",
        f"replay of {len(frames)} frames: correlation {overall:.6f} overall; each frame {each.min():.6f} to "
        f"{each.max():.6f}, mean {each.mean():.6f}.",
        f"a frame and the one before it: {alike(flat[:-1], flat[1:]).mean():.6f} on average.",
    )
    return Outcome(compare(seen), lambda: draw(seen), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="length of the movie (default: 200)")
    parser.add_argument("--width", type=int, default=16, metavar="PIXELS", help="width of a frame (default: 16)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
