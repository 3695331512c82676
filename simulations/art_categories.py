"""Adaptive resonance learns categories of handwritten digits: differential equations beside the algorithm.

The digits of scikit-learn (8 x 8 pixels) are binarised for ART 1 and complement coded for fuzzy ART.

- ART 1 as a network of differential equations sees some of them, list after list: fields F1 and F2, both filters, and
  the cells that reset and search. It is predicted by the algorithm with fast learning: the category of each
  presentation, the categories tried before, in their order, and all weights. So is fuzzy ART, on fewer digits.
- Many lists, by the algorithm, at vigilances from 0 to 1. Theorems predict that learning ends within as many
  presentations of a list as there are sizes of patterns (ART 1, L near 1), or after one (fuzzy ART, small alpha), that
  then every digit finds its category without search, that with full vigilance each distinct one has its own, and how
  large the boxes of fuzzy ART become. More vigilance makes more categories on the average. Single lists are exceptions:
  these are counted, and checked in exact arithmetic.
- All 1797 digits in one list.

Reproduces: stable category learning of G. A. Carpenter and S. Grossberg, A massively parallel architecture for a
self-organizing neural pattern recognition machine, Computer Vision, Graphics, and Image Processing 37, 54-115 (1987);
the theorem of M. Georgiopoulos, G. L. Heileman and J. Huang, Neural Networks 4, 751-757 (1991); fuzzy ART of G. A.
Carpenter, S. Grossberg and D. B. Rosen, Neural Networks 4, 759-771 (1991). The data are new.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.base.checks import number, whole
from brnn.claims import Comparison
from brnn.models.parts.resonance import ACCURACY, SEARCH, choices, labels, times
from brnn.theory import art

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIGILANCES = np.arange(21) / 20.0
NEAR_ONE = Fraction(10001, 10000)  # L of the many lists
FRESH = 0.9  # of the network
SIZE = 8  # pixels of a digit along each side
BOXED, BOX_VIGILANCE = 8, 0.75  # digits that the network of fuzzy ART sees
FEW_CLASSES = 5  # the networks see digits 0 to 4
LARGE_LIST_VIGILANCE = 0.4
SHOWN = (6, 8)  # templates pictured of the list of all digits


@dataclass(frozen=True)
class Digits:
    """Pixels in [0, 1], the same as 0 and 1, and which digit it is."""

    gray: np.ndarray
    binary: np.ndarray
    classes: np.ndarray


@dataclass
class Course:
    """ART 1 in the course of all presentations: by the algorithm, or by the network."""

    labels: np.ndarray
    tried: list[int]
    templates: np.ndarray  # after each presentation; those of free categories are ones


@dataclass
class Counts:
    """What the algorithm found for many lists (rows) at all vigilances (columns)."""

    categories: np.ndarray
    lists: np.ndarray  # presentations of the list until no weight changes; the largest number is "never"
    excess: np.ndarray  # ART 1: resets after learning; fuzzy ART: by how much the largest box is too large

    @property
    def falls(self) -> np.ndarray:
        """Where a list has fewer categories than at the vigilance before."""
        return np.asarray(np.diff(self.categories, axis=1) < 0)


def read_digits() -> Digits:
    """Return the digits of scikit-learn."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise brnn.InputError('the digits are those of scikit-learn: pip install "scikit-learn>=1.5"') from None
    data = load_digits()
    gray = data.images.reshape(-1, SIZE * SIZE) / 16.0
    return Digits(gray, (gray >= 0.5).astype(float), data.target)


# The networks --------------------------------------------------------------------------------------------------


def predicted(shown: np.ndarray, learned: art.LearnedCategories, vigilance: float) -> Course:
    """Return the course of the algorithm; its templates after a presentation are found by stopping it there."""
    m, count = learned.categories + 1, learned.labels.size
    rows = np.tile(shown, (len(learned.labels), 1))
    stopped = [art.art1(rows[: k + 1], vigilance, categories=m, fresh=FRESH) for k in range(count)]
    V = np.array([each.memories(m) for each in stopped])
    return Course(learned.labels.ravel(), (learned.resets.ravel() + 1).tolist(), V)


def search_order(pattern: np.ndarray, templates: np.ndarray, tried: int) -> list[int]:
    """Return the categories in the order of their choices, as many as are tried."""
    free = templates.all(axis=1)
    T = art.art1_choices(pattern, templates) * np.where(free, FRESH, 1.0)
    return [int(j) for j in np.argsort(-np.round(T, 12), kind="stable")[:tried]]


def run_art1(shown: np.ndarray, course: Course, lists: int, vigilance: float, options: Any) -> Any:
    """Run the network of ART 1; the presentation with the longest search is recorded closely."""
    m = course.templates.shape[1]
    network = brnn.models.art1.build(shown, vigilance, m, lists, fresh=FRESH).replace(name="art_categories")
    start = network.protocol.intervals("search")[int(np.argmax(course.tried)), 0]
    moments = np.union1d(times(network), start + np.linspace(0.0, 1.0, 251))
    return simulate(network, options, times=moments, **{**ACCURACY, "rtol": 1e-6, "atol": 1e-9})


def measured(result: Any) -> Course:
    """Return the course of the network."""
    ends = np.searchsorted(np.asarray(result.times), times(result.network)[1:] - 1e-9)
    x = np.asarray(result["F2.x"])[ends]
    chosen = np.where(x.max(axis=1) > 0.5, x.argmax(axis=1), -1)
    V = np.asarray(result["down.z"])[ends].transpose(0, 2, 1)
    return Course(chosen, [len(tried) for tried in choices(result)], V)


def compare_networks(shown: np.ndarray, expected: Course, result: Any, boxed: np.ndarray) -> list[Comparison]:
    """Set the algorithm beside both networks."""
    found, n, k = measured(result), len(shown), int(np.argmax(expected.tried))
    V, learned = expected.templates, ~expected.templates[-1].all(axis=1)
    before = V[k - 1] if k else np.ones_like(V[0])
    order = search_order(shown[k % n], before, expected.tried[k])
    ends = [np.concatenate([np.ones((1, *V.shape[1:])), c.templates[n - 1 :: n]]) for c in (expected, found)]
    changing = [int((np.abs(np.diff(z, axis=0)) > 1e-6).any(axis=(1, 2)).sum()) for z in ends]
    up = np.asarray(result.final("up.z"))[learned]
    X = boxed.reshape(-1, SIZE // 2, 2, SIZE // 2, 2).mean(axis=(2, 4)).reshape(len(boxed), -1)
    fuzzy = art.fuzzy_art(art.complement(X), BOX_VIGILANCE, lists=2, fresh=1.0)
    m = fuzzy.categories + 1
    network = brnn.models.fuzzy_art.build(X, BOX_VIGILANCE, m, 2)
    boxes = simulate(network, times=times(network), **ACCURACY)
    return [
        Comparison.order(expected.labels, found.labels, "ART 1: category of each presentation"),
        Comparison.order(expected.tried, found.tried, "ART 1: categories tried in each presentation"),
        Comparison.order(order, choices(result)[k], "ART 1: longest search, categories in order"),
        Comparison(V, found.templates, 1e-6, "ART 1: all templates after each presentation"),
        Comparison(art.bottom_up(V[-1][learned]), up, 1e-6, "ART 1: weights of the filter at the end"),
        Comparison.count(changing[0], changing[1], "ART 1: list presentations in which a weight changes"),
        Comparison.order(fuzzy.labels.ravel(), labels(boxes), "fuzzy ART: category of each presentation"),
        Comparison(fuzzy.memories(m), boxes.final("memory"), 1e-6, "fuzzy ART: all weights at the end"),
    ]


# Many lists ----------------------------------------------------------------------------------------------------


def survey(digits: Digits, which: np.ndarray) -> tuple[Counts, Counts]:
    """Let ART 1 and fuzzy ART learn every list at every vigilance."""
    binary, boxes = [], []
    for members in which:
        shown, code = digits.binary[members], art.complement(digits.gray[members])
        for rho in VIGILANCES:
            limit = len(members)
            learned = art.art1(shown, rho, L=float(NEAR_ONE), lists=limit, stop=True)
            binary.append((learned.categories, learned.stable_after or limit, learned.resets[-1].sum()))
            learned = art.fuzzy_art(code, rho, alpha=1e-5, lists=limit, stop=True)
            sides = code.shape[1] // 2 - learned.templates.sum(axis=1)
            excess = sides.max() - code.shape[1] // 2 * (1.0 - rho)
            boxes.append((learned.categories, learned.stable_after or limit, excess))
    shape = (len(which), VIGILANCES.size, 3)
    first, second = (np.array(found, dtype=float).reshape(shape).transpose(2, 0, 1) for found in (binary, boxes))
    return Counts(*first), Counts(*second)


def exact_count(patterns: np.ndarray, rho: Fraction) -> int:
    """Return the number of categories of ART 1, found in whole numbers and fractions, with patterns as bits."""
    cells, shown = patterns.shape[1], [sum(1 << int(i) for i in np.flatnonzero(row)) for row in patterns]
    V: list[int] = []
    before: list[int] | None = None
    while V != before:
        before = V.copy()
        for I in shown:
            T = [NEAR_ONE * (I & v).bit_count() / (NEAR_ONE - 1 + v.bit_count()) for v in V]
            T.append(NEAR_ONE * I.bit_count() / (NEAR_ONE - 1 + cells))
            passing = [j for j, v in enumerate(V) if (I & v).bit_count() >= rho * I.bit_count()]
            j = max([*passing, len(V)], key=lambda j: (T[j], -j))
            V[j:] = [I & V[j], *V[j + 1 :]] if j < len(V) else [I]
    return len(V)


def compare_lists(digits: Digits, which: np.ndarray, binary: Counts, boxes: Counts) -> list[Comparison]:
    """Set theorems beside what the algorithm found, and exact arithmetic beside the exceptions."""
    sizes = np.array([np.unique(digits.binary[members].sum(axis=1)).size for members in which])
    distinct = [len(np.unique(digits.binary[members], axis=0)) for members in which]
    steps = np.argwhere(binary.falls)
    pairs = [[int(n) for n in binary.categories[i, k : k + 2]] for i, k in steps]
    exact = [[exact_count(digits.binary[which[i]], Fraction(int(j), 20)) for j in (k, k + 1)] for i, k in steps]
    rows = [
        Comparison.at_most(sizes, binary.lists.max(axis=1), label="lists: presentations until stable, sizes"),
        Comparison.count(0, int(binary.excess.sum()), "lists: resets after learning"),
        Comparison.count(distinct, binary.categories[:, -1], "lists: categories at vigilance 1, distinct digits"),
        Comparison.monotone("rising", binary.categories.mean(axis=0), label="lists: mean number of categories"),
        Comparison.count(np.ones_like(boxes.lists), boxes.lists, "fuzzy ART, lists: presentations until stable"),
        Comparison.at_most(0.0, boxes.excess, 1e-9, "fuzzy ART, lists: size of the boxes less n (1 - rho)"),
        Comparison.monotone("rising", boxes.categories.mean(axis=0), label="fuzzy ART, lists: mean number"),
    ]
    if pairs:
        rows.insert(4, Comparison.count(exact, pairs, "lists: exceptions, categories in exact arithmetic"))
    return rows


def exceptions(name: str, counts: Counts) -> str:
    """Return a line that says how often more vigilance gave fewer categories."""
    falls = counts.falls
    deepest = int(-np.diff(counts.categories, axis=1).min(initial=0))
    return (
        f"{name}: the number of categories falls in {int(falls.sum())} of {falls.size} steps of vigilance "
        f"(by {deepest} at most), somewhere in {int(falls.any(axis=1).sum())} of {len(falls)} lists"
    )


def purity(classes: np.ndarray, chosen: np.ndarray) -> float:
    """Return the share of digits that are of the class that is most frequent in their category."""
    return sum(int(np.bincount(classes[chosen == j]).max()) for j in np.unique(chosen)) / len(classes)


# The figure ----------------------------------------------------------------------------------------------------

INK, MUTED, FAINT = "#222222", "#6b6b6b", "#e3e3e3"
_PREDICTED: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 3}


def color(j: int) -> str:
    """Return the color of a category."""
    palette: Sequence[str] = brnn.plot.PALETTE
    return palette[j % len(palette)]


def draw_rows(ax: Any, shown: np.ndarray, expected: Course, found: Course) -> None:
    """Draw each category as a row: its template by both, and the digits that it codes in the end."""
    from matplotlib.colors import to_rgb

    used = np.unique(found.labels[-len(shown) :])
    members = [np.flatnonzero(found.labels[-len(shown) :] == j) for j in used]
    step, gap = SIZE + 2, 6  # the two templates stand further apart
    middle = 2 * (step + gap)
    image = np.ones((len(used) * step, middle + max(len(m) for m in members) * step, 3))
    for row, (j, which) in enumerate(zip(used, members, strict=True)):
        tiles = [c.templates[-1, j] for c in (found, expected)] + [shown[k] for k in which]
        for column, tile in enumerate(tiles):
            top, left = row * step + 1, column * step + 1 + gap * min(column, 2)
            ink = np.array(to_rgb(color(int(j))))
            cells = np.where(column > 1, 0.55, 1.0) * tile.reshape(SIZE, SIZE, 1)
            image[top : top + SIZE, left : left + SIZE] = 0.95 * (1.0 - cells) + ink * cells
    ax.imshow(image, interpolation="nearest")
    brnn.plot.polish(ax, "ART 1 as a network: what it has learned", "", "category", grid=False)
    ax.set_yticks((np.arange(len(used)) + 0.5) * step - 0.5, [str(j) for j in used])
    marks = [0.5 * step - 0.5, 1.5 * step + gap - 0.5, 0.5 * (middle + image.shape[1]) - 0.5]
    ax.set_xticks(marks, ["template", "by algorithm", "digits coded"])
    ax.set_anchor("W")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def draw_search(ax: Any, result: Any, presentation: int) -> None:
    """Draw the activities of F2 in the presentation with the longest search."""
    start = result.network.protocol.intervals("search")[presentation, 0]
    t = np.asarray(result.times) - start
    inside = (t >= 0.0) & (t <= 1.0)
    x = np.asarray(result["F2.x"])[inside]
    for j in range(x.shape[1]):
        name = f"category {j}" if x[:, j].max() > 0.5 else None
        ax.plot(t[inside], x[:, j], color=color(j), linewidth=1.9 if name else 0.8, label=name)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    ax.axvspan(SEARCH, 1.0, color=FAINT, zorder=0)
    ax.text(0.5 * (1.0 + SEARCH), 1.0, "learning", ha="center", color=MUTED, fontsize=8.5)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-1.0, 1.15)
    brnn.plot.polish(ax, f"Search in presentation {presentation + 1}", "time in the presentation", "activity of F2")
    brnn.plot.key(ax, loc="upper left", bbox_to_anchor=(0.28, 0.8), ncols=2)


def draw_learning(ax: Any, expected: Course, found: Course, n: int) -> None:
    """Draw how large the templates are after each presentation."""
    count = np.arange(1, len(found.labels) + 1)
    for j in range(found.templates.shape[1]):
        sizes = [c.templates[:, j].sum(axis=1) for c in (found, expected)]
        begun = ~expected.templates[:, j].all(axis=1)
        if begun.any():
            ax.plot(count[begun], sizes[0][begun], color=color(j), linewidth=2.2, drawstyle="steps-post")
            ax.plot(count[begun], sizes[1][begun], drawstyle="steps-post", **_PREDICTED)
    for edge in range(n, len(count), n):
        ax.axvline(edge + 0.5, color="#9a9a9a", linewidth=1.0)
    ax.set_xlim(1, count[-1])
    ax.set_ylim(0.0, None)
    title = "Templates lose cells until nothing changes"
    brnn.plot.polish(ax, title, "presentation (lines: the list begins again)", "cells of the template")


def draw_templates(ax: Any, digits: Digits, learned: art.LearnedCategories) -> None:
    """Draw the mean digit of the largest categories, with the template over it."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    chosen, step = learned.labels[-1], SIZE + 1
    image = np.ones((SHOWN[0] * step, SHOWN[1] * step, 3))
    largest = np.argsort(-np.bincount(chosen, minlength=learned.categories), kind="stable")
    for place, j in zip(np.ndindex(SHOWN), largest, strict=False):
        mean = digits.binary[chosen == j].mean(axis=0)
        picture = colormaps["Blues"](0.75 * mean)[:, :3]
        picture[learned.templates[j] > 0] = to_rgb(brnn.plot.PALETTE[1])
        top, left = place[0] * step, place[1] * step
        image[top : top + SIZE, left : left + SIZE] = picture.reshape(SIZE, SIZE, 3)
    ax.imshow(image[:-1, :-1], interpolation="nearest")
    title = f"All {len(chosen)} digits: templates (orange) on means (blue)"
    brnn.plot.polish(ax, title, f"the largest of {learned.categories} categories, vigilance {LARGE_LIST_VIGILANCE:g}")
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def draw_counts(ax: Any, binary: Counts, boxes: Counts) -> None:
    """Draw the number of categories over vigilance, each list a thin line."""
    for counts, ink, name in ((binary, color(0), "ART 1"), (boxes, color(2), "fuzzy ART")):
        ax.plot(VIGILANCES, counts.categories.T, color=ink, linewidth=0.5, alpha=0.25)
        ax.plot(VIGILANCES, counts.categories.mean(axis=0), color=ink, linewidth=2.4, label=f"{name}, mean")
    falls = [
        (VIGILANCES[k + 1], counts.categories[i, k + 1])
        for counts in (binary, boxes)
        for i, k in np.argwhere(counts.falls)
    ]
    if falls:
        ax.plot(*np.array(falls).T, "v", color=color(1), markersize=3.5, label="fewer than before")
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, None)
    title = f"More vigilance, finer categories ({len(binary.lists)} lists)"
    brnn.plot.polish(ax, title, "vigilance", "categories")
    brnn.plot.key(ax, loc="upper left")


def draw_stability(ax: Any, binary: Counts, boxes: Counts, sizes: np.ndarray) -> None:
    """Draw how often a list was presented until no weight changed; the area is the share of lists."""
    for counts, ink, name in ((binary, color(0), "ART 1"), (boxes, color(2), "fuzzy ART")):
        for k, rho in enumerate(VIGILANCES):
            numbers, lists = np.unique(counts.lists[:, k], return_counts=True)
            label = f"{name} (area: share of lists)" if k == 0 else None
            area, front = 60.0 * lists / lists.sum(), 3 if name == "ART 1" else 2
            ax.scatter(np.full(numbers.size, rho), numbers, area, color=ink, label=label, zorder=front, linewidth=0)
    ax.axhspan(sizes.min(), sizes.max(), color=FAINT, zorder=0)
    ax.text(0.5, sizes.mean(), "bound for ART 1: sizes of patterns in the list", ha="center", va="center", fontsize=8.5)
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(0.0, sizes.max() + 1.0)
    brnn.plot.polish(ax, "Learning ends: no weight changes any more", "vigilance", "presentations of the list")
    ax.set_yticks(np.arange(0, int(sizes.max()) + 2, 2))
    brnn.plot.key(ax, loc="upper left", bbox_to_anchor=(0.0, 0.55))


# The script ----------------------------------------------------------------------------------------------------


def experiment(options: argparse.Namespace) -> Outcome:
    """Run networks and algorithms; the file of -o keeps the network of ART 1."""
    digits, rng = read_digits(), np.random.default_rng(whole(options.seed, "--seed", minimum=0))
    n, length = (
        int(number(getattr(options, name), f"--{name}", minimum=5, maximum=limit))  # already whole numbers
        for name, limit in (("digits", 40), ("length", len(digits.gray)))
    )
    count = whole(options.lists, "--lists", minimum=2)
    vigilance = number(options.vigilance, "--vigilance", minimum=0.0, maximum=1.0)
    few = rng.choice(np.flatnonzero(digits.classes < FEW_CLASSES), n, replace=False)
    which = np.array([rng.choice(len(digits.gray), length, replace=False) for _ in range(count)])

    shown = digits.binary[few]
    learned = art.art1(shown, vigilance, lists=20, fresh=FRESH, stop=True)
    expected = predicted(shown, learned, vigilance)
    result = run_art1(shown, expected, len(learned.labels), vigilance, options)
    rows = compare_networks(shown, expected, result, digits.gray[few[:BOXED]])
    binary, boxes = survey(digits, which)
    rows += compare_lists(digits, which, binary, boxes)
    large = art.art1(digits.binary, LARGE_LIST_VIGILANCE, L=float(NEAR_ONE), lists=30, stop=True)
    sizes = np.array([np.unique(digits.binary[members].sum(axis=1)).size for members in which])
    all_sizes = np.unique(digits.binary.sum(axis=1)).size
    rows.append(Comparison.at_most(all_sizes, large.stable_after or 30, label="all digits: presentations until stable"))
    share = purity(digits.classes, large.labels[-1])
    notes = (
        exceptions("ART 1", binary),
        exceptions("fuzzy ART", boxes),
        f"all digits: {large.categories} categories; {share:.0%} of digits are of the class most frequent in theirs",
    )

    def draw() -> Figure:
        figure: Figure = brnn.plot.new_figure(
            15.0,
            8.6,
            "ART 1 and fuzzy ART sort handwritten digits, and stop learning",
            "top: differential equations (colors) and predicted by the algorithm (black, dashed)   ·   below: the "
            "algorithm on many lists   ·   after Carpenter and Grossberg (1987), Carpenter, Grossberg and Rosen (1991)",
        )
        axes = figure.subplots(2, 3)
        found = measured(result)
        draw_rows(axes[0, 0], shown, expected, found)
        draw_search(axes[0, 1], result, int(np.argmax(expected.tried)))
        draw_learning(axes[0, 2], expected, found, n)
        draw_templates(axes[1, 0], digits, large)
        draw_counts(axes[1, 1], binary, boxes)
        draw_stability(axes[1, 2], binary, boxes, sizes)
        return figure

    return Outcome(rows, draw, result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--digits", type=int, default=14, metavar="N", help="digits that the network sees (14)")
    parser.add_argument("--vigilance", type=float, default=0.4, help="of the network of ART 1 (0.4)")
    parser.add_argument("--lists", type=int, default=40, metavar="N", help="lists for the algorithm (40)")
    parser.add_argument("--length", type=int, default=50, metavar="N", help="digits in each of them (50)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the choice of digits (0)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
