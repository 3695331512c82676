"""The text of Python functions, taken over into generated code.

The mathematics of a signal, a schedule or a law stands once, in a function that NumPy can run on arrays.
Generated code takes over the text of that function, so that Numba compiles on scalars exactly what NumPy
runs on arrays.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["Code", "code_of", "exponents", "with_limits"]


@dataclasses.dataclass(frozen=True)
class Code:
    """One function of generated code: its text, and what is known of it.

    Attributes
    ----------
    name : str
        Its name.
    arguments : tuple of str
        Names of its arguments.
    body : str
        Text of its body, indented. It may use ``np`` and the functions in `helpers`.
    helpers : tuple of Code
        The functions that it calls, each after those it calls itself.
    exponents : tuple of str
        Those of its arguments that it passes on as an exponent, see `exponents`.
    signature : str
        Its arguments as its header has them; needed only if some have defaults.
    parameters : tuple of float
        Values of its arguments after the first (the state), in order, if it is the formula of one signal.
    """

    name: str
    arguments: tuple[str, ...]
    body: str
    helpers: tuple[Code, ...] = ()
    exponents: tuple[str, ...] = ()
    signature: str = ""
    parameters: tuple[float, ...] = ()

    @property
    def source(self) -> str:
        """Text of the function."""
        return f"def {self.name}({self.signature or ', '.join(self.arguments)}):\n{self.body}"


@functools.cache
def code_of(function: Callable[..., Any], name: str | None = None) -> Code:
    """Return the code of `function` as a function of a module, under the given `name`.

    Decorators, annotations and the docstring are dropped (their names would not exist in the generated
    module); comments inside the body stay.

    Parameters
    ----------
    function : function
        A plain function with a source file, e.g. a static method taken from its class.
    name : str, optional
        Its name in the text; by default the name it has.
    """
    return dataclasses.replace(_alone(function, name), helpers=_helpers(function))


@functools.cache
def _alone(function: Callable[..., Any], name: str | None) -> Code:
    """Return the code of a function without its helpers."""
    text = textwrap.dedent(inspect.getsource(function))
    node = ast.parse(text).body[0]
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        raise TypeError(f"{function!r} is not a plain function")
    # Newer Pythons keep the text of `python -c` under the name that every text without a file has.
    if not isinstance(node, ast.FunctionDef) or node.name != function.__code__.co_name:
        raise OSError(f"the text found for {function!r} is another one")
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = text.splitlines()
    first, last = body[0].lineno - 1, node.end_lineno
    if body[0].lineno == node.lineno:  # the body stands on the line of the header
        lines[first] = lines[first][body[0].col_offset :]
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    names = tuple(argument.arg for argument in (*node.args.posonlyargs, *node.args.args))
    return Code(
        name or node.name,
        names,
        textwrap.indent(textwrap.dedent("\n".join(lines[first:last])), "    ") + "\n",
        exponents=exponents(node, names),
        signature=ast.unparse(node.args),
    )


def exponents(tree: ast.AST, names: Sequence[str]) -> tuple[str, ...]:
    """Return which names are exponents of the helper `power` (`brnn.signals.base`): small whole ones are other code."""
    found = {
        call.args[1].id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "power"
        and isinstance(call.args[1], ast.Name)
    }
    return tuple(name for name in names if name in found)


def _helpers(function: Callable[..., Any]) -> tuple[Code, ...]:
    """Return the Python functions that `function` calls by a global name, callees first."""
    codes: dict[Code, None] = {}
    _collect(function, codes, {function})
    return tuple(codes)


def _collect(function: Callable[..., Any], codes: dict[Code, None], seen: set[Callable[..., Any]]) -> None:
    for name in function.__code__.co_names:
        callee = function.__globals__.get(name)
        if isinstance(callee, types.FunctionType) and callee not in seen:
            seen.add(callee)
            _collect(callee, codes, seen)
            codes[_alone(callee, name)] = None


def with_limits(source: str, limits: Mapping[str, str]) -> str:
    """Return the text of a function in which other functions are called where an argument is compared with a number.

    Parameters
    ----------
    source : str
        Text of a function.
    limits : mapping
        For attributes of ``np`` (``"minimum"``) of two arguments, what is called if the second one is written as a
        number.
    """
    lines = source.encode().split(b"\n")
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and len(node.args) == 2]
    for node in sorted(found, key=lambda node: (node.lineno, node.func.end_col_offset or 0), reverse=True):
        match node.func, node.args[1]:
            case ast.Attribute(ast.Name("np"), name), ast.Constant(float()) if name in limits:
                line, end = lines[node.func.lineno - 1], node.func.end_col_offset
                lines[node.func.lineno - 1] = line[: node.func.col_offset] + limits[name].encode() + line[end:]
    return b"\n".join(lines).decode()
