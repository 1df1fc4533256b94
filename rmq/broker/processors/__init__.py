"""What the Broker answers, a processor for each family of request codes."""
