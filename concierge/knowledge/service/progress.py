"""How far a source has been read, how fast, and how long it will take. Pure."""

import math
from datetime import datetime, timedelta
from typing import Final, cast

from concierge.knowledge.models import Source
from concierge.knowledge.repository import Tally
from concierge.knowledge.schemas import FreshnessPolicy, Progress, Rate, SourceKind, SourceOut, Stage
from concierge.knowledge.schemas.sources import SourceStatus
from concierge.knowledge.schemas.websites import WebsiteOptions, WebsiteSeen
from concierge.knowledge.service.freshness import next_due

# The rate is that of the last half minute: what was slow or fast earlier says nothing about now.
RECENTLY: Final = timedelta(seconds=30)
# Before so many documents, and so many seconds, a guess at the time left would be noise.
ENOUGH_DOCUMENTS: Final = 3
ENOUGH_SECONDS: Final = 1.0


def source_out(source: Source, tally: Tally, policy: FreshnessPolicy, now: datetime) -> SourceOut:
    return SourceOut(
        id=source.id,
        pack_id=source.pack_id,
        kind=cast("SourceKind", source.kind),
        name=source.name,
        uri=source.uri,
        status=cast("SourceStatus", source.status),
        authoritative=source.authoritative,
        credibility=source.credibility,
        audience=source.audience,
        error_code=source.error_code,
        error=source.error,
        progress=progress(source, tally, now),
        created_at=source.created_at,
        started_at=source.started_at,
        finished_at=source.finished_at,
        synced_at=source.synced_at,
        next_due_at=next_due(source, policy),
        notes=notes_of(source),
    )


def notes_of(source: Source) -> list[str]:
    """What the last reading of a website has to say about it."""
    if source.kind != "website":
        return []
    options = WebsiteOptions.model_validate(source.options.get("website", {}))
    return WebsiteSeen.model_validate(source.options.get("seen", {})).notes(options.max_pages)


def progress(source: Source, tally: Tally, now: datetime) -> Progress:
    stage = stage_of(source.status, tally)
    seconds = _seconds_reading(source, now) if stage else 0.0
    rate = _rate(tally, seconds)
    total = tally.items
    done = total - tally.of("pending")
    return Progress(
        stage=stage,
        percent=100 * done // total if total else 0,
        items=total,
        done=done,
        stored=tally.of("stored"),
        duplicate=tally.of("duplicate"),
        near_duplicate=tally.of("near_duplicate"),
        unchanged=tally.of("unchanged"),
        skipped=tally.of("skipped"),
        failed=tally.of("failed"),
        chunks=tally.chunks,
        rate=rate,
        seconds_left=_seconds_left(tally, rate, seconds),
        current=source.current_item if stage else None,
    )


def stage_of(status: str, tally: Tally) -> Stage | None:
    """What the reader does: look for documents, read them, or tidy up after the last one."""
    if status != "running":
        return None
    if not tally.items:
        return "discovering"
    return "reading" if tally.of("pending") else "finishing"


def _seconds_reading(source: Source, now: datetime) -> float:
    """For how long the reader is at it, as far as that counts as lately."""
    since = max(source.started_at or now, now - RECENTLY)
    return max((now - since).total_seconds(), 0.0)


def _rate(tally: Tally, seconds: float) -> Rate | None:
    if seconds < ENOUGH_SECONDS:
        return None
    return Rate(
        documents=round(tally.recent_items / seconds, 2), chunks=round(tally.recent_chunks / seconds, 2)
    )


def _seconds_left(tally: Tally, rate: Rate | None, seconds: float) -> int | None:
    if rate is None or tally.recent_items < ENOUGH_DOCUMENTS:
        return None
    return math.ceil(tally.of("pending") * seconds / tally.recent_items)
