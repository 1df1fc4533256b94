"""What every layer above codec shares: ports to the world, errors, words for numbers."""
