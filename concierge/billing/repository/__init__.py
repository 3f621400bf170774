"""All SQL of the billing room."""

from concierge.billing.repository.budgets import BudgetRepository

__all__ = ["BudgetRepository"]
