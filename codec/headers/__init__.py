"""Typed headers: one class a request and a response, grouped by family."""
