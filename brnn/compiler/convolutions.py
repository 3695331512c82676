"""Convolutions by FFT of the same signals with several kernels: the signals are transformed once for all of them.

If lengths are products of small numbers, that is done in three phases whose parts threads can share
(`brnn.compiler.fourier_steps`), else by rocket-fft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.compiler.program import Program, SentSignals
from brnn.compiler.statements import ZERO, Array, Assign, ConstantNumber, Index, Loop
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.base import Shape
from brnn.spec.topologies.convolution import Convolution, back_kernel, forth_kernel

__all__ = ["ACROSS", "BACK", "FORTH", "add_convolution"]

FORTH, ACROSS, BACK = "transform_rows", "transform_columns", "transform_rows_back"
_LANES = 8  # as brnn.compiler.fourier_vectors has it, which loads Numba
_RADICES = (8, 4, 2, 3, 5)  # in the order in which they are taken
_LINE = 64  # bytes
_ROUNDED = 1e-15  # what kernels that are symmetric are transformed to has imaginary parts of rounding errors
_I = Index("i")
_WHOLE = ConstantNumber("0"), ConstantNumber("1")  # all of a phase: part 0 of 1

if TYPE_CHECKING:  # the generated module imports them from brnn.compiler.fourier, when a network needs them
    across: Any = ...
    back: Any = ...
    forth: Any = ...
    place_of: Any = ...


def rows_forth(
    s: Any, sizes: Any, columns: Any, along: Any, spectrum: Any, scratch: Any, block: Any, blocks: Any
) -> None:
    """Transform rows of s."""
    forth(
        place_of(s), place_of(sizes), place_of(columns), place_of(along), place_of(spectrum), place_of(scratch), block,
        blocks,
    )  # fmt: skip


def columns_across(
    sizes: Any, rows: Any, down: Any, transfers: Any, spectrum: Any, products: Any, scratch: Any, block: Any,
    blocks: Any,
) -> None:  # fmt: skip
    """Transform columns of that, multiply them for each kernel, and transform them back."""
    across(
        place_of(sizes), place_of(rows), place_of(down), place_of(transfers), place_of(spectrum), place_of(products),
        place_of(scratch), block, blocks,
    )  # fmt: skip


def rows_back(
    net: Any, sizes: Any, kernel: Any, adds: Any, along: Any, products: Any, scratch: Any, block: Any, blocks: Any
) -> None:
    """Transform rows of the product with one kernel back to `net`."""
    back(
        place_of(net), place_of(sizes), kernel, adds, place_of(along), place_of(products), place_of(scratch), block,
        blocks,
    )  # fmt: skip


def add_convolution(
    program: Program,
    network: Network,
    projection: Projection,
    sent: Mapping[str, SentSignals],
    net: Array,
    *,
    fresh: bool,
) -> bool:
    """Add a projection that is a convolution by FFT, the transform of its signals with the first that shares it.

    `fresh` says that nothing was written to `net` yet. Return whether it is added: not if its transform has other
    lengths, and no other projection needs it.
    """
    key = _transform(network, projection, sent)
    if key is None:
        return False
    alike = [other for other in network.projections if _transform(network, other, sent) == key]
    assert isinstance(projection.topology, Convolution)
    if _in_phases(projection.topology, network.layer(projection.source).shape):
        _add_phases(program, network, projection, alike, key, sent, net, fresh=fresh)
        return True
    if len(alike) < 2:
        return False
    if fresh:
        program.add(Loop(_I, net.size, (Assign(net[_I], ZERO),)))
    _add_shared(program, network, projection, key, sent, net)
    return True


def _add_phases(
    program: Program,
    network: Network,
    projection: Projection,
    alike: list[Projection],
    key: tuple[object, ...],
    sent: Mapping[str, SentSignals],
    net: Array,
    *,
    fresh: bool,
) -> None:
    """Add a projection in three phases, the first two of which all that are `alike` have in common."""
    if key not in program.transforms:
        name = str(projection.name)
        forth, across = program.kernel(FORTH, rows_forth), program.kernel(ACROSS, columns_across)
        program.imports["from brnn.compiler.fourier import across, back, forth, place_of"] = None
        parts = [_fourier(network, other) for other in alike]
        (height, width), rows, columns, *_ = parts[0]
        tall, wide = rows.size, columns.size
        lying = wide == width and _lies_well(wide)
        down, along = _radices(tall), _radices(wide // _LANES if lying else wide)
        transfers = np.stack([part[3] for part in parts])
        real = bool(np.abs(transfers.imag).max() <= _ROUNDED * np.abs(transfers).max())
        whole = [height, width, tall, wide, len(alike), int(real), int(lying), len(down), len(along), *down, *along]
        groups = -(-((wide + 1) // 2) // _LANES)
        numbers = 2 * _LANES * groups * height  # that stand for the complex ones
        values = {
            "sizes": np.array(whole),
            "rows": rows,
            "columns": columns,
            "down": _turns(tall, down),
            "along": _in_lanes(wide, along) if lying else _turns(wide, along),
            "transfers": _side_by_side(transfers, wide, real=real),
        }
        arrays = {key: program.array(f"{key}_{name}", value) for key, value in values.items()}
        spare = _LINE // 8
        for room, size in (
            ("spectrum", numbers + spare),
            ("products", len(alike) * numbers + spare),
            ("scratch", 4 * (2 * _LANES * (max(tall, wide) + 1) + 16) + spare),
        ):
            arrays[room] = program.work(f"{room}_{name}", size)
        program.transforms[key] = arrays
        program.add(program.call(forth, sent[name].array, *_of(arrays, forth.arguments[1:-2]), *_WHOLE))
        program.add(program.call(across, *_of(arrays, across.arguments[:-2]), *_WHOLE))
    arrays, back = program.transforms[key], program.kernel(BACK, rows_back)
    which = ConstantNumber(str(alike.index(projection))), ConstantNumber(str(int(not fresh)))
    program.add(program.call(back, net, arrays["sizes"], *which, *_of(arrays, back.arguments[4:-2]), *_WHOLE))


def _fourier(network: Network, projection: Projection) -> tuple[np.ndarray, ...]:
    assert isinstance(projection.topology, Convolution)
    return projection.topology.fourier_arguments(network.layer(projection.source).shape)


def _of(arrays: Mapping[str, Array], names: Sequence[str]) -> list[Array]:
    return [arrays[name] for name in names]


def _in_phases(topology: Convolution, shape: Shape) -> bool:
    """Tell whether a field of this shape can be transformed in phases: of rows that are not short, by small factors."""
    rows, columns = topology.lengths(shape)
    return rows > 1 and shape[-1] >= _LANES and bool(_radices(rows)) and bool(_radices(columns))


def _radices(length: int) -> list[int]:
    """Return the factors by which so many numbers are transformed; none if others are needed."""
    found: list[int] = []
    for radix in _RADICES:
        while length % radix == 0:
            found.append(radix)
            length //= radix
    return found if length == 1 else []


def _turns(length: int, factors: Sequence[int]) -> np.ndarray:
    """Return real and imaginary parts of the numbers by which the results of each pass are multiplied."""
    parts = []
    for factor in factors:
        angles = np.outer(np.arange(length // factor), np.arange(1, factor)) / length
        parts.append(np.exp(-2j * np.pi * angles).ravel())
        length //= factor
    return np.concatenate(parts).view(np.float64)


def _lies_well(wide: int) -> bool:
    """Tell whether rows are transformed as they lie (`brnn.compiler.fourier_rows`): middling ones are slower then."""
    return wide % _LANES**2 == 0 and not _LANES**2 < wide < 4 * _LANES**2


def _in_lanes(length: int, factors: Sequence[int]) -> np.ndarray:
    """Return by what numbers are multiplied before their lanes are transformed, and the turns of what comes before."""
    vectors = length // _LANES
    turns = np.exp(-2j * np.pi / length * np.outer(np.arange(vectors), np.arange(_LANES)))
    return _in_lines(np.concatenate([np.stack([turns.real, turns.imag], axis=1).ravel(), _turns(vectors, factors)]))


def _side_by_side(transfers: np.ndarray, wide: int, *, real: bool) -> np.ndarray:
    """Return what kernels are transformed to, of shape (kernels, rows, columns), as groups of columns.

    If there is an even number of columns, the first one has half its sum with the last one, and half their differences
    stand behind all. All are divided by the number of points, and by 2, since rows come twice as large.
    """
    kernels, tall, _ = transfers.shape
    half = (wide + 1) // 2
    groups = -(-half // _LANES)
    scaled = transfers / (2.0 * tall * wide)
    columns = np.zeros((kernels, tall, groups * _LANES), dtype=np.complex128)
    columns[:, :, :half] = scaled[:, :, :half]
    last = 0.5 * (scaled[:, :, :1] - scaled[:, :, half:])
    if last.size:
        columns[:, :, :1] -= last
    numbers = columns.reshape(kernels, tall, groups, _LANES).transpose(0, 2, 1, 3)
    parts = [numbers.real] if real else [numbers.real, numbers.imag]
    values = np.concatenate([np.stack(parts, axis=3).ravel(), last.ravel().view(np.float64)])
    return _in_lines(values)


def _in_lines(values: np.ndarray) -> np.ndarray:
    """Return values that begin where a line of the cache does: vectors are read faster then."""
    room = np.empty(values.size + _LINE // 8)
    first = -room.__array_interface__["data"][0] % _LINE // 8
    room[first : first + values.size] = values
    return room[first : first + values.size]


def _add_shared(
    program: Program,
    network: Network,
    projection: Projection,
    key: tuple[object, ...],
    sent: Mapping[str, SentSignals],
    net: Array,
) -> None:
    """Add a projection whose transform others share, the transform itself with the first of them."""
    assert isinstance(projection.topology, Convolution)
    name = str(projection.name)
    sizes, rows, columns, transfer, buffer, spectrum, axes = _fourier(network, projection)
    forth, back = (program.kernel(*item) for item in (("transform", forth_kernel), ("transform_back", back_kernel)))
    if key not in program.transforms:
        for line in projection.topology.imports.values():
            program.imports[line] = None
        values = (sizes, rows, columns, buffer, spectrum, axes)
        shared = program.arguments(forth, 1, values, name)
        own = program.named(["product"], [spectrum.copy()], name)
        program.transforms[key] = dict(zip((*forth.arguments[1:], "product"), (*shared, *own), strict=True))
        program.add(program.call(forth, sent[name].array, *shared))
    arrays = program.transforms[key] | dict(
        zip(["transfer"], program.named(["transfer"], [transfer], name), strict=True)
    )
    program.add(program.call(back, net, *_of(arrays, back.arguments[1:])))


def _transform(network: Network, projection: Projection, sent: Mapping[str, SentSignals]) -> tuple[object, ...] | None:
    """Return what two projections have in common that share a transform; None if one is not made by FFT."""
    topology, shape = projection.topology, network.layer(projection.source).shape
    if not isinstance(topology, Convolution) or projection.learning is not None:
        return None
    if projection.gate is not None and projection.gate.per == "connection":
        return None
    transform = topology.transform(shape, phases=_in_phases(topology, shape))
    return None if transform is None else (sent[str(projection.name)].name, *transform)
