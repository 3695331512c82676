"""How the arguments of generated code depend on parameters.

A network's code has numbers and arrays as its arguments (`brnn.compiler.generate`); they, its initial state and its
break points follow from the parameters by a little arithmetic. Nearly always they are affine in a parameter, which two
differences prove; then its derivative is exact. Where not (1/half of a sigmoid), differences are extrapolated to order
6, which leaves an error of about 1e-13.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from brnn.compiler.differentiable import Differentiable
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.system import System
from brnn.errors import BrnnError, InputError
from brnn.integrate.methods.discrete import WITHIN
from brnn.sensitivities.parameters import Parameters
from brnn.sensitivities.pieces import pieces

__all__ = ["NO_TIMES", "STEP", "Arguments", "Place", "difference"]

NO_TIMES = "in discrete time nothing depends smoothly on the times of a schedule"
STEP = 0.0625  # of a parameter, or of 1: a power of 2, so that what is affine has no error of its own
_AFFINE = 1e-13
_SMOOTH = 0.01  # how far extrapolated differences may differ
_EACH = 400  # elements of an array that are moved one by one


@dataclass(frozen=True)
class Place:
    """Where arguments stand in the vector of all of them.

    Attributes
    ----------
    state : slice
        The initial state.
    edges : slice
        Where the pieces between break points begin and end.
    delays : slice
        How late each array of delayed activities is.
    numbers : list of slice
        For each piece its numbers.
    arrays : list of dict of str to slice
        For each piece its arrays of values.
    changes : list of slice or None
        For each piece what events make of the state at its beginning: a factor for each unknown, and what is added.
    """

    state: slice
    edges: slice
    delays: slice
    numbers: list[slice]
    arrays: list[dict[str, slice]]
    changes: list[slice | None]

    def rows_until(self, k: int, stop: float, times: np.ndarray) -> int:
        """Return how many saved times belong to the pieces up to this one: that of an event comes after it."""
        if k + 1 == len(self.numbers):
            return times.size
        return int(np.searchsorted(times, stop, side="right" if self.changes[k + 1] is None else "left"))

    def steps(self, here: np.ndarray, step: float) -> Iterator[tuple[int, int | None]]:
        """Yield the number of each step of discrete time and its piece, at last that of the end and None."""
        edges = here[self.edges]
        count = round(float(edges[-1]) / step)
        for k in range(count):
            yield k, int(np.searchsorted(edges[1:-1], (k + WITHIN) * step, side="right"))
        yield count, None


class Arguments:
    """The arguments of a network's code as functions of its parameters.

    Parameters
    ----------
    parameters : Parameters
        The parameters.
    duration : float
        How long the run is.

    Attributes
    ----------
    own : Differentiable
        The network of the first values.
    place : Place
        Where each argument stands.
    """

    def __init__(self, parameters: Parameters, duration: float) -> None:
        self.parameters, self.duration = parameters, duration
        network = parameters.network(parameters.start)
        if network.noisy:
            raise InputError(f"{network.name}: has white noise, which has no derivative in time")
        if network.spiking:
            raise InputError(
                f"{network.name}: has cells that fire when their states say so, through which derivatives are not taken"
            )
        self.own = Differentiable(network)
        names = [array.name for array in self.own.system.program.names.values() if array.kind == "values"]
        self.names = [name for name in names if name not in self.own.late]
        self.place, self.first = self._laid_out(self.own.system)
        self._known: tuple[np.ndarray, np.ndarray, csr_array] | None = None

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """Return all arguments for values of the parameters, as one vector."""
        network = self.parameters.network(numbers)
        own = Differentiable(network).system
        if not self._alike(own):
            raise InputError("another structure")
        return self._laid_out(own, expected=self.first.size)[1]

    def slopes(self, numbers: np.ndarray, here: np.ndarray | None = None, *, step: float | None = None) -> csr_array:
        """Return the derivative of all arguments by all parameters, shape (arguments, parameters).

        With a `step`, relative to each parameter, it is one difference of order 2.
        """
        here = self.at(numbers) if here is None else here
        rows: list[np.ndarray] = []
        columns: list[np.ndarray] = []
        values: list[np.ndarray] = []
        done = np.zeros(numbers.size, dtype=bool)
        for first, last in self.parameters.blocks:
            found = self._elements(numbers, here, first, last)
            if found is not None:
                rows.append(found[0])
                columns.append(found[1])
                values.append(np.ones(found[0].size))
                done[first:last] = True
            elif last - first > _EACH:
                raise InputError(
                    f"{self.parameters.names[first].rpartition('.')[0]}: has {last - first} elements, which do not "
                    "stand in the equations as they are; name some of them"
                )
        for k in np.flatnonzero(~done):
            slope = self._slope(numbers, here, int(k), step)
            (places,) = np.nonzero(slope)
            rows.append(places)
            columns.append(np.full(places.size, k))
            values.append(slope[places])
        entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
        return csr_array(coo_array(entries, shape=(here.size, numbers.size)))

    def moved(self, slopes: csr_array) -> tuple[set[int], set[str]]:
        """Return the numbers and the arrays that depend on a parameter in any piece, by their places and names."""
        filled = np.diff(slopes.indptr) > 0
        numbers = {k for part in self.place.numbers for k in np.flatnonzero(filled[part]).tolist()}
        arrays = {name for part in self.place.arrays for name, there in part.items() if filled[there].any()}
        return numbers, arrays

    def fill(self, k: int, function: RightHandSide, here: np.ndarray) -> None:
        """Set the arguments of a piece in a function of the network.

        Raises
        ------
        InputError
            If an array that is shared with others would change.
        """
        function.arguments[1][:] = here[self.place.numbers[k]]
        given = dict(zip(self.own.system.program.arrays, function.arguments[2:], strict=False))
        for name, there in self.place.arrays[k].items():
            array = given[name]
            if array.flags.writeable:
                array.ravel()[:] = here[there]
            elif not np.array_equal(array.ravel(), here[there]):
                raise InputError(f"{name}: is shared and cannot be changed")

    def _slope(self, numbers: np.ndarray, here: np.ndarray, k: int, step: float | None) -> np.ndarray:
        """Return the derivative of all arguments by one parameter."""
        name = self.parameters.names[k]
        h = (step or STEP) * (2.0 ** np.floor(np.log2(abs(numbers[k]))) if numbers[k] else 1.0)
        for _ in range(6):
            try:
                one = self._central(numbers, k, h)
                two = one if step else self._central(numbers, k, h / 2.0)
                size = np.abs(two) + _tiny(here, h)
                if (np.abs(one - two) <= _AFFINE * size).all():
                    return np.where(np.abs(two) <= _tiny(here, h), 0.0, two)
                three = self._central(numbers, k, h / 4.0)
            except BrnnError:
                try:
                    return self._sided(numbers, here, k, h)
                except BrnnError:
                    h /= 16.0
                    continue
            a, b = (4.0 * two - one) / 3.0, (4.0 * three - two) / 3.0
            if (np.abs(a - b) <= _SMOOTH * np.abs(b) + 100.0 * _tiny(here, h)).all():
                return np.asarray((16.0 * b - a) / 15.0)
            h /= 16.0  # farther away inputs jump in another order
        raise InputError(
            f"{name} = {numbers[k]:g}: another value makes another structure, or another order of jumps; there is no "
            "derivative by it"
        )

    def _central(self, numbers: np.ndarray, k: int, h: float) -> np.ndarray:
        above, below = numbers.copy(), numbers.copy()
        above[k] += h
        below[k] -= h
        return difference(self.at(above), self.at(below)) / (above[k] - below[k])

    def _sided(self, numbers: np.ndarray, here: np.ndarray, k: int, h: float) -> np.ndarray:
        """Return it from values on the one side of a parameter on which there are networks."""
        weights = (6.0, -7.5, 20.0 / 3.0, -3.75, 1.2, -1.0 / 6.0)  # order 6
        failed: BrnnError | None = None
        for side in (h, -h):
            try:
                result = np.zeros(here.size)
                for j, weight in enumerate(weights, start=1):
                    moved = numbers.copy()
                    moved[k] += j * side / 8.0
                    result = result + weight * difference(self.at(moved), here)
            except BrnnError as error:
                failed = error
            else:
                result = result / (side / 8.0)
                return np.where(np.abs(result) <= 100.0 * _tiny(here, h), 0.0, result)
        assert failed is not None
        raise failed

    def _elements(
        self, numbers: np.ndarray, here: np.ndarray, first: int, last: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return which arguments are elements of an array as they are, and which elements; None if others change."""
        random = np.random.default_rng(0)
        found = None
        for scale in (1.0, 0.5):
            moved = numbers.copy()
            shift = scale * STEP * np.maximum(np.abs(numbers[first:last]), 1.0) * random.uniform(0.5, 1.0, last - first)
            moved[first:last] += shift
            try:
                change = difference(self.at(moved), here)
            except BrnnError:
                return None
            (rows,) = np.nonzero(change)
            order = np.argsort(shift)
            near = np.clip(np.searchsorted(shift[order], change[rows]), 0, shift.size - 1)
            before = np.maximum(near - 1, 0)
            left = np.abs(shift[order][before] - change[rows]) < np.abs(shift[order][near] - change[rows])
            which = order[np.where(left, before, near)]
            close = np.abs(shift[which] - change[rows]) <= 1e-13 * (np.abs(here[rows]) + 1.0)
            if not close.all() or (found is not None and not np.array_equal(found[1], which)):
                return None
            found = rows, which
        assert found is not None
        return found[0], found[1] + first

    def _alike(self, system: System) -> bool:
        """Tell whether a network differs in numbers alone."""
        known = self.own.system
        alike = system.program.source == known.program.source and system.size == known.size
        alike = alike and [layer for layer, _ in system.program.lags] == [layer for layer, _ in known.program.lags]
        alike = alike and system.network.step == known.network.step
        return alike and all(np.array_equal(a, b) for a, b in zip(self._fixed(system), self._fixed(known), strict=True))

    def _fixed(self, system: System) -> list[np.ndarray]:
        return [
            array
            for name, array in system.program.arrays.items()
            if array is not None and system.program.names[name].kind == "whole"
        ]

    def _laid_out(self, system: System, expected: int | None = None) -> tuple[Place, np.ndarray]:
        """Return the arguments of a network as one vector, and where each stands."""
        every = pieces(system, self.duration)
        edges = np.array([piece.start for piece in every] + [self.duration])
        delays = np.array([delay for _, delay in system.program.lags])
        parts: list[np.ndarray] = [system.initial_state(), edges, delays]
        after = system.size + edges.size
        at = after + delays.size
        place = Place(slice(0, system.size), slice(system.size, after), slice(after, at), [], [], [])
        for piece in every:
            here = system
            if piece.network is not system.network:  # an event set a parameter
                here = Differentiable(piece.network).system
                if not self._alike(here):
                    raise InputError(
                        f"{system.network.name}: an event makes another structure at t = {piece.start:g}; derivatives "
                        "are taken where events change numbers alone"
                    )
            numbers, arrays = here.values(0.5 * (piece.start + piece.stop), piece.clock)
            place.numbers.append(slice(at, at := at + numbers.size))
            parts.append(numbers)
            places = {}
            for name in self.names:
                places[name] = slice(at, at := at + arrays[name].size)
                parts.append(arrays[name].ravel())
            place.arrays.append(places)
            place.changes.append(None)
            if piece.change is not None:
                place.changes[-1] = slice(at, at := at + 2 * system.size)
                parts += [piece.change.factor, piece.change.added]
        if expected is not None and at != expected:
            raise InputError("another structure")
        return place, np.concatenate(parts)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return ``one - other``, 0 where both are the same infinity: a ceiling that there is none."""
    with np.errstate(invalid="ignore"):
        return np.where(one == other, 0.0, one - other)


def _tiny(here: np.ndarray, h: float) -> np.ndarray:
    """Return what rounding makes of differences."""
    return np.where(np.isfinite(here), 1e-15 * np.abs(here) / h, 0.0)
