"""What the cells of machine learning share: sequences as input, weights in blocks by gate, and what is read out.

Every network has a layer "x", which is what is shown in a step, its cells, and, if there are weights V, a layer "y" of
what is read of the cells. All of it happens within one step: x, then the gates and cells, then y.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from brnn.base.checks import array, spread, text, whole
from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, layer_panel
from brnn.sequences.initial import glorot, orthogonal
from brnn.signals import Linear
from brnn.spec.layers import Layer
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.network import Network
from brnn.spec.projection import ImmediateProjection, Projection
from brnn.spec.schedules import Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = [
    "PHI",
    "Blocks",
    "Parts",
    "bias_of",
    "default_sequence",
    "fading",
    "held_conductances",
    "predicted_course",
    "sequence_figure",
    "sequence_of",
    "shown_in",
    "sigma",
    "vector",
    "weights_of",
]

_DEFAULT_CELLS = 8
_SEED = 1997  # of default weights

PHI: dict[str, Any] = {  # the activation functions, for equations that are written out by hand
    "tanh": lambda w: 1.0 - 2.0 / (np.exp(2.0 * w) + 1.0),
    "relu": lambda w: np.where(w > 0.0, w, 0.0),
    "linear": lambda w: w,
    "sigmoid": lambda w: 0.5 * (1.0 + np.tanh(0.5 * w)),
}
sigma = PHI["sigmoid"]


def default_sequence() -> np.ndarray:
    """Return two inputs in twenty steps: a pulse of the first, later one of the second, then silence."""
    shown = np.zeros((20, 2))
    shown[0, 0] = shown[5, 1] = 1.0
    return shown


def sequence_of(model: str, pattern: Any) -> np.ndarray:
    """Return what is shown in each step, shape (steps, inputs)."""
    rows = default_sequence() if pattern is None else array(pattern, f"{model}: pattern")
    if rows.ndim == 0 or rows.ndim > 2:
        raise SpecError(f"{model}: pattern: has {rows.ndim} dimensions, must be (steps,) or (steps, inputs)")
    return rows.reshape(len(rows), -1)


def vector(value: Any, where: str, size: int) -> np.ndarray:
    """Return one number for each cell."""
    given = np.asarray(value) if hasattr(value, "__array__") else value
    return np.array(np.broadcast_to(spread(given, where, (size,)), (size,)))


class Blocks:
    """The weights of a cell as matrices and biases of single gates, by their letters.

    Parameters
    ----------
    model : str
        Name of the model, for messages.
    order : str
        The letters of the gates in the order in which their rows follow each other.
    letters : str
        Those that there must be.
    n, inputs : int or None, int
        Number of cells, if it is given, and of inputs.
    W, U, b : array or None
        Rows of all gates: shape (gates n, inputs), (gates n, cells), and (gates n,) or a number.
    sources : int, optional
        How many cells U reads; n if it is not given. Without U (`recurrent` False) there is none.
    """

    def __init__(
        self,
        model: str,
        order: Any,
        letters: str,
        n: Any,
        inputs: int,
        W: Any,
        U: Any,
        b: Any,
        *,
        sources: int | None = None,
        recurrent: bool = True,
    ) -> None:
        names = text(order, f"{model}: order")
        if sorted(names) != sorted(letters):
            raise SpecError(
                f"{model}: order = {shortened(names)!r}: must have each of the gates {', '.join(letters)} once"
            )
        gates = len(letters)
        given = {"W": W, "U": U if recurrent else None}
        found = {key: array(value, f"{model}: {key}", ndim=2) for key, value in given.items() if value is not None}
        if n is not None:
            size = whole(n, f"{model}: n", minimum=1)
        else:
            size = next((len(matrix) // gates for matrix in found.values()), _DEFAULT_CELLS)
        read = size if sources is None else sources
        refuse_above(8 * gates * max(size, 1) * (inputs + read), f"{model}: n = {size}: weights of {size} cells")
        for key, columns in (("W", inputs), ("U", read)):
            need = (gates * size, columns)
            if key in found and found[key].shape != need:
                rows = f"{gates} x {size}" if gates > 1 else f"{size}"
                hint = " (it looks transposed: W[target, source])" if found[key].shape == need[::-1] else ""
                raise SpecError(
                    f"{model}: {key}: has shape {found[key].shape}, must have ({rows} rows, {columns} columns) for "
                    f"{'the gates ' + ', '.join(names) if gates > 1 else 'all cells'}{hint}"
                )
        self.size, self._model, self._names = size, model, names
        draw = {"W": glorot, "U": orthogonal}
        wanted = {"W": inputs, "U": read} if recurrent else {"W": inputs}
        self._matrices = {}
        for place, (key, columns) in enumerate(wanted.items()):
            whole_of = found.get(key)
            if whole_of is None:
                seeds = range(_SEED + place * gates, _SEED + (place + 1) * gates)
                whole_of = np.concatenate([draw[key](size, columns, seed) for seed in seeds])
            self._matrices[key] = whole_of
        self._matrices["b"] = vector(b, f"{model}: b", gates * size)

    def of(self, key: str, gate: str) -> np.ndarray:
        """Return the rows of one gate of "W", "U" or "b"."""
        first = self._names.index(gate) * self.size
        return self._matrices[key][first : first + self.size]


class Parts:
    """Collects layers, projections and inputs of a network of cells.

    Parameters
    ----------
    model : str
        Name of the model.
    shown : ndarray, shape (steps, inputs)
        The sequence.
    """

    def __init__(self, model: str, shown: np.ndarray) -> None:
        self.model = model
        self.layers: list[Any] = [UnitLayer("x", (shown.shape[1],), "linear")]
        self.projections: list[Projection] = []
        self.stimuli = [Stimulus("x", "excitatory", 1.0, Sequence(shown, 1.0))]

    def link(self, name: str, source: str, target: str, kind: Any, matrix: np.ndarray, *, late: bool = False) -> None:
        """Add a projection, within the step or (`late`) from the step before."""
        link = Projection if late else ImmediateProjection
        self.projections.append(link(source, target, kind, Linear(), Dense(matrix), name=name))

    def gate(self, blocks: Blocks, letter: str, target: str, kind: Any, *, recurrent: str = "h") -> None:
        """Add all that a gate is given: W x, U h of the step before, and b."""
        self.link(f"W_{letter}", "x", target, kind, blocks.of("W", letter))
        if recurrent:
            self.link(f"U_{letter}", recurrent, target, kind, blocks.of("U", letter), late=True)
        self.stimuli.append(Stimulus(target, kind, blocks.of("b", letter), name=f"b_{letter}"))

    def read_out(self, cells: int, V: Any, c: Any, activation: str = "linear", initial: Any = 0.0) -> None:
        """Add a layer "y" = activation(V h + c), which begins with `initial`, if there is V."""
        if V is None:
            if np.ndim(c) or spread(c, f"{self.model}: c", ()):
                raise SpecError(f"{self.model}: c: there is nothing that is read out; give V, too")
            return
        matrix = array(V, f"{self.model}: V", ndim=2)
        if matrix.shape[1] != cells:
            raise SpecError(f"{self.model}: V: has shape {matrix.shape}, must have {cells} columns, one for each cell")
        start = vector(initial, f"{self.model}: initial", len(matrix))
        self.layers.append(UnitLayer("y", (len(matrix),), activation, start))
        self.link("V", "h", "y", "excitatory", matrix)
        self.stimuli.append(Stimulus("y", "excitatory", vector(c, f"{self.model}: c", len(matrix)), name="b_y"))

    def network(self, reference: str) -> Mapping[str, Any]:
        """Return the arguments of Network after its name."""
        steps = np.asarray(self.stimuli[0].schedule.items).shape[0]  # type: ignore[attr-defined]
        return {
            "layers": self.layers,
            "projections": self.projections,
            "stimuli": self.stimuli,
            "duration": float(steps),
            "reference": reference,
        }


def held_conductances(a: np.ndarray, n: np.ndarray, start: np.ndarray, B: float) -> Network:
    """Return shunting cells (8), A = 0 and D = B, whose conductances are held for one unit of time each.

    In unit k they add up to softplus(a[k]), and their equilibrium is n[k], -B < n < B; both of shape (units, cells).
    """
    total = np.logaddexp(0.0, a)
    shown = [Sequence(0.5 * total * (1.0 + sign * n / B), 1.0) for sign in (1.0, -1.0)]
    return Network(
        "held",
        [Layer.shunting("F1", (len(start),), A=0.0, B=B, D=B, initial=start)],
        stimuli=[Stimulus("F1", "excitatory", 1.0, shown[0]), Stimulus("F1", "inhibitory", 1.0, shown[1])],
        duration=float(len(a)),
    )


def sequence_figure(
    run: Run, title: str, theory: Mapping[str, Iterable[Mark]] | None = None, below: Panel | None = None, **layers: str
) -> FigureDescription | None:
    """Return the figure of a network of cells: what is shown, then each of these layers under its title, over time.

    `theory` has marks to lay over a layer; `below` comes after all.
    """
    panels = {"x": "What is shown", **layers}
    if any(run.view(name).cells > 40 for name in panels):
        return None
    over = theory or {}
    rows = [[layer_panel(run, name, said, overlays=over.get(name, ()))] for name, said in panels.items()]
    return FigureDescription(title, run.below, rows + ([[below]] if below is not None else []))


def shown_in(network: Network) -> np.ndarray:
    """Return what is shown in each step, shape (steps, inputs)."""
    return np.asarray(network.stimuli[0].schedule.items, dtype=float)  # type: ignore[attr-defined]


def weights_of(network: Network, name: str) -> np.ndarray:
    """Return the matrix of the projection of this name."""
    topology = next(link for link in network.projections if link.name == name).topology
    assert isinstance(topology, Dense)
    return topology.matrix


def bias_of(network: Network, name: str) -> np.ndarray:
    """Return the biases that an input of this name brings."""
    return np.asarray(next(stimulus for stimulus in network.stimuli if stimulus.name == name).pattern, dtype=float)


def predicted_course(times: np.ndarray, values: np.ndarray, label: str) -> list[Curve]:
    """Return what theory says of each cell, `values` of shape (times, cells), under one name."""
    return [Curve(times, course, "" if k else label, "predicted") for k, course in enumerate(values.T)]


def fading(run: Run, layer: str, step: np.ndarray) -> list[Curve]:
    """Return how small activities of a layer go on after the last input, by the matrix of a step in silence."""
    times = run.times(layer)
    last = 1 + int(np.flatnonzero(shown_in(run.network).any(axis=1)).max(initial=-1))
    place = np.flatnonzero(times == last)
    if not place.size or last >= run.end:
        return []
    course = [run.values(layer)[place[0]]]
    for _ in range(last, int(run.end)):
        course.append(step @ course[-1])
    return predicted_course(np.arange(last, int(run.end) + 1.0), np.array(course), "linear, in silence")
