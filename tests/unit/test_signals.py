"""Signals against formulas written here, in NumPy and compiled by Numba from the text that the compiler gets."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import subprocess
import sys
import types
from collections.abc import Callable

import numpy as np
import pytest

import brnn
from brnn.base.codetext import code_of
from brnn.base.data import Spec
from brnn.errors import InputError, SpecError
from brnn.signals import (
    Expression,
    Function,
    Linear,
    Logistic,
    Power,
    Saturating,
    Sigmoid,
    Signal,
    Step,
    ThresholdLinear,
    parse_signal,
)

W = np.array([-1e300, -3.0, -1e-3, -0.0, 0.0, 1e-8, 0.05, 0.2, 0.29, 0.7, 1.0, 2.5, 40.0])
PARTS = ("kernel", "slope", "quotient")


def positive(formula: Callable[[float], float]) -> Callable[[float], float]:
    return lambda w: formula(w) if w > 0 else 0.0


# signal, f(w), f'(w) away from corners, h(0): written anew from the definitions, in scalar Python
CASES: list[tuple[Signal, Callable[[float], float], Callable[[float], float], float]] = [
    (Linear(2.5), lambda w: 2.5 * w, lambda w: 2.5, 2.5),
    (Power(2, 2), positive(lambda w: 2 * w * w), positive(lambda w: 4 * w), 0),
    (Power(1.5, 1), positive(lambda w: 1.5 * w), lambda w: 1.5 * (w >= 0), 1.5),
    (Power(2, 3), positive(lambda w: 2 * w**3), positive(lambda w: 6 * w * w), 0),
    (Power(2, 4), positive(lambda w: 2 * w**4), positive(lambda w: 8 * w**3), 0),
    (Power(2, 1.5), positive(lambda w: 2 * w**1.5), positive(lambda w: 3 * w**0.5), 0),
    (
        Power(2, 0.5),
        positive(lambda w: 2 * w**0.5),
        lambda w: w**-0.5 if w > 0 else (math.inf if w == 0 else 0),
        math.inf,
    ),
    (
        Saturating(2, 0.3),
        positive(lambda w: 2 * w / (0.3 + w)),
        lambda w: 0.6 / (0.3 + w) ** 2 if w >= 0 else 0,
        2 / 0.3,
    ),
    (
        Sigmoid(2, 0.3, 2),
        positive(lambda w: 2 * w**2 / (0.09 + w**2)),
        positive(lambda w: 4 * 0.09 * w / (0.09 + w**2) ** 2),
        0,
    ),
    (
        Sigmoid(1.5, 0.4, 3.5),
        positive(lambda w: 1.5 * w**3.5 / (0.4**3.5 + w**3.5)),
        positive(lambda w: 1.5 * 3.5 * w**2.5 * 0.4**3.5 / (0.4**3.5 + w**3.5) ** 2),
        0,
    ),
    (
        Sigmoid(1.5, 0.4, 0.5),
        positive(lambda w: 1.5 * w**0.5 / (0.4**0.5 + w**0.5)),
        lambda w: 0.75 * w**-0.5 * 0.4**0.5 / (0.4**0.5 + w**0.5) ** 2 if w > 0 else (math.inf if w == 0 else 0),
        math.inf,
    ),
    (
        Logistic(2, 3, 0.4),
        lambda w: 1 + math.tanh(1.5 * (w - 0.4)),
        lambda w: 1.5 / math.cosh(1.5 * (w - 0.4)) ** 2 if abs(w) < 200 else 0.0,
        math.inf,
    ),
    (ThresholdLinear(2), lambda w: 2 * max(w, 0), lambda w: 2 * (w >= 0), 2),
    (ThresholdLinear(2, 0, 0.5), lambda w: 2 * min(max(w, 0), 0.5), lambda w: 2 * (0 <= w < 0.5), 2),
    (
        ThresholdLinear(2, 0.25, 1.5),
        lambda w: 2 * min(max(w - 0.25, 0), 1.5),
        lambda w: 2 * (0.25 <= w < 1.75),
        0,
    ),
    (
        ThresholdLinear(2, -0.5, 1.5),
        lambda w: 2 * min(max(w + 0.5, 0), 1.5),
        lambda w: 2 * (-0.5 <= w < 1),
        math.inf,
    ),
    (Step(2, 0.25), lambda w: 2 * (w >= 0.25), lambda w: 0, 0),
    (Step(2), lambda w: 2 * (w >= 0), lambda w: 0, math.inf),
    (
        Expression("c*w**2/(d + w**2)", c=2, d=0.09),
        positive(lambda w: 2 * w**2 / (0.09 + w**2)),
        positive(lambda w: 4 * 0.09 * w / (0.09 + w**2) ** 2),
        0,
    ),
    (
        Expression("where(w < a, w**2/a, w)", a=0.3),
        positive(lambda w: w**2 / 0.3 if w < 0.3 else w),
        positive(lambda w: 2 * w / 0.3 if w < 0.3 else 1),
        0,
    ),
    (
        Expression("c*w**n", c=2, n=1.5),
        positive(lambda w: 2 * w**1.5),
        positive(lambda w: 3 * w**0.5),
        0,
    ),
    (
        Expression("exp(w/50) - 1"),
        positive(lambda w: math.expm1(w / 50)),
        lambda w: math.exp(w / 50) / 50 if w >= 0 else 0,
        0.02,
    ),
    (
        Expression("2*tanh(3*w) + sqrt(w)"),
        positive(lambda w: 2 * math.tanh(3 * w) + w**0.5),
        lambda w: 6 * (1 - math.tanh(3 * w) ** 2) + 0.5 * w**-0.5 if w > 0 else math.inf if w == 0 else 0,
        math.inf,
    ),
    (
        Expression("1/(1 + (0.3/w)**2)"),
        positive(lambda w: w**2 / (0.09 + w**2)),
        positive(lambda w: 0.18 * w / (0.09 + w**2) ** 2),
        0,
    ),
    (
        Expression("min(max(w - 0.25, 0), 1.5)*2"),
        positive(lambda w: 2 * min(max(w - 0.25, 0), 1.5)),
        lambda w: 2 * (0.25 <= w < 1.75),
        0,
    ),
    (
        Expression("log(1 + abs(sin(w))) + 0*cos(w)"),
        positive(lambda w: math.log(1 + abs(math.sin(w)))),
        lambda w: (
            math.copysign(math.cos(w), math.sin(w) * math.cos(w)) / (1 + abs(math.sin(w))) if w > 0 else 1.0 * (w == 0)
        ),
        1,
    ),
    (
        Expression("max(w - 0.25, 0)**0.5"),
        lambda w: max(w - 0.25, 0) ** 0.5,
        lambda w: 0.5 * (w - 0.25) ** -0.5 if w > 0.25 else 0,
        0,
    ),
    (
        Expression("(1 + w)**w - w**w + 0.5**w"),
        lambda w: (1 + w) ** w - w**w + 0.5**w if w >= 0 else 0,
        lambda w: math.nan,
        math.inf,
    ),
]
IDS = [repr(case[0]).replace(" ", "") for case in CASES]


def expected(formula: Callable[[float], float]) -> np.ndarray:
    return np.array([float(formula(w)) for w in W.tolist()])


def quotients(f: np.ndarray, at_zero: float) -> np.ndarray:
    return np.array([at_zero if w == 0 else value / w for w, value in zip(W.tolist(), f.tolist(), strict=True)])


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> types.ModuleType:
    """One module with the texts of all parts of all signals, compiled on scalars."""
    texts: dict[str, None] = {}
    for signal, *_ in CASES:
        for part in PARTS:
            code = signal.code(part)
            texts.update(dict.fromkeys(helper.source for helper in code.helpers))
            texts[code.source] = None
    path = tmp_path_factory.mktemp("generated") / "generated_signals.py"
    decorated = "".join(f"\n@njit(error_model='numpy')\n{text}" for text in texts)
    path.write_text("import numpy as np\nfrom numba import njit\n" + decorated, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("generated_signals", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("signal", "f", "slope", "at_zero"), CASES, ids=IDS)
def test_formulas_in_numpy(signal, f, slope, at_zero):
    np.testing.assert_allclose(signal(W), expected(f), rtol=1e-12, atol=1e-15)
    # at w = 1e-8 the difference exp(w/50) - 1 has lost half of its digits
    np.testing.assert_allclose(signal.hill(W), quotients(expected(f), at_zero), rtol=1e-6, atol=1e-15)
    if not math.isnan(slope(1.0)):
        np.testing.assert_allclose(signal.derivative(W), expected(slope), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(("signal", "f", "slope", "at_zero"), CASES, ids=IDS)
def test_compiled_on_scalars_it_is_the_same(signal, f, slope, at_zero, compiled):
    for part, method in zip(PARTS, (signal, signal.derivative, signal.hill), strict=True):
        code = signal.code(part)
        function = getattr(compiled, code.name)
        values = [function(float(w), *code.parameters) for w in W]
        assert all(type(value) is float for value in values)
        np.testing.assert_allclose(values, method(W), rtol=1e-13, atol=1e-300, err_msg=part)


@pytest.mark.parametrize("signal", [case[0] for case in CASES if not isinstance(case[0], Step)], ids=repr)
def test_nan_is_never_hidden(signal, compiled):
    code = signal.code()
    assert math.isnan(signal(math.nan))
    assert math.isnan(getattr(compiled, code.name)(math.nan, *code.parameters))


@pytest.mark.parametrize("signal", [case[0] for case in CASES], ids=IDS)
def test_arrays_scalars_and_json(signal):
    grid = np.linspace(-1, 2, 12).reshape(3, 4)
    for method in (signal, signal.derivative, signal.hill):
        result = method(grid)
        assert result.shape == (3, 4)
        assert result.dtype == np.float64
        assert type(method(0.5)) is float
        assert method(0.5) == method(np.array([0.5]))[0]
        assert method([1, 2]).tolist() == method(np.array([1.0, 2.0])).tolist()
    again = Spec.from_json(signal.to_json())
    assert again == signal
    assert hash(again) == hash(signal)
    np.testing.assert_array_equal(again(grid), signal(grid))
    with pytest.raises(InputError, match="w must be a number"):
        signal("much")


def test_signals_are_names_of_brnn():
    for kind in (Linear, Power, Saturating, Sigmoid, Logistic, ThresholdLinear, Step, Expression):
        assert getattr(brnn, kind.__name__) is kind
        if kind is not Expression:
            assert kind().formula


@pytest.mark.parametrize(
    ("signal", "w_max", "kind"),
    [
        (Linear(3), 1, "linear"),
        (Linear(0), 1, "linear"),
        (Power(1, 1), 1, "linear"),
        (Power(1, 1.01), 1, "faster-than-linear"),
        (Power(1, 0.99), 1, "slower-than-linear"),
        (Power(0, 2), 1, "linear"),
        (Saturating(), 5, "slower-than-linear"),
        (Sigmoid(1, 0.5, 2), 0.5, "faster-than-linear"),  # h peaks at w = half for exponent 2
        (Sigmoid(1, 0.5, 2), 0.51, "sigmoid"),
        (Sigmoid(1, 0.5, 3), 0.62, "faster-than-linear"),  # half * 2**(1/3) = 0.63
        (Sigmoid(1, 0.5, 3), 0.64, "sigmoid"),
        (Sigmoid(1, 0.5, 1), 3, "slower-than-linear"),
        (Logistic(1, 1, 1.9), 100, "slower-than-linear"),
        (Logistic(1, 10, 0.5), 0.1, "slower-than-linear"),  # h turns upward at v = 1 + exp(v - 5), v = 10 w = 1.02
        (Logistic(1, 10, 0.5), 0.11, "mixed"),
        (ThresholdLinear(), 1, "linear"),
        (ThresholdLinear(1, 0, 0.5), 0.5, "linear"),
        (ThresholdLinear(1, 0, 0.5), 1, "slower-than-linear"),
        (ThresholdLinear(1, 0.2), 0.1, "linear"),  # nothing but zero
        (ThresholdLinear(1, 0.2), 1, "faster-than-linear"),
        (ThresholdLinear(1, 0.2, 0.5), 1, "sigmoid"),
        (ThresholdLinear(1, -0.2, 0.5), 1, "slower-than-linear"),
        (Step(1, 0.5), 0.4, "linear"),
        (Step(1, 0.5), 1, "sigmoid"),
        (Step(1, 0), 1, "slower-than-linear"),
        (Expression("3*w"), 2, "linear"),
        (Expression("w**2"), 2, "faster-than-linear"),
        (Expression("w/(1 + w)"), 2, "slower-than-linear"),
        (Expression("w**2/(0.25 + w**2)"), 0.49, "faster-than-linear"),
        (Expression("w**2/(0.25 + w**2)"), 0.52, "sigmoid"),
        (Expression("where(w < 0.3, w**2/0.3, w)"), 3, "sigmoid"),  # the linear stretch of the 1973 theorem
        (Expression("where(w < 0.3, w**2/0.3, w)"), 0.3, "faster-than-linear"),
        (Expression("where(w < 0.3, w**2/0.3, where(w < 1, w, w**0.5))"), 3, "sigmoid"),
        (Expression("where(w < 0.3, w**2/0.3, where(w < 1, w, w**2))"), 3, "mixed"),
        (Expression("exp(w) - 1"), 5, "faster-than-linear"),
        (Expression("1 - exp(-w)"), 5, "slower-than-linear"),
        (Expression("w + 0.1*sin(20*w)"), 2, "mixed"),
        (Expression("0*w"), 1, "linear"),
    ],
    ids=repr,
)
def test_shape(signal, w_max, kind):
    assert signal.shape(w_max) == kind
    # what a class knows exactly, sampling must find as well
    assert Signal._shape(signal, float(w_max)) == kind


def test_shape_needs_a_positive_range():
    for bad in (0, -1, math.nan, math.inf, "1"):
        with pytest.raises(SpecError, match="Sigmoid: w_max"):
            Sigmoid().shape(bad)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(-1), "Linear: gain = -1: must be a number >= 0"),
        (lambda: Power(gain="2"), "Power: gain = '2': must be a number >= 0"),
        (lambda: Power(exponent=0), "Power: exponent = 0: must be a number > 0"),
        (lambda: Saturating(half=0), "Saturating: half = 0: must be a number > 0"),
        (lambda: Sigmoid(half=-1), "Sigmoid: half = -1: must be a number > 0"),
        (lambda: Sigmoid(exponent=math.nan), "Sigmoid: exponent = nan: must be finite > 0"),
        (lambda: Logistic(slope=0), "Logistic: slope = 0: must be a number > 0"),
        (lambda: Logistic(midpoint=math.inf), "Logistic: midpoint = inf: must be finite"),
        (lambda: ThresholdLinear(ceiling=0), "ThresholdLinear: ceiling = 0: must be a number > 0"),
        (lambda: ThresholdLinear(threshold=math.inf), "ThresholdLinear: threshold = inf: must be finite"),
        (lambda: Step(threshold=True), "Step: threshold = True: must be a number"),
        (lambda: Sigmoid().replace(halve=1), "Sigmoid has no field 'halve' (it has gain, half, exponent)"),
        (lambda: Sigmoid().code("kernal"), "did you mean 'kernel'?"),
    ],
)
def test_bad_parameters_give_one_line(make, message):
    with pytest.raises(SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


class TestExpression:
    def test_is_what_it_says(self):
        signal = Expression("c*w**2/(d + w**2)", c=1, d=0.25)
        assert signal.text == "c*w**2/(d + w**2)"
        assert signal.parameters == (("c", 1.0), ("d", 0.25))
        assert repr(signal) == "Expression('c*w**2/(d + w**2)', c=1.0, d=0.25)"
        assert signal == Expression("c*w**2/(d + w**2)", {"d": 0.25}, c=1)
        assert signal != Expression("c*w**2/(d + w**2)", c=1, d=0.3)
        assert signal.replace(c=3)(0.5) == 3 * signal(0.5)
        assert signal.replace(text="c*w + d")(0.5) == 0.75

    def test_new_values_keep_the_text(self):
        one, other = Expression("c*w**n/(1 + w)", c=1, n=2), Expression("c*w**n/(1 + w)", n=0.3, c=7)
        for part in PARTS:
            assert one.code(part).source == other.code(part).source
            assert one.code(part).name == other.code(part).name
            assert one.code(part).parameters != other.code(part).parameters
        assert Expression("2*w").code().source != Expression("3*w").code().source

    def test_text_does_not_depend_on_the_process(self):
        script = (
            "from brnn.signals import Expression; "
            "print(Expression('c*w**n*exp(-d*w)/(d + w**n) + tanh(a*w)', a=1, c=1, d=2, n=3).code('slope').source)"
        )
        texts = {
            subprocess.run(
                [sys.executable, "-c", script],
                env={"PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(texts) == 1

    def test_sympy_is_loaded_only_when_needed(self):
        script = (
            "import sys, brnn.signals as s; s.Sigmoid().shape(1); s.parse_signal('sigmoid'); "
            "assert 'sympy' not in sys.modules and 'numba' not in sys.modules; s.Expression('w'); "
            "assert 'sympy' in sys.modules"
        )
        subprocess.run([sys.executable, "-c", script], check=True)

    @pytest.mark.parametrize(
        ("text", "limit"),
        [
            ("w**1.001", 0),
            ("w**0.999", math.inf),
            ("w - w**0.5", -math.inf),
            ("0.3", math.inf),
            ("sin(3*w)/(1 + w)", 3),
            ("(1 - cos(w))/w + where(w > 0, 0, 1)*0", None),  # 0/0 at 0: refused
            ("where(w > 0, (1 - cos(w))/w, 0)", 0.5),
            ("where(w > 0, w*log(w), 0)", -math.inf),
            ("where(w > 0, exp(-1/w), 0)", 0),
            ("sqrt(w**2 + w**4)", 1),
            ("where(w > 0, w**2/sqrt(w**2 + w**4), 0)", 1),
            ("where(w <= 0, 0, 1 + w)", math.inf),
            ("w/3", 1 / 3),
            ("tanh(w/7)*exp(exp(w))", math.e / 7),
        ],
    )
    def test_hill_at_zero(self, text, limit):
        if limit is None:
            with pytest.raises(SpecError, match="its value at w = 0 is nan"):
                Expression(text)
        else:
            assert Expression(text).hill(0.0) == pytest.approx(limit, rel=1e-15)

    def test_root_of_a_square_keeps_its_sign(self):
        assert brnn.Function("(w**2)**0.5")(-3.0) == 3
        assert brnn.Function("(w**2)**0.5").derivative(-3.0) == -1

    def test_quotient_of_a_linear_stretch_is_constant_to_the_last_bit(self):
        h = Expression("0.7*where(w < 0.3, w**2/0.3, w)").hill(np.linspace(0.3, 5, 1000))
        assert set(h.tolist()) == {0.7}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "must be an expression in w"),
            ("   ", "must be an expression in w"),
            ("x*w", "unknown name 'x'"),
            ("gian*w", "unknown name 'gian'"),
            ("tanhh(w)", "unknown function 'tanhh'; did you mean 'tanh'?"),
            ("w^2", "'^' is not allowed; a power is written w**2"),
            ("w +", "is not a complete expression"),
            ("(w", "is not a complete expression"),
            ("w w", "is not a complete expression"),
            ("w; w", "the character ';' is not allowed"),
            ("w\n+ 1", "is not allowed"),
            ("wé", "the character 'é' is not allowed"),
            ("__import__('os').system('true')", "is not allowed"),
            ("w.__class__", "'w.__class__' is not allowed"),
            ("exp.real", "is not allowed"),
            ("[w]", "the character '[' is not allowed"),
            ("lambda w: w", "the character ':' is not allowed"),
            ("w if w > 1 else 0", "is not allowed"),
            ("w and 1", "is not allowed"),
            ("not w", "is not allowed"),
            ("w % 2", "the character '%' is not allowed"),
            ("w // 2", "is not allowed"),
            ("(w, w)", "is not allowed"),
            ("w < 1", "a comparison is allowed only"),
            ("where(w, 1, 2)", "needs one comparison"),
            ("where(0 < w < 1, 1, 2)", "needs one comparison"),
            ("where(w == 1, 1, 2)", "needs one comparison"),
            ("where(w < 1, 1)", "where takes 3 arguments"),
            ("exp(w, w)", "exp takes 1 argument"),
            ("exp(x=w)", "exp takes 1 argument"),
            ("min(w)", "min takes 2 to 8 arguments"),
            ("(w)(w)", "unknown function 'w'"),
            ("(w + 1)(w)", "is not allowed"),
            ("exp", "the function exp needs its arguments"),
            ("True*w", "True is not a real number"),
            ("2j*w", "is not a real number"),
            ("(-1)**0.5*w", "is not a real number"),
            ("1/0*w", "no finite real value"),
            ("log(0 - 1) + w", "no finite real value"),
            ("1e200*w", "a number in it lies outside"),
            ("1/w", "its value at w = 0 is inf"),
            ("log(w)", "its value at w = 0 is -inf"),
            ("sqrt(w - 1)", "its value at w = 0 is nan"),
            ("sqrt(0 - w)", "its value just above w = 0 is nan"),
            ("1/(w - w)", "is not a real number"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises(SpecError) as caught:
            Expression(text)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 250

    @pytest.mark.timeout(20)
    @pytest.mark.parametrize(
        "text",
        [
            "9**9**9**9",
            "w**9**9**9",
            "((((w + w)**99)**99)**99)**99",
            "w**99999",
            "9" * 900 + "*w",
            "(" * 400 + "w" + ")" * 400,
            "-" * 900 + "w",
            "w" + "*(1 + w" * 100 + ")" * 100,
            "*".join(f"(w+{k})" for k in range(1, 140)),
            "*".join(f"(w+{k})" for k in range(1, 60)),
            "**".join("w" * 45),
            "abs(" * 50 + "w" + ")" * 50,
            "w" * 1001,
            "exp(" * 9 + "9" + ")" * 9,
        ],
        ids=lambda text: text[:12],
    )
    def test_hostile_text_is_refused_at_once(self, text):
        with pytest.raises(SpecError):
            Expression(text)

    @pytest.mark.timeout(20)
    @pytest.mark.parametrize(
        "text",
        [
            "+".join(f"exp(-(w-{k})**2)" for k in range(1, 30)),
            "min(" * 18 + "w" + ",1)" * 18,
            "where(w<1," * 30 + "w" + ",2)" * 30,
            "abs(" * 18 + "w" + "-1)" * 18,
            "*".join(["where(w<1,w,2)"] * 10),
        ],
        ids=lambda text: text[:12],
    )
    def test_long_text_does_not_grow_out_of_hand(self, text):
        signal = Expression(text)
        assert max(len(signal.code(part).source) for part in PARTS) < 6_000

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: Expression(3), "text = 3: must be an expression"),
            (lambda: Expression("w", c=1), "the parameter 'c' does not occur in it"),
            (lambda: Expression("c*w", c="a"), "c = 'a': must be a number"),
            (lambda: Expression("c*w", c=math.inf), "c = inf: must be finite"),
            (lambda: Expression("w*exp(w)", exp=1), "a parameter cannot be called 'exp'"),
            (lambda: Expression("w", {"w": 1}), "a parameter cannot be called 'w'"),
            (lambda: Expression("w", {"lambda": 1}), "must be a name"),
            (lambda: Expression("w", 5), "parameters must be numbers by name"),
            (lambda: Expression("gain*w", gain=1).replace(gian=1), "no parameter 'gian'; did you mean 'gain'?"),
            (lambda: Expression("c*w", d=1), "unknown name 'c'"),
        ],
    )
    def test_bad_parameters(self, make, message):
        with pytest.raises(SpecError) as caught:
            make()
        assert message in str(caught.value)


class TestParseSignal:
    @pytest.mark.parametrize(
        ("text", "signal"),
        [
            ("sigmoid", Sigmoid()),
            (" Sigmoid ", Sigmoid()),
            ("threshold-linear", ThresholdLinear()),
            ("ThresholdLinear", ThresholdLinear()),
            ("THRESHOLD_LINEAR()", ThresholdLinear()),
            ("sigmoid(gain=2, half=0.2)", Sigmoid(2, 0.2)),
            ("Sigmoid(2, 0.2, exponent=3)", Sigmoid(2, 0.2, 3)),
            ("logistic(midpoint=-1e-3)", Logistic(midpoint=-0.001)),
            ("threshold-linear(ceiling=inf)", ThresholdLinear()),
            ("w", Expression("w")),
            ("2*w**2/(0.1 + w**2)", Expression("2*w**2/(0.1 + w**2)")),
            ("exp(-w)*(w)", Expression("exp(-w)*(w)")),
            ("tanh(w)", Expression("tanh(w)")),
            ("w-w**2", Expression("w-w**2")),
            ("where(w <= 0.3, w**2/0.3, w)", Expression("where(w <= 0.3, w**2/0.3, w)")),
            ("c*w/(d + w), c=2, d=0.5", Expression("c*w/(d + w)", c=2, d=0.5)),
            ("min(c*w, 1), c=2", Expression("min(c*w, 1)", c=2)),
        ],
    )
    def test_reads(self, text, signal):
        assert parse_signal(text) == signal

    @pytest.mark.parametrize(
        ("text", "default", "signal"),
        [
            ("sigmoid", Sigmoid(2.0, 0.25, 3.0), Sigmoid(2.0, 0.25, 3.0)),
            ("sigmoid(gain=5)", Sigmoid(2.0, 0.25, 3.0), Sigmoid(5.0, 0.25, 3.0)),
            ("sigmoid", Linear(), Sigmoid()),
            ("tanh(w)", Linear(), Function("tanh(w)")),
            ("tanh(w)", Function("1 + w"), Function("tanh(w)")),
            ("tanh(w)", Logistic(), Function("tanh(w)")),
            ("c*tanh(w), c=2", Linear(), Function("c*tanh(w)", c=2)),
            ("tanh(w)", Sigmoid(), Expression("tanh(w)")),
            ("tanh(w)", Expression("tanh(w)"), Expression("tanh(w)")),
            ("tanh(w)", None, Expression("tanh(w)")),
            ("function(tanh(w))", Sigmoid(), Function("tanh(w)")),
            ("Function(c*tanh(w), c=2)", None, Function("c*tanh(w)", c=2)),
            ("expression(tanh(w))", Linear(), Expression("tanh(w)")),
        ],
    )
    def test_a_text_means_what_the_default_means(self, text, default, signal):
        found = parse_signal(text, default)
        assert (type(found), found) == (type(signal), signal)

    def test_what_a_formula_loses_below_zero_is_known(self):
        assert [Expression(text).cut for text in ("tanh(w)", "w**2", "log(w + 0.5)", "max(w, 0)", "0*w")] == [
            True, True, True, False, False,
        ]  # fmt: skip
        assert not Function("tanh(w)").cut

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "signal: is empty"),
            ("sigmoyd", "unknown signal 'sigmoyd'; did you mean 'sigmoid'?"),
            ("sigmoyd(gain=2)", "unknown signal 'sigmoyd'; did you mean 'sigmoid'?"),
            ("qqq", "it must be one of "),
            ("sigmoid(gian=2)", "Sigmoid has no parameter 'gian' (it has gain, half, exponent); did you mean 'gain'?"),
            ("sigmoid(gain=w)", "Sigmoid: gain = w: must be a number"),
            ("sigmoid(half=-1)", "Sigmoid: half = -1: must be a number > 0"),
            ("sigmoid(gain=nan)", "Sigmoid: gain = nan: must be a number"),
            ("linear(gain=1e999)", "Linear: gain = inf: must be finite"),
            ("linear(gain=" + "9" * 400 + ")", "Linear: gain: is too large"),
            ("linear(1, 2)", "Linear has only the parameters gain"),
            ("linear(1, gain=2)", "Linear: gain is given twice"),
            ("step(gain=1, gain=2)", "given twice"),
            ("step(*[1])", "must be a number"),
            ("step(**{})", "has no parameter"),
            ("sigmoid(", "is not a complete expression"),
            ("sigmoid(1))(", "is not a"),
            ("sigmoid*2", "unknown name 'sigmoid'"),
            ("c*w, c=", "is not complete"),
            ("c*w, 3, c=1", "must be one expression, then parameters"),
            ("c*w, **c", "is not a"),
            ("1/w", "its value at w = 0 is inf"),
            ("w" * 5000, "at most 2000 are allowed"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises((InputError, SpecError)) as caught:
            parse_signal(text)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def _double(x: float) -> float:
    return 2 * x


def _quadruple(x: float) -> float:
    return _double(_double(x))


def _wraps(function: Callable[..., float]) -> Callable[..., float]:
    return function


class Holder:
    @staticmethod
    @_wraps
    def method(
        w: float,
        gain: float = 2.0,
    ) -> float:
        """Say something that the copy does not need."""
        # a comment that stays
        if w > 0:
            return gain * _quadruple(w)
        return 0.0

    # fmt: off
    @staticmethod
    def short(w: float) -> float: return w + 1
    # fmt: on


class TestCodeText:
    def test_keeps_the_body_only(self):
        code = code_of(Holder.method, "scaled")
        assert code.arguments == ("w", "gain")
        assert code.source == (
            "def scaled(w, gain=2.0):\n"
            "    # a comment that stays\n"
            "    if w > 0:\n"
            "        return gain * _quadruple(w)\n"
            "    return 0.0\n"
        )

    def test_a_body_on_the_line_of_its_header(self):
        assert code_of(Holder.short).source.startswith("def short(w):\n    return w + 1")

    def test_finds_helpers_callees_first(self):
        first, second = code_of(Holder.method).helpers
        assert first.source.startswith("def _double(x):")
        assert second.source.startswith("def _quadruple(x):")
        assert code_of(_double).helpers == ()

    def test_refuses_what_is_no_function(self):
        with pytest.raises(TypeError):
            code_of(Holder)

    def test_says_which_arguments_are_exponents(self):
        assert Power(1, 2).code().exponents == ("exponent",)
        assert Linear(2).code().exponents == ()
        assert Expression("c*w**n/(1 + w**2)", c=1, n=2).code().exponents == ("n",)

    def test_signals_share_one_text(self):
        one, other = Sigmoid(1, 2, 3).code("slope"), Sigmoid(4, 5, 6).code("slope")
        assert one == dataclasses.replace(other, parameters=(1.0, 1 / 2.0, 3.0))
        assert one.exponents == ("exponent",)
        assert one.source == other.source
        assert one.source.startswith("def sigmoid_slope(w, gain, scale, exponent):")
        assert [helper.name for helper in one.helpers] == ["power"]
        assert "staticmethod" not in one.source
