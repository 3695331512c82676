"""A solver, a signal, a layer law, a topology, a schedule: one new file in its folder each, and no other is touched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import brnn
from brnn import models

FILES = {
    "integrate/methods/heun.py": '''
        """Heun's method, with fixed steps."""

        from brnn.integrate.methods.base import StepperMethod
        from brnn.integrate.steppers.base import Stepper


        class Heun(StepperMethod):
            name = "Heun"
            description = "fixed steps, order 2"
            takes_step = True

            def stepper(self, piece):
                return HeunStepper(piece)


        class HeunStepper(Stepper):
            def _step(self):
                end = min(self.t + (self.piece.step or 0.01), self.stop)
                h = end - self.t
                guess = self.fun(end, self.y + h * self.f)
                self.t, self.y = end, self.y + 0.5 * h * (self.f + guess)
                return True
        ''',
    "signals/soft_square.py": '''
        """A signal that begins like a parabola and ends like a line."""

        import dataclasses

        import numpy as np

        from brnn.signals.base import Signal

        __all__ = ["SoftSquare"]


        @dataclasses.dataclass(frozen=True, eq=False, repr=False)
        class SoftSquare(Signal):
            gain: float

            @staticmethod
            def _kernel(w, gain):
                w = np.maximum(w, 0.0)
                return gain * w * w / (1.0 + w)

            @staticmethod
            def _slope(w, gain):
                w = np.maximum(w, 0.0)
                return gain * w * (2.0 + w) / ((1.0 + w) * (1.0 + w))

            @staticmethod
            def _quotient(w, gain):
                w = np.maximum(w, 0.0)
                return gain * w / (1.0 + w)
        ''',
    "spec/layers/cubic.py": '''
        """A law whose cells decay with the third power of their activity."""

        from dataclasses import dataclass

        from brnn.spec.layers.base import LayerLaw


        @dataclass(frozen=True, eq=False, repr=False)
        class CubicLayer(LayerLaw):
            rate: float = 1.0
            initial: float = 0.0
            parameters = ("rate",)
            signed_input = True

            def __post_init__(self):
                self._check_common(self.initial)

            @staticmethod
            def law(x, exc, inh, rate):
                return -rate * x * x * x + exc - inh
        ''',
    "spec/topologies/backwards.py": '''
        """Cell i sends to cell n - 1 - i."""

        from dataclasses import dataclass

        import numpy as np

        from brnn.spec.topologies.base import Topology, cells, same_shape

        __all__ = ["Backwards"]


        @dataclass(frozen=True, eq=False, repr=False)
        class Backwards(Topology):
            weight: float = 1.0

            def check(self, source, target, where):
                same_shape(self, source, target, where)

            def arguments(self, source, target):
                return (self.weight,)

            @staticmethod
            def kernel(s, net, weight):
                for i in range(s.size):
                    net[i] += weight * s[s.size - 1 - i]

            def strengths(self, source, target):
                return self.weight * np.eye(cells(source))[::-1]

            def smallest_weight(self):
                return self.weight
        ''',
    "spec/schedules/decay.py": '''
        """An input that dies away."""

        from dataclasses import dataclass

        import numpy as np

        from brnn.spec.schedules.base import Schedule, Segment

        __all__ = ["Decay"]


        @dataclass(frozen=True, eq=False, repr=False)
        class Decay(Schedule):
            rate: float = 1.0
            varying = True

            @staticmethod
            def kernel(t, rate):
                return np.exp(-rate * t)

            def segment(self, time, pattern):
                return Segment(0.0, (self.rate,), pattern)
        ''',
}

CHECKS = """
import sys

import numpy as np

import brnn
from brnn.cli import main

assert brnn.__file__.startswith(sys.argv[1]), brnn.__file__
assert brnn.SoftSquare is brnn.signals.SoftSquare and "SoftSquare" in brnn.signals.__all__
assert brnn.CubicLayer is brnn.spec.CubicLayer is brnn.spec.layers.CubicLayer
assert brnn.Backwards is brnn.spec.Backwards and brnn.Decay is brnn.spec.schedules.Decay

network = brnn.Network(
    "new",
    [brnn.CubicLayer("a", 3, rate=0.5, initial=0.1)],
    [brnn.Projection("a", "a", "inhibitory", brnn.SoftSquare(2.0), brnn.Backwards(0.3))],
    [brnn.Stimulus("a", "excitatory", np.array([1.0, 2.0, 3.0]), brnn.Decay(0.7))],
)
assert brnn.Network.from_json(network.to_json()) == network


def rate(t, x):
    w = np.maximum(x, 0.0)
    return -0.5 * x**3 + np.exp(-0.7 * t) * np.array([1.0, 2.0, 3.0]) - 0.3 * (2.0 * w * w / (1.0 + w))[::-1]


from scipy.integrate import solve_ivp

exact = solve_ivp(rate, (0.0, 3.0), np.full(3, 0.1), rtol=1e-11, atol=1e-12, method="DOP853").y[:, -1]
errors = [
    np.abs(brnn.simulate(network, 3.0, times=[3.0], solver="heun", step=h).final("a").values - exact).max()
    for h in (0.02, 0.01)
]
assert 3.5 < errors[0] / errors[1] < 4.5, errors
assert '- "Heun": fixed steps, order 2' in brnn.simulate.__doc__

assert main(["run", "rcf", "--set", "signal=soft-square(0.5)", "--solver", "Heun", "--step", "0.01"]) == 0
assert main(["run", "rcf", "--set", "signal=soft_square"]) == 2
assert main(["run", "rcf", "--solver", "Heun", "--set", "signal=soft-sqare(1)"]) == 2
assert main(["run", "--help"]) == 0
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of brnn with the new files in it."""
    shutil.copytree(brnn.__path__[0], tmp_path / "brnn", ignore=shutil.ignore_patterns("__pycache__", "models"))
    shutil.copytree(models.__path__[0], tmp_path / "brnn" / "models", ignore=shutil.ignore_patterns("__pycache__"))
    for place, text in FILES.items():
        (tmp_path / "brnn" / place).write_text(textwrap.dedent(text), encoding="utf-8")
    return tmp_path


def test_a_new_file_is_all_that_is_new(package: Path) -> None:
    said = subprocess.run([sys.executable, "-c", CHECKS, str(package)], cwd=package, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "Heun (asked for)" in said.stdout
    assert "compiled, Heun; with white" in " ".join(said.stdout.split())
    first, second = said.stderr.splitlines()
    assert first.endswith("SoftSquare needs gain, for example gain=1")
    assert second.endswith("unknown signal 'soft-sqare'; did you mean 'soft-square'?")
