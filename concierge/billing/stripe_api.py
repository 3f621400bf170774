"""Stripe, through its own library."""

from collections.abc import Awaitable, Mapping
from typing import Final, Protocol

import stripe
import structlog

from concierge.billing.errors import (
    CustomerUnknownError,
    PaymentDeclinedError,
    SignatureInvalidError,
    StripeRefusedError,
    StripeUnavailableError,
)
from concierge.billing.events import ORG_ID, PLAN
from concierge.billing.payments import Purchase
from concierge.kit.errors import ConciergeError
from concierge.kit.settings import Billing

logger = structlog.get_logger(__name__)

# Somebody waits in front of a button meanwhile.
TIMEOUT_S: Final = 10.0
# The library sends a request again with the same idempotency key, so nothing is begun twice.
RETRIES: Final = 1
REFUSED_KEY = "Stripe did not accept this server's key. Whoever runs the server should check CONCIERGE_BILLING__STRIPE_KEY."
REFUSED = "Stripe did not accept the request. Whoever runs the server should check the prices and the log of its Stripe account."
DECLINED = "Stripe declined the payment. Nothing was charged."


class StripePayments:
    def __init__(self, settings: Billing, timeout_s: float = TIMEOUT_S) -> None:
        assert settings.stripe_key is not None
        assert settings.stripe_webhook_secret is not None
        self._prices = dict(settings.prices)
        self._secret = settings.stripe_webhook_secret
        self._http = stripe.HTTPXClient(timeout=timeout_s)
        self._client = stripe.StripeClient(
            settings.stripe_key.get_secret_value(),
            base_addresses={"api": str(settings.stripe_url).rstrip("/")},
            http_client=self._http,
            max_network_retries=RETRIES,
        )

    @property
    def prices(self) -> Mapping[str, str]:
        return self._prices

    async def checkout(self, purchase: Purchase) -> str:
        # What Stripe tells of the subscription later carries the organization, whatever becomes of this session.
        whose = {ORG_ID: str(purchase.org_id)}
        params: stripe.params.checkout.SessionCreateParams = {
            "mode": "subscription",
            "line_items": [{"price": purchase.price, "quantity": 1}],
            "success_url": purchase.done_url,
            "cancel_url": purchase.cancelled_url,
            "client_reference_id": str(purchase.org_id),
            "metadata": {**whose, PLAN: purchase.plan},
            "subscription_data": {"metadata": whose},
        }
        if purchase.customer_id is not None:
            params["customer"] = purchase.customer_id
        return await _page(self._client.v1.checkout.sessions.create_async(params))

    async def portal(self, customer_id: str, return_url: str) -> str:
        return await _page(
            self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url}
            )
        )

    def verify(self, body: bytes, signature: str | None) -> None:
        # The library compares signatures as text and fails on anything but ASCII.
        if signature is None or not signature.isascii():
            raise SignatureInvalidError
        try:
            stripe.Webhook.construct_event(body, signature, self._secret.get_secret_value())
        except (stripe.SignatureVerificationError, ValueError, AttributeError) as error:
            # The last one is how the library fails on JSON that is no object.
            raise SignatureInvalidError from error

    async def close(self) -> None:
        await self._http.close_async()


class _Opened(Protocol):
    @property
    def url(self) -> str | None: ...


async def _page(request: Awaitable[_Opened]) -> str:
    """Wait for the address of a page at Stripe.

    Stripe's own words about a failure stay here: they may hold parts of the key, and are not written for our readers.
    """
    try:
        url = (await request).url
    except stripe.StripeError as error:
        logger.warning(
            "stripe did not do it",
            kind=type(error).__name__,
            status=error.http_status,
            stripe_code=error.code,
            stripe_request=error.request_id,
        )
        raise _told(error) from None
    except AttributeError as error:
        # How the library fails on an answer of another form, which only something in between can have given.
        raise StripeUnavailableError(retry_after_s=30) from error
    if url is None:
        raise StripeRefusedError(REFUSED)
    return url


def _told(error: stripe.StripeError) -> ConciergeError:
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return StripeRefusedError(REFUSED_KEY)
    if isinstance(error, stripe.CardError):
        return PaymentDeclinedError(DECLINED)
    if (
        isinstance(error, stripe.InvalidRequestError)
        and error.code == "resource_missing"
        and error.param == "customer"
    ):
        return CustomerUnknownError()
    if isinstance(error, stripe.InvalidRequestError | stripe.IdempotencyError):
        return StripeRefusedError(REFUSED)
    if isinstance(error, stripe.RateLimitError):
        return StripeUnavailableError(retry_after_s=10)
    return StripeUnavailableError(retry_after_s=30)
