"""Which parameters a measure depends on: first and total Sobol indices of a sweep (extra ``brnn[sensitivity]``)."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import number
from brnn.base.text import closest
from brnn.errors import InputError, SpecError
from brnn.sweeps.designs.base import Design, exact_whole
from brnn.sweeps.designs.sampled import Sampled

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Saltelli", "sobol_indices"]

_POINTS_AT_MOST = 2**30  # where the Sobol sequence of SciPy ends


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Saltelli(Sampled):
    """Members from which the first and total Sobol indices of any measure can be estimated (`sobol_indices`).

    For d parameters n (d + 2) members: for each of n pairs of points a, b of a scrambled Sobol sequence the point a,
    then for each parameter the point a with that parameter of b, then b. SALib makes them.

    Parameters
    ----------
    n : int
        Number of pairs of points; a power of two. The error of the indices falls about as 1/n to 1/sqrt(n); some
        hundreds to thousands are usual.
    seed, ranges, **named
        As of Sampled. On a "log" or a "whole" range the parameter is distributed as in the other designs, and the
        indices are those of this distribution.

    Raises
    ------
    SpecError
        If n is no power of two, or as Sampled.

    References
    ----------
    Saltelli et al. (2010), Variance based sensitivity analysis of model output, Comput. Phys. Commun. 181, 259-270.
    """

    _most = _POINTS_AT_MOST

    def __init__(self, n: Any = None, seed: Any = None, ranges: Any = None, /, **ranges_named: Any) -> None:
        super().__init__(n, seed, ranges, **ranges_named)
        if self.n & (self.n - 1):
            below = 1 << (self.n.bit_length() - 1)
            raise SpecError(f"Saltelli: n = {self.n}: must be a power of two, such as {below} or {2 * below}")

    @property
    def size(self) -> int:
        """Number of members, n (d + 2) for d parameters."""
        return self.n * (len(self.ranges) + 2)

    def _draw(self) -> np.ndarray:
        sample = _salib("SALib.sample.sobol").sample
        return sample(_problem(self), self.n, calc_second_order=False, seed=np.random.default_rng(self.seed))


def sobol_indices(
    sweep: Any,
    measure: str,
    *,
    design: Design | None = None,
    confidence: float = 0.95,
    resamples: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Estimate how much of a measure's variance over a sweep is due to each parameter.

    The first index S1 of a parameter is the share of the variance that remains, on average, when only this parameter
    varies; the total index ST is the share that is lost when only this one is fixed, which adds to S1 all its
    interactions. What the estimates leave open is the half width of a bootstrap confidence interval. They are SALib's.

    Parameters
    ----------
    sweep : Sweep or xarray Dataset
        What a sweep over a Saltelli design gave: a dataset with the measure along ``member``.
    measure : str
        Name of a numeric measure. If it has more axes than ``member`` (final states), each element gets its indices.
    design : Saltelli, optional
        The design of the sweep, if `sweep` does not know it.
    confidence : float
        Level of the confidence intervals, in (0, 1).
    resamples : int
        Number of bootstrap samples.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    xarray Dataset
        ``S1``, ``ST``, ``S1_confidence`` and ``ST_confidence`` along ``parameter`` (and the measure's further axes).
        The indices of what does not vary are nan.

    Raises
    ------
    InputError
        If there is no such measure, it is not a number, a member lacks it, the design is no Saltelli design, or SALib
        is not installed.
    """
    import xarray as xr

    analyze = _salib("SALib.analyze.sobol").analyze
    level = number(confidence, "confidence", above=0.0)
    if level >= 1.0:
        raise InputError(f"confidence = {level:g}: must be less than 1")
    options = {
        "num_resamples": exact_whole(resamples, "resamples", 2),
        "conf_level": level,
        "seed": exact_whole(seed, "seed", 0) + 1,
    }  # SALib takes 0 for no seed
    design = _design_of(sweep, design)
    values = _values(sweep, measure, design)
    flat = values.values.reshape(design.size, -1)
    found = np.full((4, len(design.names), flat.shape[1]), np.nan)
    for k, column in enumerate(flat.T):
        if np.ptp(column) > 8 * np.finfo(float).eps * np.abs(column).max():
            indices = analyze(_problem(design), np.ascontiguousarray(column), calc_second_order=False, **options)
            found[:, :, k] = [indices[key] for key in ("S1", "ST", "S1_conf", "ST_conf")]
    dims = ("parameter", *values.dims[1:])
    shape = (len(design.names), *values.shape[1:])
    variables = {}
    for name, words, array in zip(
        ("S1", "ST", "S1_confidence", "ST_confidence"),
        (
            "first Sobol index",
            "total Sobol index",
            "half width of the confidence interval of S1",
            "half width of the confidence interval of ST",
        ),
        found,
        strict=True,
    ):
        variables[name] = (dims, array.reshape(shape), {"long_name": words, "units": "1"})
    coordinates = {name: values.coords[name] for name in values.dims[1:] if name in values.coords}
    return xr.Dataset(
        variables,
        {"parameter": list(design.names), **coordinates},
        {"measure": measure, "pairs": design.n, "confidence": level},
    )


def _salib(module: str) -> Any:
    """Import a module of SALib, which is optional."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "SALib":
            raise
        raise InputError('Sobol indices need SALib: pip install "brnn[sensitivity]"') from None


def _problem(design: Saltelli) -> dict[str, Any]:
    """Return what SALib calls the problem; all bounds are 0 and 1, and `spread_over` makes the values of them."""
    names = list(design.names)
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _design_of(sweep: Any, design: Any) -> Saltelli:
    if design is None:
        design = getattr(sweep, "attrs", {}).get("design", getattr(sweep, "design", None))
    if isinstance(design, str):
        design = Design.from_json(design)
    if not isinstance(design, Saltelli):
        found = f"this one has {type(design).__name__}" if isinstance(design, Design) else "no design is known; give it"
        raise InputError(f"Sobol indices need a sweep over a Saltelli design; {found}")
    return design


def _values(sweep: Any, measure: str, design: Saltelli) -> Any:
    """Return the measure as a DataArray of floats with dims (member, ...), in the order of the members."""
    import xarray as xr

    dataset = sweep if isinstance(sweep, xr.Dataset) else sweep.dataset
    names = [str(name) for name, variable in dataset.data_vars.items() if "member" in variable.dims]
    if measure not in names:
        raise InputError(
            f"measure = '{measure}': there is none of this name (there is {', '.join(names)}){closest(measure, names)}"
        )
    values = dataset[measure].transpose("member", ...)
    if values.dtype.kind not in "fiub":
        raise InputError(f"measure '{measure}' is not a number; Sobol indices need one")
    if "member" in values.coords:
        values = values.sortby("member")
    members = values["member"].values  # 0, 1, ... where there is no coordinate
    missing = np.setdiff1d(np.arange(design.size), members)
    if values.sizes["member"] > design.size or (missing.size and values.sizes["member"] == design.size):
        raise InputError(f"measure '{measure}': the sweep's members are not those of the design, {design.size} members")
    if not missing.size:
        values = values.astype(np.float64)
        missing = np.flatnonzero(~np.isfinite(values.values).reshape(design.size, -1).all(axis=1))
    if missing.size:
        raise InputError(
            f"measure '{measure}' is missing for {missing.size} of {design.size} members (the first is {missing[0]}); "
            "Sobol indices need all"
        )
    return values
