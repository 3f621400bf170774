"""HTTP of the customers room."""

from concierge.customers.routes.customers import router as customers_router
from concierge.customers.routes.identity import router as identity_router

__all__ = ["customers_router", "identity_router"]
