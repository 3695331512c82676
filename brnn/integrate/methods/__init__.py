"""The methods of integration. A new method is one new file here: it is found and registered by itself.

Each holds the tolerances in a way that no quiet part of the network can weaken. SciPy accepts a step if the root mean
square of the scaled errors of all unknowns is below 1, so that ten active cells among 100,000 quiet ones are integrated
with a hundredth of the accuracy that was asked for. Here:

- RK45, Tsit5, RK23, DOP853, LSODA, ROS34PW2, ETD4 and the compiled integrator hold the tolerance for every unknown;
- Radau and BDF hold it for the root mean square within each block of the state (each layer, gate, weight set);
- with ``norm="rms"`` RK45, Tsit5, RK23 and DOP853 hold it for the root mean square of all unknowns, as SciPy and
  diffrax do.
"""

from __future__ import annotations

import importlib
import pkgutil
import textwrap

from brnn.integrate.methods.base import Method, StepperMethod, check_norm, choose, every_method

__all__ = ["Method", "StepperMethod", "as_list", "check_norm", "choose", "every_method", "in_words"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def in_words() -> str:
    """Return the names of the methods, by what they are for: "auto, ..., compiled; with white noise SRIW1, ..."."""
    names: dict[str, list[str]] = {}
    for method in every_method():
        names.setdefault(method.purpose, []).append(method.name)
    return "; ".join(f"{purpose} {', '.join(some)}".strip() for purpose, some in names.items())


def as_list(indent: str, width: int = 120) -> str:
    """Return the methods with their descriptions as a list for a docstring."""
    lines = []
    for method in every_method():
        text = f'- "{method.name}": {f"{method.purpose}: " if method.purpose else ""}{method.description}'
        lines.append(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=f"{indent}  "))
    return "\n".join(lines)
