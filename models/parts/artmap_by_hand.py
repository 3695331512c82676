"""The algorithm of `brnn.models.distributed_artmap`, written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["course"]


def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Go through the algorithm in plain numbers, node by node; every presentation takes a unit of time."""
    M, wta_train = len(p.pattern[0]), p.variant != "distributed"
    lesson: list[tuple[list[float], int | None]] = [
        (list(a), int(k)) for _ in range(p.cycles) for a, k in zip(p.pattern, p.classes, strict=True)
    ]
    lesson += [(list(a), None) for a in p.test]
    K = int(max(p.classes)) + 1
    tau_in: list[list[float]] = []
    tau_out: list[list[float]] = []
    c: list[float] = []
    kappa: list[int] = []
    steps: list[dict[str, Any]] = []

    def distributed(T: list[float], nodes: list[int], counting: bool) -> tuple[dict[int, float], dict[int, float]]:
        exact = [j for j in nodes if abs(M - T[j]) < 1e-12]
        if exact:
            y = {j: 1.0 / len(exact) for j in exact}
        else:
            y = {j: 1.0 / sum(((M - T[j]) / (M - T[l])) ** p.p for l in nodes) for j in nodes}
        return y, weighed(y, counting)

    def weighed(y: dict[int, float], counting: bool) -> dict[int, float]:
        total = sum((c[j] if counting else 1.0) * y[j] for j in y)
        return {j: (c[j] if counting else 1.0) * y[j] / total for j in y}

    def sigma_of(Y: dict[int, float]) -> list[float]:
        return [sum(max(Y[j] - tau_out[j][i], 0.0) for j in Y) for i in range(2 * M)]

    def votes(Y: dict[int, float]) -> list[float]:
        return [sum(Y[j] for j in Y if kappa[j] == k) for k in range(K)]

    def new_node(k: int) -> int:
        tau_in.append([0.0] * (2 * M))
        tau_out.append([0.0] * (2 * M))
        c.append(0.0)
        kappa.append(k)
        return len(c) - 1

    for a, k in lesson:
        A = a + [1.0 - v for v in a]
        S = [sum(min(A[i], 1.0 - t[i]) for i in range(2 * M)) for t in tau_in]
        T = [S[j] + (1.0 - p.alpha) * (sum(tau_in[j]) - M) for j in range(len(c))]
        able = [j for j in range(len(c)) if T[j] >= p.alpha * M - 1e-12]
        rho, tried, guess = p.rho, [], [0.0] * K
        y: dict[int, float] = {}
        Y: dict[int, float] = {}
        if k is None:
            single = p.variant == "fuzzy" or not able
            y = {max(range(len(c)), key=lambda j: T[j]): 1.0} if single else {}
            y, Y = (y, y) if single else distributed(T, able, p.variant != "emap")
            guess = votes(Y)
        else:
            first, spread = True, bool(able) and not wta_train
            while True:
                if spread:
                    y, Y = distributed(T, able, True)
                else:
                    left = [j for j in able if j not in tried]
                    fresh = not left
                    J = new_node(k) if fresh else max(left, key=lambda j: T[j])
                    y = Y = {J: 1.0}
                    if fresh:
                        break
                sigma = sigma_of(Y)
                match = sum(min(A[i], sigma[i]) for i in range(2 * M))
                guess, first = (votes(Y) if first else guess), False
                if match >= rho * M - 1e-12:
                    told = votes(Y)
                    if told.index(max(told)) == k:
                        break
                    rho = match / M + p.epsilon
                if not spread:
                    tried.append(J)
                else:
                    tried.append(p.m)
                spread = False
            if spread:
                good = {j: v for j, v in y.items() if kappa[j] == k}
                y = {j: v / sum(good.values()) for j, v in good.items()}
                Y = weighed(y, True)
        sigma = sigma_of(Y)
        if k is not None:
            for j in range(len(c)):
                for i in range(2 * M):
                    toward, away = y.get(j, 0.0), Y.get(j, 0.0)
                    tau_in[j][i] += p.beta * max(toward - tau_in[j][i] - A[i], 0.0)
                    if sigma[i] > 0.0:
                        part = max(sigma[i] - A[i], 0.0) / sigma[i]
                        tau_out[j][i] += p.beta * part * max(away - tau_out[j][i], 0.0)
                c[j] += y.get(j, 0.0)
        steps.append({
            "input.x": A, "target.x": [float(k == l) for l in range(K)], "prediction.x": guess, "vigilance.x": [rho],
            "tried.x": [float(j in tried) for j in range(p.m + 1)], "expectation.x": sigma,
            "category.x": [y.get(j, 0.0) for j in range(p.m)], "read_out.x": [Y.get(j, 0.0) for j in range(p.m)],
            "count.x": c + [0.0] * (p.m - len(c)),
            "labels.x": [[float(j < len(c) and kappa[j] == l) for l in range(K)] for j in range(p.m)],
            "instar.x": [list(t) for t in tau_in] + [[0.0] * (2 * M)] * (p.m - len(c)),
            "outstar.x": [list(t) for t in tau_out] + [[0.0] * (2 * M)] * (p.m - len(c)),
        })  # fmt: skip
    return {name: np.array([steps[min(int(t), len(steps) - 1)][name] for t in times]) for name in steps[0]}
