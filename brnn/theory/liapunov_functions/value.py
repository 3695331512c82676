"""Liapunov functions of networks of the form of Cohen and Grossberg (32), and of BAM with adaptive weights.

    dx_i/dt = a_i(x_i) [b_i(x_i) - sum_j c_ij d_j(x_j)],   a_i >= 0,  c_ij = c_ji,  d_j' >= 0                 (32)

    V = -sum_i int_0^{x_i} b_i(s) d_i'(s) ds + (1/2) sum_{jk} c_jk d_j(x_j) d_k(x_k)                          (33)

    dV/dt = -sum_i a_i d_i' [b_i - sum_j c_ij d_j]^2 <= 0                                                     (34)

With excitatory weights that learn by passive decay (39), dz_ij/dt = -k z_ij + M d_i d_j, V has the further terms

    -(1/2) sum_{ij} c_ij z_ij d_i d_j + (k/4M) sum_{ij} c_ij z_ij^2,   and dV/dt  -(1/2M) sum_{ij} c_ij (dz_ij/dt)^2.

The sums run over both directions: BAM (37)-(39) has one weight z_ij for both, brnn has one for each projection, so each
of the two counts half. They must be equal: z of one projection the transpose of z of the other, in strength, rate and
initial value (then they stay equal). For weights that start unequal V is not known to fall.

Source: Cohen and Grossberg (1983), IEEE Trans. SMC 13, 815-826; Kosko (1988) for BAM; review, (32)-(34), (37)-(39).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.theory.liapunov_functions.cells import CellFunctions
from brnn.theory.liapunov_functions.coupling import CouplingBlock
from brnn.theory.liapunov_functions.form import CohenGrossbergForm, NotOfTheForm, gather, refuse_time
from brnn.theory.liapunov_functions.learned import LearnedWeights, pair_up

if TYPE_CHECKING:
    import xarray as xr

    from brnn.result.result import Result

__all__ = ["Liapunov", "liapunov"]

_SYMMETRIC = 1e-12  # relative to the largest coefficient
_INFINITE = 1e200  # a limit at an edge that has become so large is infinite
_ELEMENTS = 2_000_000  # of states that are worked on at once


@dataclass(frozen=True, eq=False)
class Liapunov:
    """The Liapunov function V of one network. `liapunov` makes it.

    Attributes
    ----------
    network : Network
        Whose it is.
    since : float
        The time from which on V falls: stimuli change until then. 0 if they never do.
    scales : dict
        For each layer the factor of its terms in V. It is 1 unless coefficients between layers are symmetric only after
        the equations of one layer are multiplied by a factor.
    """

    network: Network
    since: float
    scales: Mapping[str, float]
    _cells: tuple[CellFunctions, ...]
    _blocks: Mapping[tuple[str, str], CouplingBlock]
    _learned: tuple[LearnedWeights, ...]
    _size: int

    def V(self, u: Any) -> Any:
        """Return (33) at states of the network.

        Parameters
        ----------
        u : array, shape (..., unknowns)
            State vectors as `brnn.compile_network` lays them out: activities of each layer, then weights.

        Returns
        -------
        float or array, shape (...)
            Infinite where an integral of (33) is: for a cell with silent inhibition and an input, at activity 0.

        Raises
        ------
        InputError
            If the shape is wrong, a value is not finite, a signal falls or jumps between the states, or the two
            weights of a connection differ.

        Notes
        -----
        The integrals come from tables of Chebyshev series that are made when they are first needed, to about 1e-14 of
        the largest; one value costs a look-up and 16 multiplications.
        """
        return self._in_blocks(u, self._values)

    def derivative(self, u: Any) -> Any:
        """Return (34), dV/dt along the trajectory through each state; arguments and errors are those of `V`.

        It is -inf where V is infinite.
        """
        return self._in_blocks(u, self._derivatives)

    def states(self, result: Result) -> tuple[np.ndarray, np.ndarray]:
        """Return the times of a run from `since` on, shape (times,), and its state vectors, shape (times, unknowns).

        Only times at which everything was recorded count: weights may have a coarser time axis.
        """
        names = [f"{layer.name}.x" for layer in self.network.layers]
        names += [f"{part.projection.name}.z" for part in self._learned]
        arrays = [result[name] for name in names]
        times = arrays[0]["time"].values
        for array in arrays[1:]:
            times = np.intersect1d(times, array["time"].values)
        times = times[times >= self.since]
        if times.size == 0:
            raise InputError(f"liapunov: the run has no time >= {self.since:g}, from which on V falls")
        rows = [array.values[np.isin(array["time"].values, times)].reshape(times.size, -1) for array in arrays]
        return times, np.concatenate(rows, axis=1)

    def of(self, result: Result) -> xr.DataArray:
        """Return V along a run of the network, as a function of time, from `since` on."""
        import xarray as xr

        times, states = self.states(result)
        time = xr.Variable(("time",), times, {"units": self.network.time_units, "long_name": "time"})
        return xr.DataArray(
            self.V(states), {"time": time}, ("time",), name="V", attrs={"units": "1", "long_name": "Liapunov function"}
        )

    def _in_blocks(self, u: Any, function: Any) -> Any:
        given = np.asarray(u, dtype=np.float64)
        if given.ndim == 0 or given.shape[-1] != self._size:
            raise InputError(f"liapunov: u has shape {given.shape}, must be (..., {self._size})")
        if not np.isfinite(given).all():
            raise InputError("liapunov: every element of u must be finite")
        rows = given.reshape(-1, self._size)
        step = max(1, _ELEMENTS // self._size)
        with np.errstate(all="ignore"):
            parts = [function(rows[k : k + step]) for k in range(0, len(rows), step)]
        result = np.concatenate(parts) if parts else np.empty(0)
        return float(result[0]) if given.ndim == 1 else result.reshape(given.shape[:-1])

    def _values(self, u: np.ndarray) -> np.ndarray:
        signals = self._signals(u)
        total = np.zeros(len(u))
        for cells in self._cells:
            scale, d = self.scales[cells.name], signals[cells.name]
            try:
                integral = cells.integral(u[:, cells.place])
            except InputError as error:
                raise InputError(f"liapunov: layer '{cells.name}': {error}") from None
            total += scale * (0.5 * (self._arriving(cells.name, signals) * d).sum(axis=1) - integral.sum(axis=1))
        for part in self._learned:
            total += self.scales[part.projection.target] * part.value(u, signals)
        return total

    def _derivatives(self, u: np.ndarray) -> np.ndarray:
        signals = self._signals(u)
        learned = {cells.name: np.zeros((len(u), signals[cells.name].shape[1])) for cells in self._cells}
        total = np.zeros(len(u))
        for part in self._learned:
            part.add_input(u, signals, learned[part.projection.target])
            total += self.scales[part.projection.target] * part.derivative(u, signals)
        for cells in self._cells:
            x = u[:, cells.place]
            bracket = cells.b(x) - self._arriving(cells.name, signals) + learned[cells.name]
            # (sqrt(a) bracket)^2 does not overflow at an edge, where a is tiny and b huge.
            speed = np.asarray(cells.signal.derivative(cells.inside(x))) * (np.sqrt(np.abs(cells.a(x))) * bracket) ** 2
            total -= self.scales[cells.name] * (np.sign(cells.a(x)) * speed).sum(axis=1)
        return np.where(total < -_INFINITE, -np.inf, total)

    def _signals(self, u: np.ndarray) -> dict[str, np.ndarray]:
        """Return d(x) of each layer; refuse states at which the theorem does not hold."""
        for cells in self._cells:
            reason = cells.check(u[:, cells.place])
            if reason is not None:
                raise InputError(f"liapunov: the signal {cells.signal!r} of layer '{cells.name}' {reason}")
        for part in self._learned:
            part.check(u)
        return {cells.name: np.asarray(cells.signal(u[:, cells.place])) for cells in self._cells}

    def _arriving(self, name: str, signals: dict[str, np.ndarray]) -> np.ndarray:
        """Return sum_j c_ij d_j for the cells of a layer."""
        result = np.zeros(signals[name].shape)
        for (target, source), block in self._blocks.items():
            if target == name:
                result += block.apply(signals[source])
        return result


def liapunov(network: Network) -> Liapunov:
    """Return the Liapunov function of a network of the form (32), or of BAM with adaptive weights (37)-(39).

    Of this form are layers of CohenGrossbergLayer; additive layers; shunting and membrane layers whose cells get only
    inhibition (or only excitation) from other cells, and any own excitation, with constant inputs I and J; and several
    such layers whose joint matrix of coefficients is symmetric, up to one positive factor for each layer. The cells of
    a layer send one signal to others, which never falls.

    Parameters
    ----------
    network : Network
        Its stimuli may change until some time, from which on V falls (`Liapunov.since`).

    Returns
    -------
    Liapunov
        With ``V(u)``, ``derivative(u)`` and ``of(result)``.

    Raises
    ------
    InputError
        In one line why the network is not of this form: coefficients that are not symmetric (the largest asymmetry and
        where it is), two kinds of signals, shunting excitation and inhibition from others, gates, delays, noise,
        another learning law, discrete time, stimuli that change for ever.

    Notes
    -----
    a_i >= 0 is a matter of the state, e.g. x >= 0 for the a(x) = x of Lotka and Volterra: with a_i < 0 (34) is
    positive.
    """
    if not isinstance(network, Network):
        raise InputError(f"liapunov: network = {type(network).__name__}: must be a brnn.Network")
    try:
        since = refuse_time(network)
        gathered = gather(network, since)
        learned = pair_up(network, gathered)
        scales = _scales(network, gathered, learned)
        _require_symmetry(gathered, learned, scales)
    except NotOfTheForm as error:
        raise InputError(f"liapunov: network '{network.name}': {error}") from None
    size = sum(layer.cells for layer in network.layers) + sum(part.rows.size for part in learned)
    return Liapunov(network, since, scales, tuple(gathered.cells.values()), gathered.blocks, tuple(learned), size)


LayerPair = tuple[str, str]


def _scales(network: Network, gathered: CohenGrossbergForm, learned: list[LearnedWeights]) -> dict[str, float]:
    """Return one factor for each layer that makes coefficients between layers equal in size in both directions."""
    norms: dict[LayerPair, float] = {}
    for key, block in gathered.blocks.items():
        norms[key] = np.hypot(norms.get(key, 0.0), block.norm())
    for part in learned:
        key = (part.projection.target, part.projection.source)
        norms[key] = np.hypot(norms.get(key, 0.0), float(np.linalg.norm(part.strengths)))
    scales: dict[str, float] = {}
    for layer in network.layers:
        if layer.name in scales:
            continue
        scales[layer.name] = 1.0
        waiting = [layer.name]
        while waiting:
            one = waiting.pop()
            for other in gathered.cells:
                there, back = norms.get((one, other), 0.0), norms.get((other, one), 0.0)
                if other not in scales and there > 0.0 and back > 0.0:
                    ratio = float(there / back)
                    scales[other] = scales[one] * (1.0 if abs(ratio - 1.0) < _SYMMETRIC else ratio)
                    waiting.append(other)
    return scales


def _require_symmetry(gathered: CohenGrossbergForm, learned: list[LearnedWeights], scales: dict[str, float]) -> None:
    """Raise NotOfTheForm if the scaled coefficients are not symmetric; it names those that differ most."""
    every = {(one, other) for key in gathered.blocks for one, other in (key, key[::-1])}
    largest = max((block.norm() for block in gathered.blocks.values()), default=0.0)
    worst: tuple[tuple[float, float], str] = ((0.0, 0.0), "")
    unequal = False
    for target, source in sorted(every):
        shape = gathered.cells[target].count, gathered.cells[source].count
        one = gathered.blocks.get((target, source), CouplingBlock(*shape))
        other = gathered.blocks.get((source, target), CouplingBlock(*shape[::-1]))
        i, j, here, back = one.scaled(scales[target]).asymmetry(other.scaled(scales[source]))
        unequal |= abs(here - back) > _SYMMETRIC * largest * max(scales[target], scales[source])
        i, j, here, back = one.asymmetry(other)
        size = abs(here - back), abs(here)  # of a connection in one direction, the direction that there is comes first
        if size > worst[0]:
            text = (
                f"c[{target}[{i}], {source}[{j}]] = {here:.6g}, but c[{source}[{j}], {target}[{i}]] = {back:.6g}: "
                f"the largest asymmetry, {abs(here - back):.6g}"
            )
            worst = (size, text)
    if unequal:
        raise NotOfTheForm(f"its coefficients are not symmetric: {worst[1]}")
    for part in learned:
        part.require_symmetry(scales)
