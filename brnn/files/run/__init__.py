"""The file of one run."""
