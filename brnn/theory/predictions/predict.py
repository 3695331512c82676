"""``brnn.theory.predict(network)``: every theorem here looks at the network."""

from __future__ import annotations

from collections.abc import Callable

from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.theory.predictions.artmap import learned_map
from brnn.theory.predictions.associations import learned_list
from brnn.theory.predictions.averages import averaged_patterns
from brnn.theory.predictions.base import Prediction, Predictions, Unmet
from brnn.theory.predictions.bounds import bounded_activities
from brnn.theory.predictions.cascade import settling_layers
from brnn.theory.predictions.chains import firing_chain
from brnn.theory.predictions.choices import choice_states
from brnn.theory.predictions.competitive_field import competitive_field, equal_survivors, quenching_size, stored
from brnn.theory.predictions.discrete import repeating_states, saturating_cells
from brnn.theory.predictions.driven import driven_cells
from brnn.theory.predictions.few_cells import equilibria_of_few_cells
from brnn.theory.predictions.field_equilibria import field_equilibria
from brnn.theory.predictions.forgetting import growth_of_differences, units_without_feedback
from brnn.theory.predictions.lateral import lateral_inhibition
from brnn.theory.predictions.liapunov_form import falling_function
from brnn.theory.predictions.linear import linear_network
from brnn.theory.predictions.lists import remembered_list
from brnn.theory.predictions.movements import movement
from brnn.theory.predictions.normalization import normalization
from brnn.theory.predictions.order import kept_order
from brnn.theory.predictions.outstars import learned_patterns
from brnn.theory.predictions.ranks import ranked_list
from brnn.theory.predictions.resonance import resonance
from brnn.theory.predictions.settled_field import settled_field
from brnn.theory.predictions.species import competing_species
from brnn.theory.predictions.sums import constant_sums
from brnn.theory.predictions.switching import switching_cells
from brnn.theory.predictions.timing import learned_interval
from brnn.theory.predictions.totals import shared_weights
from brnn.theory.predictions.upstream import layers_in_front

__all__ = ["THEOREMS", "Theorem", "predict"]

Theorem = Callable[[Network], list[Prediction] | Unmet]

# Each looks at a network and says what follows, or the first of its conditions that the network does not meet.
_WHOLE: tuple[Theorem, ...] = (
    competitive_field,
    equal_survivors,
    field_equilibria,
    stored,
    quenching_size,
    settled_field,
    linear_network,
    driven_cells,
    settling_layers,
    lateral_inhibition,
    competing_species,
    remembered_list,
    ranked_list,
    movement,
    resonance,
    learned_map,
    firing_chain,
    learned_patterns,
    averaged_patterns,
    shared_weights,
    learned_interval,
    learned_list,
    choice_states,
    normalization,
    kept_order,
    equilibria_of_few_cells,
    switching_cells,
    constant_sums,
    units_without_feedback,
    growth_of_differences,
    repeating_states,
    saturating_cells,
    falling_function,
)


def _in_front(network: Network) -> list[Prediction] | Unmet:
    return layers_in_front(network, _WHOLE)


THEOREMS: tuple[Theorem, ...] = (*_WHOLE, _in_front, bounded_activities)


def predict(network: Network) -> Predictions:
    """Return what mathematics predicts for a network, without simulating it.

    Every theorem of `brnn.theory.predictions` looks at the structure of the network, whoever built it: recurrent
    competitive fields (21), linear networks (6), cells that are driven by inputs (13), (20), Liapunov functions (32),
    adaptive resonance, chains that fire, lists, outstars and spectra that learn, choice states, and the intervals that
    activities, gates and weights cannot leave. What other models learn and how they oscillate stands in the modules of
    `brnn.theory` and in the models' claims.

    Parameters
    ----------
    network : Network
        Any network; nothing is guessed: where no theorem applies there is no prediction.

    Returns
    -------
    Predictions
        Each Prediction says what is predicted, under which hypothesis and where that is published, and measures the
        same on a run (`Prediction.compare`, `brnn.Result.compare`); `unmet` says why the other theorems do not apply.

    Raises
    ------
    InputError
        If it is no network.

    Examples
    --------
    >>> import brnn
    >>> field = brnn.models.rcf.build(signal=brnn.Power(), initial=[0.2, 0.9, 0.4])
    >>> brnn.theory.predict(field).of("stored")[0].value.round(3)
    array([0.   , 2.618, 0.   ])
    """
    if not isinstance(network, Network):
        raise InputError(f"predict: network = {type(network).__name__}: must be a brnn.Network")
    outcomes: list[Prediction | Unmet] = []
    for theorem in THEOREMS:
        said = theorem(network)
        known = {(one.quantity, one.during) for one in outcomes if isinstance(one, Prediction)}
        if isinstance(said, Unmet):
            outcomes.append(said)
        elif theorem is _in_front:  # what is known of the whole network is not said of its parts again
            outcomes += [one for one in said if (one.quantity, one.during) not in known]
        else:
            outcomes += said
    return Predictions(network.name, tuple(outcomes), (predict, network))
