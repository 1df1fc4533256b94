"""Composition: the only place where configuration, roles and I/O meet."""
