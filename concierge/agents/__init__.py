"""Agents: the configured concierges of an organization."""
