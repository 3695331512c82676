"""What is read of states: a linear answer by ridge regression, or the most likely class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import threadpoolctl

from brnn.base.checks import number
from brnn.errors import InputError
from brnn.sequences.tasks import Task

__all__ = ["Score", "score"]

_PENALTIES = (1e-5, 1e-3, 1e-1, 1.0)  # of the squares of the weights of standardised states
_ITERATIONS = 100


class Score(NamedTuple):
    """How well a task was answered.

    Attributes
    ----------
    loss : float
        Mean square error, or mean of -log p in nats.
    gained : float
        1 - loss/baseline: 1 is without error, 0 as good as the best constant answer.
    right : float
        The share of right classes; NaN where answers are numbers.
    answers : ndarray
        Numbers, shape (sequences, answers, outputs), or the most likely classes, shape (sequences, answers).
    """

    loss: float
    gained: float
    right: float
    answers: np.ndarray


def score(task: Task, states: Any, test: Task, test_states: Any, penalty: float | None = None) -> Score:
    """Return how well the answers to a task can be read of a network's states, by weights that are fitted to others.

    Each answer has weights of its own. States are standardised first; `penalty` times the squares of the weights is
    added to the mean loss. Classes are read by multinomial logistic regression, whose optimum is unique.

    Parameters
    ----------
    task, test : Task
        The one to which weights are fitted, and the one that is judged.
    states, test_states : array, shape (sequences, steps, cells)
        States after each step.
    penalty : float, >= 0, optional
        How much weights are held back; by default that of 1e-5, 1e-3, 0.1 and 1 with which weights that are fitted to
        three quarters of the sequences answer best for the last quarter.
    """
    if penalty is None:
        rows, cut = np.asarray(states), max(1, 3 * len(task.shown) // 4)
        early, late = task.part(slice(cut)), task.part(slice(cut, None))
        if not len(late.shown):
            raise InputError(f"score: {task.name}: one sequence does not say how much weights are to be held back")
        tried = {held: score(early, rows[:cut], late, rows[cut:], held).loss for held in _PENALTIES}
        penalty = min(tried, key=lambda held: tried[held])
    given, asked = (_read(t, x) for t, x in ((task, states), (test, test_states)))
    held = number(penalty, "score: penalty", minimum=0.0)
    losses, answers = [], []
    for k in range(len(task.read)):
        center, size = given[:, k].mean(axis=0), given[:, k].std(axis=0)
        size = np.where(size > 1e-12 * (1.0 + np.abs(center)), size, np.inf)  # what never changes says nothing
        fit, judge = (np.column_stack([(x[:, k] - center) / size, np.ones(len(x))]) for x in (given, asked))
        if task.classes:
            weights = _logistic(fit, task.targets[:, k], task.outputs, held)
            logits = judge @ weights
            likely = logits - _log_sum(logits)
            losses.append(-likely[np.arange(len(judge)), test.targets[:, k]].mean())
            answers.append(logits.argmax(axis=1))
        else:
            square = fit.T @ fit / len(fit)
            square.flat[: -1 : len(square) + 1] += held
            weights = np.linalg.lstsq(square, fit.T @ task.targets[:, k] / len(fit))[0]
            answers.append(judge @ weights)
            losses.append(((answers[-1] - test.targets[:, k]) ** 2).mean())
    found, loss = np.stack(answers, axis=1), float(np.mean(losses))
    right = float(np.mean(found == test.targets)) if task.classes else float("nan")
    return Score(loss, 1.0 - loss / test.baseline, right, found)


def _read(task: Task, states: Any) -> np.ndarray:
    """Return the states at which answers are read."""
    x = np.asarray(states, dtype=np.float64)
    if x.ndim != 3 or x.shape[:2] != task.shown.shape[:2]:
        raise InputError(
            f"score: states of {task.name}: have shape {x.shape}, must be {task.shown.shape[:2]} and cells"
        )
    if not np.isfinite(x).all():
        raise InputError(f"score: states of {task.name}: must be finite")
    return x[:, task.read]


def _log_sum(logits: np.ndarray) -> np.ndarray:
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)))


def _logistic(x: np.ndarray, classes: np.ndarray, count: int, penalty: float) -> np.ndarray:
    """Return the weights of multinomial logistic regression, shape (columns, classes)."""
    from scipy.optimize import minimize

    wanted = np.eye(count)[classes]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = flat.reshape(x.shape[1], count)
        logits = x @ W
        likely = logits - _log_sum(logits)
        held = W.copy()
        held[-1] = 0.0
        value = -(wanted * likely).sum() / len(x) + penalty * (held**2).sum()
        return float(value), (x.T @ (np.exp(likely) - wanted) / len(x) + 2.0 * penalty * held).ravel()

    start = np.zeros(x.shape[1] * count)
    with threadpoolctl.threadpool_limits(1):  # its steps are small: with two threads they took 60 % of all the time
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
    return np.asarray(found.x).reshape(x.shape[1], count)
