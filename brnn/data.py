"""Published measurements that come with the package: ``brnn.data.murdock_1962()``, curves of free recall.

The tables are CSV files in models/data/, each with a comment that says where it comes from.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources

import numpy as np

__all__ = ["SubjectGroup", "murdock_1962"]


@dataclass(frozen=True)
class SubjectGroup:
    """A group of subjects who recalled lists of one length, presented at one rate.

    Parameters
    ----------
    name : str
        List length and seconds for each word, such as "20-1".
    seconds : float
        How long each word was presented (s).
    proportions : ndarray, shape (list length,)
        Proportion of words recalled at each serial position.
    subjects : int
        Number of subjects; each recalled 80 lists.
    mean, deviation : float
        Mean number of words recalled per list, and its standard deviation over subjects.
    """

    name: str
    seconds: float
    proportions: np.ndarray
    subjects: int
    mean: float
    deviation: float


def murdock_1962() -> list[SubjectGroup]:
    """Return the six groups of Murdock (1962), J. Exp. Psychol. 64, 482-488; the files say how they came here."""
    curves: dict[str, list[dict[str, str]]] = {}
    for row in _table("free_recall.csv"):
        curves.setdefault(row["group"], []).append(row)
    groups = {row["group"]: row for row in _table("free_recall_groups.csv")}
    return [
        SubjectGroup(
            name,
            float(rows[0]["seconds_per_word"]),
            np.array([float(row["proportion"]) for row in sorted(rows, key=lambda row: int(row["position"]))]),
            int(groups[name]["subjects"]),
            float(groups[name]["mean"]),
            float(groups[name]["deviation"]),
        )
        for name, rows in curves.items()
    ]


def _table(name: str) -> list[dict[str, str]]:
    text = (resources.files("brnn.models") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
