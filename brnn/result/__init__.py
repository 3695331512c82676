"""What a run leaves, in memory; knows no HDF5."""
