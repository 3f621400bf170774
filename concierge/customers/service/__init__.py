"""Decisions about customers."""

from concierge.customers.service.customers import CustomerService
from concierge.customers.service.identity import IdentityService
from concierge.customers.service.memory import REMEMBER_TASK, Memory, MemoryView, RecallService, TurnMemory
from concierge.customers.service.merging import MergeService
from concierge.customers.service.profiles import ArrivalService
from concierge.customers.service.requests import MemoryRequests
from concierge.customers.service.sessions import SessionInferenceService, SessionRuleService

__all__ = [
    "REMEMBER_TASK",
    "ArrivalService",
    "CustomerService",
    "IdentityService",
    "Memory",
    "MemoryRequests",
    "MemoryView",
    "MergeService",
    "RecallService",
    "SessionInferenceService",
    "SessionRuleService",
    "TurnMemory",
]
