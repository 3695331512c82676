"""The sequences of memory_tasks.py that come from elsewhere: a delay equation, sunspots, digits, letters."""

from __future__ import annotations

import importlib.util

import numpy as np
from _common import simulate

import brnn
from brnn.sequences.tasks import Task, number_words, windows

__all__ = ["captions", "digits_by_rows", "letters", "mackey_glass", "sunspots"]


def mackey_glass(count: int, seed: int) -> np.ndarray:
    """Return dx/dt = 0.2 x(t - 17)/(1 + x(t - 17)^10) - 0.1 x at whole times, made to lie between 0 and 1."""
    layer = brnn.Layer.additive("x", 1, A=0.1, initial=0.5 + 0.02 * seed)
    signal = brnn.Expression("0.2 * w / (1 + w**10)")
    link = brnn.Projection("x", "x", "excitatory", signal, brnn.OneToOne(), delay=17.0)
    network = brnn.Network("mackey_glass", [layer], [link])
    times = np.arange(200.0, 200.0 + count)
    x = np.asarray(simulate(network, duration=float(times[-1]), times=times, rtol=1e-7, atol=1e-9)["x.x"])[:, 0]
    return np.asarray((x - x.min()) / (x.max() - x.min()))


def sunspots() -> list[Task]:
    """Return windows of twelve years of the yearly numbers 1700-2008, if statsmodels is installed, which has them."""
    if importlib.util.find_spec("statsmodels") is None:
        return []
    from statsmodels.datasets import sunspots as data

    numbers = np.asarray(data.load_pandas().data["SUNACTIVITY"], dtype=float)
    return [windows("sunspots", numbers / numbers.max(), 12)]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise brnn.InputError(
            "the digits are scikit-learn's, which is not installed: pip install scikit-learn"
        ) from None
    data = load_digits()
    return data.images / 16.0, data.target.astype(int)


def digits_by_rows() -> Task:
    """Return handwritten digits, a row of eight pixels in each step; which digit it is is asked at the end."""
    images, classes = _digits()
    return Task("digits by rows", images, np.array([7]), classes[:, None], 10, float(np.log(10.0)))


def captions() -> Task:
    """Return digits that are shown for one step; the letters of their names are asked in the next five."""
    images, classes = _digits()
    names = [number_words(k).ljust(5, ".") for k in range(10)]
    alphabet = sorted(set("".join(names)))
    spelled = np.array([[alphabet.index(letter) for letter in names[k]] for k in classes])
    shown = np.zeros((len(images), 6, 64))
    shown[:, 0] = images.reshape(len(images), 64)
    chances = np.stack([np.bincount(column, minlength=len(alphabet)) for column in spelled.T]) / len(spelled)
    entropy = -np.sum(np.where(chances > 0, chances * np.log(np.where(chances > 0, chances, 1.0)), 0.0), axis=1)
    return Task("captions", shown, np.arange(1, 6), spelled, len(alphabet), float(entropy.mean()))


def letters(count: int) -> Task:
    """Return twelve letters each of random numbers in words; the next letter is asked."""
    rng = np.random.default_rng(1905)
    text = " ".join(number_words(k) for k in rng.integers(0, 100, count))
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(letter) for letter in text])
    starts = np.arange(count) * ((len(codes) - 13) // count)
    rows = codes[starts[:, None] + np.arange(12)]
    chances = np.bincount(codes) / len(codes)
    entropy = -float(np.sum(chances * np.log(chances)))
    return Task(
        "next letter", np.eye(len(alphabet))[rows], np.array([11]), codes[starts + 12][:, None], len(alphabet), entropy
    )
