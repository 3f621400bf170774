"""Decisions about customers."""

from concierge.customers.service.memory import REMEMBER_TASK, Memory, MemoryView, RecallService, TurnMemory
from concierge.customers.service.profiles import ArrivalService

__all__ = ["REMEMBER_TASK", "ArrivalService", "Memory", "MemoryView", "RecallService", "TurnMemory"]
