"""Turn the right-hand side of one network into that of many networks of the same structure, side by side.

The generated text (`brnn.compiler.generate`, in its explicit form) consists of loops over cells whose bodies are
arithmetic on numbers. Here every number of it gets one more axis, the lane: lane l belongs to network l. Each loop
body becomes a loop over the lanes, which the compiler turns into vector instructions, so that several networks cost
little more than one. It is the same text: the same laws, signals and topologies in the same order.

The function made is

    lanes(t, u, du, n, q, work, scratch, whole)

whose arguments are the addresses of vectors in which rows of LANES numbers follow each other: the times are the row
`t`, unknown i is row i of `u` (lane l of it is ``u[i * LANES + l]``), and every number and array of the networks is a
row of `q`; there is room for signals and net inputs in `work` and for sums in `scratch`. `n` says at which rows the
blocks and arrays begin and end; `whole` holds the arrays of whole numbers (who is connected with whom), which all lanes
share. Networks whose text, `n` and `whole` are equal can be lanes of one call.

Addresses instead of arrays, because a call with eight arrays takes longer than its work for one network of ten cells;
indices are made unsigned, because whether a signed one counts from the end would be asked at each access.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from brnn.compiler.statements import argument_names

__all__ = ["LANES", "LaneText", "lane_text"]

LANES = 32  # enough for the compiler to make a vector loop, few enough for the first-level cache

_HEADER = '''"""Right-hand side of {lanes} networks of one structure, side by side; every number is an argument."""

import numpy as np
from numba import carray, cfunc, njit

from brnn.compiler.numba_internals import LANE_SIGNATURE, NoAlias

LANES = {lanes}
U = np.uint64
options = {{"error_model": "numpy", "fastmath": {{{fastmath}}}, "nogil": True}}

'''


@dataclass(frozen=True)
class LaneText:
    """The text of a lane function.

    Attributes
    ----------
    source : str
        Text of the module.
    scratch : int
        How many rows of `scratch` it uses.
    """

    source: str
    scratch: int


@functools.lru_cache(maxsize=4096)
def lane_text(
    source: str,
    blocks: int,
    floats: tuple[str, ...],
    work: tuple[str, ...],
    wholes: tuple[str, ...],
    constants: tuple[tuple[int, float], ...],
    lanes: int = LANES,
) -> LaneText:
    """Return the lane function for the text of a right-hand side.

    Parameters
    ----------
    source : str
        Text of the module with ``rhs(t, u, du, n, p, *arrays)``, in explicit form.
    blocks : int
        How many blocks the state vector has.
    floats, work, wholes : tuple of str
        The array arguments: values, work arrays, and arrays of whole numbers; each in the order in which they lie in
        `q` (after the numbers), `work` and `whole`.
    constants : tuple of (int, float)
        Numbers that stand in the text itself: small whole exponents, for which powers are products.
    lanes : int
        How many lanes.
    """
    module = ast.parse(source)
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    rhs = next(node for node in functions if node.name == "rhs")
    writer = _Writer(blocks, floats, work, wholes, dict(constants))
    body = writer.write(rhs.body)
    # Side by side, the lanes fill the vectors; a single lane fills them by adding in another order. Its numbers are the
    # same for all cells, so that it may divide by them once.
    alone = ', "reassoc", "arcp"' if lanes == 1 else ""
    parts = [_HEADER.format(lanes=lanes, fastmath=f'"contract", "nsz"{alone}')]
    parts += [f"\n{ast.unparse(node)}\n" for node in functions if node is not rhs]
    parts.append("\n@cfunc(LANE_SIGNATURE, cache=True, pipeline_class=NoAlias, **options)\n")
    parts.append("def lanes(t, u, du, n, q, work, scratch, whole):\n" + "\n".join(body) + "\n")
    return LaneText("\n".join(parts), max(1, len(writer.shared)))


def whole_exponents(source: str, names: Sequence[str]) -> list[str]:
    """Return which of a function's arguments are exponents of the helper `power`, where small whole ones are cheap."""
    return [
        name
        for name in names
        if any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "power"
            and isinstance(node.args[1], ast.Name)
            and node.args[1].id == name
            for node in ast.walk(ast.parse(source))
        )
    ]


@functools.lru_cache(maxsize=4096)
def exponent_places(source: str) -> tuple[int, ...]:
    """Return the places in `p` of the numbers that some call passes on as an exponent of `power`."""
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    exponents = {
        name: set(whole_exponents(ast.unparse(node), argument_names(_header(node), 0)))
        for name, node in functions.items()
        if name not in ("rhs", "power")
    }
    rhs = functions["rhs"]
    places = {
        node.targets[0].id: node.value.slice.value
        for node in rhs.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Subscript)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "p"
        and isinstance(node.value.slice, ast.Constant)
    }
    found = set()
    for node in ast.walk(rhs):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and exponents.get(node.func.id):
            names = argument_names(_header(functions[node.func.id]), 0)
            for name, value in zip(names, node.args, strict=True):
                if name in exponents[node.func.id] and isinstance(value, ast.Name) and value.id in places:
                    found.add(places[value.id])
    return tuple(sorted(int(str(k)) for k in found))


def _header(node: ast.FunctionDef) -> str:
    return f"def {node.name}({ast.unparse(node.args)}):"


@dataclass
class _Group:
    """Statements about the numbers of one lane, which become the body of one loop over the lanes."""

    statements: list[ast.stmt] = field(default_factory=list)


@dataclass
class _Loop:
    """A loop over cells or connections."""

    header: ast.For
    body: list[_Node]


@dataclass
class _Plain:
    """A statement that is the same for all lanes."""

    text: str


_Node = _Group | _Loop | _Plain


class _Writer:
    """Rewrites the body of `rhs`."""

    def __init__(
        self,
        blocks: int,
        floats: Sequence[str],
        work: Sequence[str],
        wholes: Sequence[str],
        constants: dict[int, float],
    ) -> None:
        self.constants = constants
        self.rows = {"t": "t[l]"}  # numbers that are given, with their place in this lane
        self.arrays = set(floats) | set(work)
        self.wholes = set(wholes)
        self.same: set[str] = set()  # names of whole numbers that all lanes share
        self.shared: dict[str, int] = {}  # numbers that several groups use -> row of scratch
        self.sizes = {"t": "LANES", "u": f"n[{blocks}] * LANES", "du": f"n[{blocks}] * LANES"}
        self.views = []
        at = blocks + 1  # places in `n` after the edges of the blocks
        for kind, names, lanes in (("q", floats, " * LANES"), ("work", work, " * LANES"), ("whole", wholes, "")):
            for name in names:
                self.views.append(f"    {name} = {kind}[n[{at}]{lanes} : n[{at + 1}]{lanes}]")
                at += 1
            self.sizes[kind] = f"n[{at}]{lanes}"
            at += 1
        self.edges = at

    def write(self, body: Sequence[ast.stmt]) -> list[str]:
        """Return the lines of the new body."""
        nodes = self._nodes(body)
        for name in _read_first(nodes, self._is_number):
            self.shared[name] = len(self.shared)
        self.sizes["scratch"] = f"{max(1, len(self.shared))} * LANES"
        lines = [f"    n = carray(n, {self.edges})"]
        lines += [f"    {name} = carray({name}, {size})" for name, size in self.sizes.items()]
        lines += self.views
        self._emit(nodes, lines, 1)
        return lines

    def _nodes(self, body: Sequence[ast.stmt]) -> list[_Node]:
        """Sort statements into loops, groups and what is the same for all lanes."""
        nodes: list[_Node] = []
        group: _Group | None = None
        for statement in body:
            if isinstance(statement, ast.For):
                assert isinstance(statement.target, ast.Name)
                self.same.add(statement.target.id)
                nodes.append(_Loop(statement, self._nodes(statement.body)))
                group = None
                continue
            plain = self._plain(statement)
            if plain is not None:
                # Whole numbers come from whole numbers alone, so that they may move up before the group.
                if plain:
                    nodes.insert(len(nodes) - (group is not None), _Plain(plain))
                continue
            if group is None:
                group = _Group()
                nodes.append(group)
            group.statements.append(statement)
        return nodes

    def _plain(self, statement: ast.stmt) -> str | None:
        """Return the text of a statement that is no arithmetic on lanes ("" if it needs none), or None."""
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return None
        name, value = statement.targets[0].id, statement.value
        if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
            if value.value.id == "p":
                assert isinstance(value.slice, ast.Constant)
                place = int(str(value.slice.value))
                if place in self.constants:
                    self.same.add(name)
                    return f"{name} = {self.constants[place]!r}"
                self.rows[name] = f"q[U({place} * LANES + l)]"
                return ""
            if value.value.id in ("u", "du") and isinstance(value.slice, ast.Slice):
                self.arrays.add(name)
                assert value.slice.lower is not None
                assert value.slice.upper is not None
                lower, upper = ast.unparse(value.slice.lower), ast.unparse(value.slice.upper)
                return f"{name} = {value.value.id}[{lower} * LANES : {upper} * LANES]"
        used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        sized = {
            node.value.id
            for node in ast.walk(value)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        if used and used - sized <= self.same | self.wholes and not isinstance(value, ast.Call):
            self.same.add(name)
            return f"{name} = {ast.unparse(_InLane(self).visit(value))}"
        return None

    def _is_number(self, name: str) -> bool:
        """Tell whether a name stands for one number of each lane that the text itself computes."""
        return name not in self.rows and name not in self.arrays | self.wholes | self.same

    def _emit(self, nodes: Sequence[_Node], lines: list[str], depth: int) -> None:
        space = "    " * depth
        for node in nodes:
            if isinstance(node, _Plain):
                lines.append(space + node.text)
            elif isinstance(node, _Loop):
                where = ast.unparse(_InLane(self).visit(node.header.iter))
                lines.append(f"{space}for {ast.unparse(node.header.target)} in {where}:")
                self._emit(node.body, lines, depth + 1)
            else:
                lines.append(f"{space}for l in range(LANES):")
                for statement in node.statements:
                    lines.append(f"{space}    {ast.unparse(_InLane(self).visit(statement))}")


class _InLane(ast.NodeTransformer):
    """Gives every number and array of an expression the index of its lane."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Leave the name of the function alone."""
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Take the number of rows for the size."""
        if node.attr != "size":
            return node
        return ast.parse(f"({ast.unparse(node)} // LANES)", mode="eval").body

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Add the lane to the index of an array of values."""
        assert isinstance(node.value, ast.Name)
        index = ast.unparse(self.visit(node.slice))
        if node.value.id in self.writer.wholes:
            return ast.parse(f"{node.value.id}[U({index})]", mode="eval").body
        assert node.value.id in self.writer.arrays, node.value.id
        return ast.parse(f"{node.value.id}[U(({index}) * LANES + l)]", mode="eval").body

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Take the lane's own number."""
        if node.id in self.writer.rows:
            return ast.parse(self.writer.rows[node.id], mode="eval").body
        if node.id in self.writer.shared:
            return ast.parse(f"scratch[U({self.writer.shared[node.id]} * LANES + l)]", mode="eval").body
        return node


def _read_first(nodes: Sequence[_Node], number: Callable[[str], bool]) -> list[str]:
    """Return the numbers that some group reads before it writes them: they come from another group."""
    result: dict[str, None] = {}
    for group in _groups(nodes):
        written: set[str] = set()
        for statement in group.statements:
            assert isinstance(statement, (ast.Assign, ast.AugAssign))
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            read = list(_names(statement.value))
            if isinstance(target, ast.Subscript):
                read += _names(target.slice)
            elif isinstance(statement, ast.AugAssign):
                read += _names(target)
            for name in read:
                if name not in written and number(name):
                    result[name] = None
            if isinstance(target, ast.Name):
                written.add(target.id)
    return list(result)


def _groups(nodes: Sequence[_Node]) -> Iterator[_Group]:
    for node in nodes:
        if isinstance(node, _Group):
            yield node
        elif isinstance(node, _Loop):
            yield from _groups(node.body)


def _names(expression: ast.AST) -> Iterator[str]:
    """Yield the names that an expression reads, without those of functions and modules."""
    skip = set()
    for node in ast.walk(expression):
        if isinstance(node, ast.Call):
            skip |= {id(part) for part in ast.walk(node.func)}
    for node in ast.walk(expression):
        if isinstance(node, ast.Name) and id(node) not in skip:
            yield node.id
