"""What knows nothing of networks: frozen data with JSON, checks, the tracer of varying numbers, memory, code text."""
