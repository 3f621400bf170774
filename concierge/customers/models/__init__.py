"""The tables of the customers room."""

from concierge.customers.models.identity import CustomerMerge, CustomerSetting, IdentityToken
from concierge.customers.models.profiles import Customer, Visitor

__all__ = ["Customer", "CustomerMerge", "CustomerSetting", "IdentityToken", "Visitor"]
