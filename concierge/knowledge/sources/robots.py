"""What a site asks of robots (RFC 9309): which paths to leave alone, how slowly to go, where its sitemaps are. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

MAX_BYTES: Final = 500 * 1024  # What the standard obliges a robot to read.
MAX_DELAY_S: Final = 10.0
AGENT: Final = "concierge"


@dataclass(frozen=True, slots=True)
class Rule:
    allows: bool
    pattern: str
    matches: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one host for us. Without any everything is allowed."""

    rules: tuple[Rule, ...] = ()
    delay_s: float | None = None
    sitemaps: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        """The longest rule that matches decides; of two as long the one that allows."""
        parts = urlsplit(address)
        path = unquote(parts.path or "/") + (f"?{unquote(parts.query)}" if parts.query else "")
        best = max(
            (rule for rule in self.rules if rule.matches.match(path)),
            key=lambda rule: (len(rule.pattern), rule.allows),
            default=None,
        )
        return best is None or best.allows


def robots_of(data: bytes) -> Robots:
    """Read a robots.txt; lines that mean nothing are passed over."""
    own: list[tuple[str, str]] = []
    everyone: list[tuple[str, str]] = []
    sitemaps: list[str] = []
    agents: list[str] = []
    in_rules = False
    for name, value in _lines(data):
        if name == "sitemap":
            sitemaps.append(value)
        elif name == "user-agent":
            agents = [*([] if in_rules else agents), value.lower()]
            in_rules = False
        else:
            in_rules = True
            own += [(name, value)] if any(agent != "*" and agent in AGENT for agent in agents) else []
            everyone += [(name, value)] if "*" in agents else []
    return _read(own or everyone, sitemaps)


def _read(lines: Sequence[tuple[str, str]], sitemaps: Sequence[str]) -> Robots:
    rules = tuple(
        Rule(name == "allow", value, _pattern(value))
        for name, value in lines
        if name in {"allow", "disallow"} and value
    )
    delays = [
        delay for name, value in lines if name == "crawl-delay" and (delay := _seconds(value)) is not None
    ]
    return Robots(rules, delays[0] if delays else None, tuple(sitemaps))


def _lines(data: bytes) -> list[tuple[str, str]]:
    text = data[:MAX_BYTES].decode("utf-8-sig", errors="replace")
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            found.append((name.strip().lower(), value.strip()))
    return found


def _pattern(value: str) -> re.Pattern[str]:
    ends = value.endswith("$")
    parts = unquote(value.removesuffix("$")).split("*")
    return re.compile(".*?".join(map(re.escape, parts)) + (r"\Z" if ends else ""), re.DOTALL)


def _seconds(value: str) -> float | None:
    try:
        delay = float(value)
    except ValueError:
        return None
    return min(delay, MAX_DELAY_S) if delay >= 0 else None
