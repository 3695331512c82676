"""Parameters by dotted name: ``signal.half`` of a `build`, ``rcf.A`` of a network, and what texts mean there.

They are what the designs of sweeps are made of, `Network.with_`, the `build` of every model, and ``--set``.
"""
