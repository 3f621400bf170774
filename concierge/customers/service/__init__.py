"""Decisions about customers."""

from concierge.customers.service.profiles import ArrivalService

__all__ = ["ArrivalService"]
