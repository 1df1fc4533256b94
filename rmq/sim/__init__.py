"""The simulator: production code in a world with one clock, one network, one source of chance."""
