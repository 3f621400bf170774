"""Decisions of the tools: what to look for on the web, and what of it may be used."""

from concierge.tools.service.looking_up import WebLookup
from concierge.tools.service.searching import WebSearch

__all__ = ["WebLookup", "WebSearch"]
