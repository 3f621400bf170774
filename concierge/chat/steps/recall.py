"""What is known of who writes and of what the business offers. A turn goes on without what cannot be had."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from concierge.catalog.schemas.context import ProductContext
from concierge.chat.steps.receive import Received
from concierge.customers.knowing import Sources, context_of
from concierge.customers.schemas.context import CustomerContext
from concierge.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Recalled:
    """`missing` names what could not be had, and why."""

    customer: CustomerContext = field(default_factory=CustomerContext)
    product: ProductContext = field(default_factory=ProductContext)
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


class Recollection:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def recall(self, received: Received) -> Recalled:
        """Never raises: what fails is missing, and the trace says so."""
        customer = context_of(
            Sources(
                visitor_id=received.request.visitor_id,
                known=received.customer,
                session=(),
                now=self._clock(),
                recent_turns=[exchange.message for exchange in received.turn.history],
            )
        )
        return Recalled(customer)
