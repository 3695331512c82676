"""The equations of a network as a YAML file for PyRates, which writes them on for PyTorch, JAX, Julia and AUTO.

One operator has all equations, one node has this operator, one circuit has this node. PyRates has no comparisons and
no events: what is compared becomes `sign`, and a network with events gets one line.
"""

from __future__ import annotations

import ast
import copy
import math

from brnn.equations.scalar import ScalarEquations
from brnn.equations.syntax import value_of
from brnn.errors import InputError

__all__ = ["to_pyrates"]

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_FUNCTIONS = {
    "exp": "exp", "log": "log", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sin": "sin", "cos": "cos",
    "tan": "tan", "atan": "arctan", "abs": "absv", "sign": "sign", "min": "mini", "max": "maxi", "delay": "past",
}  # fmt: skip


def to_pyrates(equations: ScalarEquations) -> str:
    """Return the text of a YAML file with the templates of PyRates: NAME_operator, NAME_node and the circuit NAME.

    Parameters
    ----------
    equations : ScalarEquations
        From `scalar_equations`, in continuous time and without events.

    Raises
    ------
    InputError
        If time is discrete, states are set by events, or a formula cannot be written.
    """
    if equations.step is not None:
        raise InputError(f"{equations.title}: its time is discrete, and PyRates integrates differential equations")
    if equations.events:
        raise InputError(f"{equations.title}: has events that set its states, and PyRates has none")
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in equations.title).lstrip("0123456789_") or "net"
    lines = ["%YAML 1.2", "---", f"# {equations.title}: CircuitTemplate.from_yaml('path/to/this_file/{name}')"]
    if equations.breaks:
        times = ", ".join(f"{time:g}" for time in equations.breaks[:20])
        lines.append(f"# Its inputs jump at t = {times}{', ...' if equations.breaks[20:] else ''}: give max_step.")
    lines += [f"# {u.name} is {u.variable}[{u.index}]" for u in equations.unknowns]
    lines += [f"{name}_operator:", "  base: OperatorTemplate", "  equations:"]
    lines += [f'    - "{symbol} = {_text(formula)}"' for symbol, formula in equations.auxiliaries]
    lines += [f'    - "{u.name}\' = {_text(u.rate)}"' for u in equations.unknowns]
    lines += ["  variables:", *(f"    {symbol}: variable(0.0)" for symbol, _ in equations.auxiliaries)]
    lines += [f"    {u.name}: {'variable' if k else 'output'}({u.start!r})" for k, u in enumerate(equations.unknowns)]
    formulas = [*(f for _, f in equations.auxiliaries), *(u.rate for u in equations.unknowns)]
    if any(isinstance(node, ast.Name) and node.id == "t" for formula in formulas for node in ast.walk(formula)):
        lines.append("    t: variable(0.0)")
    lines += [f"{name}_node:", "  base: NodeTemplate", "  operators:", f"    - {name}_operator"]
    lines += [f"{name}:", "  base: CircuitTemplate", "  nodes:", f"    p: {name}_node", ""]
    return "\n".join(lines)


class _Kept(ast.NodeTransformer):
    """Keeps a name on the side of a number on which a condition holds, so that what is not chosen is finite, too."""

    def __init__(self, symbol: str, side: str, number: ast.expr) -> None:
        self.symbol, self.side, self.number = symbol, side, number

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return max(name, number) or min(name, number)."""
        return ast.Call(ast.Name(self.side), [node, self.number], []) if node.id == self.symbol else node


def _chosen(node: ast.IfExp) -> str:
    test, body, other = node.test, node.body, node.orelse
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and value_of(test.comparators[0]) is not None:
        above = isinstance(test.ops[0], (ast.Gt, ast.GtE))
        for_body, for_other = ("max", "min") if above else ("min", "max")
        body = _Kept(test.left.id, for_body, test.comparators[0]).visit(copy.deepcopy(body))
        other = _Kept(test.left.id, for_other, test.comparators[0]).visit(copy.deepcopy(other))
    holds = _text(test)
    return f"({holds}*{_text(body)}+(1.0-{holds})*{_text(other)})"


def _compared(a: str, operator: ast.cmpop, b: str) -> str:
    """Return 1 where a comparison holds, 0 elsewhere; sign(0) is 0."""
    if isinstance(operator, (ast.Lt, ast.LtE)):
        return _compared(b, ast.Gt() if isinstance(operator, ast.Lt) else ast.GtE(), a)
    apart = f"sign({a}-{b})"
    if isinstance(operator, (ast.Eq, ast.NotEq)):
        return f"(1.0-absv({apart}))" if isinstance(operator, ast.Eq) else f"absv({apart})"
    return f"(0.5+0.5*sign({apart}{'-' if isinstance(operator, ast.Gt) else '+'}0.5))"


def _text(node: ast.expr) -> str:
    """Return a formula in PyRates' words, every part in parentheses that needs them."""
    if isinstance(node, ast.BinOp):
        return f"({_text(node.left)}{_OPERATORS[type(node.op)]}{_text(node.right)})"
    if isinstance(node, ast.UnaryOp):
        return f"(-{_text(node.operand)})"
    if isinstance(node, ast.IfExp):
        return _chosen(node)
    if isinstance(node, ast.Compare):
        values = [_text(value) for value in (node.left, *node.comparators)]
        parts = [_compared(a, op, b) for a, op, b in zip(values, node.ops, values[1:], strict=False)]
        return parts[0] if len(parts) == 1 else f"({'*'.join(parts)})"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _called(node.func.id, node.args)
    value = value_of(node)
    if value is not None:
        finite = math.copysign(1e300, value) if math.isinf(value) else value
        return repr(finite) if finite >= 0 else f"({finite!r})"
    if isinstance(node, ast.Name):
        return repr(math.pi) if node.id == "π" else node.id
    raise InputError("a part of the equations cannot be written for PyRates")


def _called(function: str, arguments: list[ast.expr]) -> str:
    if function == "sqrt":
        return f"({_text(arguments[0])}**0.5)"
    if function not in _FUNCTIONS:
        raise InputError(f"the function {function} has no name in PyRates")
    if function not in ("min", "max"):
        return f"{_FUNCTIONS[function]}({', '.join(map(_text, arguments))})"
    finite = [argument for argument in arguments if not math.isinf(value_of(argument) or 0.0)]
    result = _text(finite[0])
    for other in finite[1:]:  # of two
        result = f"{_FUNCTIONS[function]}({result}, {_text(other)})"
    return result
