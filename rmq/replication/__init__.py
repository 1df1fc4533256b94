"""Copies of the commit log on other brokers: what a master and its slaves tell each other."""
