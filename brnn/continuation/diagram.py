"""`bifurcation_diagram`: all branches that hang together, as an xarray Dataset along `point`."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.named import says_what_is_meant
from brnn.continuation.curve import ContinuationError, CurvePoint, point_at, with_unknown_held
from brnn.continuation.cycles import CycleBranch, follow_cycles
from brnn.continuation.equilibria import Branch, EquilibriumCurve, SpecialPoint, follow_equilibria, leaving, unstable
from brnn.continuation.family import Family
from brnn.continuation.groups import Groups, equal_groups
from brnn.errors import InputError, IntegrationError
from brnn.integrate.equilibrium import steady_state
from brnn.integrate.run import initial_state, simulate

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["bifurcation_diagram", "one_parameter", "trace"]

_BRANCHES = 20
_POINTS = 1000
_LONGEST = 0.03


@says_what_is_meant
def bifurcation_diagram(
    build: Any,
    along: Mapping[str, tuple[float, float]],
    *,
    settings: Mapping[str, Any] | None = None,
    initial: Any = None,
    groups: bool = True,
    branches: int = _BRANCHES,
    cycles: bool = True,
    points: int = _POINTS,
    longest: float = _LONGEST,
) -> xr.Dataset:
    """Follow the equilibria and cycles of a network along a parameter.

    Parameters
    ----------
    build : callable, str, module or Network
        As in `brnn.sweep`: a function of keyword parameters, the name of a model, or a network.
    along : mapping
        One parameter and where it goes from and to: ``{"signal.half": (0.1, 2.0)}``. The first branch begins at the
        first value and ends where the parameter leaves the interval.
    settings : mapping, optional
        Values of other parameters, by dotted name.
    initial : array or dict, optional
        As in `simulate`. From here the network is let run at the first value; the equilibrium that it goes to is the
        first point. Where it comes to no rest, Newton's method looks for an equilibrium from here.
    groups : bool
        Whether cells that are equal at the first point are followed as one unknown, as long as they are equal.
    branches : int
        How many branches at most are followed from branch points and Hopf points.
    cycles : bool
        Whether the cycles that begin at Hopf points are followed; those of networks with delays are not.
    points : int
        How many steps each branch has at most.
    longest : float
        The longest step, where 1 is the range of the parameter, or the size of the state.

    Returns
    -------
    xarray.Dataset
        Along `point`: the parameter; `branch`, its number, and `kind`, "equilibrium" or "cycle"; the state under the
        names that results have, of a cycle its mean, with smallest and largest values under ``NAME_min`` and
        ``NAME_max``; `stable`; `unstable`, how many eigenvalues or Floquet multipliers say no; `growth_rate`, the
        largest real part of the eigenvalues; `period`; `special`, what a point is ("fold", "branch point",
        "Hopf point", "start", "end", of cycles "fold", "period doubling", "torus"), otherwise empty. With delays the
        attribute `not_followed` says from which Hopf points on cycles are not followed.

    Raises
    ------
    InputError
        If there is no such parameter, the network has noise, events, discrete time or inputs that change for
        ever, or no equilibrium is found where the first branch should begin.

    Notes
    -----
    Pseudo-arclength continuation (Keller 1977); a special point is where a real part changes its sign, located by
    Brent's method along the branch. Stability is that of the whole network, of states that are followed in groups,
    too. A kernel of several dimensions that comes from no group of equal cells is reported, and not resolved.

    Examples
    --------
    >>> diagram = brnn.bifurcation_diagram("rcf", {"B": (4.0, 1.0)}, settings={"n": 3, "signal": "w**2"})
    >>> diagram.where(diagram.special == "fold", drop=True).B
    """
    name, (begin, end) = one_parameter(along)
    branches, points = whole(branches, "branches", minimum=0), whole(points, "points", minimum=1)
    family = Family(build, settings or {}, {name: (min(begin, end), max(begin, end))})
    found, hopf, left = trace(family, begin, end, initial, groups, branches, points, longest)
    rings: list[CycleBranch] = []
    for branch, point in hopf if cycles and not family.delayed else ():
        if len(found) + len(rings) > branches:
            left += 1
        elif not any(ring.ends_at(branch.curve.state(point.y), point.parameter) for ring in rings):
            rings.append(follow_cycles(family, branch.curve.state(point.y), point, longest, points))
    if left:
        warnings.warn(
            f"bifurcation_diagram: {left} branches are not followed: branches= allows {branches}", stacklevel=3
        )
    diagram = _dataset(family, found, rings)
    if family.delayed and cycles and hopf:
        places = ", ".join(f"{point.parameter:.9g}" for _, point in hopf)
        diagram.attrs["not_followed"] = (
            f"the cycles that begin at the Hopf points, {name} = {places}: those of networks with delays are not "
            "followed"
        )
    return diagram


def trace(
    family: Family,
    begin: float,
    end: float,
    initial: Any,
    groups: bool,
    branches: int,
    points: int,
    longest: float,
    other: tuple[float, ...] = (),
) -> tuple[list[Branch], list[tuple[Branch, SpecialPoint]], int]:
    """Return the branches of equilibria that hang together, the Hopf points, and how many branches were left out.

    Parameters
    ----------
    family : Family
        The networks.
    begin, end : float
        Where the first branch begins, and in which direction.
    initial, groups, branches, points, longest
        As in `bifurcation_diagram`.
    other : tuple of float
        Values of parameters besides the first.
    """
    start, inner = _first(family, begin, 1.0 if end > begin else -1.0, initial, groups, other)
    todo: list[tuple[EquilibriumCurve, CurvePoint]] = [(inner, start)]
    found: list[Branch] = []
    hopf: list[tuple[Branch, SpecialPoint]] = []
    known: list[tuple[EquilibriumCurve, SpecialPoint]] = []
    left = 0
    while todo:
        curve, first = todo.pop(0)
        if _traced(found, curve, first.y):
            continue
        if len(found) > branches:
            left += 1
            continue
        branch = follow_equilibria(curve, first, longest, points)
        found.append(branch)
        for point in branch.special:
            if any(_same_point(curve, point, *old) for old in known):
                continue
            known.append((curve, point))
            if point.kind == "branch point":
                todo.extend(leaving(branch, point))
            elif point.kind == "Hopf point":
                hopf.append((branch, point))
    return found, hopf, left


def one_parameter(along: Mapping[str, tuple[float, float]]) -> tuple[str, tuple[float, float]]:
    """Return the parameter and its two ends; raise InputError if these are not one name and two numbers."""
    if not isinstance(along, Mapping) or len(along) != 1:
        raise InputError("along: must name one parameter and its two ends, for instance {'A': (0.5, 2.0)}")
    ((name, ends),) = along.items()
    try:
        begin, end = (float(value) for value in ends)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"along: {name} must have two numbers, where it begins and ends") from None
    if not (np.isfinite(begin) and np.isfinite(end)) or begin == end:
        raise InputError(f"along: {name} goes from {begin:g} to {end:g}, which must be two different numbers")
    return str(name), (begin, end)


def _first(
    family: Family, begin: float, side: float, initial: Any, grouped: bool, other: tuple[float, ...]
) -> tuple[CurvePoint, EquilibriumCurve]:
    """Return the first point of the first branch, and the equations of the branch."""
    name = family.names[0]
    network = family.network((begin, *other))
    u = initial_state(family.system, initial)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is said of an inaccurate rest is decided by Newton's method below
            if family.delayed:
                run = simulate(network, initial=initial, until="steady")
                at_rest = [np.ravel(run.final(variable.name).values) for variable in family.system.variables]
                u = np.concatenate(at_rest) if run.status == "steady" else u
            else:
                u = steady_state(network, initial=initial).state
    except IntegrationError:
        pass  # no rest, as where an equilibrium is unstable: Newton's method looks from the initial state
    size = float(np.max(np.abs(u))) or 1.0
    labels = equal_groups(family, (begin, *other), u) if grouped else Groups(np.arange(family.size))
    curve = EquilibriumCurve(family, labels, size, other)
    along = np.append(np.zeros(labels.count), side)
    try:
        y = with_unknown_held(curve, np.append(labels.reduce(u), begin), begin)
        t = point_at(curve, y, along).tangent
    except ContinuationError:
        raise InputError(
            f"continuation: no isolated equilibrium is found at {name}={begin:g}; give a state near one (initial=, "
            f"--initial)"
        ) from None
    # The state may be 0, or small: what it changes by over the range of the parameter is a size, too.
    reach = float(np.max(np.abs(t[:-1] / t[-1]))) * (family.ranges[name][1] - family.ranges[name][0])
    curve = EquilibriumCurve(family, labels, max(float(np.max(np.abs(y[:-1]))), 0.1 * reach) or 1.0, other)
    return point_at(curve, y, along), curve


def _state_distance(curve: EquilibriumCurve, family: Family, u: np.ndarray, v: np.ndarray) -> float:
    """Return how far two states are apart, whichever cells of a variable have the values."""
    parts = [slice(variable.start, variable.stop) for variable in family.system.variables]
    one = np.concatenate([np.sort(u[part]) for part in parts])
    two = np.concatenate([np.sort(v[part]) for part in parts])
    return float(np.max(np.abs(one - two))) / curve.size


def _same_point(curve: EquilibriumCurve, point: SpecialPoint, before: EquilibriumCurve, other: SpecialPoint) -> bool:
    """Tell whether two special points are one, but for which cells have which activity."""
    low, high = curve.family.ranges[curve.family.names[0]]
    if point.kind != other.kind or abs(point.parameter - other.parameter) > 1e-6 * (high - low):
        return False
    return _state_distance(curve, curve.family, curve.state(point.y), before.state(other.y)) <= 1e-5


def _traced(found: list[Branch], curve: EquilibriumCurve, y: np.ndarray) -> bool:
    """Tell whether a point lies on a branch that was followed, but for which cells have which activity."""
    family = curve.family
    low, high = family.ranges[family.names[0]]
    u, p = curve.state(y), float(y[-1])
    for branch in found:
        for one, two in itertools.pairwise(branch.points):
            a, b = one.parameter, two.parameter
            if not min(a, b) - 1e-9 * (high - low) <= p <= max(a, b) + 1e-9 * (high - low) or a == b:
                continue
            part = (p - a) / (b - a)
            inner = branch.curve
            guess = one.y + part * (two.y - one.y)
            if _state_distance(curve, family, inner.state(guess), u) > 0.05:
                continue
            try:
                there = with_unknown_held(inner, guess, p)
            except ContinuationError:
                continue
            if _state_distance(curve, family, inner.state(there), u) <= 1e-6:
                return True
    return False


def _dataset(family: Family, found: list[Branch], rings: list[CycleBranch]) -> xr.Dataset:
    """Return the branches as one Dataset."""
    import xarray as xr

    name = family.names[0]
    rows: list[dict[str, Any]] = []
    for number, branch in enumerate(found):
        marks = {point.index: point for point in branch.special}
        last = len(branch.points) - 1
        for k, (point, values) in enumerate(zip(branch.points, branch.eigenvalues, strict=True)):
            u = branch.curve.state(point.y)
            ends = {0: "start", last: "end"} if branch.complete else {0: "start", last: "cut"}
            rows.append({
                "branch": number, "kind": "equilibrium", name: point.parameter, "state": u, "low": u, "high": u,
                "unstable": unstable(values), "growth": float(values[0].real), "period": np.nan,
                "special": marks[k].kind if k in marks else ends.get(k, ""),
                "crossing": marks[k].crossing if k in marks else 0,
                "frequency": marks[k].frequency if k in marks else np.nan,
            })  # fmt: skip
    for number, ring in enumerate(rings, start=len(found)):
        rows.extend({"branch": number, "kind": "cycle", **row} for row in ring.rows(name))
    data: dict[str, Any] = {
        name: ("point", np.array([row[name] for row in rows])),
        "branch": ("point", np.array([row["branch"] for row in rows], dtype=np.int32)),
        "kind": ("point", np.array([row["kind"] for row in rows], dtype=object)),
        "special": ("point", np.array([row["special"] for row in rows], dtype=object)),
        "stable": ("point", np.array([row["unstable"] == 0 for row in rows])),
        "unstable": ("point", np.array([row["unstable"] for row in rows], dtype=np.int32)),
        "growth_rate": ("point", np.array([row["growth"] for row in rows])),
        "period": ("point", np.array([row["period"] for row in rows])),
        "crossing": ("point", np.array([row["crossing"] for row in rows], dtype=np.int32)),
        "frequency": ("point", np.array([row["frequency"] for row in rows])),
    }
    for variable in family.system.variables:
        for key, suffix in (("state", ""), ("low", "_min"), ("high", "_max")):
            block = np.array([row[key][variable.start : variable.stop].reshape(variable.shape) for row in rows])
            data[variable.name + suffix] = (("point", *variable.dims), block)
    network = family.network((family.ranges[name][0],))
    return xr.Dataset(data, attrs={"along": name, "network": network.name, "reference": network.reference})
