"""What reading a file yields."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """`text` is Markdown-like plain text (headings `#`, lists `-`, tables `| a | b |`): what citations quote."""

    title: str
    text: str
    url: str | None
    language: str | None
    published_at: datetime | None
    modified_at: datetime | None
    media_type: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reader of one format found, before it is made uniform. Dates are text in whatever form they had."""

    text: str
    title: str | None = None
    url: str | None = None
    language: str | None = None
    published: str | None = None
    modified: str | None = None


def parse_date(value: str | None) -> datetime | None:
    """ISO 8601 or e-mail dates, with UTC where no zone is given; None for anything else or beyond belief."""
    if not value:
        return None
    parsed = _iso_date(value.strip()) or _mail_date(value.strip())
    if parsed is None or not 1970 <= parsed.year <= datetime.now(UTC).year + 1:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _iso_date(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        pass
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _mail_date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
