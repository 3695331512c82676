"""Tasks of memory: sequences that are shown, what is to be said of them, and when; the same for every network.

All inputs are between 0 and 1, so that networks whose inputs are rates can be shown them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, whole
from brnn.errors import InputError

__all__ = [
    "Task",
    "adding_problem",
    "copy_memory",
    "number_words",
    "serial_recall",
    "store_a_pattern",
    "translation",
    "windows",
]


@dataclass(frozen=True, eq=False)
class Task:
    """Sequences and what is to be read after them.

    Attributes
    ----------
    name : str
        What it is called.
    shown : ndarray, shape (sequences, steps, inputs)
        What is shown in each step.
    read : ndarray of int, shape (answers,)
        After which step each answer is read, counted from 0.
    targets : ndarray, shape (sequences, answers, outputs), or of int, shape (sequences, answers)
        Numbers, or the class of each answer.
    outputs : int
        How many numbers, or classes.
    baseline : float
        The mean square error, or the mean of -log p in nats, of the best answer that ignores the sequence.
    """

    name: str
    shown: np.ndarray
    read: np.ndarray
    targets: np.ndarray
    outputs: int
    baseline: float

    def __post_init__(self) -> None:
        sequences, steps, _ = self.shown.shape
        if self.targets.shape[:2] != (sequences, len(self.read)) or not (self.read < steps).all():
            raise InputError(f"Task: {self.name}: has {len(self.read)} answers, targets of shape {self.targets.shape}")

    @property
    def classes(self) -> bool:
        """Whether answers are classes."""
        return self.targets.dtype.kind == "i"

    @property
    def steps(self) -> int:
        """How many steps a sequence has."""
        return self.shown.shape[1]

    def part(self, which: slice) -> Task:
        """Return some of the sequences."""
        return Task(self.name, self.shown[which], self.read, self.targets[which], self.outputs, self.baseline)


def store_a_pattern(count: int, cells: int, delay: int, seed: int) -> Task:
    """Return patterns that are shown for a step; after `delay` empty ones, the share X_i of each in the total is read.

    The mean square error of the constant answer 1/n is the variance of a share.
    """
    count, cells = whole(count, "store_a_pattern: count", minimum=1), whole(cells, "store_a_pattern: cells", minimum=2)
    patterns = np.random.default_rng(seed).uniform(0.1, 1.0, (count, cells))
    shown = np.zeros((count, 1 + whole(delay, "store_a_pattern: delay", minimum=0), cells))
    shown[:, 0] = patterns
    shares = patterns / patterns.sum(axis=1, keepdims=True)
    return Task("store a pattern", shown, np.array([delay]), shares[:, None], cells, float(np.mean(shares.var(axis=0))))


def copy_memory(count: int, delay: int, seed: int, length: int = 10, symbols: int = 8) -> Task:
    """Return the copy memory task: `length` symbols, a delay, a go signal; then the symbols are read one by one.

    The symbols are as one input each, the go signal is the last input. Without memory the mean loss over all
    T + 2 length steps is length ln K/(T + 2 length) (Arjovsky, Shah and Bengio 2016: 10 ln 8/(T + 20)); over the
    answers alone, which are what is read here, it is ln K.
    """
    count, length = whole(count, "copy_memory: count", minimum=1), whole(length, "copy_memory: length", minimum=1)
    symbols, delay = whole(symbols, "copy_memory: symbols", minimum=2), whole(delay, "copy_memory: delay", minimum=1)
    said = np.random.default_rng(seed).integers(0, symbols, (count, length))
    shown = np.zeros((count, 2 * length + delay, symbols + 1))
    shown[np.arange(count)[:, None], np.arange(length), said] = 1.0
    shown[:, length + delay - 1, symbols] = 1.0
    return Task("copy memory", shown, length + delay + np.arange(length), said, symbols, float(np.log(symbols)))


def adding_problem(count: int, steps: int, seed: int) -> Task:
    """Return the adding problem: two of the numbers, one in each half, are marked; their sum is read at the end.

    The variance of the sum, and with it the loss of the constant answer 1, is 1/6 (Hochreiter and Schmidhuber 1997).
    """
    count, steps = whole(count, "adding_problem: count", minimum=1), whole(steps, "adding_problem: steps", minimum=2)
    rng = np.random.default_rng(seed)
    shown = np.zeros((count, steps, 2))
    shown[:, :, 0] = rng.uniform(size=(count, steps))
    rows = np.arange(count)
    first, second = rng.integers(0, steps // 2, count), rng.integers(steps // 2, steps, count)
    shown[rows, first, 1] = shown[rows, second, 1] = 1.0
    sums = shown[rows, first, 0] + shown[rows, second, 0]
    return Task("adding problem", shown, np.array([steps - 1]), sums[:, None, None], 1, 1.0 / 6.0)


def serial_recall(count: int, length: int, items: int, delay: int, seed: int) -> Task:
    """Return lists of different items, one a step; after a delay the item at each place is asked for.

    Without memory each of the items is as likely: ln `items`.
    """
    count, items = whole(count, "serial_recall: count", minimum=1), whole(items, "serial_recall: items", minimum=2)
    length = whole(length, "serial_recall: length", minimum=1)
    if length > items:
        raise InputError(f"serial_recall: length = {length}: must be at most items = {items}, which are all different")
    rng = np.random.default_rng(seed)
    lists = np.array([rng.permutation(items)[:length] for _ in range(count)])
    shown = np.zeros((count, length + whole(delay, "serial_recall: delay", minimum=0), items))
    shown[np.arange(count)[:, None], np.arange(length), lists] = 1.0
    read = np.full(length, shown.shape[1] - 1)
    return Task("serial recall", shown, read, lists, items, float(np.log(items)))


def windows(name: str, series: Any, steps: int, ahead: int = 1) -> Task:
    """Return all windows of a series of numbers; what comes `ahead` steps after each is read at its end.

    The constant answer, the mean of what is asked, has its variance as loss.

    Parameters
    ----------
    series : array, shape (times,) or (times, inputs)
        Numbers between 0 and 1; the first column is predicted.
    """
    rows = array(series, f"windows: {name}")
    rows = rows[:, None] if rows.ndim == 1 else rows
    steps, ahead = whole(steps, "windows: steps", minimum=1), whole(ahead, "windows: ahead", minimum=1)
    count = len(rows) - steps - ahead + 1
    if count < 1:
        raise InputError(f"windows: {name}: {len(rows)} times, must be at least {steps + ahead}")
    at = np.arange(count)[:, None]
    asked = rows[at[:, 0] + steps + ahead - 1, 0]
    return Task(name, rows[at + np.arange(steps)], np.array([steps - 1]), asked[:, None, None], 1, float(asked.var()))


_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
_ONES += ["seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def number_words(number: int) -> str:
    """Return a number below 100 in English words."""
    number = whole(number, "number_words: number", minimum=0)
    if number > 99:
        raise InputError(f"number_words: number = {number}: must be at most 99")
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")


def translation() -> Task:
    """Return the numbers from 0 to 99: their letters are shown one a step, then their two digits are read.

    Words end together, so that shorter ones begin later. Each digit is as likely: ln 10.
    """
    words = [number_words(k) for k in range(100)]
    letters = sorted(set("".join(words)))
    longest = max(map(len, words))
    shown = np.zeros((100, longest + 1, len(letters)))
    for row, word in zip(shown, words, strict=True):
        for place, letter in enumerate(word, start=longest - len(word)):
            row[place, letters.index(letter)] = 1.0
    digits = np.array([divmod(k, 10) for k in range(100)])
    return Task("translation", shown, np.array([longest - 1, longest]), digits, 10, float(np.log(10.0)))
