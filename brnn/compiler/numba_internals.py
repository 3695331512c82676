"""Functions that take addresses of arrays, and a cache that forgives: all that brnn uses of Numba's internals.

They may change with any release of Numba; `tests/unit/test_numba_internals.py` says which one is gone. They are

- ``numba.core.compiler.CompilerBase``, whose `state` has `flags`, and of these ``noalias``, which puts LLVM's attribute
  on the data of array arguments; ``numba.core.compiler.DefaultPassBuilder.define_nopython_pipeline``; and the option
  ``pipeline_class`` of ``njit`` and ``cfunc``,
- ``numba.core.cgutils.create_struct_proxy``, which gives the ``data`` of an array,
- ``numba.core.caching.FunctionCache`` with its `load_overload`, `save_overload` and `flush`, which the decorators find
  in ``numba.core.dispatcher`` and ``numba.core.ccallback``,
- ``numba.np.arrayobj.populate_array`` and ``make_array`` of the target context, which make an array of memory that is
  there already,
- ``get_dummy_value`` of the target context: what a function returns that returns nothing,
- ``llvmlite.ir.IRBuilder.gep``, ``llvmlite.ir.IRBuilder.inttoptr``, ``llvmlite.ir.IRBuilder.load`` and
  ``llvmlite.ir.IRBuilder.call``, which add to an address, read what lies there, and call a function at one;
  ``llvmlite.ir.IRBuilder.fcmp_ordered`` and ``llvmlite.ir.IRBuilder.select``, which compare and choose;
  ``llvmlite.ir.Module.declare_intrinsic``, which names an instruction of LLVM;
  ``llvmlite.ir.IRBuilder.bitcast``, which takes the bits of a number for another one; and
  ``llvmlite.ir.IRBuilder.atomic_rmw``, which changes a number that threads share.
"""

from __future__ import annotations

import builtins
import contextlib
import types as python_types
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import ccallback, cgutils, dispatcher
from numba.core.caching import FunctionCache
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

__all__ = [
    "BAND_SIGNATURE",
    "BLOCK_SIGNATURE",
    "CELLS_SIGNATURE",
    "LANE_SIGNATURE",
    "ONWARD_SIGNATURE",
    "PASS_SIGNATURE",
    "REST_SIGNATURE",
    "RHS_SIGNATURE",
    "SHARE_SIGNATURE",
    "NoAlias",
    "address",
    "array_at",
    "array_in",
    "at_least",
    "at_most",
    "bits_of",
    "block_in",
    "call_band",
    "call_block",
    "call_cells",
    "call_lanes",
    "call_onward",
    "call_pass",
    "call_rests",
    "call_rhs",
    "call_share",
    "call_yield",
    "compiled_once",
    "entry_at",
    "fetch_add",
    "forgiving_caches",
    "number_of",
    "numbers_in",
    "part",
    "place_of",
    "set_shared",
    "times_plus",
]

_F, _I = types.CPointer(types.float64), types.CPointer(types.int64)
LANE_SIGNATURE = types.void(_F, _F, _F, _I, _F, _F, _F, _I)  # of a lane function, see brnn.compiler.lanes
REST_SIGNATURE = types.int64(  # of the rule of rest, see brnn.ensemble.kernels.rests
    types.int64, _I, _F, _F, _I, types.int64, types.int64, _F, _I, types.float64, types.float64, types.float64, _I
)  # fmt: skip
CELLS_SIGNATURE = types.int64(_I, _F, types.int64, types.float64, _I, _F)  # see brnn.ensemble.kernels.cell_steps
# Of the right-hand side of one network, see brnn.compiler.module_text: time, and three addresses.
RHS_SIGNATURE = types.void(types.float64, types.int64, types.int64, types.int64)
# Of its parts for a block of cells, see brnn.compiler.blocks: also addresses of sums and of room for work, which block,
# of how many.
BLOCK_SIGNATURE = types.void(*RHS_SIGNATURE.args, types.int64, types.int64, types.int64, types.int64)
# Of a phase of a step in bands, see brnn.compiler.bands: also which phase, which band, and an address of room for work.
BAND_SIGNATURE = types.void(*RHS_SIGNATURE.args, types.int64, types.int64, types.int64)
# Of the phases of a convolution, see brnn.compiler.fourier_steps: addresses, sizes, which part, of how many.
FOURIER_SIGNATURES = {
    name: types.void(*[types.int64] * count) for name, count in (("forth", 8), ("across", 9), ("back", 9))
}
# Of a pass over a block, see brnn.compiler.passes: the kind of the pass, two times, and addresses.
PASS_SIGNATURE = types.void(types.int64, types.float64, types.float64, *[types.int64] * 11)

# From one stage to the next, see brnn.compiler.onward: the kind, two times, and two addresses. What has more arguments
# than there are registers takes them from the stack, for which it waits.
ONWARD_SIGNATURE = types.void(types.int64, types.float64, types.float64, types.int64, types.int64)
# Of a part of a pass that threads share, see brnn.integrate.steppers.sharing: two addresses, and which part.
SHARE_SIGNATURE = types.void(types.int64, types.int64, types.int64)


class NoAlias(CompilerBase):
    """Numba's own pipeline, which may assume that no two array arguments share memory.

    Without that, compiled loops ask about every pair of arrays whether they overlap before they use vector
    instructions; for short loops the questions cost more than the answers are worth.
    """

    def define_pipelines(self) -> list[DefaultPassBuilder]:
        """Return the passes that compile without Python objects."""
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


class _ForgivingCache(FunctionCache):
    """Numba's cache, but what is damaged in it is not there, and what cannot be written is not kept."""

    said = False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the machine code of a signature, or None: then it is compiled."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # an emptied or cut file makes Numba raise nearly anything
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the machine code of a signature if there is room for it."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            if not _ForgivingCache.said:
                _ForgivingCache.said = True
                warnings.warn(
                    f"{self.cache_path}: compiled code cannot be kept ({error.strerror}), so that the next process "
                    "compiles again; make room there, or let BRNN_CACHE_DIR name another folder",
                    UserWarning,
                    stacklevel=2,
                )


@contextlib.contextmanager
def forgiving_caches() -> Iterator[None]:
    """Give functions that are decorated meanwhile a cache whose damaged files and full disk stop nothing."""
    places: tuple[Any, ...] = (dispatcher, ccallback)
    before = [place.FunctionCache for place in places]
    for place in places:
        place.FunctionCache = _ForgivingCache
    try:
        yield
    finally:
        for place, cache in zip(places, before, strict=True):
            place.FunctionCache = cache


_CALLED: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_KEPT = 128  # functions that are kept for the networks that come
_compiled: OrderedDict[tuple[Any, ...], Any] = OrderedDict()  # by what they are; what was used last stands last


def compiled_once(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function that only other compiled functions call; a function of the same code is that one again.

    The laws, signals and topologies of a network are those of many others: compiling them took a third of the time of
    each network. Nothing is compiled for calls from Python: that takes as long as the function itself.
    """

    def decorate(function: Any) -> Any:
        code, known = function.__code__, function.__globals__
        used = {name: known[name] for name in code.co_names if name in known}
        text = (code.co_name, code.co_code, repr(code.co_consts), code.co_names, code.co_varnames, code.co_argcount)
        key = (*text, repr(function.__defaults__), repr(sorted(options.items(), key=str)), *used.items())
        if key not in _compiled:
            # Its own globals: those of the module may be emptied.
            own = {"__name__": __name__, "__builtins__": builtins, **used}
            copy = python_types.FunctionType(code, own, function.__name__, function.__defaults__)
            _compiled[key] = njit(**_CALLED, **options)(copy)
            while len(_compiled) > _KEPT:
                _compiled.popitem(last=False)
        _compiled.move_to_end(key)
        return _compiled[key]

    return decorate


@intrinsic
def address(typing: Any, array: Any) -> Any:
    """Return the address of an array's first element, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def part(typing: Any, pointer: Any, first: Any) -> Any:
    """Return the address of number `first` of those at an address, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return pointer(pointer, types.int64), generate


def _call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Call the function at an address, the first argument, with the others; it returns nothing."""
    _called(builder, arguments, ir.VoidType())
    return context.get_dummy_value()


def _call_whole(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Do the same with one that returns a whole number."""
    return _called(builder, arguments, ir.IntType(64))


def _called(builder: Any, arguments: Any, returned: Any) -> Any:
    kind = ir.FunctionType(returned, [argument.type for argument in arguments[1:]]).as_pointer()
    return builder.call(builder.inttoptr(arguments[0], kind), arguments[1:])


@intrinsic
def call_lanes(
    typing: Any, function: Any, t: Any, u: Any, du: Any, n: Any, q: Any, work: Any, scratch: Any, whole: Any
) -> Any:
    """Call the lane function at an address, in compiled code.

    A function as an argument would do as well, but it takes 20 microseconds to find its address at each call.
    """
    return types.void(types.int64, *LANE_SIGNATURE.args), _call


@intrinsic
def call_rests(
    typing: Any, function: Any, lanes: Any, n: Any, work: Any, scratch: Any, whole: Any, size: Any, rows: Any,
    room: Any, pivots: Any, t: Any, rtol: Any, atol: Any, counts: Any,
) -> Any:  # fmt: skip
    """Call the rule of rest at an address, in compiled code."""
    return types.int64(types.int64, *REST_SIGNATURE.args), _call_whole


@intrinsic
def call_cells(
    typing: Any, function: Any, table: Any, room: Any, size: Any, m: Any, pivots: Any, vector: Any
) -> Any:  # fmt: skip
    """Call a function of `brnn.ensemble.kernels.cell_steps` at an address, in compiled code."""
    return types.int64(types.int64, *CELLS_SIGNATURE.args), _call_whole


@intrinsic
def place_of(typing: Any, array: Any) -> Any:
    """Return the address of an array's first element as a whole number, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.int64(array), generate


@intrinsic
def bits_of(typing: Any, value: Any) -> Any:
    """Return the bits of a float as a whole number, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def number_of(typing: Any, bits: Any) -> Any:
    """Return the float that has these bits, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def array_at(typing: Any, place: Any, size: Any) -> Any:
    """Return the array of so many floats that lies at an address, in compiled code; its memory stays there."""
    kind = types.Array(types.float64, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _array(context, builder, kind, arguments[0], [arguments[1]])

    return kind(types.int64, types.int64), generate


@intrinsic
def whole_at(typing: Any, place: Any, size: Any) -> Any:
    """Return the array of so many whole numbers that lies at an address, in compiled code; its memory stays there."""
    kind = types.Array(types.int64, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _array(context, builder, kind, arguments[0], [arguments[1]])

    return kind(types.int64, types.int64), generate


@intrinsic
def array_in(typing: Any, table: Any, place: Any, sizes: Any, dtype: Any) -> Any:
    """Return the array (in C order) whose address and shape a table holds, in compiled code; its memory stays there."""
    kind = types.Array(dtype.dtype, sizes.count, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = cgutils.unpack_tuple(builder, arguments[2], sizes.count)
        shape = [_entry(builder, arguments[0], size) for size in places]
        return _array(context, builder, kind, _entry(builder, arguments[0], arguments[1]), shape)

    return kind(types.int64, types.int64, sizes, dtype), generate


@intrinsic
def block_in(typing: Any, place: Any, table: Any, bounds: Any, k: Any) -> Any:
    """Return block k of the numbers at an address; a table holds in place `bounds` where the blocks' bounds lie."""
    kind = types.Array(types.float64, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, one = _entry(builder, arguments[1], arguments[2]), ir.Constant(ir.IntType(64), 1)
        first = _entry(builder, start, arguments[3])
        last = _entry(builder, start, builder.add(arguments[3], one))
        data = builder.add(arguments[0], builder.mul(first, ir.Constant(ir.IntType(64), 8)))
        return _array(context, builder, kind, data, [builder.sub(last, first)])

    return kind(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic(prefer_literal=True)
def numbers_in(typing: Any, table: Any, place: Any, count: Any) -> Any:
    """Return the first `count` of the numbers whose address a table holds, as a tuple."""
    kind = types.UniTuple(types.float64, count.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _entry(builder, arguments[0], arguments[1])
        data = builder.inttoptr(address, ir.DoubleType().as_pointer())
        places = [ir.Constant(ir.IntType(64), k) for k in range(kind.count)]
        values = [builder.load(builder.gep(data, [place])) for place in places]
        return context.make_tuple(builder, kind, values)

    return kind(types.int64, place, count), generate


@intrinsic
def entry_at(typing: Any, table: Any, place: Any) -> Any:
    """Return the whole number in one place of a table, by its address, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _entry(builder, *arguments)

    return types.int64(types.int64, types.int64), generate


def _entry(builder: Any, table: Any, place: Any) -> Any:
    """Return the whole number in one place of a table, by its address."""
    return builder.load(builder.gep(builder.inttoptr(table, ir.IntType(64).as_pointer()), [place]))


def _array(context: Any, builder: Any, kind: Any, place: Any, sizes: list[Any]) -> Any:
    """Return an array in C order that lies at an address; its memory stays there."""
    array = context.make_array(kind)(context, builder)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [itemsize]
    for size in reversed(sizes[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    data = builder.inttoptr(place, context.get_data_type(kind.dtype).as_pointer())
    populate_array(array, data=data, shape=sizes, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


@intrinsic
def call_rhs(typing: Any, function: Any, t: Any, u: Any, du: Any, places: Any) -> Any:
    """Call the right-hand side at an address, in compiled code."""
    return types.void(types.int64, *RHS_SIGNATURE.args), _call


@intrinsic
def call_band(
    typing: Any, function: Any, t: Any, u: Any, du: Any, places: Any, phase: Any, band: Any, room: Any
) -> Any:  # fmt: skip
    """Call a phase of a step for one band, by the address of the function of all, in compiled code."""
    return types.void(types.int64, *BAND_SIGNATURE.args), _call


@intrinsic
def call_block(
    typing: Any, function: Any, t: Any, u: Any, du: Any, places: Any, sums: Any, room: Any, block: Any, blocks: Any
) -> Any:
    """Call a part of a right-hand side for one block, by its address, in compiled code."""
    return types.void(types.int64, *BLOCK_SIGNATURE.args), _call


@intrinsic
def call_pass(
    typing: Any, function: Any, kind: Any, t_slopes: Any, t_totals: Any, now: Any, then: Any, u: Any, ks: Any,
    weights: Any, places: Any, totals: Any, share: Any, out: Any, block: Any, blocks: Any,
) -> Any:  # fmt: skip
    """Call a pass over a block, by its address, in compiled code."""
    return types.void(types.int64, *PASS_SIGNATURE.args), _call


@intrinsic
def call_onward(typing: Any, function: Any, kind: Any, t_slopes: Any, t_totals: Any, stages: Any, places: Any) -> Any:
    """Go from one stage to the next, by the address of the function, in compiled code."""
    return types.void(types.int64, *ONWARD_SIGNATURE.args), _call


@intrinsic
def call_share(typing: Any, function: Any, place: Any, room: Any, part: Any) -> Any:
    """Do a part of a pass, by the address of the function that does them, in compiled code."""
    return types.void(types.int64, *SHARE_SIGNATURE.args), _call


@intrinsic
def call_yield(typing: Any, function: Any) -> Any:
    """Call the C function at an address that lets other threads run, in compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.call(builder.inttoptr(arguments[0], ir.FunctionType(ir.IntType(32), []).as_pointer()), [])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def fetch_add(typing: Any, array: Any, place: Any, value: Any) -> Any:
    """Add to a whole number of an array that threads share, and return what it was; all threads see one order."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [arguments[1]]), arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), generate


@intrinsic
def set_shared(typing: Any, array: Any, place: Any, value: Any) -> Any:
    """Set a whole number of an array that threads share; who sees it sees all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).data
        builder.atomic_rmw("xchg", builder.gep(data, [arguments[1]]), arguments[2], "seq_cst")
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


def _limit(comparison: str) -> Callable[..., Any]:
    """Return what generates the limit where it compares so with the value, else the value: one instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, limit = arguments
        return builder.select(builder.fcmp_ordered(comparison, limit, value), limit, value)

    return generate


@intrinsic
def at_most(typing: Any, value: Any, limit: Any) -> Any:
    """Return a value, or a limit that is a number where it is above that; nan stays nan."""
    return types.float64(types.float64, types.float64), _limit("<")


@intrinsic
def at_least(typing: Any, value: Any, limit: Any) -> Any:
    """Return a value, or a limit that is a number where it is below that; nan stays nan."""
    return types.float64(types.float64, types.float64), _limit(">")


@intrinsic
def times_plus(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, of which c is known before b: whatever else may be added up in another order, this is last."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        real = ir.DoubleType()
        kind = ir.FunctionType(real, [real] * 3)
        return builder.call(builder.module.declare_intrinsic("llvm.fmuladd", [real], kind), arguments)

    return types.float64(types.float64, types.float64, types.float64), generate
