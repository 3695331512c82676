"""Put a page that needs no server together: one file with everything in it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import json
import re
import warnings
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from brnn._version import __version__
from brnn.compiler.javascript import javascript_of
from brnn.equations import equations_of
from brnn.errors import BrnnError, InputError
from brnn.explore.alone.dependence import Dependence, dependence_of
from brnn.explore.alone.formulas import Slider
from brnn.explore.alone.numbers import NetworkNumbers, numbers_of
from brnn.explore.alone.template import Drawn, template_of
from brnn.explore.asked import Asked
from brnn.explore.controls import controls_of
from brnn.figures.describe import describe
from brnn.figures.own import figure_of
from brnn.integrate import simulate
from brnn.signals import Step
from brnn.spec.durations import natural_duration
from brnn.spec.events.triggers import Crossing
from brnn.spec.network import Network
from brnn.theory import predict

__all__ = ["MOST", "page_of"]

MOST = 200  # unknowns
_TIMES = 401  # more than a phase plane is smoothed for
_CELLS = 64  # of a pattern that can be drawn
_LONGER = 4.0  # runs, where no input ends
_EQUATIONS = 20_000
_TRIES, _OTHERS = 12, 2  # other runs by which a figure is understood
_SAID = 40  # predictions that are shown
_NEAR = 0.25  # of a slider, as far as these go from the beginning

_MODULES = (
    ("page", "elements"), ("page", "canvas"), ("page", "figure"), ("page", "ask"), ("page", "pattern"),
    ("page", "controls"), ("alone/script", "integrate"), ("alone/script", "evaluate"), ("alone/script", "alone"),
)  # fmt: skip


def page_of(asked: Asked) -> str:
    """Return the text of a page that shows a model by itself: its sliders, its figure, and the integrator.

    Parameters
    ----------
    asked : Asked
        The model and its settings.

    Raises
    ------
    InputError
        If the model is one that such a page cannot hold: the message says why.
    """
    network = asked.network()
    _refuse(network)
    make = _maker(asked)
    controls = controls_of(asked, network)
    still = not network.breaks(natural_duration(network)).size and not any(p.delay for p in network.projections)
    longest = _LONGER if still else 1.0
    dependence = dependence_of(make, _sliders(controls), longest)
    equations = javascript_of(dependence.numbers.program, dependence.numbers.variables)
    data = _data(asked, network, dependence, controls, longest)
    data["figure"] = template_of(_runs(asked, make, dependence, network))
    data["theory"] = _theory(network)
    data["theoryAtStart"] = any(m["beginning"] for row in data["figure"]["rows"] for p in row for m in p["marks"])
    return _html(f"{network.name}: brnn", _script(data, dependence, equations))


def _refuse(network: Network) -> None:
    unknowns = sum(network.states.values())
    why = ""
    if unknowns > MOST:
        why = f"has {unknowns:,} unknowns, and a page without a server integrates at most {MOST}"
    elif any(event.actions for event in network.events):
        why = "its events change the run, which a page without a server does not do"
    elif network.random or network.noisy:
        why = "it draws at random, and a page without a server would not draw the same"
    if why:
        raise InputError(f"--html: {network.name}: {why}; `brnn explore` without --html shows it")


def _maker(asked: Asked) -> Any:
    """Return what builds the network of parameters by name, with the settings of the command line."""
    module = asked.model.module
    given = asked.model.values(asked.settings)
    controls = controls_of(asked, asked.network())
    lists = {c["name"]: np.array(c["value"], dtype=float) for c in controls if c["kind"] in ("numbers", "pattern")}
    shapes = {c["name"]: tuple(c["shape"]) for c in controls if c["kind"] == "pattern"}

    def make(values: Mapping[str, Any]) -> Network:
        own: dict[str, Any] = {}
        for name, value in values.items():
            owner, _, place = name.rpartition(".")
            if owner in lists and place.isdigit():
                own.setdefault(owner, lists[owner].copy())[int(place)] = value
            else:
                own[name] = value
        own = {n: v.reshape(shapes[n]) if n in shapes else v for n, v in own.items()}
        if module is None:
            return asked.model.build(asked.settings).with_(own) if own else asked.model.build(asked.settings)
        network: Network = module.build(**{**given, **own})
        return network

    return make


def _sliders(controls: list[dict[str, Any]]) -> list[Slider]:
    found = []
    for c in controls:
        if c["kind"] == "number" and not c.get("structural") and not c["whole"] and not isinstance(c["value"], str):
            found.append(Slider(c["name"], float(c["value"]), c["low"], c["high"], c["step"]))
        elif c["kind"] == "signal":
            found += [
                Slider(one["name"], float(one["value"]), one["low"], one["high"], one["step"])
                for one in c["numbers"]
                if not isinstance(one["value"], str)
            ]
        elif c["kind"] == "numbers" and not c["whole"] and not any(isinstance(v, str) for v in c["value"]):
            found += [
                Slider(f"{c['name']}.{k}", float(v), c["low"], c["high"], c["step"], c["name"])
                for k, v in enumerate(c["value"])
            ]
        elif c["kind"] == "pattern" and len(c["value"]) <= _CELLS:
            low, high = (-1.5 * c["top"] if c["below"] else 0.0), 1.5 * c["top"]
            step = (high - low) / 200.0
            found += [
                Slider(f"{c['name']}.{k}", float(v), low, high, step, c["name"]) for k, v in enumerate(c["value"])
            ]
    return [slider for slider in found if slider.low <= slider.value <= slider.high]


def _shown(controls: list[dict[str, Any]], dependence: Dependence) -> list[dict[str, Any]]:
    """Return the controls that the page has: those whose sliders it has, from where to where they go there."""
    sliders = {slider.name: slider for slider in dependence.sliders}
    groups = {slider.owner for slider in dependence.sliders}
    result = []
    for c in controls:
        words = {"set": False, "meaning": c["meaning"], "unit": c["unit"], "allowed": c["allowed"]}
        for one in [c] if c["kind"] == "number" else c["numbers"] if c["kind"] == "signal" else []:
            if one["name"] in sliders:
                own = sliders[one["name"]]
                step = own.step if own.stepwise else one["step"]
                said = words if one is c else {**words, "meaning": f"of f(w) = {c.get('formula', '')}", "unit": "1"}
                result.append({
                    **said, "kind": "number", "name": one["name"], "label": one["name"], "value": one["value"],
                    "low": own.low, "high": own.high, "step": step, "whole": False,
                })  # fmt: skip
        if c["kind"] in ("numbers", "pattern") and c["name"] in groups:
            result.append({**c, "set": False})
    return result


def _data(
    asked: Asked, network: Network, dependence: Dependence, controls: list[dict[str, Any]], longest: float
) -> dict[str, Any]:
    numbers = dependence.numbers
    duration = float(natural_duration(network))
    shown = _shown(controls, dependence)
    shown.append({
        "kind": "number", "name": "duration (of the run)", "label": "duration (of the run)", "set": False,
        "meaning": "how long the run lasts", "unit": network.time_units, "value": duration, "low": duration / 50,
        "high": longest * duration, "step": duration / 50, "whole": False,
    })  # fmt: skip
    equations = equations_of(network).text()
    blocks = {f"{v.group}.x": v for v in numbers.variables if v.quantity == "x"}
    module = asked.model.module
    title = (module.__doc__ or "").partition("\n")[0].rstrip(".") if module is not None else network.name
    return {
        "name": network.name,
        "title": title,
        "reference": network.reference,
        "command": " ".join(asked.command().split(" -o ")[:1]),
        "size": sum(network.states.values()),
        "step": network.step,
        "tolerance": _tolerance(network),
        "longest": longest,
        "sliders": [dataclasses.asdict(slider) for slider in dependence.sliders],
        "controls": shown,
        "notes": _notes(dependence),
        "equationsText": equations if len(equations) <= _EQUATIONS else "",
        "slots": {
            "first": numbers.slots.first, "moving": numbers.slots.moving, "places": numbers.slots.places,
        },
        "variables": [
            {"name": f"{v.group}.{v.quantity}", "shape": list(shape), "start": v.start, "size": v.size}
            for v, shape in zip(numbers.variables, _shapes(numbers, network), strict=True)
        ],
        "watches": _watches(numbers, network),
        "lags": [
            {"array": array, "start": blocks[f"{layer}.x"].start, "width": blocks[f"{layer}.x"].size, "delay": delay}
            for array, layer, delay in numbers.delays
        ],
    }  # fmt: skip


def _tolerance(network: Network) -> float:
    """Return the relative tolerance of the integrator: a step that passes a jump errs by more than it thinks."""
    return 1e-12 if any(isinstance(link.signal, Step) for link in network.projections) else 1e-10


def _watches(numbers: NetworkNumbers, network: Network) -> list[dict[str, Any]]:
    """Return the crossings that are to be found; the page has no events that do anything."""
    blocks = {f"{v.group}.{v.quantity}": v for v in numbers.variables}
    found = []
    for event in network.events:
        when = event.when
        if isinstance(when, Crossing):
            block = blocks[when.state]
            threshold = np.broadcast_to(np.ravel(when.threshold), block.size if when.per == "cell" else 1)
            found.append({
                "name": event.name, "state": when.state, "start": block.start, "size": block.size, "per": when.per,
                "threshold": threshold.tolist(), "falling": when.direction == "falling", "once": event.once,
                "refractory": event.refractory, "windows": numbers.slots.first.get(f"window {event.name}"),
            })  # fmt: skip
    return found


def _shapes(numbers: NetworkNumbers, network: Network) -> list[tuple[int, ...]]:
    shapes = network.state_shapes
    return [tuple(shapes[f"{v.group}.{v.quantity}"]) for v in numbers.variables]


def _notes(dependence: Dependence) -> list[str]:
    """Return what the page says about itself."""
    tolerance = f"{_tolerance(dependence.numbers.network):g}"
    notes = [
        f"Everything in this page runs in this browser: the equations were translated by brnn {__version__}, and the "
        f"integrator (Dormand and Prince, order 5, relative tolerance {tolerance}; in discrete time the network's own "
        "step) "
        "is part of the file. It asks nobody for anything."
    ]
    ranges = {slider.name: f"{slider.name} from {slider.low:.4g} to {slider.high:.4g}" for slider in dependence.sliders}
    if dependence.fitted:
        told = ", ".join(ranges[name] for name in dependence.fitted)
        notes.append(f"Some constants are polynomials, exact to ten digits within the range of their slider: {told}.")
    if dependence.listed:
        told = ", ".join(ranges[name] for name in dependence.listed)
        notes.append(f"Constants are listed for each place of a slider, which goes in steps: {told}.")
    notes += [f"Not here: {name}, since {why}." for name, why in dependence.left_out.items()]
    return notes


def _theory(network: Network) -> list[list[str]]:
    """Return what theory says of the beginning: quantity, words, and where they come from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = predict(network)
    return [[one.quantity, one.words, f"{one.hypothesis}. {one.source}"] for one in said][:_SAID]


def _runs(asked: Asked, make: Any, dependence: Dependence, network: Network) -> list[Drawn]:
    """Return the run of the beginning and a few others with their figures."""
    rng = np.random.default_rng(7)
    found: list[Drawn] = []
    own = figure_of(asked.model.module) if asked.model.path is not None else None
    for attempt in range(_TRIES):
        values: dict[str, float] = {}
        for slider in dependence.sliders if attempt else ():
            reach = _NEAR * (slider.high - slider.low)
            value = float(rng.uniform(max(slider.low, slider.value - reach), min(slider.high, slider.value + reach)))
            if slider.stepwise:
                value = slider.low + slider.step * round((value - slider.low) / slider.step)
            values[slider.name] = value
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                other = make(values)
                length = natural_duration(other)
                times = None if network.step is not None else np.linspace(0.0, length, _TIMES)
                result = simulate(other, length, times=times)
                found.append(Drawn(result, numbers_of(other), describe(result, own)))
        except BrnnError:
            if not attempt:
                raise
        if len(found) > _OTHERS or not dependence.sliders:
            break
    return found


def _script(data: dict[str, Any], dependence: Dependence, equations: str) -> str:
    """Return the script of the page: its modules, each in a function, then the model."""
    parts = ['"use strict";', "(() => {", "const modules = {};"]
    for folder, name in _MODULES:
        text = (files("brnn.explore").joinpath(*folder.split("/")) / f"{name}.js").read_text(encoding="utf-8")
        parts.append(_as_function(name, text))
    numbers = dependence.numbers
    vector = base64.b64encode(np.nan_to_num(numbers.vector, nan=0.0, posinf=np.inf, neginf=-np.inf).astype("<f8"))
    whole = {name: array.ravel().tolist() for name, array in numbers.whole.items()}
    parts += [
        "const { chebyshev } = modules.integrate;",
        f"const bytes = Uint8Array.from(atob({json.dumps(vector.decode())}), (c) => c.charCodeAt(0));",
        "const initialVector = new Float64Array(bytes.buffer);",
        equations,
        dependence.text,
        f"const network = {json.dumps(data, allow_nan=False, default=_as_json)};",
        f"const whole = {json.dumps(whole)};",
        "network.whole = {};",
        "for (const [name, list] of Object.entries(whole)) network.whole[name] = Int32Array.from(list);",
        "Object.assign(network, { equations, constants });",
        "modules.alone.start(network, document.getElementById('panes'));",
        "})();",
    ]
    return "\n".join(parts)


def _as_json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a page")


_IMPORT = re.compile(r'^import \{ (.*?) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:const|function|class) (\w+)", re.MULTILINE)


def _as_function(name: str, text: str) -> str:
    """Return a module of the page as a function that is called at once, so that one script holds all of them."""
    names = _EXPORT.findall(text)
    body = _IMPORT.sub(r"const { \1 } = modules.\2;", text)
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    return f"modules.{name} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def _html(title: str, script: str) -> str:
    """Return the page; its policy lets this script and these styles in, and nothing from elsewhere."""
    style = (files("brnn.explore") / "page" / "style.css").read_text(encoding="utf-8")
    script = script.replace("</", "<\\/")
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join([
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{html.escape(title)}</title>", f"<style>{style}</style>", "</head>", "<body>",
        f"<header><h1>{html.escape(title)}</h1><p>Move a parameter and see what the network does.</p></header>",
        '<main id="panes"></main>', "<noscript><p>This page needs JavaScript, all of which is in it.</p></noscript>",
        f"<script>{script}</script>", "</body>", "</html>", "",
    ])  # fmt: skip
