"""Which values a dimension may be given by hand. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from concierge.intelligence.errors import DimensionUnknownError, ValueNotAllowedError
from concierge.intelligence.schemas import EMOTIONS, INTENTS, URGENCIES, ActionKind, OpportunityKind
from concierge.intelligence.schemas.control import UNKNOWN
from concierge.intelligence.schemas.corrections import PersonalizationCorrection

# The values of each attribute of an organization, by its name.
Choices = Mapping[str, Sequence[str]]

SINGLE: Final[Choices] = {
    "emotional_state": EMOTIONS,
    "urgency_level": URGENCIES,
    "intent_category": INTENTS,
}
PHRASES: Final = ("key_topics", "pain_points")
KINDS: Final[Choices] = {
    "opportunities": get_args(OpportunityKind),
    "next_best_actions": get_args(ActionKind),
}
CUES: Final = "personalization_cues"


def check_single(dimension: str, value: Any, attributes: Choices, also: Sequence[str] = ()) -> None:
    """Errors: DimensionUnknownError, which names those of `also` too; ValueNotAllowedError."""
    own = {name: (*values, UNKNOWN) for name, values in attributes.items()}
    choices = (SINGLE | own).get(dimension)
    if choices is None:
        raise DimensionUnknownError(dimension, [*SINGLE, *also, *own])
    if value not in choices:
        raise ValueNotAllowedError(dimension, f"one of: {', '.join(choices)}")


def corrected(
    dimension: str, value: str | list[str] | PersonalizationCorrection, attributes: Choices
) -> str | list[str] | dict[str, str]:
    """Return a correction as it is stored. Errors: DimensionUnknownError, ValueNotAllowedError."""
    if dimension == CUES:
        return _cues(value)
    if dimension in PHRASES or dimension in KINDS:
        return _listed(dimension, value)
    check_single(dimension, value, attributes, also=(*PHRASES, *KINDS, CUES))
    assert isinstance(value, str)
    return value


def _cues(value: Any) -> dict[str, str]:
    said = value.model_dump(exclude_none=True) if isinstance(value, PersonalizationCorrection) else {}
    if not said:
        parts = ", ".join(f"`{name}`" for name in PersonalizationCorrection.model_fields)
        raise ValueNotAllowedError(CUES, f"an object with some of: {parts}")
    return said


def _listed(dimension: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueNotAllowedError(dimension, "a list")
    kinds = KINDS.get(dimension)
    if kinds is not None and not set(value) <= set(kinds):
        raise ValueNotAllowedError(dimension, f"a list of: {', '.join(kinds)}")
    return list(dict.fromkeys(value))
