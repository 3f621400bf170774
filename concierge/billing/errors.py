from collections.abc import Sequence
from datetime import datetime

from concierge.kit.errors import (
    ConciergeError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    UnavailableError,
)


class EntitlementRequiredError(ForbiddenError):
    """A feature is not part of the plan. The problem names the `feature`, and the cheapest `plan` that has it."""

    code, title = "entitlement_required", "Your plan does not include this"

    def __init__(self, detail: str, *, feature: str, plan: str | None) -> None:
        super().__init__(detail, extra={"feature": feature, "plan": plan})


class PlanUnknownError(InvalidInputError):
    code = "plan_unknown"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no plan “{name}”. The plans are: {', '.join(known)}.")


class BillingSettingsError(ConciergeError):
    """Settings that contradict each other or the plans; seen when a process starts."""

    code, title = "billing_settings", "The settings for billing are not right"


class PaidThroughStripeError(ConflictError):
    code = "plan_paid_through_stripe"

    def __init__(self) -> None:
        super().__init__(
            "Here a plan is paid for through Stripe. Begin one at the checkout, and change or end it in the billing portal."
        )


class StripeMissingError(ConflictError):
    code = "stripe_not_configured"

    def __init__(self) -> None:
        super().__init__("Nothing is sold here: this server has no Stripe account. An owner sets the plan.")


class PlanNotSoldError(InvalidInputError):
    code = "plan_not_sold"

    def __init__(self, title: str) -> None:
        super().__init__(f"The plan {title} cannot be bought at the checkout.")


class AlreadySubscribedError(ConflictError):
    code = "already_subscribed"

    def __init__(self) -> None:
        super().__init__(
            "This organization already pays for a plan. Change it in the billing portal instead of buying a second one."
        )


class NotSubscribedError(ConflictError):
    code = "not_subscribed"

    def __init__(self) -> None:
        super().__init__("There is nothing to manage yet: this organization has not bought a plan.")


class SignatureInvalidError(ConciergeError):
    """One sentence for every reason, so that whoever tries signatures learns nothing from it."""

    status, code, title = 400, "signature_invalid", "The signature is not valid"

    def __init__(self) -> None:
        super().__init__("This does not carry a valid and recent signature of Stripe.")


class EventUnreadableError(InvalidInputError):
    code = "event_unreadable"

    def __init__(self) -> None:
        super().__init__(
            "The event has another form than expected. Give the endpoint at Stripe a current API version."
        )


class PriceUnknownError(InvalidInputError):
    code = "price_unknown"

    def __init__(self, prices: Sequence[str]) -> None:
        super().__init__(
            f"No plan has the price {' or '.join(prices)}. Name it in the setting CONCIERGE_BILLING__PRICES."
        )


class StripeRefusedError(ConciergeError):
    """Stripe answered, and will answer the same again until somebody changes something."""

    status, code, title = 502, "stripe_refused", "Stripe did not accept the request"


class CustomerUnknownError(StripeRefusedError):
    """Stripe knows the customer no more, or only in its test mode."""

    def __init__(self) -> None:
        super().__init__("Stripe does not know this organization as a customer any more.")


class PaymentDeclinedError(ConciergeError):
    status, code, title = 402, "payment_declined", "The payment was declined"


class StripeUnavailableError(UnavailableError):
    code = "stripe_unavailable"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "Stripe cannot be reached just now. Nothing was changed or charged; please try again in a moment.",
            retry_after_s=retry_after_s,
        )


class BudgetSpentError(ConciergeError):
    """`budget` is the name of what is spent, `renews_at` when there is some again."""

    status, code, title = 429, "budget_spent", "Budget spent"

    def __init__(self, budget: str, period: str, renews_at: datetime) -> None:
        super().__init__(
            f"What may be spent in one {period} is spent. It begins anew at {renews_at:%Y-%m-%d %H:%M} UTC."
        )
        self.budget = budget
        self.renews_at = renews_at
