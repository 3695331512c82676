"""The explicit method of Dormand and Prince where most unknowns are weights whose learning law is affine.

It is the same method to rounding, with a fraction of the traffic to memory: a stage costs one product of the weights
with a vector, a step one more pass (`brnn.integrate.steppers.affine_weights_steps`). Everything else, activities and
gates, is integrated as ever, its input from the weights being an argument of the right-hand side.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brnn.compiler.cache import load_copy
from brnn.compiler.module_text import argument_table
from brnn.compiler.program import Given
from brnn.compiler.rooms import room_apart
from brnn.integrate.steppers import affine_weights_rows as layout
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.explicit_steps import ExplicitSteps
from brnn.integrate.steppers.many_steps import kept_by_steps
from brnn.integrate.steppers.pair_stepper import STEP_FILES
from brnn.integrate.steppers.pairs import dormand_prince
from brnn.integrate.steppers.pairs.pair import STAGES
from brnn.integrate.steppers.threads import asked, give_way, passes_shared, place, processors
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllButSelf

__all__ = ["AffineWeights"]

_FILE = Path(__file__).with_name("affine_weights_steps.py")
_USED = (
    *(_FILE.with_name(f"{name}.py") for name in ("affine_weights_rows", "sharing")),
    *STEP_FILES,
    Path(str(dormand_prince.__file__)),
)
_NONE = np.empty(0)
_PIECES = 32  # of a pass, at most about
_LEAST = 4_096  # weights of a piece, if there are so many: fewer are not worth to be shared


class _Weights:
    """The weights of one projection: where they lie, and room for what is known of the stages of a step."""

    def __init__(self, projection: Projection, network: Network, start: int, given: Given) -> None:
        learning = projection.learning
        assert learning is not None
        self.start, self.given, self.by_target = start, given, learning.end == "target"
        self.strength = float(projection.topology.weight)  # type: ignore[attr-defined]
        self.butself = isinstance(projection.topology, AllButSelf)
        self.shape = targets, sources = network.layer(projection.target).cells, network.layer(projection.source).cells
        self.ends = near, far = self.shape if self.by_target else self.shape[::-1]
        sizes = {
            "DECAY": STAGES * near, "GAIN": STAGES * near, "DRIVER": STAGES * far, "C": STAGES * near,
            "W": STAGES * STAGES * near, "VECTOR": sources, "PRODUCT": targets, "ERRORS": targets, "EC": near,
            "EW": STAGES * near, "OWN": near, "SPARE": sources,
        }  # fmt: skip
        self.rooms = {name: room_apart(size) for name, size in sizes.items()}
        for room in self.rooms.values():
            room[:] = 0.0
        self.rooms["C"][:near] = 1.0

    def link(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return what the compiled steps know of them; `arrays` are those of the right-hand side."""
        result = np.zeros(layout.LINK, dtype=np.int64)
        result[[layout.TARGETS, layout.SOURCES]], result[[layout.NEAR, layout.FAR]] = self.shape, self.ends
        result[[layout.AT, layout.BY_TARGET, layout.BUT_SELF]] = self.start, self.by_target, self.butself
        for name, room in self.rooms.items():
            result[getattr(layout, name)] = place(room)
        given = self.given
        names = {"SENT": given.sent, "DECAYS": given.decay, "GAINS": given.gain, "DRIVERS": given.driver}
        for name, array in {**names, "TOTAL": given.total}.items():
            result[getattr(layout, name)] = place(arrays[array])
        return result

    def pieces(self, k: int, all_weights: int) -> list[tuple[int, int, int]]:
        """Return this projection, k, in pieces: from which row to which."""
        targets, sources = self.shape
        rows = max(_LEAST, all_weights // _PIECES) // sources
        rows = max(2, rows - rows % 2)  # some laws take two rows at once, the same ones whatever the number of threads
        return [(k, first, min(first + rows, targets)) for first in range(0, targets, rows)]


class AffineWeights(ExplicitSteps):
    """Makes the steps of one piece of a network that `brnn.integrate.weights` says nothing against."""

    def __init__(self, piece: Piece) -> None:
        super().__init__(piece)
        network, variables = piece.system.network, piece.system.variables
        self._code = code = load_copy(_FILE, *_USED)
        learning = {str(projection.name): projection for projection in network.projections if projection.learning}
        system = piece.system.beside_weights
        n = system.size
        self._rhs = system.rhs(0.5 * (piece.start + piece.stop), clock=piece.clock)
        arrays = dict(zip(system.program.arrays, self._rhs.arguments[2:], strict=True))
        self._weights = [
            _Weights(learning[v.group], network, v.start, system.program.given[v.group])
            for v in variables
            if v.quantity == "z"
        ]
        self._K, self._stage = room_apart(STAGES * n).reshape(STAGES, n), room_apart(n)
        self._moments, self._counts = kept_by_steps(self.t, more=1)
        links = np.array([weights.link(arrays) for weights in self._weights])
        total = sum(weights.shape[0] * weights.shape[1] for weights in self._weights)
        pieces = np.array([row for k, weights in enumerate(self._weights) for row in weights.pieces(k, total)])
        numbers = np.zeros(code.NUMBERS)
        numbers[[code.RTOL, code.ATOL, code.MEAN]] = piece.rtol, piece.atol, piece.norm == "rms"
        whole = np.zeros(code.WHOLE, dtype=np.int64)
        whole[code.TAKEN] = len(pieces)  # nothing is left before the first pass
        whole[[code.U, code.NEW, code.K, code.STAGE]] = [place(x) for x in (self._u, self._new, self._K, self._stage)]
        whole[[code.FUNCTION, code.TABLE]] = self._rhs.address, place(self._rhs.table)
        whole[[code.SIGNALS, code.LAWS]] = [function.address for function in self._rhs.before]
        whole[[code.CELLS, code.SIZE]] = n, piece.state.size
        self._pieces, self._arrays = pieces, argument_table(0, (whole, links, pieces, numbers))
        whole[[code.DO, code.FACTORS]] = code.do_piece.address, code.set_factors.address
        whole[[code.PLACE, code.PARTS]] = place(self._arrays), len(pieces)
        self._shared = whole, links, numbers
        self._strengths = np.array([weights.strength for weights in self._weights])
        self._helpers = min(processors() - 1, len(pieces) - 1) if give_way() else 0
        self.advance(_NONE, 0, 0)  # finds du/dt

    @property
    def f(self) -> np.ndarray:
        """du/dt of the activities and gates."""
        return self._K[-1 if self.steps else 0]

    def step(self) -> None:
        """Make one step."""
        self.advance(_NONE, 0, 1)

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows.

        They are written into `room`, or lie where the next call overwrites them.
        """
        code, piece, moments, counts, whole = self._code, self._piece, self._moments, self._counts, self._shared[0]
        saved, before = self._room(times, rows, room), int(counts[code.ROW])
        moments[[code.NEXT, code.RATE, code.ALLOWED, code.TREND]] = self.h_abs, *self.remembered
        helpers = asked(self._helpers) if most > 0 else 0
        with passes_shared(whole, [0] * helpers):  # which need no room
            status, done = code.advance(
                *self._shared, self._strengths, self._rhs.shift, moments, counts, piece.stop, piece.longest, times,
                saved, most, helpers, give_way(),
            )  # fmt: skip
        self.status = ("running", "finished", "failed")[status]
        self.t, self.h_abs, self._before = (float(moments[k]) for k in (code.NOW, code.NEXT, code.BEFORE))
        self.step_size = self.t - self._before
        self.remembered = float(moments[code.RATE]), float(moments[code.ALLOWED]), float(moments[code.TREND])
        self.steps, self.nfev = int(counts[code.STEPS]), 2 + int(counts[code.EVALUATIONS])
        if self.steps:
            self._rate = float(moments[code.SEEN])
        if counts[code.ROW] != before:
            self._u, self._new = self._new, self._u
        return saved[:done]

    def _within(self, t: float, out: np.ndarray) -> None:
        status = self.status
        self.advance(np.array([t]), 1, 0, out[None, :])
        self.status = status
