"""The interface of a layer law: what its cells obey, as one function of scalars."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from brnn.base.checks import identifier, shape, spread
from brnn.base.data import Spec
from brnn.errors import SpecError

if TYPE_CHECKING:
    from brnn.signals import Signal

__all__ = ["KINDS", "Bounds", "LayerLaw"]

Bounds = tuple[float | np.ndarray, float | np.ndarray]

KINDS = ("excitatory", "inhibitory", "modulatory")  # of input; the last only onto modulated layers

_CELLS_AT_MOST = 2**40


@dataclass(frozen=True, eq=False, repr=False)
class LayerLaw(Spec):
    """A layer of cells that share one law. To write a new law, subclass it in a new file.

    1. The subclass is ``@dataclass(frozen=True, eq=False, repr=False)``; its fields are `name`, `shape`, its parameters
       and `initial`; a parameter is one number for all cells or an array of the layer's shape.
    2. ``parameters`` names, in order, the fields that `law` takes as arguments.
    3. ``law(x, exc, inh, *parameters)`` is a static function of scalars that returns dx/dt. `exc` is the whole
       excitatory input of the cell, sum_k f_k(x_k) D_ki y_ki z_ki + I_i, and `inh` the whole inhibitory input.
       Its text goes into the generated code: it may use only arithmetic and ``np.`` functions of scalars.
       A law that also takes a nonspecific input (a gain, a gate, a command) sets ``modulated = True`` and is
       ``law(x, exc, inh, mod, *parameters)``; `mod` is the sum of what arrives with ``kind="modulatory"``.
    4. ``bounds()`` returns the interval that the activities cannot leave while `exc`, `inh` and `mod` are not negative,
       or None.
    5. A law that contains signals of its own (a and b of Cohen and Grossberg) returns them from ``inner()``; their
       values at x are then the arguments of `law` after the parameters.
    6. A layer with a field ``inputs_of`` also receives all that the layer of that name does: another state of the same
       cells.
    7. A law of discrete time sets ``discrete = True``, has a field `step`, and returns x(t + step).
    8. ``__post_init__`` validates with `_check_common` and the functions of brnn.base.checks.
    """

    name: str
    shape: tuple[int, ...]

    needs: ClassVar[tuple[str, ...]] = ("law",)
    parameters: ClassVar[tuple[str, ...]] = ()
    units: ClassVar[str] = "1"
    signed_input: ClassVar[bool] = False  # whether negative weights and inputs have a meaning
    law: ClassVar[Callable[..., Any]]
    discrete: ClassVar[bool] = False  # whether `law` returns x one step later instead of dx/dt
    levels_only: ClassVar[bool] = False  # whether its activities are a few levels, between which `law` jumps
    spiking: ClassVar[bool] = False  # whether its cells fire, which needs equal steps
    random_spikes: ClassVar[bool] = False  # whether they do at random
    modulated: ClassVar[bool] = False  # whether `law` takes a modulatory input, too

    @property
    def step(self) -> float:
        """Step of time; a field of discrete layers."""
        raise NotImplementedError

    @property
    def receives(self) -> tuple[str, ...]:
        """The layers whose inputs its cells receive: itself, and the one that a field `inputs_of` names."""
        other = getattr(self, "inputs_of", None)
        return (self.name,) if other is None else (str(other), self.name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of input that the law takes, in the order of its arguments."""
        return KINDS if self.modulated else KINDS[:2]

    def inner(self) -> dict[str, Signal]:
        """Return the signals that are part of the law; `law` takes their values at x after the parameters."""
        return {}

    def bounds(self) -> Bounds | None:
        """Return (lowest, highest) activity for inputs that are not negative, or None if there is no bound."""
        return None

    def accepts_signed_input(self) -> bool:
        """Tell whether negative weights and inputs have a meaning for this layer."""
        return self.signed_input

    def start(self, quantity: str, size: int) -> np.ndarray:
        """Return the state `quantity` at time 0, flat."""
        return np.array(np.broadcast_to(np.ravel(getattr(self, "initial", 0.0)), size), dtype=np.float64)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def label(self) -> str:
        """How error messages call the layer."""
        return f"{type(self).__name__} '{self.name}'"

    def _check_common(self, initial: Any, *, minimum: float | None = None) -> None:
        """Validate name, shape and initial activities."""
        name = identifier(self.name, f"{type(self).__name__}: name")
        where = f"{type(self).__name__} '{name}'"
        sizes = shape(self.shape, f"{where}: shape")
        if math.prod(sizes) > _CELLS_AT_MOST:
            raise SpecError(
                f"{where}: shape = {sizes}: {math.prod(sizes):.3g} cells would need "
                f"{math.prod(sizes) * 8 / 1e9:.3g} GB for one copy of their activities"
            )
        self._set(name=name, shape=sizes)
        self._set(initial=spread(initial, f"{where}: initial", sizes, minimum=minimum))
