"""The door to Stripe. Its library loads only where a key is set (`concierge.billing.stripe_api`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol
from uuid import UUID

from concierge.billing.errors import BillingSettingsError
from concierge.billing.plans import PlanTable
from concierge.kit.settings import Billing


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought for whom; `customer_id` is Stripe's, where the organization has been there before."""

    org_id: UUID
    plan: str
    price: str
    customer_id: str | None
    done_url: str
    cancelled_url: str


class Payments(Protocol):
    """An account at Stripe. `prices` are its ids of prices, by the plan that they charge for."""

    @property
    def prices(self) -> Mapping[str, str]: ...

    async def checkout(self, purchase: Purchase) -> str:
        """Begin a purchase. Returns the address of the page to pay on.

        Errors: CustomerUnknownError, StripeRefusedError, PaymentDeclinedError, StripeUnavailableError.
        """
        ...

    async def portal(self, customer_id: str, return_url: str) -> str:
        """Open the portal of a customer. Returns its address. Errors: as `checkout`."""
        ...

    def verify(self, body: bytes, signature: str | None) -> None:
        """Errors: SignatureInvalidError for an event that is not Stripe's, or is older than five minutes."""
        ...

    async def close(self) -> None: ...


def create_payments(settings: Billing, table: PlanTable) -> Payments | None:
    """Set up the account that the settings name; None where they name none. Errors: BillingSettingsError."""
    if settings.stripe_key is None:
        return None
    if unknown := sorted(name for name in settings.prices if table.named(name) is None):
        raise BillingSettingsError(
            f"The setting CONCIERGE_BILLING__PRICES names no plan by “{'”, “'.join(unknown)}”."
        )
    if settings.stripe_webhook_secret is None:
        raise BillingSettingsError(
            "With CONCIERGE_BILLING__STRIPE_KEY set, set CONCIERGE_BILLING__STRIPE_WEBHOOK_SECRET as well: "
            "without it nobody could know who has paid."
        )
    if find_spec("stripe") is None:
        raise BillingSettingsError(
            "CONCIERGE_BILLING__STRIPE_KEY is set, but the package “stripe” is not installed. "
            "Run: pip install 'concierge[stripe]'"
        )
    payments: Payments = import_module("concierge.billing.stripe_api").StripePayments(settings)
    return payments
