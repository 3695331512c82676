"""The circuit of `brnn.models.grip_force`: hand, cerebellum, and the climbing fibre that teaches it."""

from __future__ import annotations

from typing import Any

from brnn.base.checks import number
from brnn.errors import SpecError
from brnn.signals import Expression, Function, Linear, Power, Signal, ThresholdLinear
from brnn.spec.events.protocol import Phase
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.learning import Taught
from brnn.spec.modulation import Modulation
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllToAll, OneToOne

__all__ = ["CLIMBING", "FEEL", "GRIP", "cerebellum", "hand", "layers", "phases", "teacher"]

_DISTANCE, _WEIGHT, _APERTURE = 5.0, 4.0, 2.0  # of the transport, what lifting has to bear, and the fingers' goal
GRIP, FEEL = 40.0, 50.0  # rates of the grip force and of the slip error (1/s)

# What the climbing fibre sends of the slip error, and while its rate of change is what.
_GROWS, _DOES_NOT_FALL = Function("where(w > 0, 1, 0)"), Function("where(w >= 0, 1, 0)")
CLIMBING: dict[str, tuple[Signal, Signal]] = {
    "slip": (Linear(), _GROWS),
    "constant": (Function("h", h=0.1), _DOES_NOT_FALL),
    "constant_while_rising": (Function("h", h=0.1), _GROWS),
}


def phases(at: str, go: float, lead: float, context: float, lag: float, trial: float) -> list[Phase]:
    """Return the phases of a trial; raise SpecError if they do not follow each other."""
    lifts, before, lasts, ends = (
        number(value, f"{at}: {name}", above=0.0)
        for name, value in (("go", go), ("lead", lead), ("context", context), ("trial", trial))
    )
    if before >= lifts:
        raise SpecError(f"{at}: lead = {before:g}: must be less than go = {lifts:g}")
    if lasts >= before:
        raise SpecError(f"{at}: context = {lasts:g}: must be less than lead = {before:g}")
    if ends <= lifts + lag:
        raise SpecError(f"{at}: trial = {ends:g}: must be more than go + lag = {lifts + lag:g}")
    always = {"clock": 1.0, "difference": 30.0 * _APERTURE}
    lifted = {**always, "transport_difference": 30.0 * _DISTANCE}
    return [
        Phase("before", lifts - before, always),
        Phase("context", lasts, {**always, "mossy": 10.0}),
        Phase("wait", before - lasts, always),
        Phase("lift", lag, lifted),
        Phase("felt", ends - lifts - lag, lifted),
    ]


def layers(cells: tuple[int, ...], opening: float, relay: float) -> list[LayerLaw]:
    """Return all layers, at rest, as each trial begins."""
    rates = {
        "clock": 0.0, "lift": 0.0, "felt": 0.0, "GO": 30.0, "velocity": 300.0, "transport_difference": 30.0,
        "transport_velocity": 300.0, "transport": 0.0, "load_force": 0.0, "load_error": FEEL, "slip": FEEL,
        "slipped": 0.0, "purkinje": relay, "rise": relay, "climbing": relay,
    }  # fmt: skip
    return [
        *(Layer.additive(name, 1, A=rate) for name, rate in rates.items()),
        Layer.additive("difference", 1, A=30.0, initial=_APERTURE - opening),
        Layer.additive("aperture", 1, A=0.0, initial=opening),
        Layer("grip", (1,), A=0.0, B=1.0, C=0.0, E=0.0, F=1.0),
        Layer.shunting("mossy", 1, A=0.2, B=1.0),
        GatedLayer("granule", cells, A=0.0, B=1.0, C=1.0, E=0.1, F=1.0),
        Layer.shunting("golgi", cells, A=0.1, B=1.0),
        Layer.additive("nuclear", 1, A=100.0, initial=-1.0),
    ]


def _link(source: str, target: str, weight: float = 1.0, signal: Signal | None = None, **more: Any) -> Projection:
    return Projection(source, target, signal=signal or Linear(), topology=OneToOne(weight), **more)


_POSITIVE = ThresholdLinear(gain=1.0, threshold=0.0)


def _missing(load: float, lag: float) -> dict[str, Any]:
    """Return what is missing of a force, as it is felt."""
    signal = Function("max(load - w, 0)", load=load)
    return {"signal": signal, "delay": lag, "modulation": Modulation("felt")}


def hand(load: float, gain: float, lag: float) -> list[Projection]:
    """Return what moves fingers and hand, and makes the grip force."""
    go = Modulation("GO")
    return [
        _link("clock", "GO", 30.0, Power(1.0, 1.4), modulation=Modulation("lift")),
        _link("aperture", "difference", 30.0, kind="inhibitory"),
        _link("difference", "velocity", 300.0, modulation=go),
        _link("velocity", "aperture"),
        _link("transport", "transport_difference", 30.0, kind="inhibitory"),
        _link("transport_difference", "transport_velocity", 300.0, _POSITIVE, modulation=go),
        _link("transport_velocity", "transport"),
        _link("load_error", "load_force", 40.0),
        _link("load_force", "load_error", FEEL * 0.25, **_missing(_WEIGHT, lag)),
        _link("slip", "grip", GRIP),
        _link("nuclear", "grip", GRIP, _POSITIVE),
        _link("velocity", "grip", 3.0 * GRIP, _POSITIVE, kind="inhibitory"),
        _link("grip", "slip", FEEL * gain, **_missing(load, lag)),
        _link("grip", "slipped", 1.0, Function("max(load - w, 0)", load=load), modulation=Modulation("lift")),
    ]


def cerebellum(
    threshold: float, inhibition: float, depression: float, potentiation: float, forgetting: float, relay: float
) -> list[Projection]:
    """Return what lets the nuclear cell be active in time, and learns when."""
    f = Expression("12*max(w - threshold, 0)**2/(1 + 4*max(w - threshold, 0)**2)", threshold=threshold)
    p = Function("1 + 1.5*w*abs(w)/(1 + w**2)")
    ltd = Taught(initial=1.0, recovery=1.0, depression=depression, target_trace="climbing")
    ltp = Taught(potentiation=potentiation, forgetting=forgetting, target_trace="climbing")
    return [
        _link("mossy", "mossy", 10.0),
        Projection("mossy", "granule", "excitatory", Linear(), AllToAll()),
        Projection("mossy", "golgi", "excitatory", Linear(), AllToAll(5.0 * 0.02)),
        _link("granule", "golgi", 5.0, f),
        _link("golgi", "granule", inhibition, kind="inhibitory"),
        Projection("granule", "purkinje", "excitatory", f, AllToAll(relay), learning=ltd, name="parallel"),
        Projection("granule", "purkinje", "inhibitory", f, AllToAll(relay), name="interneurons"),
        _link("mossy", "nuclear", 100.0, learning=ltp, name="collateral"),
        _link("purkinje", "nuclear", 100.0, p, kind="inhibitory"),
    ]


def teacher(load: float, gain: float, lag: float, relay: float, sent: Signal, while_: Signal) -> list[Projection]:
    """Return what makes the climbing fibre signal while the slip error does what `while_` says."""
    return [
        _link("grip", "rise", relay * FEEL * gain, **_missing(load, lag)),
        _link("slip", "rise", relay * FEEL, kind="inhibitory"),
        _link("slip", "climbing", relay, sent, modulation=Modulation("rise", while_)),
    ]
