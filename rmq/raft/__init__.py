"""Consensus without I/O, in the flavour of DLedger 0.3.1.2."""
