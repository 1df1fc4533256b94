"""The simulator: production code in a world with one clock, one network and one source of chance."""
