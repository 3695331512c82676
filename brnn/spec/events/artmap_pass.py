"""ArtmapPass: an event lets an ARTMAP network code a pattern, search, predict and learn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from brnn.base.checks import choice, identifier, number, one_of
from brnn.errors import SpecError
from brnn.spec.artmap import ROUNDING, choices, expected, largest, learn, may_code, read_out, shares
from brnn.spec.events.actions import Action, Moment, find_state

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["ArtmapPass"]


@dataclass(frozen=True, eq=False, repr=False)
class ArtmapPass(Action):
    """Let the nodes of an ARTMAP network (`brnn.spec.artmap`) code the pattern that is shown, and learn its class.

    A pattern is what stimuli give to the layer `input` (complement coded), its class what they give to `target`. A pass
    in training ends in one of two ways. Either the code matches, predicts the class, and is learned. Or something is
    reset: its cell of the layer `tried` becomes 1, and an event that waits for this (`Crossing`) makes the next pass,
    with ``begins="search"``. After a wrong prediction the vigilance is raised to the match plus `epsilon`.

    Parameters
    ----------
    begins : {"train", "test", "search"}
        What the pass is: the first one of a pattern that is learned, the only one of a pattern that is not, or one
        after a reset, in which the best node that was not tried yet codes alone, or a new one.
    code : {"distributed", "choice"}
        Whether all nodes code at first, or the best one alone. Not read in a search.
    counting : bool
        Whether distributed codes are read out in proportion to the instance counts.
    alpha : float, in (0, 1)
        Choice parameter.
    beta : float, in [0, 1]
        Learning rate, as the part of what is left to learn.
    p : float, > 0
        Exponent of the distributed code: the larger, the more it is a choice.
    epsilon : float
        What is added to the match when the vigilance is raised.
    rho : float, in [0, 1]
        Vigilance at the beginning of each pattern.
    input, target, vigilance, tried : str
        Layers of 2 M cells, of a cell for each class, of one cell, and of one cell more than there are nodes: the last
        stands for the distributed code.
    category, read_out, expectation, prediction : str
        Layers that hold y, Y, sigma, and the sums of Y by class in the first pass.
    instar, outstar, count, labels : str
        Layers that hold tau_ij, tau_ji, (nodes, 2 M) each, c, and the class of each node, (nodes, classes). A node
        without a class is not used yet.

    Notes
    -----
    The node that codes alone is recorded with the event as `chosen`; -1 stands for a distributed code, or for none.
    """

    begins: Literal["train", "test", "search"]
    code: Literal["distributed", "choice"] = "distributed"
    counting: bool = True
    alpha: float = 0.01
    beta: float = 1.0
    p: float = 1.0
    epsilon: float = -0.001
    rho: float = 0.0
    input: str = "input"
    target: str = "target"
    vigilance: str = "vigilance"
    tried: str = "tried"
    category: str = "category"
    read_out: str = "read_out"
    expectation: str = "expectation"
    prediction: str = "prediction"
    instar: str = "instar"
    outstar: str = "outstar"
    count: str = "count"
    labels: str = "labels"

    layers: ClassVar[tuple[str, ...]] = (
        "input", "target", "vigilance", "tried", "category", "read_out", "expectation", "prediction", "instar",
        "outstar", "count", "labels",
    )  # fmt: skip

    def __post_init__(self) -> None:
        at = "ArtmapPass"
        choice(self.begins, f"{at}: begins", ("train", "test", "search"))
        choice(self.code, f"{at}: code", ("distributed", "choice"))
        one_of(self.counting, f"{at}: counting", bool, "True or False")
        for name in self.layers:
            identifier(getattr(self, name), f"{at}: {name}")
        alpha = number(self.alpha, f"{at}: alpha", above=0.0)
        if alpha >= 1.0:
            raise SpecError(f"{at}: alpha = {alpha:g}: must be a number > 0 and < 1")
        self._set(
            alpha=alpha,
            beta=number(self.beta, f"{at}: beta", minimum=0.0, maximum=1.0),
            p=number(self.p, f"{at}: p", above=0.0),
            epsilon=number(self.epsilon, f"{at}: epsilon"),
            rho=number(self.rho, f"{at}: rho", minimum=0.0, maximum=1.0),
        )

    @property
    def sets(self) -> tuple[str, ...]:
        """All its layers."""
        return tuple(f"{getattr(self, name)}.x" for name in self.layers)

    @property
    def words(self) -> str:
        """What the pass codes, predicts, learns and resets."""
        names = {name: f"{getattr(self, name)}.x" for name in self.layers}
        who = "the best node codes" if self.code == "choice" else "all nodes that may do so code"
        if self.begins == "search":
            who = "the best node that was not tried, or a new one, codes"
        shown = "" if self.begins == "search" else "{input} and {target} are what is shown; "
        coded = f"{shown}{who} it ({{category}}, {{read_out}}, {{expectation}}) and {{prediction}} is read out"
        if self.begins == "search":
            coded = coded.removesuffix(" and {prediction} is read out")
        learned = "; if this matches and is right {instar}, {outstar}, {count}, {labels} learn it, else {tried} = 1"
        return (coded if self.begins == "test" else coded + learned).format(**names)

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require all layers, with sizes that fit."""
        at = f"{where}: ArtmapPass"
        shapes = {name: find_state(network, f"{getattr(self, name)}.x", f"{at}: {name}") for name in self.layers}
        nodes, classes, size = (math.prod(shapes[name]) for name in ("category", "target", "input"))
        if size % 2:
            raise SpecError(f"{at}: input: '{self.input}' has {size} cells, must have two for each feature")
        fit: dict[str, tuple[int, ...]] = {"tried": (nodes + 1,), "read_out": (nodes,), "count": (nodes,)}
        fit |= {"vigilance": (1,), "expectation": (size,), "prediction": (classes,), "labels": (nodes, classes)}
        fit |= {"instar": (nodes, size), "outstar": (nodes, size)}
        for name, shape in fit.items():
            if shapes[name] != shape:
                raise SpecError(
                    f"{at}: {name}: '{getattr(self, name)}' has the shape {shapes[name]}, must have {shape}"
                )

    def apply(self, moment: Moment) -> None:
        """Make the pass."""
        x = {name: moment.state(f"{getattr(self, name)}.x") for name in self.layers}
        A, target, count = x["input"], x["target"], x["count"]
        nodes, features = count.size, A.size / 2
        instar, outstar = (x[name].reshape(nodes, A.size) for name in ("instar", "outstar"))
        labels = x["labels"].reshape(nodes, target.size)
        if self.begins != "search":
            A[:], target[:] = (moment.input(name) for name in (self.input, self.target))
            x["tried"][:], x["vigilance"][:], x["prediction"][:] = 0.0, self.rho, 0.0
        for name in ("category", "read_out", "expectation"):
            x[name][:] = 0.0

        used = np.asarray(labels.any(axis=1))
        T = choices(A, instar, self.alpha)
        eligible = used & may_code(T, self.alpha, features)
        y = np.zeros(nodes)
        if self.begins != "search" and self.code == "distributed":
            y = shares(T, eligible, features, self.p)
        J = -1
        if not y.any():
            J = self._alone(T, used, eligible & (x["tried"][:nodes] == 0.0))
            if J < 0:
                return
            y[J] = 1.0
        moment.chosen = J
        new = J >= 0 and not used[J]
        if new:
            labels[J] = target
        Y = read_out(y, count, self.counting) if J < 0 else y.copy()
        if self.begins != "search" and not new:
            x["prediction"][:] = Y @ labels
        sigma = expected(Y, outstar)
        if self.begins != "test":
            match = float(np.minimum(A, sigma).sum()) / features
            wrong = largest(Y @ labels) != largest(target)
            mismatch = match < float(x["vigilance"][0]) - ROUNDING
            if not new and (mismatch or wrong):
                if not mismatch:
                    x["vigilance"][:] = match + self.epsilon
                x["tried"][J if J >= 0 else nodes] = 1.0
                return
            if J < 0:  # credit: only nodes of the right class learn
                y = y * labels[:, largest(target)]
                y /= y.sum()
                Y = read_out(y, count, self.counting)
                sigma = expected(Y, outstar)
            learn(A, y, Y, sigma, instar, outstar, count, self.beta)
        x["category"][:], x["read_out"][:], x["expectation"][:] = y, Y, sigma

    def _alone(self, T: np.ndarray, used: np.ndarray, free: np.ndarray) -> int:
        """Return the node that codes alone: the best of those that may, or a new one; -1 if there is none."""
        if self.begins == "test" and not free.any():
            free = used
        if free.any():
            return int(largest(np.where(free, T, -np.inf)))
        return -1 if self.begins == "test" or used.all() else int(np.argmin(used))
