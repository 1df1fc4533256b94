"""Tests of the house's tools."""
