"""Parameters of a network from recordings: `fit`."""

from __future__ import annotations

import time as clock
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.checks import choice, number, whole
from brnn.base.named import says_what_is_meant
from brnn.base.text import closest
from brnn.compiler.layout import layout
from brnn.errors import BrnnError, InputError, IntegrationError
from brnn.fitting.estimates import Fit, estimates
from brnn.fitting.recordings import Recording, recordings
from brnn.fitting.residuals import Residuals
from brnn.integrate.times import whole_steps
from brnn.sensitivities.forward import SOLVERS
from brnn.sensitivities.parameters import Parameters

__all__ = ["fit"]

Bounds = Mapping[str, tuple[float | None, float | None]]

_INSIDE = 1e-9  # of a parameter: how near a value that is not allowed may be come


@says_what_is_meant
def fit(
    build: Any,
    data: Any,
    free: Sequence[str] | Mapping[str, Any],
    *,
    settings: Mapping[str, Any] | None = None,
    bounds: Bounds | None = None,
    noise: float | Mapping[str, float] | None = None,
    duration: float | None = None,
    loss: str = "linear",
    solver: str = "auto",
    rtol: float = 1e-7,
    atol: float = 1e-9,
    evaluations: int = 200,
) -> Fit:
    """Return the values of parameters for which a network is nearest to what was recorded (least squares).

    The derivatives of all trajectories are exact (`brnn.sensitivity`) and are integrated beside the states, so that a
    fit takes tens of runs. In discrete time the steps themselves are differentiated; `brnn.sequences.train` is for many
    weights and many sequences there.

    Parameters
    ----------
    build : Network, callable, str or module
        A network, a model or a function that builds one, as in `brnn.sweep`.
    data : Result, Dataset, DataArray, mapping, path, or a list
        What was recorded: variables (``"rcf.x"``) or single cells (``"rcf.x.3"``, ``"rcf.x[3]"``) over "time". A path
        names a result file or a CSV table with a column "time". A list holds several recordings, each of a run of its
        own; a pair ``(settings, data)`` says what differs in that run, ``({"pattern": [1, 2]}, table)``.
    free : sequence of str, or mapping of str to value
        The parameters that are fitted, by the dotted names of sweeps; with values, those from which the search begins.
    settings : mapping, optional
        Values of other parameters, by dotted name.
    bounds : mapping of str to (lowest, highest), optional
        None is no bound. Without one, a parameter of which no negative value is allowed stays positive.
    noise : float or mapping of str to float, optional
        Standard deviation of the recorded values, or of each variable or cell by the name that it has in the data; by
        default one for all is estimated from what is left over.
    duration : float, optional
        How long each run is; by default up to the last recorded time.
    loss : {"linear", "soft_l1", "huber", "cauchy", "arctan"}
        How differences count, as in `scipy.optimize.least_squares`: all but "linear" make outliers count less.
    solver, rtol, atol : optional
        As for `brnn.sensitivity`.
    evaluations : int
        At most so many evaluations of the network with its derivatives.

    Returns
    -------
    Fit
        Values, standard errors, intervals, covariance, and what the data do not determine.

    Raises
    ------
    InputError, SpecError
        If a parameter may not be fitted, or data have unknown names, values that are not finite, or times outside
        of the run.
    IntegrationError
        If the run at the values from which the search begins fails.

    Warns
    -----
    UserWarning
        If the data do not determine the parameters, the search did not end, or a value lies at its bound.

    Examples
    --------
    >>> result = brnn.simulate(brnn.models.rcf.build(n=4, A=0.8), 10.0)
    >>> found = brnn.fit("rcf", result, {"A": 1.0}, settings={"n": 4})
    >>> found.values, found.intervals
    """
    from scipy.optimize import least_squares

    began = clock.perf_counter()
    choice(loss, "loss", ("linear", "soft_l1", "huber", "cauchy", "arctan"))
    choice(solver, "solver", SOLVERS)
    options = {"rtol": number(rtol, "rtol", minimum=1e-13, maximum=1.0), "atol": number(atol, "atol", above=0.0)}
    most = whole(evaluations, "evaluations", minimum=1)
    own = Parameters(build, free, settings, "free")
    network = own.network(own.start)
    measured = recordings(data, layout(network))
    sigma = _deviations(noise, measured)
    lengths = [_length(recording, duration, network.step, len(measured), k) for k, recording in enumerate(measured)]
    values = dict(zip(own.names, own.start.tolist(), strict=True)) if not own.blocks else own.settings(own.start)
    parameters = [
        own if not recording.settings else Parameters(build, values, {**(settings or {}), **recording.settings}, "free")
        for recording in measured
    ]
    residuals = Residuals(parameters, measured, lengths, 1.0 if sigma is None else sigma, {**options, "solver": solver})
    if residuals.size < own.start.size:
        raise InputError(f"data: {residuals.size} values do not determine {own.start.size} parameters")
    low, high = _bounds(own, bounds)
    residuals.model(own.start)  # what is wrong at the start is told as it is
    for _ in range(2):
        found = least_squares(
            residuals, np.clip(own.start, low, high), residuals.jacobian, (low, high), x_scale=residuals.scale,
            loss=loss, max_nfev=most, xtol=1e-10, ftol=1e-10, gtol=1e-10,
        )  # fmt: skip
        if not (residuals.affine and residuals.differs(found.x)):
            break
        residuals.exactly()
    result = estimates(own, residuals, found, sigma, (low, high), clock.perf_counter() - began)
    for text in result.warnings:
        warnings.warn(text, UserWarning, stacklevel=2)
    return result


def _deviations(noise: Any, measured: Sequence[Recording]) -> float | np.ndarray | None:
    """Return the standard deviation of every recorded value, or of all; None if it is not known."""
    if noise is None:
        return None
    if not isinstance(noise, Mapping):
        return number(noise, "noise", above=0.0)
    given = {name: number(value, f"noise: {name}", above=0.0) for name, value in noise.items()}
    known = {name: None for recording in measured for name in recording.names}
    for name in given:
        if name not in known:
            raise InputError(f"noise: '{name}' is not in the data ({', '.join(known)}){closest(name, list(known))}")
    without = next((name for name in known if name not in given), None)
    if without is not None:
        raise InputError(f"noise: {without} has none; give that of every variable, or one number for all")
    columns = [np.array([given[name] for name in recording.names]) for recording in measured]
    each = zip(columns, measured, strict=True)
    return np.concatenate([np.tile(column, recording.times.size) for column, recording in each])


def _length(recording: Recording, duration: float | None, step: float | None, count: int, k: int) -> float:
    first, last = float(recording.times[0]), float(recording.times[-1])
    name = f"data[{k}]" if count > 1 else "data"
    length = last if duration is None else number(duration, "duration", above=0.0)
    if first < 0.0 or last > length:
        wrong = first if first < 0.0 else last
        raise InputError(f"{name}: the time {wrong:g} is outside of the run, which goes from 0 to {length:g}")
    if last <= 0.0:
        raise InputError(f"{name}: must have a time after 0, at which a run begins")
    if step is not None:
        length = max(1, round(length / step)) * step
        try:
            whole_steps(recording.times, step, length)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return length


def _bounds(parameters: Parameters, bounds: Bounds | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest values: those given, or 0 where nothing below it is allowed."""
    low, high = np.full(parameters.start.size, -np.inf), np.full(parameters.start.size, np.inf)
    known = list(dict.fromkeys([*parameters.names, *parameters.settings(parameters.start)]))
    for name in bounds or {}:
        if name not in known:
            raise InputError(f"bounds: '{name}' is no free parameter ({', '.join(known)}){closest(name, known)}")
    for k, name in enumerate(parameters.names):
        given = (bounds or {}).get(name, (bounds or {}).get(name.rpartition(".")[0]))
        start = parameters.start[k]
        if given is None:
            if start > 0.0 and not _exists(parameters, k, -start):
                low[k] = _INSIDE * start
            continue
        try:
            ends = [end if one is None else float(one) for one, end in zip(given, (-np.inf, np.inf), strict=True)]
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"bounds: {name} = {given!r}: must be a pair (lowest, highest), of numbers or None"
            ) from None
        if not ends[0] < ends[1]:
            raise InputError(f"bounds: {name}: the lowest value {ends[0]:g} is not below the highest, {ends[1]:g}")
        if not ends[0] <= start <= ends[1]:
            raise InputError(
                f"bounds: {name}: the search begins at {start:g}, which is outside of {ends[0]:g} to {ends[1]:g}"
            )
        low[k], high[k] = ends
    return low, high


def _exists(parameters: Parameters, k: int, value: float) -> bool:
    moved = parameters.start.copy()
    moved[k] = value
    try:
        parameters.network(moved)
    except (BrnnError, IntegrationError):
        return False
    return True
