"""Wiring only: the one place that sees every room."""
