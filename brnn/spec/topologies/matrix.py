"""Dense and Sparse: topologies given as a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from brnn.base.checks import array
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, cells

__all__ = ["Dense", "Sparse"]


def _check_matrix(shape: tuple[int, ...], source: Shape, target: Shape, where: str, what: str) -> None:
    need = (cells(target), cells(source))
    if shape != need:
        swapped = " (it looks transposed: W[target, source])" if shape == need[::-1] else ""
        raise SpecError(
            f"{where}: {what}: the matrix has shape {shape}, must have (target cells, source cells) = {need}{swapped}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Dense(Topology):
    """Any matrix of strengths, applied with BLAS.

    Parameters
    ----------
    matrix : array, shape (target cells, source cells)
        W[target, source]. Negative elements are allowed only onto additive layers.
    """

    matrix: np.ndarray

    storage: ClassVar[Literal["dense", "sparse", "single"] | None] = "dense"

    def __post_init__(self) -> None:
        self._set(matrix=array(self.matrix, "Dense: matrix", ndim=2))

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require shape (target cells, source cells)."""
        _check_matrix(self.matrix.shape, source, target, where, "Dense")

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return W and a work array of the target's size."""
        return self.matrix, np.empty(cells(target))

    @staticmethod
    def kernel(s: Any, net: Any, W: Any, product: Any) -> None:
        """Add W s to `net`."""
        np.dot(W, s, product)
        for i in range(net.size):
            net[i] += product[i]

    @staticmethod
    def strength(j: Any, i: Any, W: Any) -> Any:
        """Return W[j, i]."""
        return W[j, i]

    def weights(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return W."""
        return (self.matrix,)

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return the matrix."""
        return np.array(self.matrix)

    def smallest_weight(self) -> float:
        """Return the smallest element."""
        return float(self.matrix.min())


@dataclass(frozen=True, eq=False, repr=False)
class Sparse(Topology):
    """Any sparse matrix of strengths, in compressed rows.

    Parameters
    ----------
    csr : scipy sparse matrix or array, shape (target cells, source cells)
        W[target, source]; any format, converted to CSR. Negative elements are allowed only onto additive layers.
    """

    csr: Any

    storage: ClassVar[Literal["dense", "sparse", "single"] | None] = "sparse"

    def __post_init__(self) -> None:
        import scipy.sparse as sparse

        if not sparse.issparse(self.csr):
            raise SpecError("Sparse: csr: must be a scipy.sparse matrix (use Dense for a NumPy array)")
        matrix = sparse.csr_array(self.csr, dtype=np.float64)
        try:  # first: SciPy works on the arrays without looking whether they fit each other
            matrix.check_format(full_check=True)
        except ValueError as error:
            raise SpecError(f"Sparse: csr: damaged matrix ({error})") from None
        matrix.sum_duplicates()
        rows, columns = matrix.shape
        if rows < 1 or columns < 1:
            raise SpecError(f"Sparse: csr: has shape {matrix.shape}, must have at least one row and column")
        if matrix.nnz and not np.isfinite(matrix.data).all():
            raise SpecError("Sparse: csr: every element must be finite")
        self._set(csr=matrix)

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require shape (target cells, source cells)."""
        _check_matrix(self.csr.shape, source, target, where, "Sparse")

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the three arrays of the compressed rows."""
        return self.csr.data, self.csr.indices.astype(np.int64), self.csr.indptr.astype(np.int64)

    @staticmethod
    def kernel(s: Any, net: Any, data: Any, indices: Any, indptr: Any) -> None:
        """Add W s to `net`."""
        for i in range(net.size):
            total = 0.0
            for k in range(indptr[i], indptr[i + 1]):
                total += data[k] * s[indices[k]]
            net[i] += total

    def connections(self, source: Shape, target: Shape) -> int:
        """Return the number of stored elements."""
        return int(self.csr.nnz)

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return the matrix as a dense array."""
        return np.asarray(self.csr.toarray())

    def smallest_weight(self) -> float:
        """Return the smallest element."""
        return float(min(self.csr.min(), 0.0)) if self.csr.nnz else 0.0
