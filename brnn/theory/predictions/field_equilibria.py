"""Every equilibrium of a field (21) without inputs, provably all: `brnn.theory.every_equilibrium`, on a Network."""

from __future__ import annotations

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.theory.every_equilibrium import FieldEquilibrium, every_equilibrium
from brnn.theory.predictions.base import Prediction, Unmet, constant_phases
from brnn.theory.predictions.competitive_field import CompetitiveField

__all__ = ["field_equilibria"]

_NAME = "a competitive field whose equilibria are all known"
_AT_MOST = 30  # cells: of more the list is long
_LISTED = 12  # kinds of equilibria in words
_NEUTRAL = 1e-9  # of the decay rate


def field_equilibria(network: Network) -> list[Prediction] | Unmet:
    """Give all equilibria that a field has after its last input, with their stability and how often each is there."""
    field = CompetitiveField.of(network)
    if isinstance(field, Unmet):
        return Unmet(_NAME, field.hypothesis)
    last = list(constant_phases(network))[-1]
    if any(values.any() for values in last.inputs.values()):
        return Unmet(_NAME, "no inputs at the end")
    if field.v != 1.0:
        return Unmet(_NAME, "recurrent inhibition v = 1, as in (21)")
    if field.cells > _AT_MOST:
        return Unmet(_NAME, f"at most {_AT_MOST} cells (brnn.theory.every_equilibrium takes 200)")
    try:
        found = every_equilibrium(field.A, field.B, field.signal, field.cells)
    except InputError:
        return Unmet(_NAME, "the signal w^n with n > 1, w/(F + w) or w^2/(F^2 + w^2)")
    order = {id(one): (_rising(one, field.A), _neutral(one, field.A), -float(one.state.sum())) for one in found}
    found = tuple(sorted(found, key=lambda one: order[id(one)]))
    count = sum(one.copies for one in found)
    lines = [f"{count}, and no others" if count > 1 else "1, and no other"]
    lines += [_in_words(one, field.A) for one in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"... and {len(found) - _LISTED} more kinds: brnn.theory.every_equilibrium lists them")
    return [
        Prediction(
            "equilibria",
            count,
            "\n".join(lines),
            "no inputs after the last change",
            "two levels at most: h(x) = const; derived in brnn.theory.every_equilibrium",
            (last.start, last.stop),
            {"equilibria": found},
        )
    ]


def _rising(one: FieldEquilibrium, A: float) -> int:
    """Return in how many directions disturbances grow."""
    return int((one.eigenvalues > _NEUTRAL * A).sum())


def _neutral(one: FieldEquilibrium, A: float) -> bool:
    """Tell whether some disturbance neither grows nor dies out to first order."""
    return bool((np.abs(one.eigenvalues) <= _NEUTRAL * A).any())


def _in_words(one: FieldEquilibrium, A: float) -> str:
    rising = _rising(one, A)
    kind = "unstable node" if rising == one.state.size else f"saddle ({rising} unstable)"
    if not rising:
        kind = "neutral" if _neutral(one, A) else "stable node"
    others = f" (and {one.copies - 1} more: other cells)" if one.copies > 1 else ""
    return f"{kind}, growth rate {one.eigenvalues[0]:.5g}: {pattern_in_words(one.state)}{others}"
