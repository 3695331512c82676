"""Explicit Runge-Kutta methods, compiled pairs and those of SciPy, with the tolerance held for every single unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from brnn.ensemble.arrays import PER_PERIOD
from brnn.integrate.methods.base import NORMS, StepperMethod
from brnn.integrate.sides import look_up
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.blocks import BlockedPairStepper
from brnn.integrate.steppers.pair_stepper import PairStepper
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import Pair
from brnn.integrate.weights import by_factors

if TYPE_CHECKING:
    from brnn.compiler.system import System
    from brnn.integrate.driver import Driver, RunTask

__all__ = ["DOP853", "RK23", "RK45", "CompiledPair", "goes_in_blocks"]

_FUSE_FROM = 16_384  # unknowns; below, everything is in the cache anyway
_IN_BLOCKS = 5_000  # unknowns from which blocks are worth their passes, where cells meet in totals alone
_FIELD_IN_BLOCKS = 2_000  # and where they meet in convolutions by FFT, too
_LARGE = 500_000  # unknowns; below, threads cost more than they gain


def goes_in_blocks(piece: Piece) -> bool:
    """Tell whether a network is large enough for passes over blocks, which do not come back where an event may be."""
    size, system = piece.state.size, piece.system
    if piece.sided or system.network.events or size < _FIELD_IN_BLOCKS or system.in_blocks is None:
        return False
    return system.in_blocks.room > 0 or size >= _IN_BLOCKS


class _Explicit(StepperMethod):
    order = 10
    takes_delays = True
    norms = NORMS
    per_period = PER_PERIOD

    def stepper(self, piece: Piece) -> Any:
        """Return SciPy's solver, for many unknowns the one whose passes over the memory are fused."""
        kinds: Any
        if piece.norm == "rms":
            from scipy import integrate

            kinds = {name: getattr(integrate, name) for name in ("RK23", "RK45", "DOP853")}
        elif piece.state.size >= _FUSE_FROM:
            from brnn.integrate.steppers.fused import KINDS as kinds
        else:
            from brnn.integrate.steppers.maximum_norm import KINDS as kinds

        return kinds[self.name](
            piece.fun, piece.start, piece.state, piece.stop, rtol=piece.rtol, atol=piece.atol, max_step=piece.longest
        )


class CompiledPair(_Explicit):
    """A pair in compiled code. To write a new one, give it `pair`, and what every method has."""

    pair: ClassVar[Pair]
    copies = 14

    def stepper(self, piece: Piece) -> Any:
        """Return what makes many steps in one call."""
        if piece.sided:
            return PairStepper(piece, self.pair)
        if goes_in_blocks(piece):
            return BlockedPairStepper(piece, self.pair)
        if piece.state.size >= _LARGE:
            from brnn.integrate.steppers.large import Large

            return Large(piece, self.pair)
        return PairStepper(piece, self.pair)

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time step by step, and say how weights are integrated."""
        driver = super().drive(task)
        factors, why = by_factors(task.system.network)
        driver.reason += "; weights stage by stage" if factors and not self._takes_factors(task.system) else why
        return driver

    def _takes_factors(self, system: System) -> bool:
        """Tell whether weights are integrated by factors where that can be."""
        return False


class RK45(CompiledPair):
    """The pair of Dormand and Prince, in compiled code unless signals travel for some time."""

    name = "RK45"
    description = "explicit, order 5 (Dormand and Prince), in compiled code"
    pair = DORMAND_PRINCE

    def stepper(self, piece: Piece) -> Any:
        """Return what makes many steps in one call; SciPy's solver where each evaluation looks into the past."""
        if piece.fun.lags:
            return _Explicit.stepper(self, piece)
        if not piece.sided and by_factors(piece.system.network)[0]:
            from brnn.integrate.steppers.affine_weights import AffineWeights

            return AffineWeights(piece)
        return super().stepper(piece)

    def _takes_factors(self, system: System) -> bool:
        return not look_up(system)[0]


class RK23(_Explicit):
    """The pair of Bogacki and Shampine."""

    name = "RK23"
    description = "explicit, order 3 (Bogacki and Shampine), for coarse tolerances"
    copies = 10


class DOP853(_Explicit):
    """The method of Hairer, Nørsett and Wanner."""

    name = "DOP853"
    description = "explicit, order 8 (Hairer, Nørsett and Wanner), for fine tolerances"
    copies = 28
