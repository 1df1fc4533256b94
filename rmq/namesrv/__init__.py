"""The NameServer: which brokers there are, and which of them serves which topic."""
