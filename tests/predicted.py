"""One prediction of a network, or why a theorem has none."""

import brnn
from brnn.theory import predict
from brnn.theory.predictions.base import Prediction


def only(network: brnn.Network, quantity: str) -> Prediction:
    (found,) = predict(network).of(quantity)
    return found


def theorem(network: brnn.Network, words: str) -> str:
    """The condition that a theorem misses."""
    (why,) = (unmet.hypothesis for unmet in predict(network).unmet if words in unmet.theorem)
    return why
