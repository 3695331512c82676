"""What statements name, and the sums that none of them uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from brnn.compiler.blocks import sums_of
from brnn.compiler.program import Program
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    Element,
    Local,
    Loop,
    Operation,
    Size,
    Statement,
)  # fmt: skip

__all__ = ["names_in", "without_idle_sums"]


def names_in(parts: Iterable[Statement | CodeExpression]) -> Iterator[tuple[str, bool]]:
    """Yield the names that statements and expressions read and write, and whether they are those of single numbers."""
    for part in parts:
        match part:
            case Loop(_, stop, body):
                yield from names_in([stop, *body])
            case Assign(target, value):
                yield from names_in([target, value])
            case Call(_, arguments):
                yield from names_in(arguments)
            case Operation(left, _, right):
                yield from names_in([left, right])
            case Element(array, index):
                yield from names_in([array, index])
            case Size(array):
                yield array.name, False
            case Array(name):
                yield name, False
            case Local(name):
                yield name, True


def without_idle_sums(program: Program) -> Iterator[Statement]:
    """Yield the statements without the sums that no law and no kernel uses, though they are given to one."""
    statements = [*_given(program.statements, program)]
    read = {*_read(statements)}
    for statement in statements:
        match statement:
            case Assign(Local(name), _) if name.startswith("sum_") and name not in read:
                continue
            case Loop(_, _, body):
                idle = [name for name in sums_of(statement) if name not in read]
                used = [s for s in body if not (isinstance(s, Assign) and s.target in [*map(Local, idle)])]
                yield replace(statement, body=tuple(used))
            case _:
                yield statement


def _given(statements: Iterable[Statement], program: Program) -> Iterator[Statement]:
    """Yield the statements with 0 for each sum that the called function does not use."""
    for statement in statements:
        match statement:
            case Loop(_, _, body):
                yield replace(statement, body=tuple(_given(body, program)))
            case Assign(_, value):
                yield replace(statement, value=_used(value, program))
            case _:
                yield statement


def _used(expression: CodeExpression, program: Program) -> CodeExpression:
    match expression:
        case Operation(left, symbol, right):
            return Operation(_used(left, program), symbol, _used(right, program))
        case Call(name, arguments) if name in program.functions:
            code = program.functions[name]
            return Call(name, tuple(
                ZERO if isinstance(argument, Local) and not re.search(rf"\b{parameter}\b", code.body)
                else _used(argument, program)
                for argument, parameter in zip(arguments, code.arguments, strict=False)
            ))  # fmt: skip
    return expression


def _read(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield the names that the values of statements need."""
    for statement in statements:
        match statement:
            case Loop(_, _, body):
                yield from _read(body)
            case Assign(_, value):
                yield from (name for name, _ in names_in([value]))
            case Call():
                yield from (name for name, _ in names_in([statement]))
