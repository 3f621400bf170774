"""Whether a person should take over, and why: a table of reasons in the order of their weight. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from concierge.agents.schemas.policy import EscalationReason
from concierge.chat.strategy.fallback import Situation
from concierge.chat.strategy.schemas import Escalation
from concierge.chat.writers.brief import Outcome


@dataclass(frozen=True, slots=True)
class Cause:
    reason: EscalationReason
    because: str
    holds: Callable[[Situation], bool]


CAUSES: Final = (
    Cause("customer_request", "Asks for a person.", lambda it: it.moment.asks_for_person),
    Cause(
        "loop",
        "Has told of the same trouble again and again, and it is still there.",
        lambda it: it.moment.unresolved >= it.policy.loop_after,
    ),
    Cause(
        "anger",
        "Is angry about something that went wrong.",
        lambda it: it.analysis.emotional_state == "angry" and it.is_troubled,
    ),
    Cause(
        "anger",
        "Is frustrated, and it is urgent.",
        lambda it: (
            it.analysis.emotional_state == "frustrated"
            and it.analysis.urgency_level in {"critical", "high"}
            and it.moment.unresolved > 1
        ),
    ),
    Cause(
        "vip",
        "Belongs to those whom a person looks after, and needs help.",
        lambda it: bool(it.customer.labels & set(it.policy.vip_labels)) and it.is_troubled,
    ),
    Cause(
        "unsupported_request",
        "Cannot wait, and only a person can act on it.",
        lambda it: it.analysis.urgency_level == "critical" and it.is_troubled,
    ),
)
# What an answer that could not be given asks for.
UNANSWERED: Final[Mapping[Outcome, Escalation]] = {
    "unsupported": Escalation("missing_knowledge", "The knowledge holds no answer to this."),
    "partial": Escalation("missing_knowledge", "The knowledge answers this only in part."),
}


def escalation_of(it: Situation) -> Escalation | None:
    for cause in CAUSES:
        if cause.reason in it.policy.escalate_for and cause.holds(it):
            return Escalation(cause.reason, cause.because)
    return None
