"""The table of patterns beside this module, ready to be looked for. Read once, pure from then on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from concierge.customers.extraction.amounts import MONEY, PRICED
from concierge.customers.schemas.context import FactKind

_NAME: Final = re.compile(r"\{([a-z]\w*)\}")
_MOST_NESTING: Final = 3


@dataclass(frozen=True, slots=True)
class Template:
    """How a fact is worded; {names} stand for what was found."""

    subject: str
    slot: str
    value: str


@dataclass(frozen=True, slots=True)
class Pattern:
    id: str
    kind: FactKind
    found_by: re.Pattern[str]
    unless: re.Pattern[str] | None
    template: Template
    alone: Template | None
    value_de: str | None
    language: str
    confidence: float
    lasts: timedelta | None
    follows: bool
    topic: bool
    ends: bool


@cache
def patterns() -> tuple[Pattern, ...]:
    table = yaml.safe_load((files("concierge.customers") / "extraction" / "patterns.yaml").read_text("utf-8"))
    words = {**table["words"], "money": MONEY, "priced": PRICED}
    return tuple(_pattern(row, words) for row in table["rules"])


@cache
def words(name: str) -> re.Pattern[str]:
    """The words of the table by one name, such as `colour`."""
    table = yaml.safe_load((files("concierge.customers") / "extraction" / "patterns.yaml").read_text("utf-8"))
    return re.compile(rf"\b{_spelled(table['words'][name], table['words'])}(?!\w)", re.IGNORECASE)


def _pattern(row: Mapping[str, Any], words: Mapping[str, str]) -> Pattern:
    unless, days = row.get("unless"), row.get("days")
    return Pattern(
        id=row["id"],
        kind=row["kind"],
        found_by=re.compile(_spelled(row["pattern"], words), re.IGNORECASE),
        unless=re.compile(_spelled(unless, words), re.IGNORECASE) if unless else None,
        template=Template(row["subject"], row["slot"], row["value"]),
        alone=Template(**row["alone"]) if "alone" in row else None,
        value_de=row.get("value_de"),
        language=row.get("language", "en"),
        confidence=row["confidence"],
        lasts=timedelta(days=days) if days else None,
        follows=row.get("follows", False),
        topic=row.get("topic", False),
        ends=row.get("ends", False),
    )


def _spelled(pattern: str, words: Mapping[str, str]) -> str:
    for _ in range(_MOST_NESTING):
        pattern = _NAME.sub(lambda found: words[found[1]], pattern)
    return pattern
