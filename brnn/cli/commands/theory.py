"""``brnn theory``: what mathematics predicts for a network, without simulating it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn.cli.commands.options import ModelName, Settings

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["EXAMPLES", "theory"]

EXAMPLES = (
    "brnn theory rcf",
    "brnn theory rcf --set 'signal=w**2' --set initial=0.2,0.9,0.4",
    "brnn theory feedforward_shunting --set D=0.1",
)
_CELLS_AT_MOST = 1000  # for thresholds that are found by integrating

Rows = list[tuple[str, str]]


def theory(
    model: ModelName,
    settings: Settings = None,
    source: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="Input pattern, as for `brnn run`.")
    ] = None,
) -> None:
    """Say what mathematics predicts for a model.

    Regime, equilibria and their stability, thresholds, and the final pattern where theory determines it.

    Covered are recurrent competitive fields (21), additive networks with linear signals (6), and layers of shunting
    or membrane cells that are driven by inputs alone (13), (20).
    """
    from brnn.cli.model import find_model
    from brnn.cli.text import columns
    from brnn.errors import InputError

    found = find_model(model)
    pattern = None
    if source is not None:
        from brnn.cli.inputs import read_pattern

        pattern = read_pattern(source)
    network = found.build(settings or (), pattern, source or "")
    if any(stimulus.schedule.varying or stimulus.schedule.white for stimulus in network.stimuli):
        raise InputError(f"{found.name}: no theory here for inputs that change all the time")
    if network.events:
        raise InputError(f"{found.name}: no theory here for networks with events")
    if (field := _competitive_field(network)) is not None:
        rows = _field_in_words(network, *field)
    elif (linear := _linear_network(network)) is not None:
        rows = _linear_in_words(network, *linear)
    elif not network.projections and all(_is_known(layer) for layer in network.layers):
        rows = _driven_in_words(network)
    else:
        raise InputError(
            f"{found.name}: no theory here for this network: it is no recurrent competitive field (21), not additive "
            "and linear (6), not driven by inputs alone; `brnn verify` checks what is published about the models"
        )
    print(columns(rows))


def _is_generalized(layer: Any) -> bool:
    from brnn.spec.layers.generalized import Layer

    return isinstance(layer, Layer)


def _is_known(layer: Any) -> bool:
    from brnn.spec.layers.membrane import MembraneLayer

    return _is_generalized(layer) or isinstance(layer, MembraneLayer)


def _competitive_field(network: Network) -> tuple[float, float, Any, float] | None:
    """Return A, B, f and the factor of the recurrent inhibition if the network is (21), else None."""
    import numpy as np

    from brnn.spec.topologies.uniform import AllButSelf, OneToOne

    if len(network.layers) != 1 or len(network.projections) != 2 or not _is_generalized(network.layers[0]):
        return None
    layer: Any = network.layers[0]
    kinds = {link.kind: link for link in network.projections}
    center, others = kinds.get("excitatory"), kinds.get("inhibitory")
    if center is None or others is None or center.signal != others.signal or np.ndim(layer.A) or np.ndim(layer.B):
        return None
    shunting = layer.C == 1.0 and layer.F == 1.0 and layer.E == 0.0
    plain = all(link.gate is None and link.learning is None and not link.delay for link in (center, others))
    uniform = isinstance(center.topology, OneToOne) and isinstance(others.topology, AllButSelf)
    if not (shunting and plain and uniform and center.topology.weight == 1.0 and layer.A > 0):  # type: ignore[attr-defined]
        return None
    return layer.A, layer.B, center.signal, float(others.topology.weight)  # type: ignore[attr-defined]


def _field_in_words(network: Network, A: float, B: float, signal: Any, v: float) -> Rows:
    import numpy as np

    from brnn.cli.text import pattern_in_words, value_in_words
    from brnn.theory import rcf

    layer: Any = network.layers[0]
    most = rcf.most_survivors(A, B, signal, layer.cells, inhibition=v)
    rows = [
        (
            "network",
            f"recurrent competitive field (21): {layer.cells} cells, A = {A:g}, B = {B:g}, inhibition v = {v:g}",
        ),
        ("signal", f"{value_in_words(signal)}: {signal.shape(B)} on 0 ... B"),
        ("stored at most", f"{most} cells"),
    ]
    levels = rcf.equilibria(A, B, signal)
    stable = "0 " + ("(unstable)" if B * signal.hill(0.0) > A else "(stable)")
    found = [f"{e.level:.8g} ({'stable' if e.stable else 'unstable'})" for e in levels]
    rows.append(("total of one cell", ", ".join([stable, *found]) + ": h(x) = A/(B - x)  (25)"))
    for k in range(2, min(most, 6) + 1):
        held = [e for e in rcf.equilibria(A, B, signal, survivors=k, inhibition=v) if e.stable and not e.jump]
        for e in held:
            mode = rcf.modes(e.level, A, B, signal, survivors=k, n=layer.cells, inhibition=v)
            kind = "stable" if mode.stable else "neutral" if mode.largest <= 1e-9 else "unstable"
            rows.append((f"{k} equal survivors", f"{e.level:.8g} each ({kind}, largest eigenvalue {mode.largest:.3g})"))
    initial = np.broadcast_to(np.asarray(layer.initial, dtype=float), layer.shape)
    if v == 1.0 and not network.stimuli and initial.any():
        storage = rcf.storage(A, B, signal, initial)
        rows.append(("theorem", f"{storage.theorem} [{storage.source}]"))
        for state in storage.possible:
            rows.append(("stored", f"{pattern_in_words(state)}, total {state.sum():.8g}"))
        if not storage.possible:
            rows.append(("stored", "not determined by the initial state alone"))
    elif network.stimuli:
        rows.append(("stored", "the theorems need a field without inputs: --set initial=0.2,0.9,0.4 gives it a state"))
    return rows + _noise_in_words(initial, A, B, signal, v)


def _noise_in_words(initial: Any, A: float, B: float, signal: Any, v: float) -> Rows:
    """Return the size below which the initial pattern is quenched, found by bisection of independent integrations."""
    from brnn.errors import BrnnError
    from brnn.theory import rcf

    if not initial.any() or initial.size > _CELLS_AT_MOST:
        return []
    try:
        found = rcf.noise_threshold(initial, A, B, signal, inhibition=v)
    except BrnnError as error:
        return [("quenching", str(error))]
    largest = float(initial.max())
    text = f"this pattern is quenched below {found} times its size (largest activity {found.value * largest:.6g})"
    return [("quenching", f"{text}; measured by independent integration")]


def _phases(network: Network) -> Iterator[tuple[str, dict[tuple[str, str], Any]]]:
    """Yield each interval in which the inputs do not change, with the input of each layer by its name and kind."""
    import numpy as np

    length = network.duration or 1.0
    edges = np.concatenate([[0.0], network.breaks(length), [length]])
    for start, stop in itertools.pairwise(edges):
        given: dict[tuple[str, str], Any] = {
            (layer.name, kind): np.zeros(layer.shape)
            for layer in network.layers
            for kind in ("excitatory", "inhibitory")
        }
        for stimulus in network.stimuli:
            layer = network.layer(stimulus.target)
            given[stimulus.target, stimulus.kind] += stimulus.at(0.5 * float(start + stop), layer.shape)
        yield f"t = {start:g} ... {stop:g}", given


def _driven_in_words(network: Network) -> Rows:
    rows: Rows = [("network", "driven by inputs alone; while these stay constant each cell settles by itself")]
    for phase, given in _phases(network):
        for layer in network.layers:
            rows += _settled_in_words(layer, given[layer.name, "excitatory"], given[layer.name, "inhibitory"], phase)
    return rows


def _settled_in_words(layer: Any, exc: Any, inh: Any, phase: str) -> Rows:
    import numpy as np

    from brnn.cli.text import pattern_in_words
    from brnn.theory import membrane

    if _is_generalized(layer):
        rate = layer.A + layer.C * exc + layer.F * inh
        current = layer.B * exc - layer.E * inh
    else:
        cell = membrane.Membrane(layer.V_plus, layer.V_minus, layer.V_p, layer.g_p, layer.C)
        rate = (exc + inh + layer.g_p) / layer.C
        current = membrane.equilibrium(cell, exc, inh) * rate
    if not np.all(rate > 0):
        return [(f"{layer.name}.x", f"{phase}: no equilibrium, nothing decays")]
    x = np.broadcast_to(current / rate, layer.shape)
    words = f"{phase}: total input {exc.sum():.5g}, sum of x {x.sum():.8g}, approached at rate {np.min(rate):.5g}"
    return [(f"{layer.name}.x", words), ("", pattern_in_words(x))]


def _linear_network(network: Network) -> tuple[Any, Any] | None:
    """Return A and W of an additive network of one layer with linear signals, (6)(7), else None."""
    import numpy as np

    from brnn.signals import Linear

    layer: Any = network.layers[0]
    if len(network.layers) != 1 or not _is_generalized(layer) or not layer.accepts_signed_input():
        return None
    if layer.cells > _CELLS_AT_MOST or np.any(layer.B != 1.0) or np.any(layer.E != 1.0) or not network.projections:
        return None
    W = np.zeros((layer.cells, layer.cells))
    for link in network.projections:
        if not isinstance(link.signal, Linear) or link.gate is not None or link.learning is not None or link.delay:
            return None
        sign = 1.0 if link.kind == "excitatory" else -1.0
        W += sign * link.signal.gain * link.topology.strengths(layer.shape, layer.shape)
    return np.ravel(layer.A) if np.ndim(layer.A) else layer.A, W


def _linear_in_words(network: Network, A: Any, W: Any) -> Rows:
    from brnn.cli.text import pattern_in_words
    from brnn.theory import additive

    layer = network.layers[0]
    rate = additive.growth_rate(A, W)
    fate = "it settles" if rate < 0 else "it does not settle"
    rows = [
        ("network", f"additive with linear signals (6)(7): {layer.cells} cells, dx/dt = M x + I, M = W - diag(A)"),
        ("stability", f"largest real part of the eigenvalues of M: {rate:.8g}; {fate}"),
    ]
    for phase, given in _phases(network):
        inputs = given[layer.name, "excitatory"] - given[layer.name, "inhibitory"]
        if rate < 0:
            x = additive.equilibrium(A, W, inputs.ravel()).reshape(layer.shape)
            rows.append((f"{layer.name}.x", f"{phase}: total input {inputs.sum():.5g}, sum of x {x.sum():.8g}"))
            rows.append(("", pattern_in_words(x)))
    return rows
