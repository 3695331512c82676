"""HDF5: the files of runs and of sweeps, opened, written, exported."""
