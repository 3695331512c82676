"""Arguments that a function does not have: TypeError with the one that was probably meant."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

import brnn

FUNCTIONS = [name for name in brnn.__all__ if name.islower() and inspect.isfunction(getattr(brnn, name, None))]
NAMED = sorted(set(FUNCTIONS) - {"build", "claim"})


@pytest.mark.parametrize("name", NAMED)
def test_every_public_function_says_what_is_meant(name: str) -> None:
    function = getattr(brnn, name)
    known = next(iter(inspect.signature(function).parameters))
    with pytest.raises(TypeError) as error:
        function(**{known + "s": None})
    assert str(error.value) == f"{name}() got an unexpected keyword argument '{known}s'; did you mean '{known}'?"
    assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("simulate", "out", "record"),
        ("simulate", "method", "solver"),
        ("simulate", "t_eval", "times"),
        ("simulate", "y0", "initial"),
        ("sweep", "record", "out"),
        ("sweep", "workers", "executor"),
        ("steady_state", "times_", "times"),
        ("fit", "params", "settings"),
        ("member", "member", "index"),
    ],
)
def test_names_of_other_functions(name: str, given: str, meant: str) -> None:
    function: Any = getattr(brnn, name)
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    values = [brnn.models.rcf.build(n=2) for p in required if p.kind is p.POSITIONAL_OR_KEYWORD]
    with pytest.raises(TypeError, match=f"^{name}.. .* argument '{given}'; did you mean '{meant}'?"):
        function(*values, **{given: None})
    with pytest.raises(TypeError, match=r"argument 'zzz'$"):
        function(*values, zzz=None)


def test_models_say_what_is_meant() -> None:
    with pytest.raises(TypeError, match=r"rcf.build.. .* argument 'patern'; did you mean 'pattern'\?"):
        brnn.models.rcf.build(patern=1.0)


def test_states_of_a_whole_run_are_no_initial_state() -> None:
    result = brnn.simulate(brnn.models.rcf.build(n=2), 1.0, solver="interpreted", times=[0.0, 0.5, 1.0])
    with pytest.raises(brnn.SpecError, match=r"shape \(3, 2\).* initial=result takes the last, and so does \[-1\]"):
        brnn.simulate(brnn.models.rcf.build(n=2), 1.0, initial=result["rcf.x"])
    with pytest.raises(brnn.SpecError, match=r"have shape \(2,\)$"):
        brnn.simulate(brnn.models.rcf.build(n=2), 1.0, initial=[1.0, 2.0, 3.0])
    again = brnn.simulate(brnn.models.rcf.build(n=2), 1.0, initial=result["rcf.x"][-1], solver="interpreted")
    assert (again["rcf.x"].values[0] == result.final("rcf").values).all()
