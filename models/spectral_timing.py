"""Spectral timing: cells of many speeds learn when the unconditioned stimulus comes, and answer at that time.

    dx_j/dt = r_j (-x_j + (1 - x_j) I_CS)                                  activation spectrum
    dy_j/dt = C (1 - y_j) - D f(x_j) y_j,  f(x) = x^n/(half^n + x^n)       habituation spectrum
    dg_j/dt = relay (-g_j + f(x_j) y_j)                                    gated spectrum, followed quickly
    dz_j/dt = M g_j (N - z_j)                                              outstar learning, sampled by the gated signal
    dR/dt = relay (-R + (1/n) sum_j g_j z_j + 2 I_US)                      timed response

The conditioned stimulus CS is on from the beginning of a trial, the unconditioned stimulus US comes one interstimulus
interval (isi) later. N is the now print signal: 1 while R > 1.5, which only the US can bring about, since (1/n) sum g z
stays below 1; else 0. Cells of rate r_j are sampled at different times after the CS: those that are active when
the US comes learn most. In a test trial without US the response R is a bell around the time at which the US came.

Source: Grossberg and Schmajuk (1989), Neural dynamics of adaptive timing and temporal discrimination during associative
learning, Neural Networks 2, 79-102; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888. Gate and
signal stand in the caption of figure 15.9 of Grossberg (2021), Conscious Mind, Resonant Brain; the equation of x and the
numbers I_CS = 1, n = 8, half = 0.8, C = 0.0001, D = 0.125, r_j = 0.2/j are recalled from the article, which was not at
hand; the relay, which makes a layer of the gated signals, and the form of N are chosen here.

What is known, and what is not so:

- x_j = I/(1 + I) (1 - exp(-r_j (1 + I) t)); the gated signals of slower cells have their tops later, lower and wider.
- With slow gates (the numbers above) neither the time of the top nor the width is proportional to 1/r_j: the tops of
  r = 0.2, 0.04, 0.01 and 0.0025 are at 17.5, 68.0, 207.9 and 614.5, the widths are 262, 301, 405 and 696.
- With fast gates (D to infinity) the width of each cell's signal is proportional to the time of its top: Weber's law.
- The timed response is later, wider and, for long intervals, lower, the longer the interval was that was learned. Its
  width grows with the interval, but a constant is added; its top lies at the interval only within the spectrum's
  reach: too late for short intervals, too early for long ones.

`brnn.theory.spectral_timing` has the closed forms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.models._claims import run
from brnn.models._patterns import activities, field_shape
from brnn.signals import Linear, Sigmoid, Step
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.learning import Outstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.protocol import Phase, Protocol
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.spec.validate import number, whole
from brnn.theory import spectral_timing as theory

__all__ = ["build"]

_US, _NOW = 2.0, 1.5  # what the US adds to the response, and where the now print signal begins


def build(
    n: int | None = None,
    rates: ArrayLike | None = None,
    isi: float = 200.0,
    us: float = 20.0,
    cs: float = 2000.0,
    rest: float = 100000.0,
    trials: int = 3,
    I: float = 1.0,
    half: float = 0.8,
    exponent: float = 8.0,
    C: float = 1e-4,
    D: float = 0.125,
    M: float = 1.0,
    relay: float = 10.0,
) -> Network:
    """Return a spectral timing circuit with its protocol: trials of conditioning, then a test without US.

    Parameters
    ----------
    n : int, >= 1
        Number of cells of the spectrum (1); by default that of `rates`, else 80.
    rates : array, > 0
        r_j (1/time); 0.2/j for j = 1 ... n by default.
    isi : float, > 0
        Interstimulus interval, from the onset of the CS to that of the US (time).
    us : float, > 0
        Duration of the US (time).
    cs : float, > 0
        Duration of the CS in each trial, more than isi + us (time).
    rest : float, > 0
        Time after each trial in which cells and gates recover (time).
    trials : int, >= 1
        Number of trials with US.
    I : float, > 0
        Strength of the CS (1).
    half : float, > 0
        Activity at which the signal is one half (1).
    exponent : float, >= 1
        n in the equation of the signal (1).
    C : float, > 0
        Rate at which gates recover (1/time).
    D : float, >= 0
        Rate at which gates are depleted, per unit of signal (1/time).
    M : float, >= 0
        Learning rate, per unit of the gated signal (1/time).
    relay : float, > 0
        How fast gated signals and response follow (1/time).

    Returns
    -------
    Network
        Layers "spectrum" (x), "gated" (g) and "response" (R), the gates "gate.y" and the weights "timing.z"; phases
        "before", "us", "after" and "rest" of each trial, then "test".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "spectral_timing"
    cells = field_shape(at, n, 80, (("rates", rates),))
    if len(cells) > 1:
        raise SpecError(f"{at}: n = {cells}: must have one dimension")
    r = np.array(
        np.broadcast_to(
            0.2 / np.arange(1.0, cells[0] + 1.0) if rates is None else activities(rates, f"{at}: rates", cells), cells
        )
    )
    if r.min() <= 0.0:
        raise SpecError(f"{at}: rates: has the element {r.min():g}; every element must be > 0")
    interval, pulse, shown, pause, strength, quick = (
        number(value, f"{at}: {name}", above=0.0)
        for name, value in (("isi", isi), ("us", us), ("cs", cs), ("rest", rest), ("I", I), ("relay", relay))
    )
    if shown <= interval + pulse:
        raise SpecError(f"{at}: cs = {shown:g}: must be more than isi + us = {interval + pulse:g}")
    stimulus = {"spectrum": strength * r}
    trial = Protocol(
        (
            Phase("before", interval, stimulus),
            Phase("us", pulse, {**stimulus, "response": quick * _US}),
            Phase("after", shown - interval - pulse, stimulus),
            Phase("rest", pause),
        ),
        whole(trials, f"{at}: trials", minimum=1),
    )
    return Network(
        at,
        layers=(
            Layer.shunting("spectrum", cells, A=r, B=1.0),
            Layer.additive("gated", cells, A=quick),
            Layer.additive("response", 1, A=quick),
        ),
        projections=(
            Projection(
                "spectrum",
                "gated",
                "excitatory",
                Sigmoid(1.0, number(half, f"{at}: half", above=0.0), number(exponent, f"{at}: exponent", minimum=1.0)),
                OneToOne(quick),
                gate=HabituativeGate(
                    H=number(C, f"{at}: C", above=0.0), K=1.0, L=number(D, f"{at}: D", minimum=0.0)
                ),
                name="gate",
            ),
            Projection(
                "gated",
                "response",
                "excitatory",
                Linear(),
                AllToAll(quick / cells[0]),
                learning=Outstar(rate=number(M, f"{at}: M", minimum=0.0), sampled=Step(threshold=_NOW)),
                name="timing",
            ),
        ),
        protocol=Protocol((trial, Phase("test", shown, stimulus))),
        reference="Grossberg and Schmajuk (1989), Neural Networks 2, 79-102",
    )
