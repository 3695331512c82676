"""The instar-outstar map learns real data: the flowers and handwritten digits of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn

M, TAUGHT = 2.0, 0.25  # learning rate, and for how long each presentation is learned


class Task:
    """A data set, divided into pairs that are taught and inputs that are tested."""

    def __init__(self, data: Any, train: int, test: int) -> None:
        from sklearn.model_selection import train_test_split

        inputs = data.data / np.linalg.norm(data.data, axis=1, keepdims=True)
        self.inputs, self.tests, self.classes, self.wanted = train_test_split(
            inputs, data.target, train_size=train, test_size=test, random_state=0, stratify=data.target
        )
        self.outputs = np.eye(data.target.max() + 1)[self.classes]

    def examples(self, each: int) -> np.ndarray:
        """Return a few inputs of each class, where the categories begin."""
        kinds = range(self.outputs.shape[1])
        return self.inputs[np.concatenate([np.flatnonzero(self.classes == kind)[:each] for kind in kinds])]

    def discrete(self, z: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Return what the discrete algorithm recalls in the tests."""
        z, recalls = z.copy(), np.zeros((len(z), self.outputs.shape[1]))
        part = 1.0 - np.exp(-M * TAUGHT)
        for p, y in zip(self.inputs[order], self.outputs[order], strict=True):
            j = int(np.argmax(z @ p))
            z[j] += part * (p - z[j])
            recalls[j] += part * (y - recalls[j])
        return recalls[(self.tests @ z.T).argmax(axis=1)]

    def recalled(self, z: np.ndarray, order: np.ndarray, **options: Any) -> np.ndarray:
        """Return what the network recalls in the tests."""
        network = brnn.models.instar_outstar_map.build(
            self.inputs, self.outputs, len(z), order=order, tests=self.tests, M=M, weights=z
        )
        result = brnn.simulate(network, times=len(order) + np.arange(len(self.tests)) + 0.8, **options)
        return np.asarray(result["output.x"])


def test_flowers_are_told_apart() -> None:
    from sklearn import datasets

    task = Task(datasets.load_iris(), 100, 50)
    order = np.concatenate([np.random.default_rng(k).permutation(100) for k in range(2)])
    start = task.examples(4)
    recalled, expected = task.recalled(start, order, rtol=1e-5, atol=1e-8), task.discrete(start, order)
    assert (recalled.argmax(axis=1) == task.wanted).mean() >= 0.9
    assert (recalled.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.96
    assert np.median(np.abs(recalled - expected)) < 1e-3  # a contest that is too close may end otherwise


@pytest.mark.slow
def test_digits_are_read() -> None:
    from sklearn import datasets
    from sklearn.neighbors import KNeighborsClassifier

    task = Task(datasets.load_digits(), 400, 100)
    order = np.random.default_rng(0).permutation(400)
    start = task.examples(3)
    recalled = task.recalled(start, order, solver="RK45", rtol=1e-4, atol=1e-7)
    expected = task.discrete(start, order)
    right = (recalled.argmax(axis=1) == task.wanted).mean()
    from_examples = KNeighborsClassifier(1).fit(start, np.repeat(np.arange(10), 3)).score(task.tests, task.wanted)
    assert right >= 0.85
    assert right > from_examples  # the categories know more than the thirty digits that they began with
    assert (recalled.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.97
