"""The method that chooses a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brnn.compiler.layout import state_size
from brnn.integrate.methods.base import NORMS, Method, StepperMethod, has_delays, why_by_norm
from brnn.integrate.methods.discrete import Map
from brnn.integrate.methods.equal_steps import Euler
from brnn.integrate.methods.explicit import RK45, CompiledPair
from brnn.integrate.methods.exponential import ETD4
from brnn.integrate.methods.implicit import LSODA
from brnn.integrate.methods.rosenbrock import ROS34PW2, ROS34PW2Totals
from brnn.integrate.methods.stochastic import SRIW1
from brnn.integrate.methods.tsitouras import Tsit5
from brnn.integrate.stepwise import Stepwise
from brnn.integrate.weights import by_factors

if TYPE_CHECKING:
    from brnn.integrate.driver import Driver, RunTask
    from brnn.spec.network import Network

__all__ = ["Auto", "explicit_for"]

_LSODA_AT_MOST = 256  # unknowns where it begins; its Jacobian is dense and its history costs O(n^2) to read
_STIFF_LSODA = 2_000  # unknowns up to which that is nevertheless the method for what proves to be stiff
_STIFF_CELLS = 2_000  # cells up to which ROS34PW2 is: its matrix is one of the cells alone
_TOTALS_FROM = 500  # unknowns from which its steps, where cells meet in totals alone, are cheaper than with a matrix
_LARGE_LOOK = 25  # steps between looks at whether a larger network is stiff: its evaluations cost more than a look,
_LARGE_WORTH = 1.5e6  # and so many steps times unknowns must be left (ETD4 may have to be compiled),
_LARGE_STEPS = 100  # and so many steps: ETD4 needs some, too
_EVENTS_WORTH = 1 / 4  # with events, steps that must be left for each element of a matrix, made anew after each event


_EVENTS_FROM = 1e-8  # of rtol: events are found between the steps of RK45, whose interpolant is of order 4
_IN_TOTALS = ROS34PW2Totals()  # in the place of matrices, and where ETD4 is held up by what totals over cells do
_ONE_BY_ONE = LSODA()  # where Python looks at each step, few steps are what counts


class Auto(Method):
    """Chooses by the kind and the size of the network, and may change its mind during the run."""

    name = "auto"
    description = (
        f"Tsit5, which gives way to LSODA (up to {_STIFF_LSODA} unknowns), ROS34PW2 (up to {_STIFF_CELLS} cells) or "
        f"ETD4 where the network proves to be stiff, and to ROS34PW2-totals (above {_TOTALS_FROM} unknowns) where that "
        "serves better; "
        f"LSODA up to {_LSODA_AT_MOST} unknowns until rest, and with events if rtol is below {_EVENTS_FROM:g}; "
        "RK45 with delays or events, and where weights are integrated by factors; Euler where cells fire; "
        "SRIW1 with white noise; the map in discrete time"
    )
    order = 0
    norms = NORMS

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Return what the method that it chooses has against it."""
        return self.settle(network)[0].refuses(network, until, step)

    def settle(self, network: Network) -> tuple[Method, str]:
        """Return the method that begins, and why."""
        if network.step is not None:
            return Map(), f"auto: discrete time with step {network.step:g}"
        if network.noisy:
            return SRIW1(), "auto: white noise, strong order 1.5"
        if network.spiking:
            return Euler(), "auto: cells that fire, in equal steps"
        if has_delays(network):
            return RK45(), "auto: delays need an explicit method"
        size = state_size(network)
        if size > _LSODA_AT_MOST:
            return explicit_for(network), f"auto: {size} unknowns, an explicit method costs O(n) a step"
        return explicit_for(network), "auto: an explicit method in compiled code, unless the network proves to be stiff"

    def drive(self, task: RunTask) -> Driver:
        """Return what the method that begins returns; one for stiff networks may take over from an explicit one."""
        network = task.system.network
        method, why = self.settle(network)
        if task.norm != NORMS[0]:
            method, why = explicit_for(network), why_by_norm(task.norm)
        elif isinstance(method, CompiledPair) and not has_delays(network) and task.system.size <= _LSODA_AT_MOST:
            if task.until_steady:
                method, why = _ONE_BY_ONE, f"auto: {task.system.size} unknowns until rest, LSODA takes few steps"
            elif network.events and task.rtol < _EVENTS_FROM:
                method, why = _ONE_BY_ONE, f"auto: {task.system.size} unknowns and events, found to rtol {task.rtol:g}"
        if isinstance(method, CompiledPair) and task.kept is not None and task.kept.facts.get("method") == RK45.name:
            method = RK45()  # as it began, with an older brnn
        driver = method.drive(task)
        driver.reason = driver.reason.replace("asked for", why, 1)
        if (
            isinstance(driver, Stepwise)
            and isinstance(method, CompiledPair)
            and not task.system.delays
            and task.norm == NORMS[0]
            and not any(schedule.per_cell for schedule in network.schedules)  # which no long steps could follow
        ):
            size, cells = task.system.size, sum(layer.cells for layer in task.system.network.layers)
            driver.successors = _for_stiff(size, cells)
            driver.rows = size if size <= _STIFF_LSODA else cells if cells <= _STIFF_CELLS else 0
            in_totals = size > _TOTALS_FROM and _IN_TOTALS.refuses(network, "duration", None) is None
            if in_totals and cells <= _STIFF_CELLS:
                driver.successors, driver.rows = (_IN_TOTALS, *driver.successors), 0
            elif in_totals:
                driver.successors += (_IN_TOTALS,)
            if cells > _STIFF_CELLS:
                driver.look, driver.worth = _LARGE_LOOK, max(_LARGE_STEPS, _LARGE_WORTH / size)
            elif network.events:
                driver.least = _EVENTS_WORTH * driver.rows**2
        return driver


def explicit_for(network: Network) -> CompiledPair:
    """Return the explicit method for a network.

    Tsit5 takes fewer steps. RK45 has delays and weights by factors; and the coefficients of its interpolant are a tenth
    of the other's, so that states within a step, where events are found, are nearer to the last bit.
    """
    return RK45() if has_delays(network) or network.events or by_factors(network)[0] else Tsit5()


def _for_stiff(size: int, cells: int) -> tuple[StepperMethod, ...]:
    """Return the methods for a network that turned out to be stiff, the best first."""
    methods = ((LSODA(), size <= _STIFF_LSODA), (ROS34PW2(), cells <= _STIFF_CELLS), (ETD4(), cells > _STIFF_CELLS))
    return tuple(method for method, fits in methods if fits)
