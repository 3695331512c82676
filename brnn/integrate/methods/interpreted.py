"""The explicit method without compiled code: for one short run in a new process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.compiler import compile_network
from brnn.compiler.layout import state_size
from brnn.integrate.methods.auto import Auto, explicit_for
from brnn.integrate.methods.base import StepperMethod
from brnn.integrate.methods.explicit import CompiledPair
from brnn.integrate.steppers.interpreted import NumPySteps, slope_of
from brnn.integrate.stepwise import Stepwise
from brnn.integrate.succession import LOOK_STEPS

if TYPE_CHECKING:
    from brnn.integrate.driver import Driver, RunTask
    from brnn.integrate.steppers.base import Piece
    from brnn.spec.network import Network

__all__ = ["Interpreted"]

_AT_MOST = 1000  # unknowns


class Interpreted(StepperMethod):
    """The explicit method of "auto" in NumPy; after some steps what "auto" takes, in compiled code."""

    name = "interpreted"
    description = (
        f"Tsit5 without compiled code for {LOOK_STEPS} steps, then as auto: for one short run in a new process; "
        f"`brnn run` takes it for up to {_AT_MOST:,} unknowns, if cells only need each other's total"
    )
    order = 39
    per_period = CompiledPair.per_period
    copies = CompiledPair.copies

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse what is not made of loops over cells, or has something to be looked at after each step."""
        refusal = super().refuses(network, until, step)
        if refusal is not None:
            return refusal
        if network.events or until != "duration":
            return "without compiled code it takes neither events nor runs until rest"
        if state_size(network) > _AT_MOST:
            return f"without compiled code it takes up to {_AT_MOST:,} unknowns"
        return None if _runs(network) else "the network needs compiled code"

    def settle(self, network: Network) -> tuple[Interpreted, str]:
        """Return itself, and why."""
        return self, "the run is expected to be over before compiled code is loaded"

    def stepper(self, piece: Piece) -> Any:
        """Return what makes its steps."""
        slope = slope_of(piece.system)
        assert slope is not None  # else the network is refused
        return NumPySteps(piece, slope, explicit_for(piece.system.network).pair)

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time, and goes on as "auto" would."""
        driver = Auto().drive(task)
        assert isinstance(driver, Stepwise)
        assert isinstance(driver.method, CompiledPair)
        driver.method, driver.then, driver.reason = self, driver.method, self.settle(task.system.network)[1]
        return driver


def _runs(network: Network) -> bool:
    """Tell whether du/dt can be had without compiled code."""
    system = compile_network(network)
    slope = slope_of(system)
    if slope is None or system.jumps:
        return False
    fun, u = system.rhs(0.0), system.initial_state()
    try:
        with np.errstate(all="ignore"):
            slope(0.0, u, np.empty_like(u), *fun.arguments)
    except Exception:  # a law of the user's that is written for one number at a time
        return False
    return True
