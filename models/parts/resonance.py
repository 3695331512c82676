"""What the models of adaptive resonance share: the category field F2, and the cells that reset and search it.

    dx_j/dt = s (-x_j + (1 - x_j)[T_j + b_j + c [x_j]+] - (1 + x_j)[c sum_{k != j} [x_k]+ + J_j])     F2         (21)
    dv/dt   = 4 s (-v + what is expected - what matches)                                              orienting
    dq/dt   = r s (-q + 1 - sum_i I_i/N)                                                              silence
    da/dt   = s (-a + 10 (1 - a) [sum h_v(v) + h_q(q)])                                               arousal
    dr_j/dt = 4 s (-r_j + 1 - (1 + S f(x_j)) y_j)                                                     rebound
    dy_j/dt = H (2 - y_j) - H (1 + S f(x_j)) y_j                                                      its gates  (10)
    J_j = 5 [h_a(a) + h_r(r_j)]

F2 is a recurrent competitive field whose inhibition also takes cells below 0: from a common start the cell with the
largest T_j wins, at about 0.8, and no other stays above 0. Its signal f(x_j) is then 1. All signals h rise from 0 to 1
within a narrow range. The tonic inputs b_j are 0.1 and, for the earlier category of two with equal T_j, a little more.

Without input, arousal inhibits F2. It lets go of it a few units 1/s after the input came, when all T_j have settled.
Search: if the active category matches too little, v becomes positive, and arousal inhibits F2 for as long again.
While a category is active it depletes its transmitter gate y_j; when its activity has ended, the gate lets too little
through to hold off the rebound r_j (the off-channel of a gated dipole), which goes on inhibiting this category until
the gate has recovered. That takes longer than a presentation, and the rest between presentations is longer still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import refuse_above
from brnn.signals import Function, Linear, ThresholdLinear
from brnn.spec.events.protocol import Phase, Protocol
from brnn.spec.events.triggers import Crossing, Event
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import InPhase
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = [
    "ACCURACY",
    "CHOSEN",
    "LEARN",
    "LEARNED",
    "PERIOD",
    "SEARCH",
    "CategoryField",
    "choices",
    "labels",
    "presentations",
    "refuse_size",
    "times",
]

# The claims compare to 1e-6, which no larger rtol promises: at 1e-5 one weight was 2e-6 off. RK45 is fastest.
ACCURACY: dict[str, Any] = {"solver": "RK45", "rtol": 1e-6, "atol": 1e-7}

SEARCH, LEARN, REST = 0.7, 0.3, 2.0  # phases of a presentation (time)
PERIOD = SEARCH + LEARN + REST
LEARNED = 1e-12  # what is left of the difference between weights and pattern after one presentation
_ON, _FULL = 0.45, 0.65  # activities between which the signal of a category rises; two cannot both be there
CHOSEN = ThresholdLinear(gain=1.0 / (_FULL - _ON), threshold=_ON, ceiling=_FULL - _ON)
_COMPETITION = 5.0  # c
_INHIBITION = 5.0
_TONIC = 0.1  # from below 0 a category with T_j = 0 comes up by b_j alone: each trial takes less than 8/s with this
_MISMATCH = ThresholdLinear(gain=1e4, threshold=1e-4, ceiling=1e-4)
_BURST = ThresholdLinear(gain=20.0, threshold=0.03, ceiling=0.05)
_QUIET = ThresholdLinear(gain=2.0, threshold=0.25, ceiling=0.5)
_REBOUND = ThresholdLinear(gain=10.0, threshold=0.1, ceiling=0.1)
_BYTES_PER_STATE = 8 * 16


@dataclass(frozen=True)
class CategoryField:
    """The layers F2, orienting, arousal, rebound and silence, and what connects them.

    Parameters
    ----------
    count : int
        Number of categories.
    speed : float
        s (1/time).
    bias : float
        By how much the excitation b_j of one category is above that of the next (1): of categories whose T_j are equal
        the first one wins.
    orienting : int
        Number of orienting cells.
    quiet : float
        r: the smaller, the later F2 is let go of.
    total : float
        N, at most the sum of any pattern: then each ends the silence.
    """

    count: int
    speed: float
    bias: float
    orienting: int = 1
    quiet: float = 2.0
    total: float = 1.0

    @property
    def recovery(self) -> float:
        """H: the gates recover at the rate 2 H, by a factor of three in a presentation, of ten in a rest."""
        return 0.6

    @property
    def strength(self) -> float:
        """S: an active category depletes its gate at the rate 3 s."""
        return 3.0 * self.speed / self.recovery

    def layers(self) -> list[LayerLaw]:
        """Return the five layers."""
        s = self.speed
        return [
            Layer("F2", (self.count,), A=s, B=s, C=s, E=s, F=s, initial=-_INHIBITION / (1.0 + _INHIBITION)),
            Layer.additive("orienting", self.orienting, A=4.0 * s),
            Layer.shunting("arousal", 1, A=s, B=1.0, initial=10.0 / 11.0),
            Layer.additive("rebound", self.count, A=4.0 * s),
            Layer.additive("silence", 1, A=self.quiet * s, initial=1.0),
        ]

    def projections(self) -> list[Projection]:
        """Return what connects them; "input" is the layer that holds the pattern."""
        s, H = self.speed, self.recovery
        lateral = ThresholdLinear(gain=_COMPETITION)
        gate = HabituativeGate(H=H, K=2.0, L=H, initial=1.0)
        # S is a parameter, not part of the text: numbers of categories and speeds share compiled code.
        on = Function(f"1 + S*max(0, min(1, {CHOSEN.gain!r}*(w - {_ON!r})))", S=self.strength)
        return [
            Projection("F2", "F2", "excitatory", lateral, OneToOne()),
            Projection("F2", "F2", "inhibitory", lateral, AllButSelf()),
            Projection("orienting", "arousal", "excitatory", _MISMATCH, AllToAll(weight=10.0 * s)),
            Projection("arousal", "F2", "inhibitory", _BURST, AllToAll(weight=_INHIBITION)),
            Projection("F2", "rebound", "inhibitory", on, OneToOne(weight=4.0 * s), gate=gate, name="on_channel"),
            Projection("rebound", "F2", "inhibitory", _REBOUND, OneToOne(weight=_INHIBITION)),
            Projection("input", "silence", "inhibitory", Linear(), AllToAll(weight=self.quiet * s / self.total)),
            Projection("silence", "arousal", "excitatory", _QUIET, OneToOne(weight=10.0 * s)),
        ]

    def stimuli(self) -> list[Stimulus]:
        """Return the constant inputs."""
        s = self.speed
        return [
            Stimulus("F2", "excitatory", _TONIC + self.bias * np.arange(self.count, 0, -1)),
            Stimulus("rebound", "excitatory", 4.0 * s),
            Stimulus("silence", "excitatory", self.quiet * s),
        ]

    def events(self) -> list[Event]:
        """Return events that change nothing, but record which category is chosen when, and when F2 is reset."""
        return [
            Event("choice", Crossing("F2", 0.5 * (_ON + _FULL))),
            Event("reset", Crossing("arousal", _BURST.threshold), schedule=InPhase(["search", "learn"])),
        ]


def presentations(patterns: np.ndarray, gain: float) -> Protocol:
    """Return the protocol that shows the rows to the layer "input" (times `gain`): search, learn, rest, for each."""
    shown = {"input": gain * patterns}
    phases = (Phase("search", SEARCH, shown), Phase("learn", LEARN, shown), Phase("rest", REST))
    return Protocol(phases, repeats=len(patterns))


def refuse_size(model: str, states: int, what: str) -> None:
    """Raise InputError if a run with so many states would not fit into memory."""
    refuse_above(_BYTES_PER_STATE * states, f"{model}: {what}")


def times(network: Network) -> np.ndarray:
    """Return time 0, and the end of learning in each presentation."""
    assert network.protocol is not None
    return np.append(0.0, network.protocol.intervals("learn")[:, 1])


def labels(result: Result) -> np.ndarray:
    """Return the category of each presentation of a run with ``times=times(network)``; -1 if there was none."""
    x = np.asarray(result["F2.x"])[1:]
    return np.where(x.max(axis=1) > _FULL, x.argmax(axis=1), -1)


def choices(result: Result) -> list[list[int]]:
    """Return, for each presentation, the categories in the order in which they became active."""
    assert result.network.protocol is not None
    starts = result.network.protocol.intervals("search")[:, 0]
    events = result.events
    chosen = np.asarray(events["name"]) == "choice"
    cells, when = np.asarray(events["cell"])[chosen], np.asarray(events["time"])[chosen]
    which = np.searchsorted(starts, when, side="right") - 1
    return [cells[which == k].astype(int).tolist() for k in range(len(starts))]
