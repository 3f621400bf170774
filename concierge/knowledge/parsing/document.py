"""What reading a file yields."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """`text` is Markdown-like plain text (headings `#`, lists `-`, tables `| a | b |`): what citations quote.

    `page_starts` are the offsets in it at which the pages begin, where the format has pages.
    A question–answer pair has the ways in which it is asked as `questions`; its text is the first of them, an empty
    line and the answer.
    """

    title: str
    text: str
    url: str | None
    language: str | None
    published_at: datetime | None
    modified_at: datetime | None
    media_type: str
    page_starts: tuple[int, ...] = ()
    kind: Literal["pack", "faq"] = "pack"
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reader of one format found, before it is made uniform. Dates are text in whatever form they had.

    `pages` are the beginnings of its pages, each with its number of letters (`parsing.pages.Page`).
    """

    text: str
    title: str | None = None
    url: str | None = None
    language: str | None = None
    published: str | None = None
    modified: str | None = None
    pages: Sequence[tuple[str, int]] = ()


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
