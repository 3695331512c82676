"""Print the right-hand side of a network as JavaScript, for pages that integrate by themselves.

The statements are those of `brnn.compiler.generate` in their explicit form, loops over cells alone, and the functions
that they call are taken over from their texts, as Numba takes them. The text made is

    function equations(p, arrays) { ... return rhs; }

where `p` are the numbers, `arrays` has the array arguments by name, and ``rhs(t, u, du)`` writes du/dt, or in discrete
time the next state.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from brnn.base.codetext import Code
from brnn.compiler.program import Program
from brnn.compiler.statements import (
    Array,
    Assign,
    Call,
    CodeExpression,
    Comment,
    Element,
    Index,
    Local,
    Loop,
    Number,
    Operation,
    Size,
    Statement,
)  # fmt: skip
from brnn.errors import InputError
from brnn.spec.variable import Variable

__all__ = ["javascript_of"]

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
    ast.GtE: ">=", ast.Eq: "===", ast.NotEq: "!==", ast.And: "&&", ast.Or: "||", ast.USub: "-", ast.UAdd: "+",
    ast.Not: "!",
}  # fmt: skip
_FUNCTIONS = {
    "exp": "Math.exp", "log": "Math.log", "log1p": "Math.log1p", "expm1": "Math.expm1", "log2": "Math.log2",
    "log10": "Math.log10", "sqrt": "Math.sqrt", "abs": "Math.abs", "fabs": "Math.abs", "absolute": "Math.abs",
    "sin": "Math.sin", "cos": "Math.cos", "tan": "Math.tan", "sinh": "Math.sinh", "cosh": "Math.cosh",
    "tanh": "Math.tanh", "arcsin": "Math.asin", "arccos": "Math.acos", "arctan": "Math.atan", "asin": "Math.asin",
    "acos": "Math.acos", "atan": "Math.atan", "arctan2": "Math.atan2", "atan2": "Math.atan2",
    "hypot": "Math.hypot", "floor": "Math.floor", "ceil": "Math.ceil", "trunc": "Math.trunc", "sign": "Math.sign",
    "minimum": "Math.min", "maximum": "Math.max", "min": "Math.min", "max": "Math.max", "fmin": "Math.min",
    "fmax": "Math.max", "power": "Math.pow", "pow": "Math.pow", "isfinite": "Number.isFinite", "isnan": "Number.isNaN",
    "float": "Number", "bool": "Boolean",
}  # fmt: skip
_CONSTANTS = {"pi": "Math.PI", "e": "Math.E", "inf": "Infinity", "nan": "NaN", "True": "true", "False": "false"}


def javascript_of(program: Program, variables: Sequence[Variable]) -> str:
    """Return the text of the function `equations`.

    Parameters
    ----------
    program : Program
        Of `brnn.compiler.generate.generate` with ``explicit=True``.
    variables : sequence of Variable
        Where the states stand.

    Raises
    ------
    InputError
        If a law or signal is more than arithmetic on numbers: the message says what.
    """
    printer = _Printer(variables)
    lines = ["function equations(p, arrays) {"]
    for code in program.functions.values():
        lines += [f"  {line}" for line in _function(code)]
    for array in program.names.values():
        if array.kind == "work":
            value = program.arrays[array.name]
            assert value is not None
            lines.append(f"  const {_name(array.name)} = new Float64Array({value.size});")
        else:
            lines.append(f"  const {_name(array.name)} = arrays.{array.name};")
    lines.append("  return function rhs(t, u, du) {")
    names = sorted(set(_assigned(program.statements)))
    if names:
        lines.append(f"    let {', '.join(map(_name, names))};")
    lines += printer.lines(program.statements, 2)
    return "\n".join([*lines, "  };", "}", ""])


def _name(text: str) -> str:
    """Return a name that no word of JavaScript and no function of the page has."""
    return f"{text}_" if text in _RESERVED else text


_WORDS = """
p u du arrays rhs equations arguments await break case catch class const continue debugger default delete do else enum
eval export extends false finally for function if implements import in instanceof interface let new null package private
protected public return static super switch this throw true try typeof var void while with yield
"""
_RESERVED = frozenset(_WORDS.split())


def _assigned(statements: Sequence[Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, Loop):
            yield statement.index.name
            yield from _assigned(statement.body)
        elif isinstance(statement, Assign) and isinstance(statement.target, (Local, Index)):
            yield statement.target.name


class _Printer:
    """Prints statements; blocks of the state are parts of `u` and `du`, numbers stand in `p`."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.blocks: dict[str, tuple[str, Variable]] = {}
        for variable in variables:
            name = f"{variable.quantity}_{variable.group}"
            self.blocks |= {name: ("u", variable), f"d{name}": ("du", variable)}

    def lines(self, statements: Sequence[Statement], depth: int) -> Iterator[str]:
        space = "  " * depth
        for statement in statements:
            match statement:
                case Assign(target, value, symbol):
                    yield f"{space}{self.text(target)} {symbol} {self.text(value)};"
                case Loop(index, stop, body, start):
                    i = _name(index.name)
                    first = "0" if start is None else self.text(start)
                    yield f"{space}for ({i} = {first}; {i} < {self.text(stop)}; {i} += 1) {{"
                    yield from self.lines(body, depth + 1)
                    yield f"{space}}}"
                case Comment(text):
                    yield f"{space}// {text}".replace("\n", " ")
                case Call(function, _):
                    raise InputError(f"{function}: works on whole arrays, which a page cannot do")

    def text(self, expression: CodeExpression) -> str:
        match expression:
            case Operation(left, "//", right):
                return f"Math.floor({self.text(left)} / {self.text(right)})"
            case Operation(left, symbol, right):
                return f"({self.text(left)} {symbol} {self.text(right)})"
            case Call(function, arguments):
                return f"{_name(function)}({', '.join(map(self.text, arguments))})"
            case Element(Array(name, "state"), index):
                vector, variable = self.blocks[name]
                at = f"{variable.start} + " if variable.start else ""
                return f"{vector}[{at}{self.text(index)}]"
            case Element(Array(name), index):
                return f"{_name(name)}[{self.text(index)}]"
            case Size(Array(name, "state")):
                return str(self.blocks[name][1].size)
            case Size(Array(name)):
                return f"{_name(name)}.length"
            case Number(_, place):
                return f"p[{place}]"
            case _:
                name = str(getattr(expression, "name", ""))
                return name if name == "t" else _name(name)


def _function(code: Code) -> Iterator[str]:
    """Yield the lines of a function of numbers."""
    node = ast.parse(code.source).body[0]
    assert isinstance(node, ast.FunctionDef)
    writer = _FunctionWriter(code.name, set(code.arguments))
    arguments = [*node.args.posonlyargs, *node.args.args]
    defaults = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
    given = [
        _name(argument.arg) + ("" if default is None else f" = {writer.text(default)}")
        for argument, default in zip(arguments, defaults, strict=True)
    ]
    body = list(writer.lines(node.body, 1))
    yield f"function {_name(code.name)}({', '.join(given)}) {{"
    if writer.own:
        yield f"  let {', '.join(map(_name, sorted(writer.own)))};"
    yield from body
    yield "}"


class _FunctionWriter:
    """Writes the body of a function of numbers in JavaScript."""

    def __init__(self, name: str, arguments: set[str]) -> None:
        self.name, self.arguments = name, arguments
        self.own: set[str] = set()

    def lines(self, statements: Sequence[ast.stmt], depth: int) -> Iterator[str]:
        space = "  " * depth
        for statement in statements:
            match statement:
                case ast.Return(value) if value is not None:
                    yield f"{space}return {self.text(value)};"
                case ast.Assign([ast.Name(name)], value):
                    self.note(name)
                    yield f"{space}{_name(name)} = {self.text(value)};"
                case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if len(targets) == len(values):
                    names = [self.text(target) for target in targets]
                    for target in targets:
                        self.note(target.id if isinstance(target, ast.Name) else "")
                    yield f"{space}[{', '.join(names)}] = [{', '.join(map(self.text, values))}];"
                case ast.AugAssign(ast.Name(name), op, value) if type(op) in _OPERATORS:
                    self.note(name)
                    yield f"{space}{_name(name)} {_OPERATORS[type(op)]}= {self.text(value)};"
                case ast.If(test, body, orelse):
                    yield f"{space}if ({self.text(test)}) {{"
                    yield from self.lines(body, depth + 1)
                    if orelse:
                        yield f"{space}}} else {{"
                        yield from self.lines(orelse, depth + 1)
                    yield f"{space}}}"
                case ast.While(test, body, []):
                    yield f"{space}while ({self.text(test)}) {{"
                    yield from self.lines(body, depth + 1)
                    yield f"{space}}}"
                case ast.For(ast.Name(name), ast.Call(ast.Name("range"), limits, []), body, []) if len(limits) < 3:
                    self.note(name)
                    first = self.text(limits[0]) if len(limits) == 2 else "0"
                    i = _name(name)
                    yield f"{space}for ({i} = {first}; {i} < {self.text(limits[-1])}; {i} += 1) {{"
                    yield from self.lines(body, depth + 1)
                    yield f"{space}}}"
                case ast.Pass():
                    pass
                case ast.Expr(ast.Constant()):
                    pass
                case _:
                    self.refuse(statement)

    def note(self, name: str) -> None:
        if name and name not in self.arguments:
            self.own.add(name)

    def text(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value) if isinstance(value, bool):
                return "true" if value else "false"
            case ast.Constant(value) if isinstance(value, (int, float)):
                return repr(value)
            case ast.Name(name):
                return _CONSTANTS.get(name, _name(name))
            case ast.Attribute(ast.Name("np" | "math" | "numpy"), name) if name in _CONSTANTS:
                return _CONSTANTS[name]
            case ast.BinOp(left, ast.FloorDiv(), right):
                return f"Math.floor({self.text(left)} / {self.text(right)})"
            case ast.BinOp(left, ast.Mod(), right):  # the sign is that of the divisor
                a, b = self.text(left), self.text(right)
                return f"({a} - Math.floor({a} / {b}) * {b})"
            case ast.BinOp(left, ast.Pow(), right):
                return f"Math.pow({self.text(left)}, {self.text(right)})"
            case ast.BinOp(left, ast.BitAnd(), right):
                return f"({self.text(left)} && {self.text(right)})"
            case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
                return f"({self.text(left)} {_OPERATORS[type(op)]} {self.text(right)})"
            case ast.UnaryOp(op, operand) if type(op) in _OPERATORS:
                return f"({_OPERATORS[type(op)]}{self.text(operand)})"
            case ast.BoolOp(op, values):
                return f"({f' {_OPERATORS[type(op)]} '.join(map(self.text, values))})"
            case ast.Compare(left, ops, comparators):
                values = [left, *comparators]
                parts = [
                    f"{self.text(a)} {_OPERATORS[type(op)]} {self.text(b)}"
                    for a, op, b in zip(values, ops, comparators, strict=False)
                    if type(op) in _OPERATORS
                ]
                if len(parts) == len(ops):
                    return f"({' && '.join(parts)})"
            case ast.IfExp(test, body, orelse):
                return f"({self.text(test)} ? {self.text(body)} : {self.text(orelse)})"
            case ast.Call(ast.Attribute(ast.Name("np" | "numpy"), "where"), [test, body, orelse], []):
                return f"({self.text(test)} ? {self.text(body)} : {self.text(orelse)})"
            case ast.Call(ast.Attribute(ast.Name("np" | "math" | "numpy"), name), arguments, []) if name in _FUNCTIONS:
                return f"{_FUNCTIONS[name]}({', '.join(map(self.text, arguments))})"
            case ast.Call(ast.Name(name), arguments, []):
                return f"{_FUNCTIONS.get(name, _name(name))}({', '.join(map(self.text, arguments))})"
        return self.refuse(node)

    def refuse(self, node: ast.AST) -> str:
        part = ast.unparse(node).partition("\n")[0]
        raise InputError(f"{self.name}: '{part}' is more than arithmetic on numbers, which a page cannot do")
