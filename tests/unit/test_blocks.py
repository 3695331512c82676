"""The explicit method in passes over blocks: the same steps as ever, the same bits for any number of threads."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn.compiler import compile_network, passes, system
from brnn.integrate.methods import explicit
from brnn.integrate.methods.explicit import RK45
from brnn.integrate.steppers import blocks, exponential, sharing, threads
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.blocks import BlockedPairStepper
from brnn.integrate.steppers.exponential import Exponential
from brnn.integrate.steppers.pair_stepper import PairStepper
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import Pair
from brnn.integrate.steppers.pairs.tsitouras import TSITOURAS
from brnn.spec.topologies import convolution

CELLS = 3 * 5120 + 100  # four blocks
SIGNAL = brnn.Sigmoid(1.0, 0.5, 2.0)
TIMES = np.linspace(0.2, 4.0, 20)


def network() -> brnn.Network:
    """Return two layers of different sizes with gates, sums that inhibit, and an input that swings."""
    rng = np.random.default_rng(1)
    gate = brnn.HabituativeGate(0.3, 1.0, 2.0)
    return brnn.Network(
        "blocks",
        [
            brnn.Layer.shunting("a", CELLS, A=1.0, B=2.0, D=0.1, initial=rng.uniform(0.0, 1e-3, CELLS)),
            brnn.Layer.shunting("b", 77, A=rng.uniform(0.5, 2.0, 77), B=1.0, initial=rng.uniform(0.0, 0.5, 77)),
        ],
        [
            brnn.Projection("a", "a", "excitatory", SIGNAL, brnn.OneToOne()),
            brnn.Projection("a", "a", "inhibitory", SIGNAL, brnn.AllButSelf(0.01), gate=gate, name="gated"),
            brnn.Projection("a", "b", "excitatory", brnn.Linear(), brnn.AllToAll(0.01)),
            brnn.Projection("b", "a", "inhibitory", SIGNAL, brnn.AllToAll(0.02)),
        ],
        [
            brnn.Stimulus("a", "excitatory", rng.uniform(0.0, 0.5, CELLS), brnn.Sine(0.5, 0.5, 1.0)),
            brnn.Stimulus("b", "excitatory", rng.uniform(0.0, 0.5, 77)),
        ],
    )


def piece(norm: str = "max") -> Piece:
    system = compile_network(network())
    return Piece(system.rhs(0.25), 0.0, system.initial_state(), 4.0, 1e-6, 1e-9, system, longest=0.1, norm=norm)


def at_the_end(stepper: BlockedPairStepper | PairStepper | Exponential) -> tuple[np.ndarray, np.ndarray]:
    rows: list[np.ndarray] = []
    while stepper.status == "running":
        rows.append(stepper.advance(TIMES[sum(map(len, rows)) :], 3, 2).copy())
    return stepper.y, np.concatenate(rows)


def field() -> brnn.Network:
    """Return a field with kernels of two transforms, one of them of gated signals, a sum, and uneven blocks of rows."""
    rng, shape, f = np.random.default_rng(2), (50, 24), brnn.Sigmoid(1.0, 0.3, 2.0)
    gate = brnn.HabituativeGate(0.3, 1.0, 2.0, per="source")

    def link(kind: str, topology: brnn.Topology, name: str, **more: Any) -> brnn.Projection:
        return brnn.Projection("a", "a", kind, f, topology, name=name, **more)

    return brnn.Network(
        "field",
        [brnn.Layer.shunting("a", shape, A=1.0, B=1.0, D=0.2, initial=rng.uniform(0.0, 0.5, shape))],
        [
            link("excitatory", brnn.Kernel(rng.random((5, 5)), "periodic"), "near"),
            link("inhibitory", brnn.Kernel(rng.random((3, 5)), "reflect"), "gated", gate=gate),
            link("inhibitory", brnn.Kernel(rng.random((3, 3)), "periodic"), "added"),
            link("inhibitory", brnn.AllButSelf(1e-3), "total"),
        ],
    )


@pytest.mark.parametrize("pair", [DORMAND_PRINCE, TSITOURAS])
def test_fields_make_the_steps_of_the_explicit_method_with_any_number_of_threads(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution.Convolution, "method", lambda self, shape, **_: "fourier")
    system = compile_network(field())

    def piece() -> Piece:
        return Piece(system.rhs(0.25), 0.0, system.initial_state(), 4.0, 1e-6, 1e-9, system, longest=0.1)

    expected, expected_inside = at_the_end(PairStepper(piece(), pair))
    monkeypatch.setattr(blocks, "processors", lambda: 1)
    y, inside = at_the_end(BlockedPairStepper(piece(), pair))
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-10, atol=1e-13)
    for count in (2, 3):
        monkeypatch.setattr(blocks, "processors", lambda count=count: count)
        for _ in range(2):
            for found, same in zip(at_the_end(BlockedPairStepper(piece(), pair)), (y, inside), strict=True):
                np.testing.assert_array_equal(found, same)


def test_the_exponential_method_makes_its_steps_in_blocks_with_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same ones as with du/dt of all cells at once; the gates' rates are found among the totals."""
    monkeypatch.setattr(convolution.Convolution, "method", lambda self, shape, **_: "fourier")
    system = compile_network(field())

    def stepper(**kind: bool) -> Exponential:
        piece = Piece(system.rhs(0.25), 0.0, system.initial_state(), 4.0, 1e-6, 1e-9, system, longest=0.3)
        return Exponential(piece, **kind)

    at_once = stepper()
    expected, expected_inside = at_the_end(at_once)
    monkeypatch.setattr(exponential, "processors", lambda: 1)
    alone = stepper(in_blocks=True)
    np.testing.assert_allclose(alone.f, stepper().f, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(alone.rates, stepper().rates, rtol=1e-12)
    y, inside = at_the_end(alone)
    assert (alone.steps, alone.nfev, len(inside)) == (at_once.steps, at_once.nfev, TIMES.size)
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-10, atol=1e-13)
    for count in (2, 3):
        monkeypatch.setattr(exponential, "processors", lambda count=count: count)
        for found, same in zip(at_the_end(stepper(in_blocks=True)), (y, inside), strict=True):
            np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("pair", [DORMAND_PRINCE, TSITOURAS])
@pytest.mark.parametrize("norm", ["max", "rms"])
def test_it_makes_the_steps_of_the_explicit_method(norm: str, pair: Pair) -> None:
    ours, plain = BlockedPairStepper(piece(norm), pair), PairStepper(piece(norm), pair)
    assert ours.rate == pytest.approx(plain.rate, rel=1e-9)
    np.testing.assert_allclose(ours.f, plain.f, rtol=1e-12, atol=1e-14)
    (y, inside), (expected, expected_inside) = at_the_end(ours), at_the_end(plain)
    assert (ours.steps, ours.nfev, len(inside)) == (plain.steps, plain.nfev, 20)
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-10, atol=1e-13)
    assert ours.remembered[0] == pytest.approx(plain.remembered[0], rel=1e-6)


def test_signals_of_huge_networks_are_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    link = brnn.Projection(
        "a", "a", "inhibitory", SIGNAL, brnn.AllButSelf(0.2), gate=brnn.HabituativeGate(0.3, 1.0, 2.0), name="gated"
    )
    start = np.linspace(0.0, 0.9, 40)
    spec = brnn.Network("one", [brnn.Layer.shunting("a", 40, A=0.1, B=1.0, initial=start)], [link])
    found = compile_network(spec)
    one = Piece(found.rhs(0.5), 0.0, found.initial_state(), 4.0, 1e-6, 1e-9, found, longest=0.1)
    expected, expected_inside = at_the_end(PairStepper(one))
    monkeypatch.setattr(passes, "_HUGE", 80)
    monkeypatch.setattr(system, "_texts", {})
    text = found.passes(one.fun.arguments[1])
    assert text is not None
    assert "now_f0" in text
    assert "f0[i]" not in text
    y, inside = at_the_end(BlockedPairStepper(one))
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(inside, expected_inside, rtol=1e-10, atol=1e-13)


AGAIN = """
import hashlib, runpy, sys
from brnn.compiler.cache import load_module
from brnn.integrate.steppers.blocks import BlockedPairStepper
names = runpy.run_path(sys.argv[1])
one = names["piece"]()
stepper = BlockedPairStepper(one)
module = load_module(one.system.passes(one.fun.arguments[1]) + sys.argv[2])
stepper._whole[stepper._code.FUSED] = module.fused.address
print(hashlib.sha1(names["at_the_end"](stepper)[0].tobytes()).hexdigest())
"""


def test_a_pass_has_the_same_bits_where_it_is_compiled_and_where_it_is_loaded() -> None:
    """A function that is not inlined is compiled for itself, and once more into what is kept of its caller."""
    command = [sys.executable, "-c", AGAIN, __file__, f"# {uuid.uuid4()}\n"]
    compiled, loaded = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert compiled == loaded


@pytest.mark.parametrize("count", [2, 4])
def test_the_bits_do_not_depend_on_the_number_of_threads(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "processors", lambda: 1)
    expected = at_the_end(BlockedPairStepper(piece()))
    monkeypatch.setattr(blocks, "processors", lambda: count)
    for _ in range(3):
        for found, same in zip(at_the_end(BlockedPairStepper(piece())), expected, strict=True):
            np.testing.assert_array_equal(found, same)


def test_single_steps_and_a_new_beginning_give_the_same_bits() -> None:
    whole, single, p = BlockedPairStepper(piece()), BlockedPairStepper(piece()), piece()
    y, _ = at_the_end(whole)
    for _ in range(6):
        single.step()
    np.testing.assert_array_equal(single.dense_output()(np.array([single.t]))[:, 0], single.y)
    resumed = BlockedPairStepper(Piece(p.fun, single.t, single.y, p.stop, p.rtol, p.atol, p.system, longest=0.1))
    resumed.h_abs, resumed.remembered = single.h_abs, single.remembered
    while resumed.status == "running":
        resumed.step()
    np.testing.assert_array_equal(resumed.y, y)


@pytest.mark.parametrize("kind", [BlockedPairStepper, PairStepper])
def test_a_tolerance_that_no_step_holds_ends_the_run(kind: type) -> None:
    p = piece()
    stepper = kind(Piece(p.fun, 1.0, p.state, p.stop, 0.0, 1e-300, p.system, longest=0.1))
    stepper.h_abs = 0.1
    stepper.step()
    assert (stepper.status, stepper.t, stepper.steps) == ("failed", 1.0, 0)


def test_a_thread_of_somebody_else_works_alone() -> None:
    import threading

    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(blocks.processors()))
    thread.start()
    thread.join()
    assert found == [1]


def rcf(n: int) -> brnn.Network:
    state = np.repeat([0.5, 1e-6], [3, n - 3])
    return brnn.Network(
        "rcf",
        [brnn.Layer.shunting("rcf", n, A=1.0, B=3.0, initial=state)],
        [
            brnn.Projection("rcf", "rcf", "excitatory", SIGNAL, brnn.OneToOne()),
            brnn.Projection("rcf", "rcf", "inhibitory", SIGNAL, brnn.AllButSelf()),
        ],
    )


def test_a_run_is_that_of_two_equations(tmp_path: Path) -> None:
    """The cells are of two kinds, so that two equations, written here, describe them; in memory and in a file."""
    n = CELLS
    counts = np.array([3.0, n - 3.0])

    def pair(t: float, x: np.ndarray) -> np.ndarray:
        s = x**2 / (0.25 + x**2)
        return -x + (3.0 - x) * s - x * (counts @ s - s)

    times = np.linspace(0.0, 5.0, 400)  # many of them within one step
    exact = solve_ivp(pair, (0.0, 5.0), [0.5, 1e-6], "DOP853", t_eval=times, rtol=1e-11, atol=1e-16).y.T
    result = brnn.simulate(rcf(n), 5.0, times=times)
    x = result["rcf.x"].values
    np.testing.assert_allclose(x[:, 2], exact[:, 0], rtol=1e-5)
    np.testing.assert_allclose(x[:, -1], exact[:, 1], rtol=1e-3, atol=1e-9)
    assert x.min() >= 0.0  # as the cells' bounds say
    with brnn.simulate(rcf(n), 5.0, times=times, record=tmp_path / "run.h5") as kept:
        np.testing.assert_array_equal(kept["rcf.x"].values, x)


def test_saved_states_stay_within_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a coarse tolerance the last digits of what is quenched leave the interval; 0 is its end."""
    monkeypatch.setattr(explicit, "_IN_BLOCKS", 1)
    for A in (1.0, np.linspace(1.0, 2.0, CELLS)):
        layer = brnn.Layer.shunting("a", CELLS, A=A, B=1.0, initial=0.5)
        result = brnn.simulate(
            brnn.Network("decay", [layer]), 60.0, times=np.linspace(40, 60, 41), rtol=1e-2, atol=1e-4
        )
        assert result["a.x"].values.min() >= 0.0
        assert result.solver.details["largest_projection"] < 1e-3


@pytest.mark.parametrize(
    ("topology", "fits"),
    [
        (brnn.OneToOne(), True),
        (brnn.AllToAll(), True),
        (brnn.AllButSelf(), True),
        (brnn.Dense(np.eye(9)), False),
        (brnn.GaussianKernel(1.0, 2.0), False),
    ],
)
def test_which_networks_it_is_for(topology: Any, fits: bool) -> None:
    link = brnn.Projection("a", "a", "inhibitory", SIGNAL, topology)
    system = compile_network(brnn.Network("one", [brnn.Layer.shunting("a", 9, A=1.0, B=1.0)], [link]))
    assert (system.in_blocks is not None) == fits


def test_learned_weights_are_not_for_it() -> None:
    link = brnn.Projection("a", "a", "excitatory", SIGNAL, brnn.AllToAll(), learning=brnn.Instar())
    system = compile_network(brnn.Network("one", [brnn.Layer.shunting("a", 9, A=1.0, B=1.0)], [link]))
    assert system.in_blocks is None


def test_large_networks_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(RK45().stepper(piece()), BlockedPairStepper)
    monkeypatch.setattr(explicit, "_IN_BLOCKS", CELLS * 10)
    assert isinstance(RK45().stepper(piece()), PairStepper)


def test_helpers_that_were_waited_for_are_not_asked_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other programs have the processors, each wait takes milliseconds: as long as a run."""
    now, begun = [100.0], []

    @contextlib.contextmanager
    def helped(whole: np.ndarray, closed: int, function: object, arguments: list, waits: bool) -> Iterator[None]:
        begun.append(len(arguments))
        yield

    def helpers() -> int:
        stepper = BlockedPairStepper(piece())
        stepper.step()
        return begun[-1]

    monkeypatch.setattr(threads, "clock", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(threads, "_again", [0.0, 0.1])
    monkeypatch.setattr(threads, "_late", [])
    monkeypatch.setattr(blocks, "processors", lambda: 2)
    monkeypatch.setattr(threads, "helped", helped)
    assert helpers() == 1
    late = BlockedPairStepper(piece())
    late._whole[sharing.LATE] = 100
    late.step()
    assert helpers() == 0
    now[0] += 1.0
    assert helpers() == 1


def test_helpers_are_asked_where_they_were_seen_to_help() -> None:
    """And now and then where they were not, as other programs come and go: soon, and less and less often."""
    worth, ways = threads.Worth(), []
    for k in range(400):
        ways.append(worth.asked)
        worth.note(ways[-1], {True: 2.0 if k < 200 else 0.5, False: 1.0}[ways[-1]])
    assert ways[:6] == [True, False] * 3
    tried = [k for k in range(6, 200) if ways[k]]
    apart = [after - before for before, after in itertools.pairwise(tried)]
    assert apart[:3] == [5, 9, 17]
    assert set(apart[3:]) == {33}
    back = ways.index(True, 200)
    assert back <= tried[-1] + 33
    assert [k - back for k in range(back, 400) if not ways[k]] == [33, 66, 99, 132, 165]


def test_helpers_that_were_late_twice_are_asked_soon() -> None:
    worth = threads.Worth()
    times, ways = iter([0.5, 1.0] * 3 + [0.5] * 4 + [1.1, 1.2]), []
    for seconds in times:
        worth.note(worth.asked, seconds)
    for _ in range(12):
        ways.append(worth.asked)
        worth.note(ways[-1], 0.5 if ways[-1] else 1.0)
    assert ways == [False, False] + [True] * 10


def test_steps_are_made_alone_where_that_took_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, now = [], [0.0]

    @contextlib.contextmanager
    def helped(whole: np.ndarray, closed: int, function: object, arguments: list, waits: bool) -> Iterator[None]:
        asked.append(len(arguments))
        yield
        now[0] += 3.0 if arguments else 1.0

    monkeypatch.setattr(blocks, "clock", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(blocks, "processors", lambda: 2)
    monkeypatch.setattr(threads, "helped", helped)
    monkeypatch.setattr(threads, "_again", [0.0, 0.1])
    monkeypatch.setattr(threads, "_late", [])
    threads.worth_of.cache_clear()
    for _ in range(8):
        BlockedPairStepper(piece()).advance(np.empty(0), 0, 8)
    assert asked[1::2] == [1, 0, 1, 0, 1, 0, 0, 0]


def test_helpers_that_were_asked_before_an_interruption_are_told_that_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They would look for work until the process is killed, which waits for them at its end."""

    class Interrupted:
        def submit(self, *_: object) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(threads, "helpers", lambda _: Interrupted())
    whole = np.zeros(sharing.FREE, np.int64)
    with pytest.raises(KeyboardInterrupt), threads.passes_shared(whole, [0]):
        pass
    assert whole[sharing.CLOSED] == 1


def test_nobody_is_asked_while_a_helper_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was not waited for may wake up in the next passes: two of them would work in one room."""
    monkeypatch.setattr(threads, "_again", [0.0, 0.01])
    monkeypatch.setattr(threads, "_late", [])
    begun, go_on, whole = threading.Event(), threading.Event(), np.zeros(2, dtype=np.int64)

    def help_late(_: np.ndarray) -> None:
        begun.set()
        go_on.wait()

    with threads.helped(whole, 1, help_late, [(whole,)], waits=False):
        begun.wait()
    assert whole[1] == 1
    assert threads.asked(3) == 0
    go_on.set()
    deadline = time.monotonic() + 60.0
    while threads.asked(3) == 0 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threads.asked(3) == 3
    with threads.helped(whole, 1, help_late, [], waits=False):
        assert whole[1] == 1  # and a late one does not take part where nobody is asked
