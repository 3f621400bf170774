"""What `ingest --feed` adds: a feed's options as they are typed, and what it would become."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.markup import escape
from rich.padding import Padding

from concierge.entrypoints.cli.console import complain, out, typed_input
from concierge.kit.errors import InvalidInputError, NotFoundError, TooLargeError
from concierge.kit.fetch import Fetcher, FetchLimits
from concierge.kit.settings import Settings
from concierge.knowledge.schemas import NewSource
from concierge.knowledge.schemas.feeds import FeedOptions, FeedPreview
from concierge.knowledge.service.feeds import NewFeed, previewed

MAX_FILE_BYTES = 200 * 1024 * 1024


def feed_options(mapping: Sequence[str], items: str | None) -> FeedOptions:
    """Read `field=column` as it was typed; ends the command with what is wrong with it."""
    pairs = [entry.partition("=") for entry in mapping]
    for field, equals, _ in pairs:
        if not equals:
            complain(f"--map {field}: say which column a field is, as in --map title=name.")
            raise typer.Exit(1)
    with typed_input():
        return FeedOptions(items=items, map={field.strip(): column for field, _, column in pairs})


def feed_source(what: str, options: FeedOptions, *, authoritative: bool) -> NewSource:
    """Errors: NotFoundError, TooLargeError, InvalidInputError."""
    feed = _given(what, options, authoritative=authoritative)
    # A file is known by where it lies, and what is said of it by its name.
    return replace(feed.source(), uri=what if feed.data is None else str(Path(what).expanduser().resolve()))


def preview(settings: Settings, what: str, options: FeedOptions) -> None:
    """Show what a feed would become. Errors: those of `feed_source`, FetchError, DocumentRejectedError."""
    limits = FetchLimits(total_s=settings.limits.fetch_seconds, max_bytes=settings.limits.fetch_bytes)
    seen = asyncio.run(previewed(Fetcher(limits=limits), _given(what, options, authoritative=False)))
    _show(seen)


def _given(what: str, options: FeedOptions, *, authoritative: bool) -> NewFeed:
    if what.startswith(("http://", "https://")):
        return NewFeed(what, None, options, authoritative=authoritative)
    path = Path(what).expanduser().resolve()
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", code="path_not_found")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TooLargeError(f"The file {path} is larger than {MAX_FILE_BYTES // 1024**2} MB.")
        return NewFeed(path.name, path.read_bytes(), options, authoritative=authoritative)
    except OSError as error:
        raise InvalidInputError(f"The file {path} cannot be read: {error.strerror}.") from error


def _show(seen: FeedPreview) -> None:
    kind = "questions" if seen.kind == "faq" else "products"
    out.print(f"[bold]{seen.readable:,} of {seen.total:,} rows[/] can be read as {kind} ({seen.format}).")
    if seen.joined:
        out.print(f"{seen.joined:,} go on with the product before them.")
    for field, column in seen.map.items():
        out.print(f"  {field} [dim]←[/] {escape(column)}")
    if seen.attributes:
        out.print(f"  [dim]and[/] {escape(', '.join(seen.attributes))}")
    for row in seen.rows:
        out.print(f"\n[dim]Row {row.row} · {escape(row.id)}[/]")
        out.print(Padding(escape(row.text), (0, 0, 0, 3)))
    if seen.problems:
        out.print(f"\n[bold red]{seen.failed:,} cannot be read:[/]")
    for problem in seen.problems:
        out.print(f"  [red]✗[/] Row {problem.row}: {escape(problem.reason)}")
