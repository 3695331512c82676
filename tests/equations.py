"""Equations as `brnn show --equations` prints them, read again and evaluated: a calculator that knows no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TOKEN = re.compile(r"\s*(\d+\.?\d*(?:e[+-]?\d+)?|[A-Za-zπ_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*|[⁰¹²³⁴⁵⁶⁷⁸⁹]+|Σ_|.)")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
AXES = {"i": 0, "k": 1, "m": 2}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "≤": np.less_equal, ">": np.greater, "≥": np.greater_equal, "≠": np.not_equal, "=": np.equal,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "abs": np.abs,
    "sign": np.sign, "min": np.minimum, "max": np.maximum, "where": np.where,
}  # fmt: skip


@dataclass
class Calculator:
    """Evaluates formulas for all cells at once: index i along the first axis, k along the second, m along the third.

    Attributes
    ----------
    arrays : dict
        Flat arrays, or arrays [target, source], by the name that they have in the text; numbers for single cells.
    past : function
        The array of a name at an earlier time.
    functions : dict
        What letters with an argument stand for: texts of formulas of w.
    """

    arrays: dict[str, Any]
    past: Callable[[str, float], Any]
    functions: Mapping[str, str]
    time: float
    names: dict[str, Any] = field(default_factory=dict)

    def __call__(self, text: str) -> Any:
        self.tokens = [token for token in TOKEN.findall(text) if token.strip()]
        value = self.sum()
        assert not self.tokens, (text, self.tokens)
        return value

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted: str = "") -> str:
        token = self.tokens.pop(0)
        assert wanted in ("", token), (wanted, token, self.tokens)
        return token

    def sum(self) -> Any:
        value = self.product()
        while self.peek() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        if self.peek() == "-":
            self.take()
            return -self.product()
        value = self.power()
        while self.peek() in ("·", "/"):
            value = value * self.power() if self.take() == "·" else value / self.power()
        return value

    def power(self) -> Any:
        value = self.atom()
        if self.peek().translate(RAISED).isdigit() and not self.peek().isascii():
            return value ** int(self.take().translate(RAISED))
        if self.peek() == "^":
            self.take()
            return value ** self.atom()
        return value

    def atom(self) -> Any:
        token = self.take()
        if token[0].isdigit():
            return float(token)
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "[":
            value = self.comparison()
            self.take("]")
            return 1.0 * value
        if token == "Σ_":
            return self.cells_summed()
        return self.named(token)

    def comparison(self) -> Any:
        left, holds = self.sum(), True
        while self.peek() in COMPARE:
            sign, right = self.take(), self.sum()
            holds, left = holds & COMPARE[sign](left, right), right
        return holds

    def cells_summed(self) -> Any:
        without = ""
        if self.peek() == "{":
            self.take()
            index = self.take()
            self.take("≠")
            without = self.take()
            self.take("}")
        else:
            index = self.take()
        value = self.product()
        axis = AXES[index]
        if without:
            cells = np.arange(np.shape(value)[axis])
            own, left_out = ([-1 if k == place else 1 for k in range(3)] for place in (axis, AXES[without]))
            value = value * (cells.reshape(own) != cells.reshape(left_out))
        return value.sum(axis=axis, keepdims=True)

    def named(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name == "t":
            return self.time
        if name == "π":
            return np.pi
        if name in self.functions:
            self.take("(")
            w = self.sum()
            self.take(")")
            inner = Calculator({}, self.past, self.functions, self.time, {"w": w})
            return inner(self.functions[name])
        if self.peek() == "(" and name in FUNCTIONS:
            self.take()
            values = [self.comparison() if name == "where" else self.sum()]
            while self.peek() == ",":
                self.take()
                values.append(self.sum())
            self.take(")")
            return FUNCTIONS[name](*values)
        indices = []
        if self.peek() == "[":
            self.take()
            indices = [self.take()]
            while self.peek() == ",":
                self.take()
                indices.append(self.take())
            self.take("]")
        array = self.arrays[name]
        if self.peek() == "(":  # at another time
            self.take()
            time = self.sum()
            self.take(")")
            array = array if time == self.time else self.past(name, time)
        shape = [1, 1, 1]
        for index, size in zip(indices, np.shape(array), strict=True):
            shape[AXES[index]] = size
        order = np.argsort([AXES[index] for index in indices])
        return np.transpose(array, order).reshape(shape) if indices else array
