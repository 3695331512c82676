"""What the simulation scripts share: their command line, how they end, and the parts of their networks."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

import brnn
from brnn.base.paths import check_target
from brnn.claims import Comparison, table
from brnn.cli.outputs import RESULTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Outcome", "Parser", "command_line", "competitive_field", "execute", "simulate"]


@dataclass
class Outcome:
    """What a simulation found.

    Attributes
    ----------
    rows : list of Comparison
        Predicted beside measured.
    draw : callable
        Makes the figure; called only if one was asked for.
    result : Result
        The run that `-o` keeps.
    notes : tuple of str
        Lines printed under the table.
    """

    rows: list[Comparison]
    draw: Callable[[], Figure]
    result: Any
    notes: tuple[str, ...] = ()


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print the message and leave."""
        self.exit(2, f"{self.prog}: {message} (--help shows what is allowed)\n")


def command_line(text: str | None, *, sweeps: bool = False) -> Parser:
    """Return a parser with the options that every script has, and the script's docstring as its help.

    A script that `sweeps` writes the members of a sweep into its file one by one, and goes on with them after a stop.
    """
    parser = Parser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", metavar="FILE.h5", help="keep the run in this HDF5 file")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the figure into this file (.png, .pdf, .svg ...)")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    if sweeps:
        parser.add_argument("--resume", action="store_true", help="go on with the sweep in the file of -o")
    return parser


def execute(parser: Parser, argv: Sequence[str] | None, experiment: Callable[[argparse.Namespace], Outcome]) -> int:
    """Run a script and return its exit code: 0 if every prediction holds, 1 if one fails, 2 if the input was wrong.

    Ctrl-C gives 130 and one line, which says what of a sweep is kept.
    """
    options = parser.parse_args(argv)
    started = time.perf_counter()
    try:
        _check_outputs(options)
        outcome = experiment(options)
        print(table(outcome.rows))
        for note in outcome.notes:
            print(note)
        if options.plot:
            brnn.plot.save(outcome.draw(), options.plot, force=options.force)
        if options.output:
            outcome.result.close()
    except KeyboardInterrupt as stopped:
        print("; ".join([f"{parser.prog}: interrupted", *getattr(stopped, "__notes__", ())]), file=sys.stderr)
        return 130
    except brnn.IntegrationError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except brnn.BrnnError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    passed = sum(row.passed for row in outcome.rows)
    seconds = time.perf_counter() - started
    written = [str(path) for path in (options.output, options.plot) if path]
    print(
        f"\n{passed} of {len(outcome.rows)} predictions hold ({seconds:.1f} s)"
        + (f"; wrote {', '.join(written)}" if written else "")
    )
    return 0 if passed == len(outcome.rows) else 1


def _check_outputs(options: argparse.Namespace) -> None:
    """Refuse files that could not be written before anything is computed."""
    resume = getattr(options, "resume", False)
    if resume and not options.output:
        raise brnn.InputError("--resume: needs -o FILE.h5, the file to go on with")
    if options.plot:
        check_target(options.plot, options.force, option="--plot", suffixes=brnn.plot.SUFFIXES)
    if options.output:
        check_target(options.output, options.force or resume, option="-o", suffixes=RESULTS)


def simulate(
    network: brnn.Network,
    options: argparse.Namespace | None = None,
    *,
    dtype: Literal["float64", "float32"] = "float64",
    **arguments: Any,
) -> Any:
    """Run a network with the accuracy that the tables need, recorded into the file of `-o` if there is one."""
    path, force = (options.output, options.force) if options is not None else (None, False)
    record = brnn.Record(path=path, force=force, dtype=dtype)
    return brnn.simulate(network, record=record, **{"rtol": 1e-9, "atol": 1e-12, **arguments})


def competitive_field(
    name: str, A: float, B: float, signal: brnn.Signal, *, initial: Any = 0.0, shape: Any = None
) -> tuple[brnn.Layer, list[brnn.Projection]]:
    """Return the parts of a recurrent competitive field (21): a layer, its on-center and its off-surround."""
    layer = brnn.Layer.shunting(name, np.shape(initial) if shape is None else shape, A=A, B=B, initial=initial)
    center = brnn.Projection(name, name, "excitatory", signal, brnn.OneToOne())
    surround = brnn.Projection(name, name, "inhibitory", signal, brnn.AllButSelf())
    return layer, [center, surround]
