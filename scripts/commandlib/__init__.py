"""What the long commands of the house share: their frame, their options, and how they wait."""
