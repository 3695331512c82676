"""The interface of a method of integration: its name, what it refuses and why, what it needs, how it drives a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from brnn.base.checks import choice
from brnn.base.text import closest
from brnn.errors import InputError
from brnn.integrate.stepwise import Stepwise

if TYPE_CHECKING:
    from brnn.compiler.system import System
    from brnn.integrate.driver import Driver, RunTask
    from brnn.integrate.steppers.base import Piece
    from brnn.spec.network import Network

__all__ = ["NORMS", "Method", "StepperMethod", "check_norm", "choose", "every_method", "why_by_norm"]

NORMS = ("max", "rms")

_registry: dict[str, Method] = {}  # by their names in small letters


class Method:
    """A method of integration. To write a new one, subclass it (or StepperMethod) in a new file of this folder.

    Defining a subclass that has a name registers it: `simulate` takes the name, and the command's help and the
    docstring of `simulate` list it. A file of one's own does as well, once it is imported.

    1. ``name`` and ``description``, one line, say what it is; ``purpose`` for which networks, if not for ordinary ones
       ("with white noise").
    2. ``refuses(network, until, step)`` returns why it cannot run a network in this way, or None. The one here refuses
       discrete time and white noise; delays too unless ``takes_delays``, and a step unless ``takes_step``.
    3. ``copies`` is how many vectors of the size of the state it keeps, ``matrices(size, cells)`` how many further
       numbers: what would not fit into memory is refused before it is tried.
    4. ``norms`` are those of the errors of a step that a run may ask for; the first one is its own.
    5. ``drive(task)`` returns a Driver. A method that goes from step to step need not write one: see StepperMethod.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    purpose: ClassVar[str] = ""
    order: ClassVar[int] = 100  # place in lists: the lower, the earlier; equals as they were defined
    copies: ClassVar[int] = 8
    takes_delays: ClassVar[bool] = False  # it looks only at a step's own interval
    takes_step: ClassVar[bool] = False
    takes_spikes: ClassVar[bool] = False
    norms: ClassVar[tuple[str, ...]] = NORMS[:1]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.__dict__.get("name"):
            return
        other = type(_registry.get(cls.name.lower()))
        # A file that is loaded again (or a cell of a notebook that is run again) defines the same method anew.
        if issubclass(other, Method) and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise InputError(f"{cls.__qualname__}: name = {cls.name!r}: {other.__qualname__} has this name already")
        _registry[cls.name.lower()] = cls()

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{self.name}: a method is frozen; what a run needs to remember belongs to its driver")

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Return why the method cannot run this network in this way; None if it can.

        Parameters
        ----------
        network : Network
            What it must be able to do: delays, white noise, discrete time.
        until : str
            "duration" or "steady".
        step : float or None
            The step asked for.
        """
        if network.step is not None:
            return f"discrete time with step {network.step:g}"
        if network.noisy:
            return "white noise needs a method made for it"
        if network.spiking and not self.takes_spikes:
            return "cells that fire need equal steps"
        if step is not None and not self.takes_step:
            return TAKES_NO_STEP
        if has_delays(network) and not self.takes_delays:
            return "delays need an explicit method"
        return None

    def settle(self, network: Network) -> tuple[Method, str]:
        """Return the method that will drive a run of the network, and why: itself, unless it chooses among others."""
        return self, "asked for"

    def matrices(self, size: int, cells: int) -> int:
        """Return how many numbers it keeps beside copies of the state, for so many unknowns and cells."""
        return 0

    def bytes(self, size: int, cells: int) -> int:
        """Return about how much memory a run of so many unknowns and cells takes."""
        return 8 * (self.copies * size + self.matrices(size, cells))

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time."""
        raise NotImplementedError


class StepperMethod(Method):
    """A method that goes from step to step: `Stepwise` does all the rest.

    That is break points, saved times, delays, events, rest, and an end with one line where no step can be made. A
    subclass has ``stepper(piece)``, which returns a `Stepper` (or an OdeSolver of SciPy) that stands at the start of a
    piece. ``per_period`` is how many steps it needs at least in each period of an input that swings, so that the errors
    of all periods do not add up: tried with sines of 0.1 to 2,000 periods in a time constant.
    """

    per_period: ClassVar[int] = 16

    def fits(self, system: System) -> bool:
        """Tell whether it can take over a run of a network that it does not refuse."""
        return True

    def stepper(self, piece: Piece) -> Any:
        """Return what makes the steps of this piece."""
        raise NotImplementedError

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time step by step."""
        return Stepwise(task, self)


TAKES_NO_STEP = (
    "step: only the solvers for white noise, and methods of fixed steps, take a step; "
    "the others choose it by rtol and atol"
)


def why_by_norm(norm: str) -> str:
    """Return why "auto" takes an explicit method for another norm than its own."""
    return f"auto: norm {norm}, an explicit method"


def check_norm(norm: Any, method: Method, network: Network) -> str:
    """Return the norm of the errors of a step; raise InputError if the method has no such norm."""
    without_error = network.step is not None or network.noisy
    if choice(norm, "norm", NORMS) not in method.norms or (norm != NORMS[0] and without_error):
        fit = ", ".join(other.name for other in every_method() if norm in other.norms)
        name = (method.settle(network)[0] if without_error else method).name
        raise InputError(f"norm = {norm!r}: {name} does not hold tolerances in this way; what can are {fit}")
    return str(norm)


def has_delays(network: Network) -> bool:
    """Tell whether a signal of the network travels for some time."""
    return any(projection.delay > 0 for projection in network.projections)


def every_method() -> tuple[Method, ...]:
    """Return the methods in the order in which they are listed."""
    return tuple(sorted(_registry.values(), key=lambda method: method.order))


def choose(solver: Any, network: Network, until: str, step: float | None) -> Method:
    """Return the method of this name (any case).

    Raises
    ------
    InputError
        If there is no such method, or it refuses; the line says which methods do not, or, if all do, why.
    """
    method = _registry.get(solver.lower()) if isinstance(solver, str) else None
    refusal = None if method is None else method.refuses(network, until, step)
    if method is not None and refusal is None:
        return method
    fit = [other.name for other in every_method() if other.refuses(network, until, step) is None]
    if not fit:
        if method is not None and method.takes_step and step is not None:
            raise InputError(f"solver = {solver!r}: {refusal}")
        raise InputError(str(_registry["auto"].refuses(network, until, step)))
    hint = closest(str(solver), fit) if method is None else f" ({refusal})"
    raise InputError(f"solver = {solver!r}: must be one of {', '.join(fit)}{hint}")
