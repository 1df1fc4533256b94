"""The Broker: its tables, its services, and the processors that answer its request codes."""
