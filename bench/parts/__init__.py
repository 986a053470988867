"""The parts of the benchmark, each measured alone or with the others."""
