"""The equations of a network as an .ode file, which XPPAUT and its relatives read.

Events become ``global`` lines. XPPAUT does not see an event that another one causes at the same time.
"""

from __future__ import annotations

import ast

from brnn.equations.scalar import ScalarEquations
from brnn.equations.syntax import value_of
from brnn.errors import InputError

__all__ = ["to_ode"]

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
_SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_FUNCTIONS = {
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sin",
    "cos",
    "abs",
    "sign",
    "min",
    "max",
    "delay",
    "sinh",
    "cosh",
    "tan",
    "atan",
}
_OTHERS = {"log": "ln"}
_LINE = 900  # characters; XPPAUT reads lines of up to 1,024
_EVENTS = 20
_NAMES = 1000
_EARLIER = 1e-9
_WITHIN = 12  # steps of the solver in one of the output, of equations with delays


def to_ode(equations: ScalarEquations, *, steps: int = 2000) -> str:
    """Return the text of an .ode file.

    Parameters
    ----------
    equations : ScalarEquations
        From `scalar_equations`.
    steps : int
        How many steps of output the run that the file asks for has.

    Raises
    ------
    InputError
        If a formula cannot be written.
    """
    names = len(equations.unknowns) + len(equations.auxiliaries)
    if names > _NAMES:
        raise InputError(f"{equations.title}: has {names:,} unknowns and parts of formulas, XPPAUT room for {_NAMES:,}")
    duration = 20.0 if equations.duration is None else equations.duration
    lines = [f"# {equations.title}"]
    if equations.reference:
        lines.append(f"# {equations.reference}")
    lines += [f"# {u.name} is {u.variable}[{u.index}]" for u in equations.unknowns]
    lines += [line for symbol, formula in equations.auxiliaries for line in _long(symbol, formula)]
    for u in equations.unknowns:
        left = f"{u.name}'" if equations.step is None else f"{u.name}(t+1)"
        text = _text(u.rate)
        if len(text) > _LINE:
            raise InputError(
                f"{u.variable}[{u.index}]: its equation has {len(text):,} characters; XPPAUT reads {_LINE}"
            )
        lines.append(f"{left}={text}")
    lines += _events(equations)
    first = _at_time_0(equations)
    lines += [f"init {u.name}={first[u.name]!r}" for u in equations.unknowns]
    late = any("delay(" in line for line in lines)
    if equations.step is None and late:  # XPPAUT interpolates the past between equal steps; CVODE goes wrong with it
        lines.append(
            f"@ total={duration!r},dt={duration / steps / _WITHIN!r},njmp={_WITHIN},meth=rungekutta,bound=1e12"
        )
    elif equations.step is None:
        lines.append(f"@ total={duration!r},dt={duration / steps!r},meth=cvode,toler=1e-10,atoler=1e-12,bound=1e12")
    else:
        lines.append(f"@ total={round(duration / equations.step)},meth=discrete,dt=1,bound=1e12,maxstor=100000")
    if late:
        lines.append(f"@ delay={_longest_delay(equations)!r}")
    return "\n".join([*lines, "done", ""])


def _at_time_0(equations: ScalarEquations) -> dict[str, float]:
    """Return where the unknowns begin, after the events of time 0."""
    values = {u.name: u.start for u in equations.unknowns}
    for change in equations.events:
        if change.time == 0.0:
            for symbol, formula in change.assignments:
                value = value_of(formula)
                if value is None:
                    raise InputError(f"{equations.title}: an event at time 0 depends on the state: XPPAUT has none")
                values[symbol] = value
    return values


def _events(equations: ScalarEquations) -> list[str]:
    """Return the lines of the events: what is set where a formula crosses 0 upward."""
    later = [change for change in equations.events if change.time != 0.0]
    if len(later) > _EVENTS:
        raise InputError(f"{equations.title}: has {len(later)} events, XPPAUT at most {_EVENTS}")
    result = []
    for change in later:
        settings = ";".join(f"{symbol}={_text(value)}" for symbol, value in change.assignments)
        # A crossing that falls on a step of the output exactly is none for XPPAUT: given times come a little earlier.
        rising = _text(change.rising) if change.time is None else f"(t-{change.time * (1.0 - _EARLIER)!r})"
        result.append(f"global 1 {rising} {{{settings}}}")
        if len(result[-1]) > _LINE:
            raise InputError(f"{equations.title}: an event has {len(result[-1]):,} characters; XPPAUT reads {_LINE}")
    return result


def _long(symbol: str, formula: ast.expr) -> list[str]:
    """Return the lines that give a name to a formula; a long sum is made of parts."""
    text = _text(formula)
    if len(text) <= _LINE:
        return [f"{symbol}={text}"]
    terms = _terms(formula)
    lines: list[str] = []
    parts: list[str] = []
    part = ""
    for term in map(_text, terms):
        if part and len(part) + len(term) + 3 > _LINE:
            parts.append(f"{symbol}p{len(parts) + 1}")
            lines.append(f"{parts[-1]}={part}")
            part = ""
        if len(term) > _LINE:
            raise InputError(f"a term has {len(term):,} characters; XPPAUT reads lines of {_LINE}")
        part = f"{part}+{term}" if part else term
    parts.append(f"{symbol}p{len(parts) + 1}")
    lines.append(f"{parts[-1]}={part}")
    return [*lines, f"{symbol}={'+'.join(parts)}"]


def _terms(formula: ast.expr) -> list[ast.expr]:
    result = []
    while isinstance(formula, ast.BinOp) and isinstance(formula.op, ast.Add):
        result.append(formula.right)
        formula = formula.left
    return [formula, *result[::-1]]


def _longest_delay(equations: ScalarEquations) -> float:
    found = [
        value_of(node.args[1]) or 0.0
        for formula in (*(f for _, f in equations.auxiliaries), *(u.rate for u in equations.unknowns))
        for node in ast.walk(formula)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "delay"
    ]
    return max(found) * 1.01


def _text(node: ast.expr) -> str:
    """Return a formula in XPPAUT's words, every part in parentheses that needs them."""
    if isinstance(node, ast.BinOp):
        return f"({_text(node.left)}{_OPERATORS[type(node.op)]}{_text(node.right)})"
    if isinstance(node, ast.UnaryOp):
        return f"(-{_text(node.operand)})"
    if isinstance(node, ast.IfExp):
        return f"(if({_text(node.test)})then({_text(node.body)})else({_text(node.orelse)}))"
    if isinstance(node, ast.Compare):
        values = [node.left, *node.comparators]
        signs = [_SIGNS[type(op)] for op in node.ops]
        parts = [f"({_text(a)}{s}{_text(b)})" for a, s, b in zip(values, signs, values[1:], strict=False)]
        return parts[0] if len(parts) == 1 else f"({'*'.join(parts)})"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = node.func.id
        if function not in _FUNCTIONS:
            raise InputError(f"the function {function} has no name in XPPAUT")
        arguments = [_text(argument) for argument in node.args]
        if function in ("min", "max"):  # of two
            result = arguments[0]
            for other in arguments[1:]:
                result = f"{function}({result},{other})"
            return result
        return f"{_OTHERS.get(function, function)}({','.join(arguments)})"
    value = value_of(node)
    if value is not None:
        if abs(value) == float("inf"):
            return "1e300" if value > 0 else "(-1e300)"
        return repr(value) if value >= 0 else f"({value!r})"
    if isinstance(node, ast.Name):
        return "pi" if node.id == "π" else node.id
    raise InputError("a part of the equations cannot be written for XPPAUT")
