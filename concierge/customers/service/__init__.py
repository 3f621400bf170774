"""Decisions about customers."""

from concierge.customers.service.memory import REMEMBER_TASK, Memory, MemoryView, RecallService, TurnMemory
from concierge.customers.service.profiles import ArrivalService
from concierge.customers.service.requests import MemoryRequests
from concierge.customers.service.sessions import SessionInferenceService, SessionRuleService

__all__ = [
    "REMEMBER_TASK",
    "ArrivalService",
    "Memory",
    "MemoryRequests",
    "MemoryView",
    "RecallService",
    "SessionInferenceService",
    "SessionRuleService",
    "TurnMemory",
]
