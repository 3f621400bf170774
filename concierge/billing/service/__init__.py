"""Decisions about plans (`plans`), what was used (`usage`), and payment through Stripe (`paying`)."""

from concierge.billing.service.overview import Overview
from concierge.billing.service.paying import Paying
from concierge.billing.service.plans import Plans
from concierge.billing.service.usage import Usage

__all__ = ["Overview", "Paying", "Plans", "Usage"]
