"""Many networks at once: the compiled ensemble."""
