"""AcrossChannels: cells at the same place of several maps send to each other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, cells
from brnn.spec.topologies.stacks import channels_of

__all__ = ["AcrossChannels", "shared_across_channels", "shared_sums"]

_AT_ONCE = 256  # cells of each map whose shared sums are kept, as `shared_across_channels` has it


def shared_across_channels(s: Any, net: Any, left: Any, right: Any, weights: Any, sums: Any) -> None:
    """Add to each map the weighted sum of maps of the source, and of sums of two that several maps receive."""
    plane = net.size // weights.shape[0]
    given = weights.shape[1] - left.size
    for start in range(0, plane, 256):  # so many cells of every map and sum stay in the cache
        size = min(256, plane - start)
        for k in range(left.size):
            one = s[left[k] * plane + start : left[k] * plane + start + size]
            if left[k] >= given:
                one = sums[(left[k] - given) * 256 : (left[k] - given) * 256 + size]
            other = s[right[k] * plane + start : right[k] * plane + start + size]
            if right[k] >= given:
                other = sums[(right[k] - given) * 256 : (right[k] - given) * 256 + size]
            both = sums[k * 256 : k * 256 + size]
            for i in range(size):
                both[i] = one[i] + other[i]
        for c in range(weights.shape[0]):
            out = net[c * plane + start : c * plane + start + size]
            for k in range(weights.shape[1]):
                weight = weights[c, k]
                if weight != 0.0:
                    sent = s[k * plane + start : k * plane + start + size]
                    if k >= given:
                        sent = sums[(k - given) * 256 : (k - given) * 256 + size]
                    for i in range(size):
                        out[i] += weight * sent[i]


def shared_sums(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of two columns each, of which several rows are made, and the weights of all columns and sums.

    Again and again the two columns, sums included, to which most rows give equal weights are added up once for these
    rows. Nothing is subtracted, so that no sum of numbers >= 0 becomes less than one of them.

    Returns
    -------
    pairs : array of int, shape (sums, 2)
        Numbers of columns, those of sums after those of the matrix.
    weights : array, shape (rows, columns and sums)
        What each row takes of them.
    """

    def alike(k: int) -> np.ndarray:
        return np.asarray(((weights == weights[:, k : k + 1]) & (weights != 0.0)).sum(axis=0))

    weights, pairs = np.array(matrix, dtype=np.float64), list[tuple[int, int]]()
    counts = np.array([alike(k) for k in range(weights.shape[1])])
    while counts.size:
        above = np.triu(counts, 1)
        one, other = divmod(int(above.argmax()), len(counts))
        if above[one, other] < 2:
            break
        rows = (weights[:, one] == weights[:, other]) & (weights[:, one] != 0.0)
        both = np.where(rows, weights[:, one], 0.0)
        weights[np.ix_(rows, (one, other))] = 0.0
        weights = np.hstack([weights, both[:, None]])
        pairs.append((one, other))
        counts = np.pad(counts, ((0, 1), (0, 1)))
        for k in (one, other, len(counts) - 1):
            counts[k] = counts[:, k] = alike(k)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), weights


@dataclass(frozen=True, eq=False, repr=False)
class AcrossChannels(Topology):
    """Each cell sends to the cells at the same place of other maps, by a matrix of channels.

    The layers have shape (channels, rows, columns), with maps of one size; one of shape (rows, columns) is a single
    map. The sum over all other channels, for instance, is ``AcrossChannels(1 - np.eye(channels))``.

    Parameters
    ----------
    matrix : array, shape (channels of the target, channels of the source)
        Strength from channel to channel. Negative elements are allowed only onto additive layers.
    """

    matrix: np.ndarray

    def __post_init__(self) -> None:
        self._set(matrix=array(self.matrix, "AcrossChannels: matrix", ndim=2))

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require maps of one size, and a matrix of the channels."""
        need = channels_of(self, source, target, where)[::-1]
        if self.matrix.shape != need:
            raise SpecError(
                f"{where}: AcrossChannels: the matrix has shape {self.matrix.shape}, must have (target channels, "
                f"source channels) = {need}"
            )

    rooms: ClassVar[tuple[str, ...]] = ("sums",)

    def chosen_kernel(self, source: Shape, target: Shape) -> tuple[str, Callable[..., Any]]:
        """Return the kernel that computes once what several rows of the matrix add up, if there is any such sum."""
        if len(self._shared[0]) == 0:
            return super().chosen_kernel(source, target)
        return "across_channels_shared", shared_across_channels

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the matrix; with shared sums, of which maps they are, the weights of maps and sums, and their room."""
        pairs, weights = self._shared
        if len(pairs) == 0:
            return (self.matrix,)
        return pairs[:, 0].copy(), pairs[:, 1].copy(), weights, np.zeros(len(pairs) * _AT_ONCE)

    @functools.cached_property
    def _shared(self) -> tuple[np.ndarray, np.ndarray]:
        return shared_sums(self.matrix)

    @staticmethod
    def kernel(s: Any, net: Any, matrix: Any) -> None:
        """Add to each map the weighted sum of the maps of the source."""
        plane = net.size // matrix.shape[0]
        for start in range(0, plane, 1024):  # so many cells of every map stay in the cache
            stop = min(plane, start + 1024)
            for c in range(matrix.shape[0]):
                out = net[c * plane + start : c * plane + stop]
                for k in range(matrix.shape[1]):
                    weight = matrix[c, k]
                    if weight != 0.0:
                        sent = s[k * plane + start : k * plane + stop]
                        for i in range(out.size):
                            out[i] += weight * sent[i]

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return the matrix, a diagonal block for each element."""
        return np.kron(self.matrix, np.eye(cells(target[-2:])))

    def smallest_weight(self) -> float:
        """Return the smallest element."""
        return float(min(self.matrix.min(), 0.0))
