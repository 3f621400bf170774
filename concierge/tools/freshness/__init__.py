"""Whether a message asks for facts of today's world, which no knowledge pack can have. Pure."""

import re
import tomllib
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from concierge.kit.text import normalize

# A year as such, not a part of a date or of a number of an order.
_YEAR: Final = re.compile(r"(?<![\w./#-])(20\d\d)(?![\w./-]?\d)")


@dataclass(frozen=True, slots=True)
class _Cues:
    asks: re.Pattern[str]
    fresh: re.Pattern[str]
    business: re.Pattern[str]
    world: re.Pattern[str]

    def is_question(self, message: str) -> bool:
        return "?" in message or self.asks.match(message.lstrip("¿¡ \"'")) is not None

    def is_about_the_business(self, message: str) -> bool:
        return bool(self.business.search(message)) and not self.world.search(message)


def wants_fresh(message: str, today: date) -> bool:
    """Whether only the web can answer: something is asked about now, or about this year, and not of the business.

    A word of now is judged in its own language. Years have none, so any language's words of the business hold.
    """
    said = normalize(message).casefold().replace("’", "'")
    asked = [cues for cues in _all_cues().values() if cues.is_question(said)]
    now = [cues for cues in asked if cues.fresh.search(said)]
    if now:
        return any(not cues.is_about_the_business(said) for cues in now)
    years = {int(year) for year in _YEAR.findall(said)}
    is_of_now = bool(asked) and not years.isdisjoint({today.year, today.year + 1})
    return is_of_now and not any(cues.is_about_the_business(said) for cues in _all_cues().values())


@cache
def _all_cues() -> dict[str, _Cues]:
    table = tomllib.loads(files(__name__).joinpath("cues.toml").read_text("utf-8"))
    return {
        language: _Cues(*(_pattern(rows[own.name]) for own in fields(_Cues)))
        for language, rows in table.items()
    }


def _pattern(rows: str) -> re.Pattern[str]:
    phrases = [phrase.strip() for line in rows.splitlines() for phrase in line.split("|") if phrase.strip()]
    spelled = (re.escape(phrase).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled)})(?!\w)")
