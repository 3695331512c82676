"""Coefficients c_ij between two layers, held in the form of the topologies that they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sparse

from brnn.base.memory import refuse_above
from brnn.spec.topologies import Topology
from brnn.spec.topologies.matrix import Sparse
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne

__all__ = ["CouplingBlock"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class CouplingBlock:
    """A matrix [target, source] = uniform + diagonal * identity + dense + csr; missing parts are 0 or None.

    Uniform topologies stay two numbers and sparse ones stay sparse, so that large fields cost O(n) here, too.
    """

    targets: int
    sources: int
    uniform: float = 0.0
    diagonal: float = 0.0
    dense: np.ndarray | None = None
    csr: Any = None

    @classmethod
    def of(cls, topology: Topology, source: Shape, target: Shape) -> CouplingBlock:
        """Return the strengths of a topology."""
        sizes = math.prod(target), math.prod(source)
        if isinstance(topology, OneToOne):
            return cls(*sizes, diagonal=topology.weight)
        if isinstance(topology, AllToAll):
            return cls(*sizes, uniform=topology.weight)
        if isinstance(topology, AllButSelf):
            return cls(*sizes, uniform=topology.weight, diagonal=-topology.weight)
        if isinstance(topology, Sparse):
            return cls(*sizes, csr=topology.csr)
        refuse_above(16 * math.prod(sizes), f"a matrix of {sizes[0]} x {sizes[1]} coefficients")
        return cls(*sizes, dense=topology.strengths(source, target))

    def __add__(self, other: CouplingBlock) -> CouplingBlock:
        dense = [part.dense for part in (self, other) if part.dense is not None]
        csr = [part.csr for part in (self, other) if part.csr is not None]
        return CouplingBlock(
            self.targets,
            self.sources,
            self.uniform + other.uniform,
            self.diagonal + other.diagonal,
            sum(dense[1:], start=dense[0]) if dense else None,
            sum(csr[1:], start=csr[0]) if csr else None,
        )

    def scaled(self, factor: float | np.ndarray) -> CouplingBlock:
        """Return diag(factor) times this matrix; `factor` is one number or one for each target cell."""
        values = np.asarray(factor, dtype=np.float64)
        if (values == values.flat[0]).all():
            k = float(values.flat[0])
            return replace(
                self,
                uniform=k * self.uniform,
                diagonal=k * self.diagonal,
                dense=None if self.dense is None else k * self.dense,
                csr=None if self.csr is None else k * self.csr,
            )
        if self.uniform == 0.0 and self.dense is None:
            total = self.csr if self.csr is not None else sparse.csr_array((self.targets, self.sources))
            if self.diagonal:
                total = total + self.diagonal * sparse.eye_array(self.targets, format="csr")
            return CouplingBlock(self.targets, self.sources, csr=sparse.csr_array(sparse.diags_array(values) @ total))
        return CouplingBlock(self.targets, self.sources, dense=values[:, None] * self.full())

    def full(self) -> np.ndarray:
        """Return the whole matrix."""
        refuse_above(16 * self.targets * self.sources, f"a matrix of {self.targets} x {self.sources} coefficients")
        result = np.full((self.targets, self.sources), self.uniform)
        if self.diagonal:
            result += self.diagonal * np.eye(self.targets)
        if self.dense is not None:
            result += self.dense
        if self.csr is not None:
            result += self.csr.toarray()
        return result

    def apply(self, d: np.ndarray) -> np.ndarray:
        """Return sum_j c_ij d_j for each row of `d`, shape (rows, targets)."""
        result = np.zeros((len(d), self.targets))
        if self.uniform:
            result += self.uniform * d.sum(axis=1, keepdims=True)
        if self.diagonal:
            result += self.diagonal * d
        if self.dense is not None:
            result += d @ self.dense.T
        if self.csr is not None:
            result += (self.csr @ d.T).T
        return result

    def own(self) -> np.ndarray:
        """Return the diagonal of a block of a layer with itself, shape (cells,)."""
        result = np.full(self.targets, self.uniform + self.diagonal)
        if self.dense is not None:
            result += np.diagonal(self.dense)
        if self.csr is not None:
            result += self.csr.diagonal()
        return result

    def only_own(self) -> bool:
        """Tell whether everything off the diagonal is 0."""
        if self.dense is not None or (self.uniform != 0.0 and self.csr is not None):
            full = self.full()
            return bool((full == np.diag(np.diagonal(full))).all())
        if self.csr is not None:
            place = self.csr.tocoo()
            return bool((place.data[place.row != place.col] == 0.0).all())
        return self.uniform == 0.0 or self.targets == 1

    def norm(self) -> float:
        """Return the Frobenius norm."""
        if self.dense is not None or (self.csr is not None and (self.uniform != 0.0 or self.diagonal != 0.0)):
            return float(np.linalg.norm(self.full()))
        if self.csr is not None:
            return float(np.linalg.norm(self.csr.data))
        u, v, n = self.uniform, self.diagonal, min(self.targets, self.sources)
        return math.sqrt(self.targets * self.sources * u * u + (n * (2.0 * u * v + v * v) if v else 0.0))

    def asymmetry(self, other: CouplingBlock) -> tuple[int, int, float, float]:
        """Return i, j, this[i, j] and other[j, i] where they differ most."""
        parts = (self.dense, other.dense, self.csr, other.csr)
        if all(part is None for part in parts):
            places = [(0, 0), (0, self.sources - 1), (self.targets - 1, 0)]
            return max(((i, j, self.at(i, j), other.at(j, i)) for i, j in places), key=lambda p: abs(p[2] - p[3]))
        both_sparse = self.dense is None and other.dense is None
        if both_sparse and self.uniform == other.uniform and self.diagonal == other.diagonal:
            zero = sparse.csr_array((self.targets, self.sources))
            one = zero if self.csr is None else self.csr
            two = zero if other.csr is None else other.csr.T
            difference = abs(one - two).tocoo()
            if difference.nnz == 0:
                return 0, 0, self.at(0, 0), other.at(0, 0)
            k = int(difference.data.argmax())
            i, j = int(difference.row[k]), int(difference.col[k])
        else:
            place = np.unravel_index(int(np.abs(self.full() - other.full().T).argmax()), (self.targets, self.sources))
            i, j = int(place[0]), int(place[1])
        return i, j, self.at(i, j), other.at(j, i)

    def at(self, i: int, j: int) -> float:
        """Return one element."""
        return float(self.elements(np.array([i]), np.array([j]))[0])

    def elements(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the elements at these places, in their order."""
        result = self.uniform + self.diagonal * (rows == columns)
        if self.dense is not None:
            result = result + self.dense[rows, columns]
        if self.csr is not None:
            result = result + np.asarray(self.csr[rows, columns]).ravel()
        return np.asarray(result)
