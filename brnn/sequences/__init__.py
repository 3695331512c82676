"""Networks of discrete time over sequences: initial weights, networks that are joined, gradients and training."""
