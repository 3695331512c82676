"""The generated code: independent of numbers, cached on disk, readable, and open to new laws and signals."""

from __future__ import annotations

import dataclasses
import errno
import gc
import linecache
import subprocess
import sys
import warnings
import weakref
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import brnn
from brnn.base.codetext import Code
from brnn.compiler import cache, compile_network
from brnn.compiler.cache import cache_directory, load_module, load_package
from brnn.compiler.program import Program
from brnn.compiler.statements import Array, Assign, Call, Comment, ConstantNumber, Index, Local, Loop, Printer


def field(n: int = 4, A: float = 1.0, half: float = 0.5, weight: float = 1.0, name: str = "F1") -> brnn.Network:
    signal = brnn.Sigmoid(2.0, half)
    return brnn.Network(
        "field",
        [brnn.Layer.shunting(name, n, A=A, B=3.0)],
        [
            brnn.Projection(name, name, "excitatory", signal, brnn.OneToOne(weight)),
            brnn.Projection(name, name, "inhibitory", signal, brnn.AllButSelf(weight)),
        ],
        [brnn.Stimulus(name, "excitatory", np.arange(n, dtype=float), brnn.Pulse(0, 1))],
    )


def test_a_new_number_is_no_new_code() -> None:
    one, other = compile_network(field()), compile_network(field(n=500, A=2.0, half=0.1, weight=0.3))
    assert one.source == other.source
    assert load_module(one.source) is load_module(other.source)
    assert one.rhs(0.5).address == other.rhs(0.5).address
    assert compile_network(field().replace(name="other", duration=3)).source == one.source
    assert compile_network(field(name="F2")).source != one.source


def test_the_code_allocates_nothing_and_says_what_it_is() -> None:
    source = compile_network(field()).source
    body = source[source.index("def rhs") :]
    assert "np.empty" not in body
    assert "np.zeros" not in body
    assert "# layer F1: Layer" in body
    assert "Sigmoid signal of layer F1" in body


def test_equal_signals_of_a_layer_are_computed_once() -> None:
    assert compile_network(field()).source.count("Sigmoid signal of layer F1") == 1


def test_statements_are_printed_with_the_parentheses_that_they_need() -> None:
    a, b, x = Local("a"), Local("b"), Array("x", "values")
    i, j = Index("i"), Index("j")
    square = Call("law", (x[i], (a + b) ** ConstantNumber("2")))
    body = (Assign(b, a - (b - square)), Assign(x[j * x.size + i], a * (a * b) + b * a, "+="))
    assert list(Printer().lines([Comment("both"), Loop(i, x.size, body, start=j)])) == [
        "",
        "    # both",
        "    for i in range(j, x.size):",
        "        b = a - (b - law(x[i], (a + b) ** 2))",
        "        x[j * x.size + i] += a * (a * b) + b * a",
    ]


def test_the_next_process_compiles_nothing(tmp_path) -> None:
    """It writes no machine code, as it would have to after compiling, and reads what the first one wrote."""
    (tmp_path / "tests_field.py").write_text(
        "import brnn\ndef field():\n    return brnn.Network('c', [brnn.Layer.shunting('F1', 3, A=1, B=2)])\n"
    )
    code = (
        "import brnn; from tests_field import field; s = brnn.compile_network(field());"
        "s.rhs(0.5)(0.5, s.initial_state())"
    )
    cache = tmp_path / "cache"
    environment = {"BRNN_CACHE_DIR": str(cache), "PATH": "", "PYTHONPATH": str(tmp_path)}
    written = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        written.append({path: path.stat().st_mtime_ns for path in cache.rglob("*.nb*")})
    assert {path.suffix for path in written[0]} == {".nbi", ".nbc"}  # Numba's index, and machine code
    assert written[1] == written[0]
    assert cache.stat().st_mode & 0o077 == 0


def test_a_change_in_one_module_makes_a_package_compile_anew(tmp_path, monkeypatch) -> None:
    """Machine code contains that of the functions it calls; Numba's cache looks at the file of the caller alone."""
    monkeypatch.setenv("BRNN_CACHE_DIR", str(tmp_path))
    helper = "from numba import njit\n\n@njit\ndef add(x):\n    return x + {}\n"
    caller = "from numba import njit\nfrom .helper import add\n\n@njit(cache=True)\ndef call(x):\n    return add(x)\n"
    for term in (1, 2):
        files = {"__init__.py": "", "helper.py": helper.format(term), "caller.py": caller}
        module = load_package(files, "caller")
        assert module.call(40) == 40 + term
        assert Path(module.__file__).is_relative_to(tmp_path)
    files = {"__init__.py": "", "empty.py": ""}
    assert load_package(files, "empty", also="1") is not load_package(files, "empty", also="2")


def test_a_damaged_cache_file_is_written_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BRNN_CACHE_DIR", str(tmp_path))
    source = "VALUE = 1\n"
    load_module(source)
    (path,) = cache_directory().glob("brnn_generated_*.py")
    path.write_text("VALUE = 2\n")
    cache._loaded.clear()
    assert load_module(source).VALUE == 1


HELPED = """
from numba import cfunc, njit

@njit
def helper(x):
    return {number}.0 * x

@cfunc("float64(float64)")
def times(x):
    return helper(x) + 1.0
"""


def test_modules_that_make_room_for_others_are_given_back(tmp_path, monkeypatch) -> None:
    """Also those that were compiled here, of which Numba would keep the functions; what is held goes on to work."""
    monkeypatch.setenv("BRNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "_KEPT", 2)
    monkeypatch.setattr(cache, "_loaded", {})
    held, given_back = [], []
    for number in range(2, 6):
        module = load_module(HELPED.format(number=number))
        assert module.times.ctypes(3.0) == 3.0 * number + 1.0
        given_back += [weakref.ref(module.helper)]
        if number == 2:
            held.append(module.times)
        else:
            given_back += [weakref.ref(module.times)]
        assert module.__name__ not in sys.modules
        del module
    gc.collect()
    assert [one() is None for one in given_back] == [True, True, True, False, False, False, False]
    assert held[0].ctypes(3.0) == 7.0
    again = load_module(HELPED.format(number=2))
    assert again.times is not held[0]
    assert again.times.ctypes(4.0) == 9.0


def test_a_system_holds_its_compiled_code(monkeypatch) -> None:
    networks = [brnn.models.load(name).build() for name in ("rcf", "additive", "outstar")]
    states = [compile_network(network).initial_state() + 0.1 for network in networks]
    functions = [compile_network(network).rhs(1.0) for network in networks]
    before = [function(0.5, state) for function, state in zip(functions, states, strict=True)]
    monkeypatch.setattr(cache, "_KEPT", 0)
    load_module("VALUE = 1\n")
    assert not cache._loaded
    gc.collect()
    for function, state, slope in zip(functions, states, before, strict=True):
        np.testing.assert_array_equal(function(0.5, state), slope)


TEXT = """
from numba import cfunc, njit

@njit(cache=True)
def double(x):
    return 2.0 * x

@cfunc("float64(float64)", cache=True)
def triple(x):
    return 3.0 * x
"""


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A folder for generated code, and a function that loads TEXT as a new process would."""
    monkeypatch.setenv("BRNN_CACHE_DIR", str(tmp_path / "cache"))

    def load():
        cache._loaded.pop(TEXT, None)
        return load_module(TEXT)

    return tmp_path / "cache" / "__pycache__", load


@pytest.mark.parametrize("kept", [0, 20, 0.5])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_machine_code_is_compiled_anew(fresh, suffix: str, kept: float) -> None:
    folder, load = fresh
    module = load()
    assert (module.double(1.5), module.triple.ctypes(1.5)) == (3.0, 4.5)
    files = sorted(folder.glob(f"*.{suffix}"))
    assert len(files) == 2
    whole = [path.read_bytes() for path in files]
    for path, content in zip(files, whole, strict=True):
        path.write_bytes(content[: int(kept if kept >= 1 else kept * len(content))])
    module = load()
    assert (module.double(1.5), module.triple.ctypes(1.5)) == (3.0, 4.5)
    # Names in the machine code have numbers of Numba's own, which may be a digit longer now, each time.
    assert all(abs(path.stat().st_size / len(content) - 1.0) < 0.02 for path, content in zip(files, whole, strict=True))


def test_a_cache_without_room_stops_nothing(fresh, monkeypatch) -> None:
    from numba.core.caching import IndexDataCacheFile

    from brnn.compiler.numba_internals import _ForgivingCache

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder, load = fresh
    monkeypatch.setattr(IndexDataCacheFile, "_save_data", full)
    monkeypatch.setattr(_ForgivingCache, "said", False)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        module = load()
        results = module.double(1.5), module.triple.ctypes(1.5)
    assert results == (3.0, 4.5)
    (one,) = said
    assert str(folder) in str(one.message)
    assert [path for path in folder.iterdir() if "tmp" in path.name] == []


def test_text_that_cannot_be_kept_is_written_elsewhere(fresh, tmp_path, monkeypatch) -> None:
    _, load = fresh
    full, written = [tmp_path / "cache"], Path.write_text

    def write(path: Path, *arguments: Any, **options: Any) -> int:
        if set(full) & set(path.parents):
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", write)
    (tmp_path / "other").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "other"))
    module = load()
    assert tmp_path / "other" in Path(module.__file__).parents
    assert module.double(1.5) == 3.0
    full.append(tmp_path / "other")
    with pytest.raises(brnn.errors.FileError, match=r"generated code cannot be written \(No space left on device\)"):
        load()


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Halving(brnn.LayerLaw):
    """A law of the user's own: dx/dt = -x / 2 + rate * (exc - inh)."""

    rate: float = 1.0
    initial: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = ("rate",)
    signed_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, rate: Any) -> Any:
        return -0.5 * x + rate * (exc - inh)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Cubic(brnn.Signal):
    """A signal of the user's own."""

    gain: float = 1.0

    @staticmethod
    def _kernel(w: Any, gain: float) -> Any:
        return gain * w * w * w

    @staticmethod
    def _slope(w: Any, gain: float) -> Any:
        return 3.0 * gain * w * w

    @staticmethod
    def _quotient(w: Any, gain: float) -> Any:
        return gain * w * w


def test_a_users_own_law_and_signal_need_no_other_file() -> None:
    network = brnn.Network(
        "own", [Halving("a", 3, rate=2.0)], [brnn.Projection("a", "a", "inhibitory", Cubic(0.3), brnn.OneToOne())]
    )
    u = np.array([0.5, 1.0, -2.0])
    np.testing.assert_allclose(compile_network(network).rhs(0)(0, u), -0.5 * u - 2.0 * 0.3 * u**3, rtol=1e-14)
    assert brnn.Network.from_json(network.to_json()) == network


@pytest.mark.parametrize("other", ["", "import sys\n", "def other(x, exc, inh):\n    return inh\n"])
def test_a_law_without_a_file_is_refused_in_one_line(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another text stands under its name, as that of `python -c` does from Python 3.13 on."""
    monkeypatch.setitem(linecache.cache, "<string>", (len(other), None, other.splitlines(True), "<string>"))
    made: dict[str, Any] = {}
    code = compile("def law(x, exc, inh):\n    return exc\n", "<string>", "single")
    made["law"] = type(test_a_law_without_a_file_is_refused_in_one_line)(code.co_consts[0], {})
    law = type("Made", (Halving,), {"law": staticmethod(made["law"]), "parameters": ()})
    with pytest.raises(brnn.SpecError, match="define it in a file"):
        compile_network(brnn.Network("own", [law("a", 1)]))


def test_results_do_not_depend_on_where_memory_is_free() -> None:
    """Bit by bit the same numbers, whatever lies between the arrays: loops must not choose between two paths."""
    random = np.random.default_rng(0)
    between: list[Any] = []
    results = set()
    for _ in range(60):
        between = [*between[-40:], np.ones(int(random.integers(1, 400))), bytearray(int(random.integers(1, 3000)))]
        result = brnn.simulate(brnn.models.rcf.build(), 10, solver="DOP853", times=[10.0])
        results.add(result["rcf.x"].values.tobytes())
    assert len(results) == 1


def test_functions_of_one_name_and_two_texts_are_two() -> None:
    """x' = x^2 + 2 x from two signals of one kind; helpers of one name must be one."""
    links = [
        brnn.Projection("F", "F", signal=brnn.Function(text), name=name) for text, name in (("w**2", "a"), ("2*w", "b"))
    ]
    system = compile_network(brnn.Network("two", [brnn.Layer.additive("F", 1, A=0.0)], links))
    assert system.f(0.0, [3.0]).tolist() == [15.0]
    program = Program(())
    one, other = (Code("f", ("w",), f"    return {text}") for text in ("w", "2 * w"))
    assert [program.function(code).name for code in (one, other, one, other)] == ["f", "f_2", "f", "f_2"]
    program.function(Code("g", ("w",), "    return f(w)", helpers=(one,)))
    with pytest.raises(brnn.SpecError, match="two different helper functions are called 'f'"):
        program.function(Code("h", ("w",), "    return f(w)", helpers=(other,)))
