"""What a fit found: values and how well the data determine them."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import number, whole
from brnn.base.paths import check_target, new_text_file, replacing
from brnn.base.text import closest
from brnn.errors import FileError, InputError
from brnn.fitting.residuals import Residuals
from brnn.result.metadata import provenance
from brnn.sensitivities.parameters import Parameters

if TYPE_CHECKING:
    import xarray as xr

    from brnn.fitting.recordings import Recording
    from brnn.spec.network import Network

__all__ = ["Fit", "estimates"]

_SINGULAR = 1e-9  # of the largest singular value
_NAMED = 0.1  # components of a direction that are named
_LEVEL = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """The parameters that a fit found; `brnn.fit` returns it.

    Attributes
    ----------
    parameters : tuple of str
        Their names.
    values : ndarray
        Their values.
    standard_errors : ndarray
        Infinite where the data do not determine a parameter.
    intervals : ndarray, shape (parameters, 2)
        95 % intervals, of Student's t distribution if the noise is estimated.
    covariance : ndarray, shape (parameters, parameters)
        Of what the data determine.
    start : ndarray
        Where the search began.
    bounds : tuple of ndarray
        Lowest and highest values allowed.
    noise : float
        Standard deviation of the recorded values, given or estimated; of several that were given the root mean square.
    sum_of_squares : float
        Of the differences that are left.
    freedom : int
        Recorded values less parameters.
    converged : bool
        Whether the search ended at a minimum.
    message : str
        How it ended.
    evaluations : int
        How often the network was run with its derivatives.
    warnings : tuple of str
        What the data do not determine, and what else is doubtful.
    network : Network
        That of the found values (and of the settings of the first recording).
    seconds : float
        How long it took.
    """

    parameters: tuple[str, ...]
    values: np.ndarray
    standard_errors: np.ndarray
    intervals: np.ndarray
    covariance: np.ndarray
    start: np.ndarray
    bounds: tuple[np.ndarray, np.ndarray]
    noise: float
    sum_of_squares: float
    freedom: int
    converged: bool
    message: str
    evaluations: int
    warnings: tuple[str, ...]
    network: Network
    seconds: float
    _residuals: Residuals = field(repr=False)
    _least: float = field(repr=False)
    _noise_known: bool = False

    def __getitem__(self, name: str) -> float:
        """Return the value of a parameter."""
        return float(self.values[self._place(name)])

    def _place(self, name: str) -> int:
        if name not in self.parameters:
            names = list(self.parameters)
            raise InputError(f"'{name}' was not fitted (there is {', '.join(names)}){closest(name, names)}")
        return self.parameters.index(name)

    @property
    def settings(self) -> dict[str, float]:
        """The values by name, as `Network.with_`, `brnn.build` and sweeps take them."""
        return dict(zip(self.parameters, self.values.tolist(), strict=True))

    @property
    def recordings(self) -> list[Recording]:
        """What was recorded."""
        return [run.recording for run in self._residuals.runs]

    def predicted(self) -> list[np.ndarray]:
        """Return what the network says of each recording, in its shape (times, columns)."""
        values, _ = self._residuals.model(self.values)
        edges = np.cumsum([recording.values.size for recording in self.recordings])[:-1]
        parts = np.split(values, edges)
        return [part.reshape(one.values.shape) for part, one in zip(parts, self.recordings, strict=True)]

    def to_dataset(self) -> xr.Dataset:
        """Return values, standard errors, intervals and covariance, labelled."""
        import xarray as xr

        names = list(self.parameters)
        one: dict[str, Any] = {
            "value": self.values, "standard_error": self.standard_errors, "lower": self.intervals[:, 0],
            "upper": self.intervals[:, 1], "start": self.start,
        }  # fmt: skip
        variables: dict[str, Any] = {name: ("parameter", array) for name, array in one.items()}
        variables["covariance"] = (("parameter", "other"), self.covariance)
        attributes = {
            name: value for name, value in self.to_plain().items() if name not in ("parameters", "covariance")
        }
        attributes["warnings"] = list(self.warnings) or ""
        attributes["converged"] = int(self.converged)
        return xr.Dataset(variables, {"parameter": names, "other": names}, attributes)

    def profile(self, name: str, points: int = 21, width: float = 4.0) -> xr.DataArray:
        """Return how much worse the best fit is for each value of one parameter, all others being fitted anew.

        In units of the noise, squared: values below 3.84 belong to the 95 % interval of the likelihood (of many data).
        Where the network is not linear in its parameters this interval is right when that of `intervals` is not.

        Parameters
        ----------
        name : str
            The parameter.
        points : int
            How many values.
        width : float
            How far to both sides, in standard errors.
        """
        import xarray as xr
        from scipy.optimize import least_squares

        k = self._place(name)
        count, half = whole(points, "points", minimum=3), number(width, "width", above=0.0)
        error = self.standard_errors[k]
        size = abs(self.values[k]) or 1.0
        reach = half * error if np.isfinite(error) and error > 0.0 else 0.5 * size
        low, high = self.bounds
        first, last = max(self.values[k] - reach, low[k]), min(self.values[k] + reach, high[k])
        grid = np.linspace(first, last, count)
        worse = np.empty(count)
        others = np.delete(np.arange(self.values.size), k)
        middle = int(np.argmin(np.abs(grid - self.values[k])))
        for order in (range(middle, count), range(middle - 1, -1, -1)):
            at = self.values[others]
            for j in order:

                def whole_of(part: np.ndarray, value: float = grid[j]) -> np.ndarray:
                    return np.insert(part, k, value)

                if others.size:
                    found = least_squares(
                        lambda part: self._residuals(whole_of(part)), at,
                        lambda part: self._residuals.jacobian(whole_of(part))[:, others],
                        (low[others], high[others]), x_scale=self._residuals.scale[others], max_nfev=50,
                    )  # fmt: skip
                    at, squares = found.x, 2.0 * found.cost
                else:
                    squares = float((self._residuals(whole_of(at)) ** 2).sum())
                worse[j] = squares - self._least
        return xr.DataArray(worse if self._noise_known else worse / self.noise**2, {name: grid}, [name], "profile")

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the fit to a file: .json, or .h5 (variables along `parameter`, as `to_dataset`).

        Raises
        ------
        FileError
            If the name ends otherwise, or the file exists or cannot be written.
        """
        target = check_target(path, force, suffixes=(".json", ".h5"))
        if target.suffix.lower() == ".json":
            with new_text_file(target, force) as file:
                json.dump(self.to_plain(), file, indent=1, allow_nan=False)
                file.write("\n")
            return target
        import h5py

        said = self.to_dataset()
        try:
            with replacing(target, force) as name, h5py.File(name, "w") as file:
                for key, value in {**said.attrs, **provenance(None), "kind": "fit"}.items():
                    file.attrs[key] = value
                labels = [text.encode() for text in self.parameters]
                for dim in ("parameter", "other"):
                    file.create_dataset(dim, data=labels).make_scale(dim)
                for key_name, variable in said.data_vars.items():
                    stored = file.create_dataset(str(key_name), data=variable.values)
                    for axis, along in enumerate(variable.dims):
                        stored.dims[axis].attach_scale(file[str(along)])
        except OSError as error:
            raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
        return target

    def to_plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        low, high = self.bounds

        def plain(value: float) -> float | None:
            return float(value) if np.isfinite(value) else None

        return {
            "parameters": {
                name: {
                    "value": float(self.values[k]), "standard_error": plain(self.standard_errors[k]),
                    "lower": plain(self.intervals[k, 0]), "upper": plain(self.intervals[k, 1]),
                    "start": float(self.start[k]), "lowest": plain(low[k]), "highest": plain(high[k]),
                }
                for k, name in enumerate(self.parameters)
            },
            "covariance": [[plain(value) for value in row] for row in self.covariance],
            "noise": float(self.noise), "sum_of_squares": float(self.sum_of_squares), "freedom": self.freedom,
            "converged": self.converged, "message": self.message, "evaluations": self.evaluations,
            "warnings": list(self.warnings), "network": self.network.to_json(), "seconds": round(self.seconds, 6),
        }  # fmt: skip

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (name, f"{value:.6g}", f"{error:.2g}", f"{low:.6g} to {high:.6g}")
            for name, value, error, (low, high) in zip(
                self.parameters, self.values, self.standard_errors, self.intervals, strict=True
            )
        ]

    def _summary(self) -> str:
        how = "given" if self._noise_known else "estimated"
        end = "" if self.converged else ", NOT AT A MINIMUM"
        return (
            f"{self.network.name}: {len(self.parameters)} parameters, {self.freedom + len(self.parameters)} values; "
            f"noise {self.noise:.4g} ({how}); {self.evaluations} evaluations, {self.seconds:.2g} s{end}"
        )

    def in_words(self) -> str:
        """Return values, standard errors and intervals as a table, and what is doubtful."""
        return repr(self).partition("\n")[2]

    def __repr__(self) -> str:
        rows = [("", "value", "standard error", "95 % interval"), *self._rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        table = ["  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([f"<brnn.Fit of {self._summary()}>", *table, *self.warnings])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{text}</th>" for text in ("", "value", "standard error", "95 % interval"))
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(part)}</td>" for part in row) + "</tr>" for row in self._rows()
        )
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in self.warnings)
        return f"<p>{html.escape(self._summary())}</p><table><tr>{head}</tr>{body}</table>{notes}"


def estimates(
    parameters: Parameters,
    residuals: Residuals,
    found: Any,
    noise: float | np.ndarray | None,
    bounds: tuple[np.ndarray, np.ndarray],
    seconds: float,
) -> Fit:
    """Return what follows from the end of a search (of `scipy.optimize.least_squares`)."""
    from scipy.stats import norm, t

    values = np.array(found.x)
    left = residuals(values)
    J = residuals.jacobian(values)
    count, size = values.size, left.size
    squares, freedom = float(left @ left), size - count
    factor = 1.0 if noise is not None else (squares / freedom if freedom else np.nan)
    scale = residuals.scale
    _, sizes, directions = np.linalg.svd(J * scale, full_matrices=False)
    clear = sizes > _SINGULAR * sizes[0]
    with np.errstate(divide="ignore"):
        parts = directions[clear] / sizes[clear][:, None]
    covariance = factor * (parts.T @ parts) * np.outer(scale, scale)
    errors = np.sqrt(np.diag(covariance))
    hidden = np.abs(directions[~clear]).max(axis=0, initial=0.0) > 1e-6
    errors[hidden] = np.inf
    quantile = norm.ppf(0.5 + _LEVEL / 2.0) if noise is not None else t.ppf(0.5 + _LEVEL / 2.0, max(freedom, 1))
    texts = []
    names = parameters.names
    for direction in directions[~clear]:
        texts.append(f"the data do not determine {_combination(direction, names)}")
    for direction, strength in zip(directions[clear], sizes[clear], strict=True):
        if np.sqrt(factor) / strength > 1.0:
            texts.append(
                f"the data hardly determine {_combination(direction, names)}: its standard error is "
                f"{np.sqrt(factor) / strength:.2g} times its size"
            )
    texts += [f"{names[k]} = {values[k]:.6g} lies at its bound" for k in np.flatnonzero(found.active_mask)]
    if found.status <= 0:
        texts.append(f"the search did not end at a minimum: {str(found.message).rstrip('.')}")
    return Fit(
        names, values, errors, np.stack([values - quantile * errors, values + quantile * errors], axis=1), covariance,
        parameters.start, bounds, float(np.sqrt(np.mean(np.square(noise))) if noise is not None else np.sqrt(factor)),
        squares if noise is None else float(((noise * left) ** 2).sum()), freedom, found.status > 0, str(found.message),
        residuals.evaluations, tuple(texts), residuals.runs[0].parameters.network(values), seconds, residuals,
        squares, noise is not None,
    )  # fmt: skip


def _combination(direction: np.ndarray, names: Sequence[str]) -> str:
    """Return a direction in words: the parameters with their parts, in units of their sizes."""
    order = [k for k in np.argsort(-np.abs(direction)) if abs(direction[k]) > _NAMED * np.abs(direction).max()]
    if len(order) == 1:
        return names[order[0]]
    sign = np.sign(direction[order[0]])
    parts = [f"{sign * direction[k]:+.2g} {names[k]}" for k in order[:5]]
    more = f" and {len(order) - 5} others" if len(order) > 5 else ""
    return f"{' '.join(parts)}{more} (in units of their sizes)"
