"""What answers requests to a Controller."""
