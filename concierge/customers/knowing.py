"""A customer's context put together: the profile, what is remembered, what the session says. Pure.

Where several sources speak of the same, what the customer said or the business knows comes before what a page suggests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from concierge.customers.deriving import Evidence, confidence_of, engagement_of, journey_of, profile_of
from concierge.customers.schemas.context import (
    CommunicationStyle,
    ConversationSummary,
    CustomerContext,
    FactKind,
    Inferable,
    Inferred,
    RememberedFact,
    ResponseStyle,
    TechnicalLevel,
)
from concierge.customers.schemas.known import KnownCustomer

MEMORY: Final = "memory"
PROFILE: Final = "profile"
UNSAID: Final = "nothing known"


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that may be known of who writes. `traits` are what the customer usually is, by name, already faded."""

    visitor_id: UUID | None
    known: KnownCustomer | None
    session: Sequence[Inferred]
    now: datetime
    memories: Sequence[RememberedFact] = ()
    summaries: Sequence[ConversationSummary] = ()
    traits: Mapping[str, str] = field(default_factory=dict[str, str])
    recent_turns: Sequence[str] = ()


def context_of(sources: Sources) -> CustomerContext:
    known = sources.known
    evidence = Evidence(known, sources.session, len(sources.memories), sources.now)
    engagement, journey = engagement_of(evidence), journey_of(evidence)
    profile, confidence = profile_of(evidence), confidence_of(evidence)
    returning = known is not None and known.visits > 1
    values: dict[str, tuple[Any, str]] = {
        **_identity(known),
        "engagement_level": (engagement.value, PROFILE),
        "journey_stage": (journey.value, PROFILE if known and known.visits > 1 else "session"),
        "technical_level": _style(sources, "technical_level", get_args(TechnicalLevel), None),
        "response_style": _style(sources, "response_style", get_args(ResponseStyle), "neutral"),
        "communication_style": _style(sources, None, get_args(CommunicationStyle), "neutral"),
        "current_interests": _listed(_inferred(sources.session, "interest"), "session"),
        "pain_points": _listed(_facts(sources.memories, "problem"), MEMORY),
        "goals": _listed(_facts(sources.memories, "goal"), MEMORY),
        "preferences": _preferences(sources),
        "recent_turns": _listed(sources.recent_turns, "conversation"),
        "memories": _listed(sources.memories, MEMORY),
        "summaries": _listed(sources.summaries, MEMORY),
        "session": _listed(sources.session, "session"),
    }
    return CustomerContext(
        visitor_id=sources.visitor_id,
        returning=returning,
        last_interaction=known.previous_visit_at if known else None,
        confidence_score=confidence.value,
        memory_allowed=known is not None and known.memory_allowed,
        data_sources={name: source for name, (value, source) in values.items() if value and source != UNSAID},
        rules={
            "profile_type": profile.name,
            "engagement_level": engagement.name,
            "journey_stage": journey.name,
            "confidence_score": confidence.name,
        },
        **{name: value for name, (value, _) in values.items()},
    )


def _identity(known: KnownCustomer | None) -> dict[str, tuple[Any, str]]:
    if known is None:
        return {}
    return {
        "customer_id": (known.customer_id, PROFILE),
        "profile_type": (known.profile_type, PROFILE),
        "email": (known.email, PROFILE),
        "name": (known.name, PROFILE),
        "labels": (known.labels, PROFILE),
        "attributes": (known.attributes, PROFILE),
        "satisfaction_score": (known.satisfaction, PROFILE),
    }


def _style(
    sources: Sources, inferable: Inferable | None, allowed: Sequence[str], otherwise: str | None
) -> tuple[str | None, str]:
    """The device in hand decides how much can be read; otherwise what somebody usually is, then what a page suggests."""
    said = [
        inferred for inferred in sources.session if inferred.what == inferable and inferred.value in allowed
    ]
    best = max(said, key=lambda inferred: inferred.confidence, default=None)
    if best is not None and best.source == "device":
        return best.value, best.source
    name = inferable or "communication_style"
    usual = sources.traits.get(name)
    if usual in allowed:
        return usual, "traits"
    return (best.value, best.source) if best else (otherwise, UNSAID)


def _inferred(session: Iterable[Inferred], what: Inferable) -> list[str]:
    return list(dict.fromkeys(inferred.value for inferred in session if inferred.what == what))


def _facts(memories: Iterable[RememberedFact], kind: FactKind) -> list[str]:
    return [fact.value for fact in memories if fact.kind == kind]


def _preferences(sources: Sources) -> tuple[tuple[str, ...], str]:
    remembered = _facts(sources.memories, "preference")
    suggested = _inferred(sources.session, "preference")
    source = MEMORY if remembered else "session"
    return (*remembered, *suggested), source


def _listed(values: Iterable[Any], source: str) -> tuple[tuple[Any, ...], str]:
    return tuple(values), source
