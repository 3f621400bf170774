"""Packs kept in memory, as they were at one revision: small ones whole, large ones as far as candidates are found by it."""

from concierge.knowledge.resident.packs import ResidentPacks
from concierge.knowledge.resident.sketching import Sketching

__all__ = ["ResidentPacks", "Sketching"]
