"""The equations of a network as SBML, Level 3 Version 1 core, which libroadrunner, COPASI and others read.

Each unknown is a parameter with a rate rule, each part of a formula one with an assignment rule. At each time at which
an input jumps an event sets a parameter, passed1, passed2, ..., from 0 to 1: programs locate events, while a piecewise
function of time is stepped over, or brings the step down to nothing. The network's own events are events of SBML.
"""

from __future__ import annotations

import ast
import copy
import xml.etree.ElementTree as xml
from collections.abc import Iterable

from brnn.equations.scalar import ScalarEquations
from brnn.equations.syntax import value_of
from brnn.errors import InputError

__all__ = ["to_sbml"]

_CORE = "http://www.sbml.org/sbml/level3/version1/core"
_MATH = "http://www.w3.org/1998/Math/MathML"
_TIME = "http://www.sbml.org/sbml/symbols/time"
_DELAY = "http://www.sbml.org/sbml/symbols/delay"
_OPERATORS = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide", ast.Pow: "power"}
_TERMS = 200
_SIGNS = {ast.Lt: "lt", ast.LtE: "leq", ast.Gt: "gt", ast.GtE: "geq", ast.Eq: "eq", ast.NotEq: "neq"}
_FUNCTIONS = {
    "exp": "exp", "log": "ln", "sqrt": "root", "tanh": "tanh", "sin": "sin", "cos": "cos", "tan": "tan", "abs": "abs",
    "sinh": "sinh", "cosh": "cosh", "atan": "arctan",
}  # fmt: skip


def to_sbml(equations: ScalarEquations) -> str:
    """Return the text of an SBML file.

    Parameters
    ----------
    equations : ScalarEquations
        From `scalar_equations`, in continuous time.

    Raises
    ------
    InputError
        If time is discrete, or a formula cannot be written.
    """
    if equations.step is not None:
        raise InputError(f"{equations.title}: its time is discrete, which SBML has no rules for")
    root = xml.Element("sbml", {"xmlns": _CORE, "level": "3", "version": "1"})
    model = xml.SubElement(root, "model", {"id": _identifier(equations.title), "name": equations.title})
    parameters = xml.SubElement(model, "listOfParameters")
    for u in equations.unknowns:
        named = {"id": u.name, "name": f"{u.variable}[{u.index}]", "value": repr(u.start), "constant": "false"}
        xml.SubElement(parameters, "parameter", named)
    for symbol, _ in equations.auxiliaries:
        xml.SubElement(parameters, "parameter", {"id": symbol, "constant": "false"})
    passed = {time: f"passed{k}" for k, time in enumerate(equations.breaks, start=1)}
    for symbol in passed.values():
        xml.SubElement(parameters, "parameter", {"id": symbol, "value": "0", "constant": "false"})
    for symbol, formula in (*equations.auxiliaries, *((u.name, u.rate) for u in equations.unknowns)):
        _refuse_long(formula, f"{equations.title}: {symbol}")
    rules = xml.SubElement(model, "listOfRules")
    switched = _Switched(passed)
    for symbol, formula in equations.auxiliaries:
        _rule(rules, "assignmentRule", symbol, switched.visit(copy.deepcopy(formula)))
    for u in equations.unknowns:
        _rule(rules, "rateRule", u.name, switched.visit(copy.deepcopy(u.rate)))
    if passed or equations.events:
        events = xml.SubElement(model, "listOfEvents")
        one = ast.Constant(1.0)
        for time, symbol in passed.items():
            due = _apply("geq", _name("t"), _number(time))
            _event(events, f"at_{symbol}", due, [(symbol, one)], begun=False)
        for k, change in enumerate(equations.events, start=1):
            if change.time is None:
                reached = _apply("geq", _element(change.rising), _number(0.0))
            else:
                reached = _apply("geq", _name("t"), _number(change.time))
            # A crossing has to come from the other side: what is beyond at time 0 has not crossed.
            _event(events, f"event{k}", reached, change.assignments, begun=change.time is None)
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


class _Switched(ast.NodeTransformer):
    """Puts what events set in the place of comparisons of the time with one at which an input jumps."""

    def __init__(self, passed: dict[float, str]) -> None:
        self.passed = passed

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Return passed for t >= time, 1 - passed for t < time."""
        self.generic_visit(node)
        symbol = self.passed.get(value_of(node.comparators[0]) or 0.0)
        if symbol is None or not (isinstance(node.left, ast.Name) and node.left.id == "t"):
            return node
        known: ast.expr = ast.Name(symbol)
        return known if isinstance(node.ops[0], ast.GtE) else ast.BinOp(ast.Constant(1.0), ast.Sub(), known)


def _event(
    events: xml.Element,
    identifier: str,
    condition: xml.Element,
    assignments: Iterable[tuple[str, ast.expr]],
    *,
    begun: bool,
) -> None:
    """Write an event that happens when a condition becomes true; `begun` says that it counts as true before time 0."""
    event = xml.SubElement(events, "event", {"id": identifier, "useValuesFromTriggerTime": "true"})
    trigger = xml.SubElement(event, "trigger", {"initialValue": str(begun).lower(), "persistent": "true"})
    math = xml.SubElement(trigger, "math", {"xmlns": _MATH})
    math.append(condition)
    listed = xml.SubElement(event, "listOfEventAssignments")
    for symbol, value in assignments:
        assignment = xml.SubElement(listed, "eventAssignment", {"variable": symbol})
        assignment.append(_math(value))


def _refuse_long(formula: ast.expr, where: str) -> None:
    """Raise InputError if a sum has so many terms that programs would not come to the end of its nested elements."""
    terms = 1
    while isinstance(formula, ast.BinOp):
        formula, terms = formula.left, terms + 1
    if terms > _TERMS:
        raise InputError(f"{where}: has a sum of {terms:,} terms; at most {_TERMS} can be nested in SBML")


def _identifier(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in text) or "network"


def _rule(rules: xml.Element, kind: str, symbol: str, formula: ast.expr) -> None:
    rule = xml.SubElement(rules, kind, {"variable": symbol})
    rule.append(_math(formula))


def _math(formula: ast.expr) -> xml.Element:
    math = xml.Element("math", {"xmlns": _MATH})
    math.append(_element(formula))
    return math


def _apply(operator: str, *parts: xml.Element) -> xml.Element:
    result = xml.Element("apply")
    xml.SubElement(result, operator)
    result.extend(parts)
    return result


def _number(value: float) -> xml.Element:
    if value == float("inf"):
        return xml.Element("infinity")
    if value < 0:
        return _apply("minus", _number(-value))
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        result = xml.Element("cn")
        result.text = mantissa
        return result
    result = xml.Element("cn", {"type": "e-notation"})
    result.text = mantissa
    separator = xml.SubElement(result, "sep")
    separator.tail = str(int(exponent))
    return result


def _piecewise(value: xml.Element, condition: xml.Element, other: xml.Element) -> xml.Element:
    result = xml.Element("piecewise")
    piece = xml.SubElement(result, "piece")
    piece.extend((value, condition))
    xml.SubElement(result, "otherwise").append(other)
    return result


def _condition(node: ast.expr) -> xml.Element:
    """Return a formula as a truth value."""
    if not isinstance(node, ast.Compare):
        return _apply("neq", _element(node), _number(0.0))
    values = [node.left, *node.comparators]
    parts = [
        _apply(_SIGNS[type(op)], _element(a), _element(b))
        for op, a, b in zip(node.ops, values, values[1:], strict=False)
    ]
    return parts[0] if len(parts) == 1 else _apply("and", *parts)


def _element(node: ast.expr) -> xml.Element:
    """Return a formula in MathML."""
    if isinstance(node, ast.BinOp):
        return _apply(_OPERATORS[type(node.op)], _element(node.left), _element(node.right))
    if isinstance(node, ast.UnaryOp):
        return _apply("minus", _element(node.operand))
    if isinstance(node, ast.IfExp):
        return _piecewise(_element(node.body), _condition(node.test), _element(node.orelse))
    if isinstance(node, ast.Compare):
        return _piecewise(_number(1.0), _condition(node), _number(0.0))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, node.args)
    value = value_of(node)
    if value is not None:
        return _number(value)
    if isinstance(node, ast.Name):
        return _name(node.id)
    raise InputError("a part of the equations cannot be written as MathML")


def _name(text: str) -> xml.Element:
    if text == "π":
        return xml.Element("pi")
    if text == "t":
        result = xml.Element("csymbol", {"encoding": "text", "definitionURL": _TIME})
        result.text = "t"
        return result
    result = xml.Element("ci")
    result.text = text
    return result


def _call(function: str, arguments: list[ast.expr]) -> xml.Element:
    if function == "delay":
        result = xml.Element("apply")
        symbol = xml.SubElement(result, "csymbol", {"encoding": "text", "definitionURL": _DELAY})
        symbol.text = "delay"
        result.extend(_element(argument) for argument in arguments)
        return result
    if function in ("min", "max"):  # Level 3 Version 1 has no such functions
        # Written with abs: programs stop at the border of a piecewise function, and do not get away from a state that
        # stays there.
        first, *others = arguments
        sign: ast.operator = ast.Sub() if function == "min" else ast.Add()
        for other in others:
            if abs(value_of(other) or 0.0) == float("inf"):
                continue
            apart = ast.Call(ast.Name("abs"), [ast.BinOp(first, ast.Sub(), other)], [])
            total = ast.BinOp(ast.BinOp(first, ast.Add(), other), sign, apart)
            first = ast.BinOp(ast.Constant(0.5), ast.Mult(), total)
        return _element(first)
    if function == "sign":
        (w,) = arguments
        zero: ast.expr = ast.Constant(0.0)
        below = ast.IfExp(ast.Compare(w, [ast.Lt()], [zero]), ast.Constant(-1.0), zero)
        return _element(ast.IfExp(ast.Compare(w, [ast.Gt()], [zero]), ast.Constant(1.0), below))
    if function not in _FUNCTIONS:
        raise InputError(f"the function {function} has no name in SBML")
    return _apply(_FUNCTIONS[function], *(_element(argument) for argument in arguments))
