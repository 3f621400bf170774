"""Decisions about customers."""

from concierge.customers.service.customers import CustomerService
from concierge.customers.service.identity import IdentityService
from concierge.customers.service.merging import MergeService
from concierge.customers.service.profiles import ArrivalService

__all__ = ["ArrivalService", "CustomerService", "IdentityService", "MergeService"]
