"""Add the factors of modulated projections to the right-hand side."""

from __future__ import annotations

from brnn.compiler.program import Program, SentSignals
from brnn.compiler.statements import CodeExpression, Index
from brnn.spec.projection import Projection

__all__ = ["modulating_factor"]

_I = Index("i")  # the cell whose factor it is


def modulating_factor(program: Program, projection: Projection, signals: SentSignals) -> CodeExpression:
    """Return the factor of cell i, base + gain h(m).

    Parameters
    ----------
    program : Program
        To which its numbers are added.
    projection : Projection
        With a modulation.
    signals : SentSignals
        h(m) of the layer that modulates.
    """
    modulation, name = projection.modulation, projection.name
    assert modulation is not None
    base = program.number(f"factor_base_{name}", modulation.base)
    gain = program.number(f"factor_gain_{name}", modulation.gain)
    return base + gain * (signals.total if modulation.at == "total" else signals.array[_I])
