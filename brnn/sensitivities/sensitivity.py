"""How a run depends on parameters: `sensitivity`."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import choice, number
from brnn.base.named import says_what_is_meant
from brnn.errors import InputError
from brnn.integrate.times import saved_times, whole_steps
from brnn.result.columns import Column, columns
from brnn.sensitivities.adjoint import AdjointRun
from brnn.sensitivities.arguments import Arguments
from brnn.sensitivities.forward import SOLVERS, ForwardRun
from brnn.sensitivities.parameters import Parameters
from brnn.spec.durations import natural_duration

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Sensitivity", "sensitivity"]

_FORWARD = 30  # parameters up to which the derivatives of trajectories are cheap
_MOST = 20_000  # states by which a loss is differentiated one by one
_STEP = 1e-100

States = dict[str, np.ndarray]
Loss = Callable[[States], Any]


@dataclass(frozen=True, repr=False)
class Sensitivity:
    """The derivatives of a run; `sensitivity` returns it.

    ``found["rcf.x"]`` is the derivative of that variable by every parameter, an array with the axes ``parameter`` and
    `time` first.

    Attributes
    ----------
    parameters : tuple of str
        Names of the parameters.
    values : ndarray
        Their values.
    states : xarray.Dataset
        The run itself.
    derivatives : xarray.Dataset or None
        Of each variable by each parameter; None in the mode "adjoint".
    value : float or None
        The loss, if one was given.
    gradient : xarray.DataArray or None
        Its derivative by each parameter.
    mode : str
        "forward" or "adjoint".
    steps : int
        How many steps the integration took.
    seconds : float
        How long all of it took.
    """

    parameters: tuple[str, ...]
    values: np.ndarray
    states: xr.Dataset = field(compare=False)
    derivatives: xr.Dataset | None = field(compare=False)
    value: float | None
    gradient: xr.DataArray | None = field(compare=False)
    mode: str
    steps: int
    seconds: float

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return the derivative of a variable."""
        if self.derivatives is None:
            raise InputError(
                "the adjoint gives the gradient of the loss alone; mode='forward' has those of trajectories"
            )
        if name not in self.derivatives:
            raise InputError(f"'{name}' is no variable (there is {', '.join(map(str, self.derivatives))})")
        return self.derivatives[name]

    def __repr__(self) -> str:
        lines = [f"<brnn.Sensitivity: {self.mode}, {len(self.parameters)} parameters, {self.steps} steps>"]
        if self.gradient is not None:
            lines.append(f"loss {self.value:.8g}")
        slopes = np.full(len(self.parameters), np.nan) if self.gradient is None else self.gradient.values
        for name, value, slope in list(zip(self.parameters, self.values, slopes, strict=True))[:20]:
            lines.append(f"  {name} = {value:.6g}" + ("" if self.gradient is None else f"   derivative {slope:.8g}"))
        if len(self.parameters) > 20:
            lines.append(f"  ... and {len(self.parameters) - 20} others")
        return "\n".join(lines)


@says_what_is_meant
def sensitivity(
    build: Any,
    wrt: Sequence[str] | Mapping[str, Any],
    loss: Loss | None = None,
    duration: float | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    times: Any = None,
    mode: str = "auto",
    solver: str = "auto",
    rtol: float = 1e-8,
    atol: float = 1e-10,
) -> Sensitivity:
    """Return the exact derivatives of a run by parameters, and the gradient of a number that is computed from it.

    Parameters
    ----------
    build : Network, callable, str or module
        A network, a model or a function that builds one, as in `brnn.sweep`.
    wrt : sequence of str, or mapping of str to value
        The parameters, by the dotted names of sweeps: ``"rcf.A"``, ``"rcf.initial.3"``, ``"input.pattern"`` of a
        network, ``"A"``, ``"signal.half"`` of a model. One that is an array stands for all of its elements. A mapping
        also sets their values.
    loss : callable, optional
        ``loss(states)`` returns a number, or it and its derivatives by the states; `states` are arrays with `time`
        first, by the names of the variables, ``{"rcf.x": ...}``. Of a number alone the derivatives are taken by complex
        steps, so that it must be made of smooth functions.
    duration, times : optional
        As for `brnn.simulate`.
    settings : mapping, optional
        Values of other parameters, by dotted name.
    mode : {"auto", "forward", "adjoint"}
        "forward" integrates the derivatives together with the states: their cost grows with the parameters.
        "adjoint" runs once and then reads the steps backward: the gradient of the loss at one cost, however many
        parameters there are. "auto" takes the second for a loss of more than 30 parameters.
    solver : str
        Of the mode "forward": RK45 in compiled code ("auto", which gives way to LSODA where a small network is stiff,
        and is DOP853 with delays), or one of SciPy. The adjoint is that of RK45, or with delays of DOP853. Discrete
        time has steps of its own.
    rtol, atol : float
        Tolerances, of the derivatives too.

    Returns
    -------
    Sensitivity
        Labelled derivatives.

    Raises
    ------
    InputError, SpecError
        If a parameter is none of the network, or has no derivative: a size, a text, a threshold at which something
        jumps. Networks with white noise are refused, and events that come when a state crosses a threshold.
    IntegrationError
        If the run fails.

    Notes
    -----
    Inputs that jump, and events (`AtTimes`, `PhaseBegins`), at times that are parameters, are crossed exactly. At a
    saved time that is such a time the derivative is that of the state before an input jumps, and of that after an
    event. At a corner of a signal it is that from the right. Delays may be parameters (``"loop.delay"``); those of
    projections that come from one layer and are equally long only together, by a function that builds the network.

    Examples
    --------
    >>> network = brnn.models.rcf.build(n=3)
    >>> found = brnn.sensitivity(network, ["rcf.A", "rcf.initial"], lambda states: (states["rcf.x"][-1] ** 2).sum())
    >>> found["rcf.x"], found.gradient
    """
    began = clock.perf_counter()
    parameters = Parameters(build, wrt, settings)
    choice(mode, "mode", ("auto", "forward", "adjoint"))
    choice(solver, "solver", SOLVERS)
    rtol, atol = number(rtol, "rtol", minimum=1e-13, maximum=1.0), number(atol, "atol", above=0.0)
    network = parameters.network(parameters.start)
    length = natural_duration(network) if duration is None else number(duration, "duration", above=0.0)
    if network.step is None:
        saved = saved_times(times, length)
    else:
        length = max(1, round(length / network.step)) * network.step
        saved = whole_steps(times, network.step, length)
    if mode == "auto":
        mode = "forward" if loss is None or parameters.start.size <= _FORWARD else "adjoint"
    if mode == "adjoint" and loss is None:
        raise InputError("mode = 'adjoint': needs a loss, whose gradient it gives")
    if mode == "adjoint" and solver not in ("auto", "RK45"):
        raise InputError(
            f"solver = {solver!r}: the adjoint has a solver of its own; mode='forward' takes other solvers"
        )
    arguments = Arguments(parameters, length)
    slopes = arguments.slopes(parameters.start)
    variables = columns(arguments.own.system.variables)
    dependence = _Dependence(loss, variables)
    run: ForwardRun | AdjointRun
    if mode == "forward":
        run = ForwardRun(arguments)
        scale = np.where(parameters.start == 0.0, 1.0, np.abs(parameters.start))
        states, tangents = run.run(arguments.first, slopes, scale, saved, rtol=rtol, atol=atol, solver=solver)
        value, gradient = (None, None) if loss is None else dependence.along(states, tangents)
        derivatives = _dataset(np.moveaxis(tangents, 2, 0), saved, variables, network.time_units, parameters.names)
    else:
        run = AdjointRun(arguments)
        states, value, gradient = run.run(arguments.first, slopes, saved, dependence.by_states, rtol=rtol, atol=atol)
        derivatives = None
    return Sensitivity(
        parameters.names,
        parameters.start,
        _dataset(states, saved, variables, network.time_units),
        derivatives,
        value,
        None if gradient is None else _labelled(gradient, parameters.names),
        mode,
        run.steps,
        clock.perf_counter() - began,
    )


class _Dependence:
    """A loss as a function of state vectors."""

    def __init__(self, loss: Loss | None, variables: Sequence[Column]) -> None:
        self._loss, self._variables = loss, variables

    def along(self, states: np.ndarray, tangents: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its derivatives along tangents of the states, shape (..., parameters)."""
        value, weights = self._asked(states)
        if weights is not None:
            return value, np.einsum("tn,tnp->p", weights, tangents)
        self._check(states, value)
        found = [self._number(states + 1j * _STEP * tangents[:, :, k]).imag / _STEP for k in range(tangents.shape[2])]
        return value, np.array(found)

    def by_states(self, states: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its derivatives by all states."""
        value, weights = self._asked(states)
        if weights is not None:
            return value, weights
        self._check(states, value)
        if states.size > _MOST:
            raise InputError(
                f"loss: depends on {states.size:,} numbers; let it return its derivatives by them, too: (value, "
                "{name: array})"
            )
        weights = np.empty(states.shape)
        moved = states.astype(complex)
        for place in np.ndindex(states.shape):
            moved[place] += 1j * _STEP
            weights[place] = self._number(moved).imag / _STEP
            moved[place] = states[place]
        return value, weights

    def _by_name(self, states: np.ndarray) -> States:
        return {v.name: states[:, v.start : v.stop].reshape(len(states), *v.shape) for v in self._variables}

    def _number(self, states: np.ndarray) -> complex:
        assert self._loss is not None
        try:
            return complex(np.asarray(self._loss(self._by_name(states))).item())
        except (TypeError, ValueError) as error:
            raise InputError(f"loss: must return a number, or a number and its derivatives ({error})") from None

    def _asked(self, states: np.ndarray) -> tuple[float, np.ndarray | None]:
        assert self._loss is not None
        found = self._loss(self._by_name(states))
        if not isinstance(found, tuple):
            try:
                return float(np.asarray(found, dtype=np.float64).item()), None
            except (TypeError, ValueError):
                raise InputError("loss: must return a number, or a number and its derivatives by name") from None
        value, given = found
        known = [variable.name for variable in self._variables]
        weights = np.zeros(states.shape)
        for name, array in given.items():
            if name not in known:
                raise InputError(f"loss: '{name}' is no variable (there is {', '.join(known)})")
            variable = self._variables[known.index(name)]
            wanted = (len(states), *variable.shape)
            if np.shape(array) != wanted:
                raise InputError(f"loss: the derivative by {name} has shape {np.shape(array)}, must have {wanted}")
            weights[:, variable.start : variable.stop] = np.reshape(array, (len(states), -1))
        return float(value), weights

    def _check(self, states: np.ndarray, value: float) -> None:
        """Require that a complex step gives the derivative: of an absolute value it does not."""
        direction = np.random.default_rng(0).uniform(0.5, 1.0, states.shape) * (
            np.abs(states) + 1e-3 * np.abs(states).max()
        )
        by_step = self._number(states + 1j * _STEP * direction).imag / _STEP
        h = 1e-5
        by_difference = (self._number(states + h * direction).real - self._number(states - h * direction).real) / (
            2 * h
        )
        if not abs(by_step - by_difference) <= 1e-4 * abs(by_difference) + 1e-7 * (abs(value) + 1e-300):
            raise InputError(
                "loss: has no derivative by complex steps (an absolute value, a maximum, a comparison?); let it return "
                "(value, {name: array of its derivatives})"
            )


def _labelled(gradient: np.ndarray, names: tuple[str, ...]) -> xr.DataArray:
    import xarray as xr

    return xr.DataArray(gradient, {"parameter": list(names)}, ["parameter"], "gradient")


def _dataset(
    array: np.ndarray, times: np.ndarray, variables: Sequence[Column], units: str, names: tuple[str, ...] | None = None
) -> xr.Dataset:
    """Return blocks of state vectors, the last axis, as variables with names."""
    import xarray as xr

    first = ["time"] if names is None else ["parameter", "time"]
    coordinates: dict[str, Any] = {"time": ("time", times, {"units": units})}
    if names is not None:
        coordinates["parameter"] = list(names)
    found = {}
    for variable in variables:
        part = array[..., variable.start : variable.stop].reshape(*array.shape[:-1], *variable.shape)
        dims = [
            f"{variable.group}_{dim}" if dim in ("source", "target", "connection") else dim for dim in variable.dims
        ]
        found[variable.name] = ([*first, *dims], part)
    return xr.Dataset(found, coordinates)
