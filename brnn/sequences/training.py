"""Training: parameters as one vector, gradients that are clipped, Adam, and L-BFGS-B by SciPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from brnn.base.checks import choice, number, whole
from brnn.errors import InputError
from brnn.sequences.gradients import Loss, bptt
from brnn.sequences.unrolled import Unrolled
from brnn.spec.network import Network

__all__ = ["Trained", "adam", "clipped", "train"]

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Trained(NamedTuple):
    """A trained network, and the loss after each step of training, that before the first included."""

    network: Network
    losses: np.ndarray


def clipped(gradient: np.ndarray, norm: float) -> np.ndarray:
    """Return a gradient, shortened to a norm if it is longer (Pascanu, Mikolov and Bengio 2013)."""
    length = float(np.linalg.norm(gradient))
    return gradient if length <= norm else gradient * (norm / length)


def adam(
    function: Function,
    start: np.ndarray,
    steps: int,
    rate: float = 1e-2,
    clip: float | None = None,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray]:
    """Return where Adam comes to from `start`, and the losses on the way (Kingma and Ba 2015).

    Raises
    ------
    InputError
        If a number is out of range, or the loss becomes infinite: with a smaller rate or with `clip` it may not.
    """
    count = whole(steps, "adam: steps", minimum=1)
    rate = number(rate, "adam: rate", above=0.0)
    most = None if clip is None else number(clip, "adam: clip", above=0.0)
    x, losses = np.array(start, dtype=np.float64), []
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, count + 1):
        value, gradient = function(x)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            raise InputError(f"adam: the loss is not finite after {t - 1} steps; a smaller rate or clip= may help")
        losses.append(value)
        gradient = gradient if most is None else clipped(gradient, most)
        mean = betas[0] * mean + (1.0 - betas[0]) * gradient
        square = betas[1] * square + (1.0 - betas[1]) * gradient**2
        x = x - rate * (mean / (1.0 - betas[0] ** t)) / (np.sqrt(square / (1.0 - betas[1] ** t)) + epsilon)
    return x, np.array([*losses, function(x)[0]])


def train(
    network: Network,
    sequences: Any,
    loss: Loss,
    layer: str = "y",
    free: tuple[str, ...] | None = None,
    method: str = "L-BFGS-B",
    steps: int = 200,
    **options: Any,
) -> Trained:
    """Return a network of discrete time, trained on whole sequences by exact gradients.

    Parameters
    ----------
    network : Network
        `elman`, `lstm`, `gru` or any other of discrete time.
    sequences : array, shape (sequences, steps, inputs)
        What is shown to its layer "x".
    loss : callable
        Takes the states of `layer`, shape (sequences, steps, cells); returns a number and its gradient.
    layer : str
        Which layer is read.
    free : tuple of str, optional
        Names of the projections and biases that are trained; all by default.
    method : {"L-BFGS-B", "adam"}
        The whole batch each time, so that nothing is random.
    steps : int
        Iterations at most.
    **options
        For `adam`: rate, clip, betas, epsilon.
    """
    unrolled = Unrolled(network)
    names = tuple(unrolled.parameters) if free is None else tuple(free)
    unrolled.values({name: unrolled.parameters.get(name) for name in names})  # names that there are not are refused
    unrolled.network.layer(layer, "train: layer")

    def parts(x: np.ndarray) -> dict[str, np.ndarray]:
        edges = np.cumsum([unrolled.parameters[name].size for name in names])[:-1]
        pieces = zip(names, np.split(x, edges), strict=True)
        return {name: piece.reshape(unrolled.parameters[name].shape) for name, piece in pieces}

    def whole_of(values: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([values[name].ravel() for name in names])

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = bptt(unrolled, sequences, loss, layer, parts(x))
        return value, whole_of(gradient)

    start = whole_of(unrolled.parameters)
    if choice(method, "train: method", ("L-BFGS-B", "adam")) == "adam":
        x, losses = adam(function, start, steps, **options)
        return Trained(unrolled.trained(parts(x)), losses)
    if options:
        raise InputError(f"train: {', '.join(options)}: only adam takes it")
    from scipy.optimize import minimize

    history = [function(start)[0]]
    found = minimize(
        function, start, jac=True, method="L-BFGS-B", options={"maxiter": whole(steps, "train: steps", minimum=1)},
        callback=lambda intermediate_result: history.append(float(intermediate_result.fun)),
    )  # fmt: skip
    return Trained(unrolled.trained(parts(found.x)), np.array(history))
