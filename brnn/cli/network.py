"""A network in words: everything that its JSON holds, a line for each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from brnn.base.plain import PlainSpec
from brnn.base.text import counted
from brnn.base.words import exact_in_words
from brnn.cli.text import columns

__all__ = ["network_in_words"]

Row = tuple[str, str]


def network_in_words(network: PlainSpec) -> str:
    """Return layers, projections with their gates and learning laws, stimuli, events, and the protocol as a table.

    Parameters
    ----------
    network : PlainSpec
        What `brnn.base.plain.plain_spec` makes of a Network or of its JSON. No class of its parts is needed.
    """
    units = "" if network.get("time_units") in (None, "1") else f" {network.get('time_units')}"
    rows = [row for layer in network.parts("layers") for row in _layer(layer)]
    rows += [row for link in network.parts("projections") for row in _projection(link, units)]
    rows += [_stimulus(stimulus) for stimulus in network.parts("stimuli")]
    rows += [row for event in network.parts("events") for row in _event(event)]
    protocol = network.get("protocol")
    duration = network.get("duration")
    if duration is None and isinstance(protocol, PlainSpec):
        duration = _length(protocol)
    if duration is not None:
        rows.append(("duration", f"{exact_in_words(duration)}{units}"))
    if network.get("reference"):
        rows.append(("reference", str(network.get("reference"))))
    known = ("name", "layers", "projections", "stimuli", "events", "protocol", "duration", "time_units", "reference")
    rows += [(name, exact_in_words(value)) for name, value in network.fields.items() if name not in known]
    text = columns(rows, indent="  ")
    if not isinstance(protocol, PlainSpec):
        return text
    table = columns(list(_phases(protocol)), ("phase", f"duration{units}", "inputs"), indent="  ")
    return f"{text}\n\nProtocol of {_count(protocol)} phases\n{table}"


def _others(spec: PlainSpec, *known: str) -> list[str]:
    """Return the fields but for those that are said elsewhere, as ``A = 1``."""
    return [f"{name} = {exact_in_words(value)}" for name, value in spec.fields.items() if name not in known]


def _layer(layer: PlainSpec) -> Iterator[Row]:
    shape = layer.get("shape") or ()
    size = " x ".join(map(str, shape))
    cells = f"{size} cells" if len(shape) > 1 else counted(shape[0] if shape else 1, "cell")
    parts = [layer.kind, cells, *_form(layer), *_others(layer, "name", "shape")]
    yield "layer", f"{layer.get('name')}: {', '.join(parts)}"


def _form(layer: PlainSpec) -> tuple[str, ...]:
    """Return which case of the generalized equation (9) a layer is."""
    if not {"C", "E", "F"} <= layer.fields.keys():
        return ()
    C, F = (np.asarray(layer.get(name)) for name in ("C", "F"))
    if not C.any() and not F.any():
        return ("additive",)
    return ("shunting",) if C.all() and F.all() else ()


def _projection(link: PlainSpec, units: str) -> Iterator[Row]:
    topology, signal = exact_in_words(link.get("topology")), exact_in_words(link.get("signal"))
    yield (
        "projection",
        f"{link.get('name')}: {link.get('source')} -> {link.get('target')}, {link.get('kind')}, {topology}, "
        f"f(w) = {signal}",
    )
    if link.get("gate") is not None:
        yield "  gate (MTM)", exact_in_words(link.get("gate"))
    if isinstance(link.get("learning"), PlainSpec):
        yield "  learning (LTM)", _law(link.get("learning"))
    if link.get("delay"):
        yield "  delay", f"{exact_in_words(link.get('delay'))}{units}"
    if link.kind == "ImmediateProjection":
        yield "  delay", "none: its signals arrive within the same step"
    said = ("name", "source", "target", "kind", "topology", "signal", "gate", "learning", "delay")
    for name, value in link.fields.items():
        if name not in said:
            yield f"  {name}", exact_in_words(value)


def _law(law: PlainSpec) -> str:
    """Return a learning law in which f stands where it reads the projection's signal, as the line before has it."""
    text = exact_in_words(law)
    own = "w" if law.kind == "CompetitiveInstar" else "f"  # which reads activities where it is given no signal
    for name in ("sampling", "sampled", "gating"):
        text = text.replace(f"{name}=none", f"{name}={own}")
    return text


def _stimulus(stimulus: PlainSpec) -> Row:
    name = stimulus.get("name")
    parts = [
        f"{'' if name is None else f'{name}, '}to {stimulus.get('target')}: {stimulus.get('kind')}",
        exact_in_words(stimulus.get("schedule")),
        f"pattern {exact_in_words(stimulus.get('pattern'))}",
        *_others(stimulus, "target", "kind", "schedule", "pattern", "name", "on"),
    ]
    if stimulus.get("on") is False:
        parts.append("off until an event starts it")
    return "stimulus", ", ".join(parts)


def _event(event: PlainSpec) -> Iterator[Row]:
    then = ", then ".join(exact_in_words(action) for action in event.parts("then")) or "only recorded"
    yield "event", f"{event.get('name')}: {exact_in_words(event.get('when'))}: {then}"
    if event.get("once"):
        yield "  once", "each cell causes it at most once in a run"
    if event.get("refractory"):
        yield "  refractory", exact_in_words(event.get("refractory"))
    if event.get("schedule") is not None:
        yield "  while", exact_in_words(event.get("schedule"))


def _length(part: PlainSpec) -> float:
    """Return the duration of a phase or of a protocol."""
    if part.kind != "Protocol":
        return float(part.get("duration"))
    return float(part.get("repeats")) * sum(_length(inner) for inner in part.parts("phases"))


def _count(part: PlainSpec) -> int:
    if part.kind != "Protocol":
        return 1
    return int(part.get("repeats")) * sum(_count(inner) for inner in part.parts("phases"))


def _phases(protocol: PlainSpec, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each phase, below a row that says how often they are repeated."""
    indent = "  " * depth
    repeats = int(protocol.get("repeats"))
    if repeats > 1:
        yield f"{indent}{repeats} times", exact_in_words(_length(protocol)), ""
        indent += "  "
    for part in protocol.parts("phases"):
        if part.kind == "Protocol":
            yield from _phases(part, depth + (repeats > 1))
            continue
        inputs: dict[str, Any] = part.get("inputs") or {}
        said = "; ".join(f"{key.replace('.', ' ')} {exact_in_words(pattern)}" for key, pattern in inputs.items())
        yield f"{indent}{part.get('name')}", exact_in_words(part.get("duration")), said or "nothing"
