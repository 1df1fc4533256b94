"""A message: its record, its properties, its ids, and batches of it."""
