"""All SQL of the billing room."""

from concierge.billing.repository.budgets import BudgetRepository
from concierge.billing.repository.plans import BillingRepository
from concierge.billing.repository.usage import UsageRepository

__all__ = ["BillingRepository", "BudgetRepository", "UsageRepository"]
