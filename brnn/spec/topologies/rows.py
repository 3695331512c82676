"""Kernels of topologies for some rows of each map alone, so that a step can be made in bands of rows.

They take the arguments of the kernel in whose place they stand, and after them the first row, the row after the last,
and the length of a row, all of the target's maps; then, of the source and of the target, how far its maps lie apart in
the array, and with which row they begin there. Those that do one map take its number before the rows, have only its
rows to write, and are told nothing more about the target. Some are told last whether they are the first that write
there: then they set what others add, and nobody has to write zeros before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.spec.topologies.across_channels import AcrossChannels, shared_across_channels
from brnn.spec.topologies.block_sums import BlockSums
from brnn.spec.topologies.channels import fourier_channels, shifted_channels
from brnn.spec.topologies.convolution import fourier_kernel

__all__ = ["IN_ROWS", "InRows"]


@dataclass(frozen=True)
class InRows:
    """What does the work of a kernel for some rows.

    Attributes
    ----------
    kernel : callable
        The kernel of these rows.
    reads_own : bool
        Whether it reads no other rows of the source.
    writes_own : bool
        Whether it writes no other rows of the target; those that do share the maps among the bands.
    rooms : tuple of str
        The arguments in which it works, of which each map of the target needs its own.
    reach : callable or None
        Returns, from arguments by their names, how many rows it reads beyond those of the target; None: all.
    by_map : bool
        Whether it does one map of the target, whose number is given before the rows.
    in_turn : tuple of str
        Those of which each band needs its own.
    begins : bool
        Whether it is told last whether to set, in the place of adding.
    """

    kernel: Callable[..., Any]
    reads_own: bool = False
    writes_own: bool = True
    rooms: tuple[str, ...] = ()
    reach: Callable[[Mapping[str, Any]], int] | None = None
    by_map: bool = False
    in_turn: tuple[str, ...] = ()
    begins: bool = False


def shifted_in_rows(
    s: Any, net: Any, sizes: Any, senders: Any, first: Any, down: Any, across: Any, taps: Any, c: Any, low: Any,
    high: Any, width: Any, s_plane: Any, s_low: Any, begins: Any,
) -> None:  # fmt: skip
    """Add, for each tap of a map that is not 0, the map that sends to it; beyond the edge there is nothing."""
    height = sizes[0]
    added = first[c]
    if begins and (added == first[c + 1] or width <= abs(across[added])):
        for j in range(net.size):
            net[j] = 0.0
    elif begins:
        left = max(0, -across[added])
        right = min(width, width - across[added])
        for i in range(low, high):
            to = (i - low) * width
            if i + down[added] < 0 or i + down[added] >= height:
                for j in range(to, to + width):
                    net[j] = 0.0
            else:
                for j in range(to, to + left):
                    net[j] = 0.0
                for j in range(to + right, to + width):
                    net[j] = 0.0
                start = senders[c] * s_plane + (i + down[added] - s_low) * width + across[added]
                out = net[to + left : to + right]
                sent = s[start + left : start + right]
                for j in range(out.size):
                    out[j] = taps[added] * sent[j]
        added += 1
    for k in range(added, first[c + 1]):
        tap = taps[k]
        left = max(0, -across[k])
        right = min(width, width - across[k])
        if left < right:
            for i in range(max(low, -down[k]), min(high, height - down[k])):
                start = senders[c] * s_plane + (i + down[k] - s_low) * width + across[k]
                to = (i - low) * width
                out = net[to + left : to + right]
                sent = s[start + left : start + right]
                for j in range(out.size):
                    out[j] += tap * sent[j]


def across_in_rows(
    s: Any, net: Any, matrix: Any, c: Any, low: Any, high: Any, width: Any, s_plane: Any, s_low: Any, begins: Any,
) -> None:  # fmt: skip
    """Add to a map the weighted sum of the maps of the source."""
    for k in range(matrix.shape[1]):
        weight = matrix[c, k]
        if weight != 0.0:
            start = k * s_plane + (low - s_low) * width
            sent = s[start : start + net.size]
            if begins:
                for i in range(net.size):
                    net[i] = weight * sent[i]
            else:
                for i in range(net.size):
                    net[i] += weight * sent[i]
            begins = False
    if begins:
        for i in range(net.size):
            net[i] = 0.0


def shared_in_rows(
    s: Any, net: Any, left: Any, right: Any, weights: Any, sums: Any, low: Any, high: Any, width: Any, s_plane: Any,
    s_low: Any, net_plane: Any, net_low: Any, begins: Any,
) -> None:  # fmt: skip
    """Add to each map the weighted sum of maps of the source, and of sums of two that several maps receive."""
    cells = (high - low) * width
    source = (low - s_low) * width
    target = (low - net_low) * width
    given = weights.shape[1] - left.size
    for start in range(0, cells, 256):  # so many cells of every map and sum stay in the cache
        size = min(256, cells - start)
        for k in range(left.size):
            one = s[left[k] * s_plane + source + start : left[k] * s_plane + source + start + size]
            if left[k] >= given:
                one = sums[(left[k] - given) * 256 : (left[k] - given) * 256 + size]
            other = s[right[k] * s_plane + source + start : right[k] * s_plane + source + start + size]
            if right[k] >= given:
                other = sums[(right[k] - given) * 256 : (right[k] - given) * 256 + size]
            both = sums[k * 256 : k * 256 + size]
            for i in range(size):
                both[i] = one[i] + other[i]
        for c in range(weights.shape[0]):
            out = net[c * net_plane + target + start : c * net_plane + target + start + size]
            if begins:
                for i in range(size):
                    out[i] = 0.0
            for k in range(weights.shape[1]):
                weight = weights[c, k]
                if weight != 0.0:
                    sent = s[k * s_plane + source + start : k * s_plane + source + start + size]
                    if k >= given:
                        sent = sums[(k - given) * 256 : (k - given) * 256 + size]
                    for i in range(size):
                        out[i] += weight * sent[i]


def block_sums_in_rows(
    s: Any, net: Any, sizes: Any, weight: Any, c: Any, low: Any, high: Any, width: Any, s_plane: Any, s_low: Any,
) -> None:  # fmt: skip
    """Add the sums of one map, times the weight."""
    size = sizes[0]
    margin = sizes[1]
    height = sizes[2]
    for i in range(max(low, margin), min(high, height - margin)):
        to = (i - low) * width
        for j in range(margin, width - margin):
            total = 0.0
            for a in range(size):
                start = c * s_plane + (i * size + a - s_low) * width * size + j * size
                for b in range(size):
                    total += s[start + b]
            net[to + j] += weight * total


def fourier_in_rows(
    s: Any, net: Any, sizes: Any, senders: Any, rows: Any, columns: Any, transfer: Any, buffer: Any, spectrum: Any,
    axes: Any, low: Any, high: Any, width: Any, s_plane: Any, s_low: Any, net_plane: Any, net_low: Any,
) -> None:  # fmt: skip
    """Add to some maps, those that are shared out with these rows, the convolution of what sends to them, by FFT."""
    plane = sizes[0] * sizes[1]
    for c in range(senders.size):
        row = c * sizes[0] // senders.size
        if row >= low and row < high:
            field = s[senders[c] * plane : (senders[c] + 1) * plane]
            fourier_kernel(
                field, net[c * plane : (c + 1) * plane], sizes, rows, columns, transfer[c], buffer[c], spectrum[c], axes
            )  # fmt: skip


IN_ROWS: dict[Callable[..., Any], InRows] = {
    shifted_channels: InRows(
        shifted_in_rows,
        reach=lambda given: int(np.abs(given["down"]).max(initial=0)),
        by_map=True,
        begins=True,
    ),
    AcrossChannels.kernel: InRows(across_in_rows, reads_own=True, by_map=True, begins=True),
    shared_across_channels: InRows(shared_in_rows, reads_own=True, in_turn=("sums",), begins=True),
    BlockSums.kernel: InRows(block_sums_in_rows, reach=lambda _: 1, by_map=True),
    fourier_channels: InRows(fourier_in_rows, writes_own=False, rooms=("buffer", "spectrum")),
}
