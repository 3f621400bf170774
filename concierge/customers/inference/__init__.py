"""What a visit says of who comes, before they have said a word: a table of rules over the page, the referrer and the like. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args
from uuid import UUID, uuid5

import yaml

from concierge.customers.inference.signals import Signals
from concierge.customers.schemas.context import Inferable, Inferred

Source = Literal["page", "referrer", "utm", "device", "local_time", "language"]
SOURCES: Final[tuple[Source, ...]] = get_args(Source)
# The ids of built-in rules are made from their names in this space, so that they can be addressed like any other.
NAMESPACE: Final = UUID("6f1c1f36-7b0e-4c0f-8a55-0d7d1f1f4b1e")
VALUE: Final = "{value}"


@dataclass(frozen=True, slots=True)
class SessionInference:
    """One thing a rule infers, and how sure it is."""

    what: Inferable
    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class SessionRule:
    """`any` are the patterns of which one must fit what the `source` says."""

    id: UUID
    name: str
    source: Source
    any: tuple[str, ...]
    then: tuple[SessionInference, ...]


@cache
def built_in() -> tuple[SessionRule, ...]:
    table = yaml.safe_load((files("concierge.customers") / "inference" / "rules.yaml").read_text("utf-8"))
    return tuple(_built_in(row) for row in table["rules"])


def infer(context: Mapping[str, Any], rules: Sequence[SessionRule] | None = None) -> tuple[Inferred, ...]:
    """Return what a session context says by these rules, or the built-in ones. Nothing in it is trusted, and nothing in it
    raises. Of several rules of one source that speak of the same, the first decides.
    """
    signals = Signals.of(context)
    found: dict[tuple[Source, Inferable], Inferred] = {}
    for rule in built_in() if rules is None else rules:
        value = _fits(rule, signals)
        if value is None:
            continue
        for own in rule.then:
            shown = own.value.replace(VALUE, value)
            inferred = Inferred(own.what, shown, own.confidence, rule.source, rule.name)
            found.setdefault((rule.source, own.what), inferred)
    return tuple(sorted(found.values(), key=lambda one: -one.confidence))


def _fits(rule: SessionRule, signals: Signals) -> str | None:
    """What of the session fits a rule; None where nothing does."""
    said = _SAID[rule.source](signals)
    return next((word for word in said for pattern in rule.any if _like(rule.source, word, pattern)), None)


def _like(source: Source, word: str, pattern: str) -> bool:
    pattern = pattern.casefold()
    if source == "page" and "/" in pattern:
        return (
            f"/{word}/".startswith(f"/{pattern.strip('/')}/") if "/" in word else word == pattern.strip("/")
        )
    if source == "referrer" and not pattern.endswith("*"):
        return word == pattern or word.endswith(f".{pattern}")
    if source == "referrer":
        return fnmatchcase(word, pattern) or fnmatchcase(word, f"*.{pattern}")
    return word == pattern or ("*" in pattern and fnmatchcase(word, pattern))


def _words_of_utm(signals: Signals) -> list[str]:
    return [f"{name}:{value}" for name, value in signals.utm.items()]


def _words_of_page(signals: Signals) -> list[str]:
    """Every part of the path, and the path as a whole."""
    return [*signals.page, "/".join(signals.page)] if len(signals.page) > 1 else list(signals.page)


def _listed(word: str) -> list[str]:
    return [word] if word else []


_SAID: Final[Mapping[Source, Callable[[Signals], Sequence[str]]]] = {
    "page": _words_of_page,
    "referrer": lambda signals: _listed(signals.referrer),
    "utm": _words_of_utm,
    "device": lambda signals: _listed(signals.device),
    "local_time": lambda signals: _listed(signals.local_time),
    "language": lambda signals: _listed(signals.language),
}


def _built_in(row: Mapping[str, Any]) -> SessionRule:
    then = tuple(
        SessionInference(what, value, confidence) for what, (value, confidence) in row["then"].items()
    )
    return SessionRule(uuid5(NAMESPACE, row["id"]), row["id"], row["source"], tuple(row["any"]), then)
