"""When a spectrum of cells answers that has learned an interval: `brnn.theory.spectral_timing`, on a Network."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.signals import Linear, Sigmoid, Step
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import PhaseBegins
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers.generalized import Layer
from brnn.spec.learning import Outstar
from brnn.spec.network import Network
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import spectral_timing as theory
from brnn.theory.predictions.base import InputPhase, NotMeasured, Prediction, Unmet, constant_phases
from brnn.theory.predictions.measuring import saved

__all__ = ["learned_interval"]

_TIMING = "a spectrum of cells that learns an interval (spectral timing)"
_SOURCE = "Grossberg and Schmajuk (1989), Neural Networks 2, 79-102; integrals, derived in brnn.theory.spectral_timing"
_POINTS = 2001
_ACCURACY = 1e-4  # of the largest weight, and of the height of the response


def learned_interval(network: Network) -> list[Prediction] | Unmet:
    """Give the weights after conditioning, and when and how high the response of the test trial is."""
    parts = _parts(network)
    if isinstance(parts, Unmet):
        return parts
    spectrum, response, gate, learning, sent = parts
    phases = list(constant_phases(network))
    trials = _trials(network, phases, spectrum.name, response.name)
    if isinstance(trials, Unmet):
        return trials
    isi, us, cs, count, test = trials
    given = phases[0].inputs[spectrum.name, "excitatory"].ravel()
    rates = np.broadcast_to(spectrum.A, spectrum.shape).ravel()
    strength = given / rates
    level = (phases[1].inputs[response.name, "excitatory"].max()) / float(np.max(response.A))
    if np.ptp(strength) > 1e-12 * strength.max():
        return Unmet(_TIMING, "one stimulus I for all cells of the spectrum")
    now = learning.sampled.threshold
    if not 1.0 < now < level:
        return Unmet(
            _TIMING, f"a now print signal that only the US brings about: 1 < {now:g} < {level:g} (threshold, US)"
        )
    relay = float(np.max(response.A))
    # The response rises to the threshold of the now print signal in this time after the US, and falls in the other.
    numbers = (rates, float(strength[0]), sent.half, sent.exponent, gate.H, gate.L)
    learned = theory.learned(isi, isi + us, cs, count, learning.rate, relay, *numbers)
    t = np.linspace(0.0, test.stop - test.start, _POINTS)
    course = theory.response(t, learned, learning.rate, relay, *numbers)
    k = int(course.argmax())
    if not 0 < k < t.size - 1:
        return Unmet(_TIMING, "a test that is long enough for the response to fall again")
    fit = np.polynomial.Polynomial.fit(t[k - 1 : k + 2], course[k - 1 : k + 2], 2)
    top = float(fit.deriv().roots()[0].real)
    lag = 2.0 / relay  # within which the now print signal follows the US
    hypothesis = f"N = 1 while the US is on, up to {lag:g}: the response follows it at the rate {relay:g}"
    return [
        Prediction(
            "time of the top of the response",
            test.start + top,
            f"{top:.5g} after the CS; the US came after {isi:g}",
            hypothesis,
            _SOURCE,
            (test.start, test.stop),
            {"height": float(course[k]), "weights": learned},
            tolerance=lag + 2.0 * (t[1] - t[0]),
            _measure=lambda result: _top(result, f"{response.name}.x", test)[0],
        ),
        Prediction(
            "height of the response",
            float(course[k]),
            f"{course[k]:.5g}, by weights of at most {learned.max():.4g}",
            hypothesis,
            _SOURCE,
            (test.start, test.stop),
            tolerance=float(course[k]) * (_ACCURACY + lag / us),
            _measure=lambda result: _top(result, f"{response.name}.x", test)[1],
        ),
    ]


def _parts(network: Network) -> tuple[Any, Any, Any, Any, Any] | Unmet:
    """Return spectrum, response, gate, learning law and the signal of the spectrum."""
    gated = [p for p in network.projections if isinstance(p.gate, HabituativeGate)]
    taught = [p for p in network.projections if isinstance(p.learning, Outstar)]
    if len(network.layers) != 3 or len(network.projections) != 2 or len(gated) != 1 or len(taught) != 1:
        return Unmet(
            _TIMING, "a spectrum, its gated signals and a response: one projection with gates, one that learns"
        )
    (through,), (learns,) = gated, taught
    spectrum, relay, response = (network.layer(n) for n in (through.source, through.target, learns.target))
    sent, gate, law = through.signal, through.gate, learns.learning
    links: Any = [through.topology, learns.topology]
    assert isinstance(gate, HabituativeGate)
    assert law is not None
    if learns.source != relay.name or not all(type(layer) is Layer for layer in (spectrum, relay, response)):
        return Unmet(_TIMING, "a chain of layers (9): spectrum, gated signals, response")
    cells: Any = (spectrum, relay, response)
    quick = float(np.max(relay.A)) if isinstance(relay, Layer) else 0.0
    good = (
        isinstance(sent, Sigmoid)
        and sent.gain == 1.0
        and gate.K == 1.0
        and (gate.initial is None or np.all(gate.initial == 1.0))
        and isinstance(links[0], OneToOne)
        and isinstance(links[1], AllToAll)
        and np.allclose(cells[1].A, quick)
        and np.allclose(cells[2].A, quick)
        and np.allclose(links[0].weight, quick)
        and np.allclose(links[1].weight, quick / spectrum.cells)
        and learns.signal == Linear()
        and law.sampling is None
        and law.schedule is None
        and isinstance(law.sampled, Step)
        and law.sampled.gain == 1.0
        and not np.any(law.initial)
        and not any(np.any(layer.initial) for layer in cells)
        and np.all(cells[0].B == 1.0)
        and np.all(cells[0].C == 1.0)
        and cells[1].accepts_signed_input()
        and cells[2].accepts_signed_input()
    )
    if not good:
        return Unmet(_TIMING, "the equations of brnn.theory.spectral_timing, at rest at first")
    return spectrum, response, gate, law, sent


def _trials(network: Network, phases: list[InputPhase], spectrum: str, response: str) -> Any:
    """Return interval, duration of the US, length of a trial, how many there are, and the test."""
    rested: list[Any] = [e for e in network.events if isinstance(e.when, PhaseBegins)]
    sets = {a.state: a.value for e in rested for a in e.actions if isinstance(a, SetState)}
    if len(sets) != 4 or any(len(e.actions) != 4 for e in rested) or len(rested) != len(network.events):
        return Unmet(_TIMING, "trials that begin at rest and with full gates")
    on = [bool(p.inputs[response, "excitatory"].any()) for p in phases]
    first = phases[0].inputs[spectrum, "excitatory"]
    if any((p.inputs[spectrum, "excitatory"] != first).any() for p in phases) or not first.any():
        return Unmet(_TIMING, "a stimulus that is on in each trial and in the test")
    count = sum(on)
    if network.protocol is None or not count or len(phases) not in (3 * count, 3 * count + 1):
        return Unmet(_TIMING, "trials with one US each, and a test without")
    spans = network.protocol.spans
    begins = [span.start for span in spans if span.name in {e.when.phase for e in rested}]
    ends = [*begins[1:], phases[-1].stop]
    us = [p for p, is_on in zip(phases, on, strict=True) if is_on]
    isi = us[0].start - begins[0]
    if len(begins) != count + 1 or not np.allclose([u.start - b for u, b in zip(us, begins, strict=False)], isi):
        return Unmet(_TIMING, "trials that are alike, and one test after them")
    return isi, us[0].stop - us[0].start, ends[0] - begins[0], count, InputPhase(begins[-1], ends[-1], {})


def _top(result: Any, name: str, test: InputPhase) -> tuple[float, float]:
    times, values = saved(result, name, (test.start, test.stop))
    after = times > test.start
    times, values = times[after], values[after].reshape(int(after.sum()), -1)[:, 0]
    k = int(values.argmax())
    if not 1 < k < times.size - 2:
        raise NotMeasured(f"{name}: the top of the response is not within the saved times of the test")
    near = slice(k - 2, k + 3)
    fit = np.polynomial.Polynomial.fit(times[near], values[near], 4)
    places = fit.deriv().roots()
    real = [float(p.real) for p in places if abs(p.imag) < 1e-9 and times[k - 1] <= p.real <= times[k + 1]]
    top = real[0] if real else float(times[k])
    return top, float(fit(top))
