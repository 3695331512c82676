"""Run benchmarks: ``python -m benchmarks [NAME ...] [-o FOLDER] [--quick] [--beside PYTHON]``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    continuation,
    errors,
    explore,
    field,
    fitting,
    grid_cells,
    heading,
    learning,
    noise,
    single_run,
    startup,
    stiff_sweep,
    sweep,
    targets,
)  # fmt: skip
from benchmarks.measure import write

BENCHMARKS = {
    "single_run": single_run,
    "sweep": sweep,
    "stiff_sweep": stiff_sweep,
    "noise": noise,
    "field": field,
    "heading": heading,
    "learning": learning,
    "fitting": fitting,
    "continuation": continuation,
    "grid_cells": grid_cells,
    "startup": startup,
    "explore": explore,
    "errors": errors,
    "targets": targets,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen benchmarks, print their tables and, with -o, write NAME.json and NAME.png."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="write JSON and PNG files there")
    parser.add_argument("--quick", action="store_true", help="small sizes and few repetitions: does it work?")
    parser.add_argument("--beside", metavar="PYTHON", help="startup: of another environment, whose brnn takes turns")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"no benchmark is called {name!r}; there are {', '.join(BENCHMARKS)}")
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or BENCHMARKS:
        module = BENCHMARKS[name]
        also = {"beside": options.beside} if module is startup else {}
        report = module.run(quick=options.quick, **also)
        print(module.summary(report), flush=True)
        if options.output is not None:
            write(options.output / f"{name}.json", report)
            module.draw(report, options.output / f"{name}.png")
            print(f"wrote {options.output / f'{name}.png'}")


if __name__ == "__main__":
    main()
