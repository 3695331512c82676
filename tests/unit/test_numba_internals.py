"""What brnn uses of Numba beyond its public interface: that it is there, and does what it did."""

from __future__ import annotations

import itertools
import pkgutil
from typing import Any

import numba
import numpy as np
import pytest
from numba import carray, cfunc, njit
from numba.core import compiler

from brnn.compiler import numba_internals
from brnn.compiler.cache import load_plain
from brnn.compiler.numba_internals import (
    LANE_SIGNATURE,
    RHS_SIGNATURE,
    NoAlias,
    address,
    array_in,
    at_least,
    at_most,
    bits_of,
    block_in,
    call_lanes,
    call_rhs,
    compiled_once,
    number_of,
    numbers_in,
    part,
    place_of,
    times_plus,
)

NAMES = (
    "numba.core.compiler.CompilerBase",
    "numba.core.compiler.DefaultPassBuilder.define_nopython_pipeline",
    "numba.core.cgutils.create_struct_proxy",
    "numba.core.caching.FunctionCache.load_overload",
    "numba.core.caching.FunctionCache.save_overload",
    "numba.core.caching.FunctionCache.flush",
    "numba.core.dispatcher.FunctionCache",
    "numba.core.ccallback.FunctionCache",
    "numba.np.arrayobj.populate_array",
    "numba.core.base.BaseContext.make_array",
    "numba.core.base.BaseContext.get_dummy_value",
    "llvmlite.ir.IRBuilder.gep",
    "llvmlite.ir.IRBuilder.inttoptr",
    "llvmlite.ir.IRBuilder.load",
    "llvmlite.ir.IRBuilder.call",
    "llvmlite.ir.IRBuilder.bitcast",
    "llvmlite.ir.IRBuilder.fcmp_ordered",
    "llvmlite.ir.IRBuilder.select",
    "llvmlite.ir.Module.declare_intrinsic",
    "numba.core.compiler.Flags.noalias",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_internals_are_there(name: str) -> None:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        pytest.fail(f"Numba {numba.__version__} has no {name} any more: mend brnn/compiler/numba_internals.py")
    assert name.rpartition(".")[2] in str(numba_internals.__doc__)


def test_arguments_are_compiled_as_not_overlapping() -> None:
    def double(x, y):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            y[i] = 2.0 * x[i]

    texts = {}
    for pipeline in (compiler.Compiler, NoAlias):
        compiled = njit(pipeline_class=pipeline)(double)
        y = np.zeros(8)
        compiled(np.ones(8), y)
        assert (y == 2.0).all()
        texts[pipeline] = "".join(compiled.inspect_llvm().values())
    assert texts[NoAlias].count("noalias") > texts[compiler.Compiler].count("noalias")


def test_a_function_is_called_at_its_address_with_the_addresses_of_arrays() -> None:
    @cfunc(LANE_SIGNATURE)
    def lanes(t, u, du, n, q, work, scratch, whole):  # type: ignore[no-untyped-def]
        du = carray(du, 2)
        du[0] = carray(t, 1)[0] + carray(u, 1)[0] + carray(q, 1)[0] + carray(work, 1)[0] + carray(scratch, 1)[0]
        du[1] = carray(n, 1)[0] + 10 * carray(whole, 1)[0]

    @njit
    def call(function, t, u, du, n, q, work, scratch, whole):  # type: ignore[no-untyped-def]
        call_lanes(
            function, address(t), address(u), address(du), address(n), address(q), address(work), address(scratch),
            address(whole),
        )  # fmt: skip

    du = np.zeros(2)
    numbers = [np.array([float(10**k)]) for k in range(5)]
    t, u, q, work, scratch = numbers
    call(lanes.address, t, u, du, np.array([3]), q, work, scratch, np.array([4]))
    assert du.tolist() == [11111.0, 43.0]


def test_addresses_lead_to_the_numbers_of_an_array_and_of_its_parts() -> None:
    @njit
    def move(x, first):  # type: ignore[no-untyped-def]
        whole = address(x)
        rest = part(whole, first)
        whole[0], rest[1] = rest[0], 7.0

    x = np.arange(5.0)
    move(x, 3)
    assert x.tolist() == [3.0, 1.0, 2.0, 3.0, 7.0]


def test_arrays_blocks_and_numbers_are_found_by_a_table_of_addresses() -> None:
    @cfunc(RHS_SIGNATURE)
    def rhs(t, u, du, places):  # type: ignore[no-untyped-def]
        matrix = array_in(places, 1, (2, 3), np.float64)
        whole = array_in(places, 6, (7,), np.int64)
        a, b = numbers_in(places, 8, 2)
        first, second = block_in(u, places, 4, 0), block_in(u, places, 4, 1)
        out, rest = block_in(du, places, 4, 0), block_in(du, places, 4, 1)
        for i in range(out.size):
            out[i] = t
            for j in range(matrix.shape[1]):
                out[i] += matrix[i, j] * first[j]
        rest[0] = second[0] + 100.0 * second.size + a + 10.0 * b + whole[whole.size - 1]

    @njit
    def call(function, t, u, du, places):  # type: ignore[no-untyped-def]
        call_rhs(function, t, place_of(u), place_of(du), place_of(places))

    matrix, bounds, whole = np.array([[1.0, 10.0], [100.0, 1000.0]]), np.array([0, 2, 3]), np.array([4, 5000])
    numbers, du = np.array([0.25, 0.5, 99.0]), np.zeros(3)
    at = [array.ctypes.data for array in (matrix, bounds, whole, numbers)]
    call(rhs.address, 0.5, np.array([2.0, 3.0, 7.0]), du, np.array([3, at[0], 2, 2, at[1], 3, at[2], 2, at[3], 3]))
    assert du.tolist() == [32.5, 3200.5, 5112.25]


def test_the_bits_of_numbers_that_are_not_negative_are_in_their_order_and_nan_is_last() -> None:
    @njit
    def largest(values):  # type: ignore[no-untyped-def]
        found = np.int64(0)
        for value in values:
            found = max(found, bits_of(value))
        return number_of(found)

    assert largest(np.array([0.5, 2.0, 1e-300, 0.0])) == 2.0
    assert largest(np.array([0.5, np.inf])) == np.inf
    assert np.isnan(largest(np.array([0.5, np.nan, np.inf, 3.0])))


def test_limits_let_nan_pass_and_a_product_is_added_last() -> None:
    @njit(fastmath={"contract", "reassoc", "nsz"})
    def limited(values, out):  # type: ignore[no-untyped-def]
        for i in range(values.size):
            out[i, 0], out[i, 1] = at_most(values[i], 1.0), at_least(values[i], 0.0)
            out[i, 2] = times_plus(2.0, values[i], 0.5)

    values = np.array([-np.inf, -2.0, 0.5, 3.0, np.inf, np.nan])
    out = np.empty((6, 3))
    limited(values, out)
    np.testing.assert_array_equal(
        out, np.stack([np.minimum(values, 1.0), np.maximum(values, 0.0), 2.0 * values + 0.5], 1)
    )


def test_functions_of_the_same_code_are_compiled_once() -> None:
    count = itertools.count()

    def made(sign: str = "+", number: str = "1", **options: object) -> tuple[object, object, dict[str, Any]]:
        text = f"def f(x):\n    return x {sign} {number}\n\n\ndef g(x):\n    return f(x)\n\n\n# {next(count)}\n"
        known = vars(load_plain(text))
        known["f"] = compiled_once(**options)(known["f"])
        return known["f"], compiled_once(**options)(known["g"]), known

    f, g, known = made()
    again_f, again_g, emptied = made()
    assert (again_f, again_g) == (f, g)
    known.clear()  # as a module that makes room for another one
    emptied.clear()
    call = njit(lambda x: g(x))  # type: ignore[operator]
    assert call(2.0) == 3.0
    assert call(2) == 3
    # Equal numbers of another type, and functions that call another one, are other code.
    for changed in (made(number="1.0"), made(sign="-"), made(number="True"), made(error_model="numpy")):
        assert changed[0] != f
        assert changed[1] != g
    assert made(number="0.0")[0] != made(number="-0.0")[0]
