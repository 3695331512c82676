"""Groups of unknowns that stay equal: a network of equal cells is followed by one unknown for each group.

A uniform recurrent competitive field of n cells has branch points whose kernel has n - 1 dimensions: any cell may be
the one that wins. Among states in which k cells have one activity and n - k another the same point is simple. So the
unknowns are gathered in groups that the equations keep equal, as Grossberg's own analysis of k winners does.
"""

from __future__ import annotations

import numpy as np

from brnn.continuation.family import Family

__all__ = ["Groups", "equal_groups"]

_SAME = 1e-7  # relative difference up to which two values are equal
_TRIALS = 3


class Groups:
    """A partition of the unknowns.

    Parameters
    ----------
    labels : ndarray of int
        For each unknown its group, 0 ... count - 1 in the order of their first members.
    """

    def __init__(self, labels: np.ndarray) -> None:
        _, first, back = np.unique(labels, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))
        self.labels = order[back.ravel()]
        self.first = np.sort(first)
        self.sizes = np.bincount(self.labels)

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.first)

    def expand(self, v: np.ndarray) -> np.ndarray:
        """Return the value of each unknown from that of each group."""
        return np.asarray(v[self.labels])

    def reduce(self, u: np.ndarray) -> np.ndarray:
        """Return the value of each group's first member; of a matrix that of each row."""
        return np.asarray(u[self.first])

    def columns(self, J: np.ndarray) -> np.ndarray:
        """Return the derivatives by the groups' values of the groups' first members, shape (count, count)."""
        rows = J[self.first]
        result = np.zeros((self.count, self.count))
        np.add.at(result.T, self.labels, rows.T)
        return result

    def split(self, group: int, k: int) -> Groups:
        """Return the groups with the first k members of one apart."""
        labels = self.labels.copy()
        labels[np.flatnonzero(labels == group)[:k]] = self.count
        return Groups(labels)


def equal_groups(family: Family, values: tuple[float, ...], u: np.ndarray, *, seed: int = 0) -> Groups:
    """Return the coarsest groups of unknowns that are equal in the state `u` and that the equations keep equal.

    Unknowns of different variables are never equal. The groups are refined until, at random states in which they are
    equal, their rates are equal, too.
    """
    scale = float(np.max(np.abs(u))) or 1.0
    labels = np.zeros(u.size, dtype=np.int64)
    for number, variable in enumerate(family.system.variables):
        labels[variable.start : variable.stop] = number
    labels = refined(labels, u, scale)
    random = np.random.default_rng(seed)
    while True:
        groups = Groups(labels)
        for _ in range(_TRIALS):
            state = groups.expand(scale * random.uniform(0.1, 1.0, groups.count))
            rates = family.rates(state, values)
            labels = refined(labels, rates, float(np.max(np.abs(rates))) or 1.0)
        if Groups(labels).count == groups.count:
            return groups


def refined(labels: np.ndarray, values: np.ndarray, scale: float) -> np.ndarray:
    """Return labels that differ wherever they did, or where the values differ."""
    result = np.empty_like(labels)
    count = 0
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = members[np.argsort(values[members], kind="stable")]
        jumps = np.diff(values[order]) > _SAME * scale
        result[order] = count + np.concatenate([[0], np.cumsum(jumps)])
        count += int(jumps.sum()) + 1
    return result
