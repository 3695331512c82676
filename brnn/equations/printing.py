"""Formulas as text (Unicode) and as LaTeX."""

from __future__ import annotations

import ast
import re

from brnn.base.words import number_in_words
from brnn.equations.syntax import SUM, value_of

__all__ = ["Latex", "Text"]

_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly a formula holds together
_COMPARISONS = {ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.NotEq: "≠", ast.Eq: "="}
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_GREEK = ("alpha", "beta", "gamma", "theta", "tau", "xi")


class Text:
    """Writes formulas as text: ``-x[i] + (3 - x[i])·(I[i] + f(x[i])) - x[i]·Σ_{k≠i} f(x[k])``."""

    times = "·"

    def __call__(self, node: ast.expr) -> str:
        """Return the text of a formula."""
        return self.write(node, _SUM)

    def write(self, node: ast.expr, level: int, *, last: bool = True) -> str:
        """Return a formula as it stands at this level; a sum over cells stands free only at the end of a product."""
        if isinstance(node, ast.UnaryOp):
            return self.group(f"-{self.write(node.operand, _PRODUCT, last=last)}", _SUM, level)
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, (ast.Add, ast.Sub)):
                sign = "+" if isinstance(node.op, ast.Add) else "-"
                right = self.write(node.right, _SUM if sign == "+" else _PRODUCT)
                return self.group(f"{self.write(node.left, _SUM)} {sign} {right}", _SUM, level)
            if isinstance(node.op, ast.Mult):
                right = self.write(node.right, _PRODUCT if _is_product(node.right) else _POWER, last=last)
                left = self.write(node.left, _PRODUCT, last=False)
                return self.group(f"{left}{self.times}{right}", _PRODUCT, level)
            if isinstance(node.op, ast.Div):
                return self.quotient(node, level)
            return self.group(self.power(node), _POWER, level)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == SUM:
                text = self.sum(*node.args)
                return text if level < _POWER or (last and level == _POWER) else self.parentheses(text)
            return self.call(node)
        if isinstance(node, ast.IfExp):
            return self.call(ast.Call(ast.Name("where"), [node.test, node.body, node.orelse], []))
        if isinstance(node, ast.Compare):
            return self.brackets(self.comparison(node))
        if isinstance(node, ast.Subscript):
            return self.element(node)
        value = value_of(node)
        if value is not None:
            return self.group(self.number(value), _SUM if value < 0 else _ATOM, level)
        assert isinstance(node, ast.Name)
        return self.name(node.id)

    def group(self, text: str, own: int, level: int) -> str:
        """Return a text in parentheses if what surrounds it binds more tightly."""
        return self.parentheses(text) if own < level else text

    def parentheses(self, text: str) -> str:
        """Return a text in parentheses."""
        return f"({text})"

    def brackets(self, text: str) -> str:
        """Return what is 1 where a comparison holds and 0 elsewhere."""
        return f"[{text}]"

    def comparison(self, node: ast.Compare) -> str:
        """Return a comparison without brackets."""
        parts = [self.write(node.left, _SUM)]
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts += [self.sign(operator), self.write(right, _SUM)]
        return " ".join(parts)

    def sign(self, operator: ast.cmpop) -> str:
        """Return the sign of a comparison."""
        return _COMPARISONS[type(operator)]

    def number(self, value: float) -> str:
        """Return a number."""
        return number_in_words(value)

    def name(self, text: str) -> str:
        """Return a name."""
        return text

    def element(self, node: ast.Subscript) -> str:
        """Return an element of an array."""
        index = node.slice
        inside = ",".join(self.write(i, _SUM) for i in (index.elts if isinstance(index, ast.Tuple) else [index]))
        return f"{self.write(node.value, _ATOM)}[{inside}]"

    def call(self, node: ast.Call) -> str:
        """Return the call of a function; what `where` asks is no number, and stands without brackets."""
        given = [self.write(argument, _SUM) for argument in node.args]
        if isinstance(node.func, ast.Name) and node.func.id == "where" and isinstance(node.args[0], ast.Compare):
            given[0] = self.comparison(node.args[0])
        return f"{self.write(node.func, _ATOM)}({', '.join(given)})"

    def quotient(self, node: ast.BinOp, level: int) -> str:
        """Return a quotient."""
        left, right = self.write(node.left, _PRODUCT, last=False), self.write(node.right, _POWER, last=False)
        return self.group(f"{left}/{right}", _PRODUCT, level)

    def power(self, node: ast.BinOp) -> str:
        """Return a power, small whole ones raised."""
        base = self.write(node.left, _ATOM, last=False)
        exponent = value_of(node.right)
        if exponent is not None and exponent.is_integer() and 0 < exponent < 100:
            return f"{base}{str(int(exponent)).translate(_RAISED)}"
        return f"{base}^{self.write(node.right, _ATOM, last=False)}"

    def sum(self, index: ast.expr, without: ast.expr, summand: ast.expr) -> str:
        """Return a sum over cells."""
        assert isinstance(index, ast.Name)
        cells = f"{{{index.id}≠{without.id}}}" if isinstance(without, ast.Name) else index.id
        return f"Σ_{cells} {self.write(summand, _PRODUCT)}"


class Latex(Text):
    """Writes formulas as LaTeX, cells as subscripts."""

    times = r"\,"

    def parentheses(self, text: str) -> str:
        """Return a text in parentheses of its height."""
        return rf"\left({text}\right)"

    def brackets(self, text: str) -> str:
        """Return what is 1 where a comparison holds and 0 elsewhere."""
        return rf"\left[{text}\right]"

    def sign(self, operator: ast.cmpop) -> str:
        """Return the sign of a comparison."""
        return {"≤": r"\le", "≥": r"\ge", "≠": r"\ne"}.get(super().sign(operator), super().sign(operator))

    def number(self, value: float) -> str:
        """Return a number, with its power of ten as one."""
        return re.sub(r"e([+-])0*(\d+)", lambda m: rf"\cdot 10^{{{m[1].strip('+')}{m[2]}}}", super().number(value))

    def name(self, text: str) -> str:
        """Return a name: what it belongs to is its upper index."""
        owner, _, own = text.rpartition(".")
        letter = "\\" + own if own in _GREEK else {"π": r"\pi", "ξ": r"\xi"}.get(own, own)
        if len(own) > 1 and letter == own:
            letter = rf"\mathrm{{{_escaped(own)}}}"
        return rf"{letter}^{{\mathrm{{{_escaped(owner)}}}}}" if owner else letter

    def element(self, node: ast.Subscript) -> str:
        """Return an element of an array."""
        index = node.slice
        inside = "".join(self.write(i, _SUM) for i in (index.elts if isinstance(index, ast.Tuple) else [index]))
        return f"{self.write(node.value, _ATOM)}_{{{inside}}}"

    def quotient(self, node: ast.BinOp, level: int) -> str:
        """Return a fraction."""
        return rf"\frac{{{self.write(node.left, _SUM)}}}{{{self.write(node.right, _SUM)}}}"

    def power(self, node: ast.BinOp) -> str:
        """Return a power."""
        return f"{self.write(node.left, _ATOM, last=False)}^{{{self.write(node.right, _SUM)}}}"

    def sum(self, index: ast.expr, without: ast.expr, summand: ast.expr) -> str:
        """Return a sum over cells."""
        assert isinstance(index, ast.Name)
        cells = rf"{index.id} \ne {without.id}" if isinstance(without, ast.Name) else index.id
        return rf"\sum_{{{cells}}} {self.write(summand, _PRODUCT)}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
