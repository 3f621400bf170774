"""When a result was published, as providers say it: a date, a moment, or how long ago. Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?!\d)")
_AGO: Final = re.compile(r"(\d{1,3}|an?) (minute|hour|day|week|month|year)s? ago", re.IGNORECASE)
_DAYS: Final[Mapping[str, float]] = {
    "minute": 0,
    "hour": 1 / 24,
    "day": 1,
    "week": 7,
    "month": 30.4,
    "year": 365.25,
}
_WRITTEN: Final = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b. %d, %Y")
_EARLIEST: Final = date(1990, 1, 1)


def published(dated: str, today: date) -> date | None:
    """The day something was published; None for what says none, and for days that cannot be."""
    text = dated.strip()[:60]
    found = _iso(text) or _ago(text, today) or _in_words(text) or _mail(text)
    return found if found is not None and _EARLIEST <= found <= today + timedelta(days=1) else None


def _iso(text: str) -> date | None:
    found = _ISO.match(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _ago(text: str, today: date) -> date | None:
    found = _AGO.fullmatch(text)
    if found is None:
        return None
    number = int(found[1]) if found[1].isdigit() else 1
    return today - timedelta(days=int(number * _DAYS[found[2].lower()]))


def _in_words(text: str) -> date | None:
    for form in _WRITTEN:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # A day has no zone.
        except ValueError:
            continue
    return None


def _mail(text: str) -> date | None:
    """As in the header of a mail or a page: Tue, 12 Nov 2024 10:00:00 GMT."""
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, IndexError, OverflowError):
        return None
