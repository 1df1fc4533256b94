"""Integers that must not be mixed up, each with its own type."""

from typing import NewType

Millis = NewType("Millis", int)
"""A span or a moment in milliseconds."""

QueueOffset = NewType("QueueOffset", int)
"""A message's number in its queue, from 0."""

PhysicalOffset = NewType("PhysicalOffset", int)
"""A position in the commit log in bytes, from 0."""

Term = NewType("Term", int)
"""A consensus term; -1 is none yet."""

Epoch = NewType("Epoch", int)
"""A number that grows with each new master or each new set of replicas."""
