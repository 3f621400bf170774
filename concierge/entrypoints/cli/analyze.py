"""`analyze`: what a message says about who wrote it, and which of its words say so."""

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.padding import Padding

from concierge.accounts.scope import TenantScope
from concierge.entrypoints.cli.console import complain, out, settings_of_command, typed_input
from concierge.entrypoints.wiring import analyst_of
from concierge.intelligence.analyst import Analyst, Message, Understood
from concierge.intelligence.reading import BUILT_IN
from concierge.intelligence.schemas import AnalyzeIn, Evidence
from concierge.kit.settings import Settings

AT_ONCE = 64
# Outside an organization nothing but the message is known.
NOBODY = TenantScope(UUID(int=0))


def analyze(
    text: Annotated[str | None, typer.Argument(help="What a visitor wrote.")] = None,
    *,
    context: Annotated[
        str | None,
        typer.Option(
            help='What the page knows, as JSON: {"current_page": "/support", "local_time": "22:41"}.'
        ),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            allow_dash=True,
            help="A file of one JSON object a line: text, history, context.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option(help="Show why: the words and signals behind every reading.")
    ] = False,
) -> None:
    """Read a message in eight dimensions: mood, urgency, intent, topics, pains, chances, next steps, manner."""
    settings = settings_of_command()
    if (text is None) == (jsonl is None):
        complain("Give either a message, or a file with --jsonl.")
        raise typer.Exit(2)
    if jsonl is not None:
        failed = asyncio.run(_read_lines(settings, jsonl))
        if failed:
            complain(f"{failed:,} lines could not be read; each has an error in its place.")
            raise typer.Exit(1)
        return
    with typed_input():
        wanted = AnalyzeIn(text=text or "", context=_context(context))
    understood = asyncio.run(analyst_of(settings).read(NOBODY, _message(wanted)))
    if explain:
        _show(wanted.text, understood)
    else:
        out.print_json(json.dumps(asdict(understood.told()), ensure_ascii=False))


def _context(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        complain(f"--context is not JSON: {error}")
        raise typer.Exit(2) from error
    if not isinstance(value, dict):
        complain('--context must be a JSON object, such as {"current_page": "/pricing"}.')
        raise typer.Exit(2)
    return value


async def _read_lines(settings: Settings, path: Path) -> int:
    """Print one object for each line, in order; returns how many lines are none."""
    analyst = analyst_of(settings)
    failed = 0
    remaining = _lines(path)
    while lines := list(islice(remaining, AT_ONCE)):
        results = await asyncio.gather(*(_read_line(analyst, line) for line in lines))
        failed += sum("error" in result for result in results)
        for result in results:
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return failed


def _lines(path: Path) -> Iterator[str]:
    if str(path) == "-":
        yield from _told_lines(sys.stdin)
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from _told_lines(file)


def _told_lines(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line.strip())


async def _read_line(analyst: Analyst, line: str) -> dict[str, Any]:
    try:
        wanted = AnalyzeIn.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        return {"error": f"not JSON: {error}"}
    except RecursionError:
        return {"error": "not JSON: nested too deeply"}
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        return {"error": f"{place}: {problem['msg']}" if place else problem["msg"]}
    return asdict((await analyst.read(NOBODY, _message(wanted))).told())


def _message(wanted: AnalyzeIn) -> Message:
    return Message(wanted.text, wanted.history, wanted.context)


def _show(text: str, understood: Understood) -> None:
    analysis = understood.analysis
    out.print(
        f"[bold]confidence {analysis.confidence_score:.2f}[/]  [dim]{understood.milliseconds:.1f} ms[/]"
    )
    for name in (*BUILT_IN, *analysis.attributes):
        value = getattr(analysis, name) if name in BUILT_IN else analysis.attributes[name]
        out.print(f"[bold]{name}[/]  {escape(_valued(value))}  [dim]{analysis.confidence[name]:.2f}[/]")
        for reason in analysis.evidence[name]:
            out.print(Padding(_reason(text, reason), (0, 0, 0, 4)))


def _valued(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(getattr(entry, "kind", entry)) for entry in value) or "–"
    if isinstance(value, str):
        return value
    return ", ".join(f"{name} {own}" for name, own in asdict(value).items())


def _reason(text: str, reason: Evidence) -> str:
    place = "" if reason.start is None else f" [dim]{reason.start}–{reason.end}[/]"
    words = "" if reason.start is None else f" “{escape(text[reason.start : reason.end])}”"
    quoted = "" if words.strip(" “”") in reason.because else words
    return f"{reason.weight:+.2f}  {escape(reason.because)}{quoted}{place}"
