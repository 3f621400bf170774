"""Which of the five strategies fits: a table of rules in order, the first that holds decides. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from concierge.agents.schemas.policy import FallbackStrategy, StrategyPolicy
from concierge.catalog.schemas.context import ProductContext
from concierge.chat.strategy.cues import Lead
from concierge.chat.strategy.moment import Moment
from concierge.customers.schemas.context import CustomerContext
from concierge.intelligence.schemas import UNPLEASANT, ConversationAnalysis
from concierge.learning.sampling import may_explore
from concierge.learning.schemas.strategies import Choice

TROUBLE: Final = frozenset({"support_request", "complaint", "problem_solving", "cancellation"})


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a turn is decided from. `lead` is there where a persona leads."""

    analysis: ConversationAnalysis
    customer: CustomerContext
    product: ProductContext
    policy: StrategyPolicy
    moment: Moment
    lead: Lead | None = None

    @property
    def is_troubled(self) -> bool:
        if self.moment.is_greeting:
            return False
        return self.analysis.intent_category in TROUBLE or bool(self.analysis.pain_points)

    @property
    def is_buying(self) -> bool:
        return self.analysis.intent_category == "purchase_intent" or self.moment.asks_price

    @property
    def is_upset(self) -> bool:
        return self.analysis.emotional_state in UNPLEASANT

    @property
    def is_first_visit(self) -> bool:
        return not self.customer.returning and self.moment.turn == 1


@dataclass(frozen=True, slots=True)
class Rule:
    """`because` is said to operators. Learning may take one of `instead` where it has found it to work better."""

    name: str
    strategy: FallbackStrategy
    because: str
    holds: Callable[[Situation], bool]
    instead: tuple[FallbackStrategy, ...] = ()


TROUBLED: Final = "trouble"  # The name of the rule for who needs help.
RULES: Final = (
    Rule(
        TROUBLED,
        "helpful",
        "There is a problem, a complaint or a call for help: it is dealt with now, without questions that could wait.",
        lambda it: it.is_troubled,
    ),
    Rule(
        "first_greeting",
        "showcase",
        "A first visit that opens with a greeting: the best offers say what this place is.",
        lambda it: it.moment.is_greeting and it.is_first_visit,
        ("discovery", "exploration"),
    ),
    Rule(
        "little_known",
        "discovery",
        "Hardly anything is known of this visitor: one good question tells more than guesses.",
        lambda it: it.customer.confidence_score < it.policy.discover_below,
        ("exploration", "showcase"),
    ),
    Rule(
        "ready_to_buy",
        "assumption",
        "Asks about prices or wants to buy, and enough is known to act on it.",
        lambda it: it.is_buying and it.customer.confidence_score > it.policy.assume_above,
        ("exploration", "showcase", "discovery"),
    ),
    Rule(
        "open",
        "exploration",
        "Nothing more pressing: the ways there are, are shown.",
        lambda _: True,
        ("discovery", "showcase"),
    ),
)
LEARNED: Final = "Learned: “{chosen}” serves visitors like this one better than “{ruled}”."
TRIED: Final = (
    "Learned: “{chosen}” is tried in place of “{ruled}”, to find out how it serves visitors like this one."
)
# What stands in for a strategy that an organization does not allow.
SUBSTITUTE: Final[FallbackStrategy] = "exploration"


@dataclass(frozen=True, slots=True)
class Chosen:
    """`ruled` is what the rules alone would have chosen, `learned` what learning chose by, where it was asked."""

    strategy: FallbackStrategy
    ruled: FallbackStrategy
    rule: str
    reasons: tuple[str, ...]
    eligible: tuple[FallbackStrategy, ...]
    learned: Choice | None = None


def choose(it: Situation) -> Chosen:
    rule = next(rule for rule in RULES if rule.holds(it))
    ruled: FallbackStrategy = rule.strategy if rule.strategy in it.policy.allowed else SUBSTITUTE
    reasons: tuple[str, ...] = (rule.because,)
    if rule.strategy not in it.policy.allowed:
        reasons = (*reasons, f"“{rule.strategy}” is not allowed here.")
    eligible = _eligible(ruled, rule, it)
    if it.moment.draws is None or not _may_explore(it, ruled):
        return Chosen(ruled, ruled, rule.name, reasons, eligible)
    learned = it.moment.draws.choose(ruled, eligible)
    if learned.strategy != ruled:
        because = TRIED if learned.explored else LEARNED
        reasons = (*reasons, because.format(chosen=learned.strategy, ruled=ruled))
    return Chosen(learned.strategy, ruled, rule.name, reasons, eligible, learned)


def _may_explore(it: Situation, ruled: FallbackStrategy) -> bool:
    """Nobody is experimented with who is angry, in trouble or in a hurry, or asks for a person."""
    allowed = may_explore(
        emotional_state=it.analysis.emotional_state,
        urgency=it.analysis.urgency_level,
        intent=it.analysis.intent_category,
        rule=ruled,
    )
    return allowed and not it.is_troubled and not it.moment.asks_for_person


def _eligible(ruled: FallbackStrategy, rule: Rule, it: Situation) -> tuple[FallbackStrategy, ...]:
    """What the rule chose, and what may be taken instead: nothing is shown where there is nothing to show."""
    nothing_to_show = not (it.product.featured or it.product.promotions)
    excluded: tuple[FallbackStrategy, ...] = ("showcase",) if nothing_to_show else ()
    others: list[FallbackStrategy] = [
        name for name in rule.instead if name in it.policy.allowed and name not in excluded
    ]
    ordered: dict[FallbackStrategy, None] = dict.fromkeys((ruled, *others))
    return tuple(ordered)
