"""Who searches the web: four vendors, each asked in its own way and read into the same results."""

from concierge.tools.providers.asking import Provider, ProviderFailedError, create_provider
from concierge.tools.providers.dates import published
from concierge.tools.providers.vendor import Found, Wanted

__all__ = ["Found", "Provider", "ProviderFailedError", "Wanted", "create_provider", "published"]
