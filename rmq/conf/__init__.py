"""Configuration by RocketMQ's own keys: declarations, files, defaults and live changes."""
