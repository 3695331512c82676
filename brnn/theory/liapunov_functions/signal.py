"""What theory asks of a signal function."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["SignalFunction"]


class SignalFunction(Protocol):
    """A signal f: callable on numbers and arrays, with its derivative, its hill function and its shape.

    The signals of `brnn.signals` satisfy it, and so does anything else with these four methods.
    """

    def __call__(self, w: Any) -> Any:
        """Return f(w)."""
        ...

    def derivative(self, w: Any) -> Any:
        """Return f'(w)."""
        ...

    def hill(self, w: Any) -> Any:
        """Return h(w) = f(w)/w, with its limit at 0."""
        ...

    def shape(self, w_max: float) -> str:
        """Return linear, faster-than-linear, slower-than-linear, sigmoid or mixed, for 0 <= w <= w_max."""
        ...
