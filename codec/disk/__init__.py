"""Formats of the store's files other than the commit log."""
