"""HTTP of the customers room."""

from concierge.customers.routes.customers import router as customers_router

__all__ = ["customers_router"]
