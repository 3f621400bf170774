"""Which kind of visitor writes, as coarse as a few hundred conversations can tell apart. Pure."""

from collections.abc import Mapping
from typing import Final

from concierge.customers.schemas.context import ProfileType

KNOWN_PROFILES: Final[frozenset[ProfileType]] = frozenset({"identified", "registered"})
AIMS: Final[Mapping[str, str]] = {
    "purchase_intent": "buying",
    "comparison": "buying",
    "problem_solving": "in need",
    "support_request": "in need",
    "complaint": "in need",
    "cancellation": "in need",
}
OTHER_AIM: Final = "looking"  # Whoever seeks information or explores.
SMALL_DEVICES: Final = frozenset({"mobile"})
SEPARATOR: Final = " · "


def segment_of(profile_type: ProfileType, *, returning: bool, intent: str, device: str | None) -> str:
    """Name the segment, such as “returning · buying · mobile”: one of three familiarities, three aims, two devices.

    A device that is not known counts as a desktop, which most are.
    """
    return SEPARATOR.join((_familiarity(profile_type, returning=returning), _aim(intent), _device(device)))


def _familiarity(profile_type: ProfileType, *, returning: bool) -> str:
    if profile_type in KNOWN_PROFILES:
        return "known"
    return "returning" if returning else "new"


def _aim(intent: str) -> str:
    return AIMS.get(intent, OTHER_AIM)


def _device(device: str | None) -> str:
    return "mobile" if device in SMALL_DEVICES else "desktop"
