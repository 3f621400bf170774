"""The tables of the customers room."""

from concierge.customers.models.identity import CustomerMerge, CustomerSetting, IdentityToken
from concierge.customers.models.memory import (
    CustomerFact,
    ForgottenCustomer,
    RememberedTurn,
    SessionRule,
    StoredSummary,
)
from concierge.customers.models.profiles import Customer, Visitor

__all__ = [
    "Customer",
    "CustomerFact",
    "CustomerMerge",
    "CustomerSetting",
    "ForgottenCustomer",
    "IdentityToken",
    "RememberedTurn",
    "SessionRule",
    "StoredSummary",
    "Visitor",
]
