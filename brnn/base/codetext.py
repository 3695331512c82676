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
from collections.abc import Callable
from typing import Any

__all__ = ["Code", "function_text", "helper_texts"]


@dataclasses.dataclass(frozen=True)
class Code:
    """The text of one function of generated code, and what it is called with.

    Attributes
    ----------
    name : str
        Name of the function that `source` defines.
    source : str
        Text of one module-level function. It may use ``np`` and the functions in `helpers`.
    parameters : tuple of float
        Values of its arguments after the first (the state), in order.
    helpers : tuple of str
        Texts of the functions that `source` calls, each after those it calls itself.
    """

    name: str
    source: str
    parameters: tuple[float, ...] = ()
    helpers: tuple[str, ...] = ()


@functools.cache
def function_text(function: Callable[..., Any], name: str | None = None) -> str:
    """Return the text of `function` as a function of a module, under the given `name`.

    Decorators, annotations and the docstring are dropped (their names would not exist in the generated
    module); comments inside the body stay.

    Parameters
    ----------
    function : function
        A plain function with a source file, e.g. a static method taken from its class.
    name : str, optional
        Its name in the text; by default the name it has.
    """
    text = textwrap.dedent(inspect.getsource(function))
    node = ast.parse(text).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise TypeError(f"{function!r} is not a plain function")
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    header = f"def {name or node.name}({ast.unparse(node.args)}):"
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = text.splitlines()
    first, last = body[0].lineno - 1, node.end_lineno
    if body[0].lineno == node.lineno:  # the body stands on the line of the header
        lines[first] = lines[first][body[0].col_offset :]
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return header + "\n" + textwrap.indent(textwrap.dedent("\n".join(lines[first:last])), "    ") + "\n"


@functools.cache
def helper_texts(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the texts of the Python functions that `function` calls by a global name, callees first."""
    texts: dict[str, None] = {}
    _collect(function, texts, {function})
    return tuple(texts)


def _collect(function: Callable[..., Any], texts: dict[str, None], seen: set[Callable[..., Any]]) -> None:
    names = function.__code__.co_names
    for name in names:
        callee = function.__globals__.get(name)
        if isinstance(callee, types.FunctionType) and callee not in seen:
            seen.add(callee)
            _collect(callee, texts, seen)
            texts[function_text(callee, name)] = None
