"""Chunking by a masking field: MYSELF masks MY, SELF and ELF, each of which is recognized when it is presented alone.

Five fields with the lists MY, SELF, ELF and MYSELF see items as an item-and-order working memory holds them, the first
letter being the most active: one field each sees MY, SELF, ELF and MYSELF, and one sees MYSELF letter by letter. The
state at rest is that of a choice in closed form: the winner at the root of one equation, the others masked at
(B S - C G)/(A + S + G). Letter by letter, it is set beside an independent integration (SciPy on the plain equations).

Reproduces: masking fields of M. A. Cohen and S. Grossberg, Masking fields: a massively parallel neural architecture for
learning, recognizing, and predicting multiple groupings of patterned data, Applied Optics 26, 1866-1891 (1987). The
equation is recalled; the numbers are chosen here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.base.odes import solved
from brnn.claims import Comparison
from brnn.models import masking_field
from brnn.theory import masking_field as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = ("MY", "SELF", "ELF", "MYSELF")
LETTERS = "MYSELF"
PAUSE, DURATION = 20.0, 140.0  # time between letters, and of the whole run
INTENSITY, GRADIENT, ITEM_RATE = 0.3, 0.95, 100.0
NUMBERS = (0.2, 1.0, 2.0, 2.0, 10.0, brnn.Sigmoid(1.0, 0.7, 3.0))  # A, B, C, D, E and f
FILTER = theory.filter_weights(WORDS, LETTERS, GRADIENT)
INK, MUTED, FAINT = "#222222", "#6b6b6b", "#e3e3e3"
FIELDS = {word: (word, 0.0) for word in WORDS} | {"letters": (LETTERS, PAUSE)}


def items(word: str) -> np.ndarray:
    """Return the activities of the six letters while a word is presented."""
    return np.array([INTENSITY * GRADIENT ** word.index(j) if j in word else 0.0 for j in LETTERS])


def build() -> brnn.Network:
    """Return the five fields in one network, each with its items."""
    A, B, C, D, E, f = NUMBERS
    layers: list[Any] = []
    projections: list[brnn.Projection] = []
    stimuli: list[brnn.Stimulus] = []
    for name, (word, interval) in FIELDS.items():
        field = masking_field.build(
            " ".join(WORDS), word, GRADIENT, INTENSITY, interval, A, B, C, D, E, f, item_rate=ITEM_RATE
        )
        names = {"items": f"items_{name}", "chunks": f"field_{name}"}
        layers += [layer.replace(name=names[layer.name]) for layer in field.layers]
        projections += [
            p.replace(source=names[p.source], target=names[p.target], name=f"{p.name}_{name}")
            for p in field.projections
        ]
        stimuli += [stimulus.replace(target=names[stimulus.target]) for stimulus in field.stimuli]
    return brnn.Network(
        "chunking",
        layers,
        projections,
        stimuli,
        duration=DURATION,
        reference="Cohen and Grossberg (1987), Applied Optics 26, 1866-1891",
    )


def letter_by_letter() -> np.ndarray:
    """Return the activities just before each next letter, by SciPy, shape (letters, lists)."""
    state, rows = np.zeros(10), []
    for count in range(1, 7):
        shown = items(LETTERS[:count])

        def velocity(t: float, u: np.ndarray, shown: np.ndarray = shown) -> np.ndarray:
            return np.append(ITEM_RATE * (shown - u[:6]), theory.velocity(u[6:], FILTER @ u[:6], WORDS, *NUMBERS))

        state = solved(velocity, (0.0, PAUSE), state, rtol=1e-10, atol=1e-12).y[:, -1]
        rows.append(state[6:])
    return np.array(rows)


def compare(result: Any) -> list[Comparison]:
    """Set the choice states, and the course letter by letter, beside the simulation."""
    rows = []
    for k, word in enumerate(WORDS):
        x = np.asarray(result.final(f"field_{word}"))
        predicted = theory.choice(FILTER @ items(word), WORDS, k, *NUMBERS)
        above = [J for J, active in zip(WORDS, x > 0.0, strict=True) if active]
        rows.append(Comparison(predicted, x, 1e-7, f"{word} presented: choice state"))
        rows.append(Comparison.order([word], above, f"{word} presented: lists above 0"))
    ends = PAUSE * np.arange(1, 7)
    x = np.asarray(result["field_letters.x"].sel(time=ends, method="nearest"))
    rows.append(Comparison(letter_by_letter(), x, 1e-6, "letter by letter: before each next letter"))
    winners = [WORDS[int(k)] for k in x.argmax(axis=1)]
    rows.append(Comparison.order(["MY", "MYSELF"], [winners[1], winners[5]], "winner after MY, and after MYSELF"))
    return rows


def draw(result: Any) -> Figure:
    """Draw what each field recognizes, how masking is distributed, and the course letter by letter."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        7.4,
        "A masking field: the whole list masks its parts",
        "Lists MY, SELF, ELF, MYSELF   ·   bars: simulated, marks: predicted   ·   after Cohen and Grossberg (1987)",
    )
    axes = figure.subplots(2, 2, width_ratios=(1.0, 1.0))
    places = np.arange(4)
    for j, J in enumerate(WORDS):
        values = [float(np.asarray(result.final(f"field_{word}"))[j]) for word in WORDS]
        expected = [theory.choice(FILTER @ items(word), WORDS, k, *NUMBERS) for k, word in enumerate(WORDS)]
        marks = [np.nan if state is None else state[j] for state in expected]
        axes[0, 0].bar(places + 0.2 * (j - 1.5), values, 0.2, color=plot.PALETTE[j], label=J)
        axes[0, 0].plot(places + 0.2 * (j - 1.5), marks, "_", color=INK, markersize=9.0, markeredgewidth=1.6)
    axes[0, 0].set_xticks(places, [f"{word} presented" for word in WORDS])
    axes[0, 0].axhline(0.0, color=MUTED, linewidth=0.8)
    axes[0, 0].set_ylim(-0.8, 0.6)
    plot.polish(axes[0, 0], "What is recognized: only the cell above 0 sends signals", "", "activity x$_J$ at rest")
    axes[0, 0].grid(False, axis="x")
    plot.key(axes[0, 0], loc="upper center", ncols=4)
    _draw_masking(axes[0, 1])
    times = np.asarray(result.times)
    for ax, name, title in (
        (axes[1, 0], "MYSELF", "MYSELF presented at once"),
        (axes[1, 1], "letters", "MYSELF letter by letter: first MY, then MYSELF"),
    ):
        shown = times <= (30.0 if name == "MYSELF" else DURATION)
        for j, J in enumerate(WORDS):
            x = np.asarray(result[f"field_{name}.x"])[shown, j]
            ax.plot(times[shown], x, color=plot.PALETTE[j], linewidth=1.9, label=J)
        ax.axhline(0.0, color=MUTED, linewidth=0.8)
        ax.set_xlim(0.0, times[shown][-1])
        plot.polish(ax, title, "time t", "activity x$_J$(t)")
    for k, letter in enumerate(LETTERS):
        axes[1, 1].axvline(PAUSE * k, color=FAINT, linewidth=1.0, zorder=0)
        axes[1, 1].text(PAUSE * k + 1.5, 0.42, letter, color=MUTED, fontsize=9.5, weight="bold")
    axes[1, 1].set_ylim(top=0.5)
    plot.key(axes[1, 0], loc="center right")
    return figure


def _draw_masking(ax: Any) -> None:
    plot = brnn.plot
    c = theory.inhibition(WORDS)
    ax.imshow(c, cmap="Blues", vmin=0.0, vmax=0.8, aspect="auto")
    for j, k in np.ndindex(4, 4):
        dark = c[j, k] > 0.4
        ax.text(k, j, f"{c[j, k]:.2f}", ha="center", va="center", fontsize=9.5, color="white" if dark else INK)
    ax.set_xticks(range(4), WORDS)
    ax.set_yticks(range(4), WORDS)
    plot.polish(ax, "Inhibition c$_{JK}$: long lists mask short ones more", "from list K", "to list J", grid=False)
    ax.set_xticks(range(4), WORDS)
    ax.set_yticks(range(4), WORDS)


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the five fields and compare."""
    times = np.union1d(np.linspace(0.0, 30.0, 301), np.linspace(30.0, DURATION, 221))
    result = simulate(build(), options, times=times)
    return Outcome(compare(result), lambda: draw(result), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
