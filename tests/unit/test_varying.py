"""Members that are specified all at once: the same networks, and the same files, as members specified one by one."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brnn
from brnn.base.tracer import Diverges, Varying, alike
from brnn.models.rcf import build as rcf
from brnn.sweeps.building import members, together
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.find import builder_of
from brnn.sweeps.options import MemberOptions

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**40), 2**40)
NUMBERS = st.one_of(FLOATS, WHOLE, st.sampled_from([0.0, -0.0, 1.0, 0, 1]))


# Arithmetic ------------------------------------------------------------------------------------------------------


@given(
    st.one_of(
        st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2),
        st.tuples(*[st.integers(-(2**40), 2**40)] * 2),
    ),
    NUMBERS,
    st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv]),
    st.booleans(),
)
def test_arithmetic_is_that_of_python(
    values: tuple[Any, Any], other: Any, operation: Callable[[Any, Any], Any], swapped: bool
) -> None:
    """To the last bit, with the type that Python gives it; or the members are told apart."""

    def apply(a: Any) -> Any:
        return operation(other, a) if swapped else operation(a, other)

    try:
        result = apply(Varying(np.array(values)))
    except Diverges:
        return
    for value, found in zip(values, result.values, strict=True):
        expected = apply(value)
        assert isinstance(result, type(expected))
        assert float(expected).hex() == float(found).hex()


@given(st.tuples(NUMBERS, NUMBERS), NUMBERS, st.sampled_from([operator.lt, operator.le, operator.gt, operator.ge]))
def test_questions_have_one_answer(values: tuple[Any, Any], other: Any, question: Callable[[Any, Any], bool]) -> None:
    values = tuple(map(float, values))
    answers = {question(value, other) for value in values}
    if len(answers) == 1:
        assert question(Varying(np.array(values)), other) in answers
    else:
        with pytest.raises(Diverges):
            question(Varying(np.array(values)), other)


def test_whole_numbers_are_given_up_where_float64_rounds_them() -> None:
    n = Varying(np.array([3, 5]))
    assert isinstance(n, int)
    assert not isinstance(n, float)
    with pytest.raises(Diverges):
        Varying(np.array([1, 2**53 + 1]))
    with pytest.raises(Diverges):
        Varying(np.array([2**30, 3])) * 2**30
    assert isinstance(n * 2.0, float)
    assert isinstance(n / 2, float)


ASKED: list[Callable[[Any], Any]] = [
    float, int, bool, complex, str, repr, hash, len, list, round, math.floor, math.sqrt, operator.index, "{:g}".format,
    np.asarray, np.array, lambda a: np.array([a, 1.0]), lambda a: np.full(3, a), lambda a: np.ones(3) * a,
    lambda a: a * np.ones(3), lambda a: a**2, lambda a: 2**a, lambda a: a % 2, lambda a: a // 2, lambda a: [1, 2][a],
    lambda a: a.is_integer(), lambda a: a.real, lambda a: a + None, lambda a: a == "text", lambda a: a or 1.0,
    lambda a: {a: 1}, lambda a: a + True, lambda a: np.linspace(0, a, 3), lambda a: a * np.float32(0.1),
]  # fmt: skip


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("values", [[0.5, 2.0], [1, 3]])
def test_anything_else_tells_members_apart(question: Callable[[Any], Any], values: list[Any]) -> None:
    with pytest.raises(Diverges):
        question(Varying(np.array(values)))


def test_numpy_functions_are_refused() -> None:
    with pytest.raises(TypeError):
        np.sqrt(Varying(np.array([1.0, 2.0])))


def test_nothing_swallows_it() -> None:
    def careless(a: Any) -> float:
        try:
            return math.sqrt(a)
        except Exception:
            return 0.0

    with pytest.raises(Diverges):
        careless(Varying(np.array([1.0, 2.0])))


def test_alike() -> None:
    a = np.array([0.5, 2.0])
    shared = rcf(A=Varying(a), B=2.0)  # type: ignore[arg-type]
    assert alike(shared, rcf(A=0.5, B=2.0), 0)
    assert alike(shared, rcf(A=2.0, B=2.0), 1)
    assert not alike(shared, rcf(A=0.5, B=2.0), 1)
    assert not alike(shared, rcf(A=0.5, B=2.5), 0)
    assert not alike(shared, rcf(A=0.5, B=2.0, n=9), 0)
    assert not alike(shared, rcf(A=0.5, B=2.0, signal=brnn.Linear()), 0)


# Builds ----------------------------------------------------------------------------------------------------------


def plain(A: float = 1.0, B: float = 3.0, gain: float = 1.0, half: float = 0.5) -> brnn.Network:
    signal = brnn.Sigmoid(gain=gain * 2.0 - A / 4.0, half=half)
    return rcf(A=A + 0.25, B=B * 1.1, signal=signal, pattern=[0.2, 0.9, 0.5])


def asks_float(A: float = 1.0, B: float = 3.0, gain: float = 1.0, half: float = 0.5) -> brnn.Network:
    return plain(float(A), float(B), float(gain), float(half))


def branches(A: float = 1.0) -> brnn.Network:
    return rcf(A=A, signal=brnn.Sigmoid() if A > 1 else brnn.Power(exponent=2.0))


def takes_root(A: float = 1.0) -> brnn.Network:
    return rcf(A=math.sqrt(A))


def asks_type(A: float = 1.0) -> brnn.Network:
    return rcf(A=A if isinstance(A, float) and A > 1 else 2.0)


def asks_exact_type(A: float = 1.0) -> brnn.Network:
    return rcf(A=A if type(A) is float and A < 1.2 else 2.0)


def catches(A: float = 1.0) -> brnn.Network:
    try:
        return rcf(A=math.log(A))
    except Exception:
        return rcf(A=5.0)


def chooses_layer(A: float = 1.0) -> brnn.Network:
    return rcf(n=int(3 + A * 2), A=A)


def fails_somewhere(A: float = 1.0) -> brnn.Network:
    if A > 1.2:
        raise ValueError(f"A is {A}\nand that is too much")
    return rcf(A=A)


def changes_the_time(A: float = 1.0) -> brnn.Network:
    return rcf(on=A)


SPECIAL = [branches, takes_root, asks_type, asks_exact_type, catches, chooses_layer, fails_somewhere, changes_the_time]
A = np.linspace(0.5, 1.5, 23)


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_build_at_once", lambda *_: None)


def contents(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in file if name != "wall_time"}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert set(a) == set(b)
    for name in a:
        assert a[name].dtype == b[name].dtype, name
        assert a[name].tobytes() == b[name].tobytes(), name


def run(build: Any, design: Any, path: Path, **options: Any) -> dict[str, np.ndarray]:
    options = {"duration": 5.0, "measures": ["final", "regime", "survivors"], **options}
    brnn.sweep(build, design, out=path, progress=False, **options).close()
    return contents(path)


def built(build: Any, **columns: Any) -> members.BuiltMembers:
    size = len(next(iter(columns.values())))
    options = MemberOptions(5.0, references=True)
    return members.build_members(builder_of(build), columns, np.arange(size), np.zeros(size, np.uint64), options)


def test_the_fast_path_is_taken_and_gives_the_same_file(tmp_path: Path) -> None:
    design = brnn.Random(300, 1, A=(0.5, 1.5), B=(2, 4), gain=(0.5, 1.5), half=(0.2, 0.8))
    columns = design.columns()
    fast, slow = built(plain, **columns), built(asks_float, **columns)
    assert [len(places) for places, _, _ in fast.groups] == [300]
    for name in ("initial", "numbers", "arrays", "stops", "segments", "settled", "longest"):
        a, b = (getattr(each.groups[0][1], name) for each in (fast, slow))
        assert a.tobytes() == b.tobytes(), name
    same(run(plain, design, tmp_path / "fast.h5"), run(asks_float, design, tmp_path / "slow.h5"))


def test_the_fast_path_makes_few_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = NetworkBuilder.build_each
    monkeypatch.setattr(NetworkBuilder, "build_each", lambda b, c, n, *s: made.append(n) or original(b, c, n, *s))  # type: ignore[func-returns-value]
    built(plain, A=np.linspace(0.5, 1.5, 500), half=np.linspace(0.2, 0.4, 500))
    assert sum(made) < 20


@pytest.mark.parametrize("build", SPECIAL)
@pytest.mark.parametrize("times", [None, [1.0, 5.0]])
def test_builds_that_tell_members_apart(
    build: Any, times: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = brnn.Grid(A=A)
    fast = run(build, design, tmp_path / "fast.h5", times=times)
    one_by_one(monkeypatch)
    same(fast, run(build, design, tmp_path / "slow.h5", times=times))


def test_a_hidden_branch_at_an_extreme_value() -> None:
    """Even a build that looks at the exact type is found out where the extreme values of a parameter show it."""

    def hidden(A: float = 1.0) -> brnn.Network:
        return rcf(A=A if type(A) is not float or A < 1.49 else 7.0)

    shuffled = np.random.default_rng(0).permutation(A)
    numbers = built(hidden, A=shuffled).groups[0][1].numbers
    assert np.count_nonzero((numbers == 7.0).any(axis=1)) == np.count_nonzero(A >= 1.49)


@pytest.mark.parametrize(
    ("build", "design"),
    [
        ("rcf", {"signal.exponent": np.linspace(1, 4, 61), "A": [0.5, 1.0]}),
        ("rcf", {"signal": ["sigmoid", "linear"], "A": A}),
        ("rcf", {"signal": [brnn.Sigmoid(), brnn.Power()], "B": A + 2}),
        ("rcf", {"n": [3, 5, 10], "A": A}),
        ("rcf", {"B": [1, 2, 3, 4, 5, 6, 7, 8]}),
        ("rcf", {"B": A + 1, "inhibition": [0.5, 1.0]}),
        ("rcf", {"on": A}),
        (rcf(initial=[0.1, 0.2, 0.3]), {"rcf.initial.1": A}),
        ("gated_dipole", {"A": A}),
        (rcf(), {"rcf.A": A, "rcf_rcf_exc.signal.half": [0.2, 0.3]}),
        (rcf(), {"rcf.B": A + 2}),
    ],
)
def test_designs(build: Any, design: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = run(build, brnn.Grid(design), tmp_path / "fast.h5", duration=2.0)
    one_by_one(monkeypatch)
    same(fast, run(build, brnn.Grid(design), tmp_path / "slow.h5", duration=2.0))


def test_whole_exponents_are_sorted_out() -> None:
    """The powers 1 to 4 are other code than other powers; those members run apart, and still all at once."""
    exponents = np.linspace(1, 3, 401)  # 1, 2, 3 and 398 others
    columns = {"signal.exponent": np.repeat(exponents, 8), "A": np.tile(np.linspace(0.5, 0.9, 8), 401)}
    found = built("rcf", **columns)
    assert sorted(len(places) for places, _, _ in found.groups) == [8, 8, 8, 398 * 8]
    assert found.broken == {}


def test_each_signal_runs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = NetworkBuilder.build_each
    monkeypatch.setattr(NetworkBuilder, "build_each", lambda b, c, n, *s: made.append(n) or original(b, c, n, *s))  # type: ignore[func-returns-value]
    signals = [brnn.Sigmoid(), brnn.Sigmoid(), brnn.Power()]  # two that are equal, not the same
    found = built("rcf", signal=signals * 100, A=np.linspace(0.5, 1, 300))
    assert sorted(len(places) for places, _, _ in found.groups) == [100, 200]
    assert sum(made) < 40


@given(st.lists(st.floats(0.01, 10.0), min_size=6, max_size=12), st.integers(0, 3))
def test_any_arithmetic_in_a_build(values: list[float], kind: int) -> None:
    def build(A: float) -> brnn.Network:
        combined = [lambda: 1 / A, lambda: abs(-A) * 3 - A, lambda: (A + 1) / (A + 2), lambda: -A + 2 * A][kind]()
        return rcf(A=combined, B=1 + A / 3, pattern=[0.5, 1.0])

    def careful(A: float) -> brnn.Network:
        return build(float(A))

    column = np.array(values)
    numbers = []
    for each in (build, careful):
        found = built(each, A=column)
        order = np.argsort(np.concatenate([places for places, _, _ in found.groups]))
        numbers.append(np.concatenate([work.numbers for _, work, _ in found.groups])[order])
    assert numbers[0].tobytes() == numbers[1].tobytes()


def test_the_work_does_not_grow_with_unlike_values() -> None:
    """Values that are nearly all different and no numbers are not compared again and again."""
    found = built(partial(rcf), pattern=[np.array([0.1 * k, 1.0, 0.5]) for k in range(12)])
    assert sum(len(places) for places, _, _ in found.groups) == 12
