"""Which shapes fade when contours were adapted: conditions with an adapted shape beside another one.

Two shapes stand beside each other; of the left one some contours flicker first. Fading follows the contours that were
adapted: a shape with its outline, or with one side of it, fades into the ground, and one whose adaptor had another size
stays; two halves mix when the border between them was adapted; of a square on a square the outer one fades and the
inner one stays, or the other way round; a ring flows out, or into its hole. It does not matter what makes the contour:
a ground that flickers, a square of the same size, quarters whose colors are reversed at it, lines that end there. In
White's illusion a grey patch on a dark bar takes on the light of the bar, or of the bars beside it.

Reproduces: the names of conditions of G. Francis and J. Kim, Vision Research 62, 181-191 (2012), and the directions of
their results, which follow from S. Grossberg's FACADE theory. The geometry is ours, in pictures of fewer pixels;
`fading_contours.py` has the condition "Crosses" with its numbers. flickering_ground, solid_square and reversed_quarters
are the experiments of A. E. Robinson and V. R. de Sa (2013, 2012). That lines which end at an outline are enough
("prediction") is what this network does; a published result of it is not known to us.
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
    names = tuple(name for name in CONDITIONS if name in options.only)
    if options.flicker <= 0.0:
        raise brnn.InputError(f"--flicker {options.flicker:g}: must be > 0")
    picture, adaptor = (np.vstack([condition(name)[k] for name in names]) for k in (0, 1))
    network = contour_adaptation.build(picture, adaptor, adapt=ADAPT, shown=0.2, flicker=options.flicker)
    network = network.replace(name="fading_conditions")
    result = simulate(network, options, times=np.linspace(0.0, ADAPT + 0.2, 62), dtype="float32", rtol=1e-4, atol=1e-6)
    parts = [np.asarray(result.final(name)) for name in ("luminance", "dipole_h", "dipole_v")]
    seen = contour_adaptation.surface(*parts)
    rows = []
    for name, view in zip(names, np.split(seen, len(names)), strict=True):
        for words, holds in outcomes(name, view):
            rows.append(Comparison.exact(1, int(holds), f"{name}: {words}"))
    return Outcome(rows, lambda: draw(names, picture, adaptor, seen), result)


def draw(names: tuple[str, ...], picture: np.ndarray, adaptor: np.ndarray, seen: np.ndarray) -> Figure:
    """Draw adaptor, picture and surface of each condition, six beside each other."""
    plot = brnn.plot
    below = "directions after Francis and Kim (2012), geometry ours"
    wide, blocks = min(len(names), 6), -(-len(names) // 6)
    title = "Adapted contours fade; what they enclose flows out"
    figure = plot.new_figure(13.0, 1.0 + 3.2 * blocks, title, below)
    axes = figure.subplots(3 * blocks, wide, squeeze=False)
    rows = (
        ("adaptor", adaptor, 1.0, "gray"),
        ("test picture", picture, 1.4, "gray"),
        ("what is seen", seen, 7.0, "RdBu_r"),
    )
    for row, (words, values, largest, cmap) in enumerate(rows):
        for k, view in enumerate(np.split(values, len(names))):
            ax = axes[3 * (k // wide) + row, k % wide]
            ax.imshow(view, cmap=cmap, vmin=-largest, vmax=largest)
            plot.without_scales(ax, names[k].replace("_", " ") if row == 0 else "")
            if k % wide == 0:
                ax.set_ylabel(words)
    for ax in axes.flat[::-1]:
        if not ax.has_data():
            ax.set_axis_off()
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--only", nargs="+", choices=CONDITIONS, default=CONDITIONS, metavar="NAME",
                        help=f"some of {', '.join(CONDITIONS)} (default: all)")  # fmt: skip
    parser.add_argument("--flicker", type=float, default=0.1, metavar="S", help="of each color (default: 0.1)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
