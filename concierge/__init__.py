"""Concierge: self-hosted AI concierge agents that answer with sources they can prove."""

__version__ = "0.1.0"
