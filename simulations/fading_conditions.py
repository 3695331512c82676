"""Which shapes fade when contours were adapted: six conditions, each with an adapted shape beside another one.

Two shapes stand beside each other; of the left one some contours flicker first. Fading follows the contours that were
adapted: a shape with its outline, or with one side of it, fades into the ground, and one whose adaptor had another size
stays; two halves mix when the border between them was adapted; of a square on a square the outer one fades and the
inner one stays, or the other way round; a ring flows out, or into its hole.

Reproduces: the names of conditions of G. Francis and J. Kim, Vision Research 62, 181-191 (2012), and the directions of
their results, which follow from S. Grossberg's FACADE theory. The geometry is ours, since the article shows it as
pictures alone; `fading_contours.py` has the condition "Crosses" with its numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.models import contour_adaptation
from brnn.models.parts.contour_conditions import CONDITIONS, condition, outcomes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ADAPT = 5.9  # s


def experiment(options: argparse.Namespace) -> Outcome:
    """Adapt to all conditions at once, one below the other, and look at what is seen."""
    if options.flicker <= 0.0:
        raise brnn.InputError(f"--flicker {options.flicker:g}: must be > 0")
    picture, adaptor = (np.vstack([condition(name)[k] for name in CONDITIONS]) for k in (0, 1))
    network = contour_adaptation.build(picture, adaptor, adapt=ADAPT, shown=0.2, flicker=options.flicker)
    network = network.replace(name="fading_conditions")
    result = simulate(network, options, times=np.linspace(0.0, ADAPT + 0.2, 62), dtype="float32", rtol=1e-4, atol=1e-6)
    parts = [np.asarray(result.final(name)) for name in ("luminance", "dipole_h", "dipole_v")]
    seen = contour_adaptation.surface(*parts)
    rows = []
    for name, view in zip(CONDITIONS, np.split(seen, len(CONDITIONS)), strict=True):
        for words, holds in outcomes(name, view):
            rows.append(Comparison.exact(1, int(holds), f"{name}: {words}"))
    return Outcome(rows, lambda: draw(picture, adaptor, seen), result)


def draw(picture: np.ndarray, adaptor: np.ndarray, seen: np.ndarray) -> Figure:
    """Draw adaptor, picture and surface of each condition."""
    plot = brnn.plot
    below = "left shape adapted, right one not   ·   directions after Francis and Kim (2012), geometry ours"
    figure = plot.new_figure(13.0, 4.2, "Adapted contours fade; what they enclose flows out", below)
    axes = figure.subplots(3, len(CONDITIONS))
    rows = (("adaptor", adaptor, 1.0), ("test picture", picture, 1.4), ("what is seen", seen, 7.0))
    for row, (words, values, largest) in enumerate(rows):
        for ax, name, view in zip(axes[row], CONDITIONS, np.split(values, len(CONDITIONS)), strict=True):
            ax.imshow(view, cmap="gray", vmin=-largest, vmax=largest)
            plot.without_scales(ax, name.replace("_", " ") if row == 0 else "")
        axes[row, 0].set_ylabel(words)
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--flicker", type=float, default=0.1, metavar="S", help="of each color (default: 0.1)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
