"""Calculations that a language model wrote, in a sandbox without files, network or environment (pydantic-monty).

The code runs in processes of its own, which are killed where they outstay their time; the product's own process never
evaluates a line of it.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any, Final, Literal

import structlog
from pydantic_monty import AsyncMonty, MontyCrashedError, MontyError, MontySyntaxError, ResourceLimits

logger = structlog.get_logger(__name__)

CalculationFailure = Literal[
    "too_long",
    "syntax",
    "error",
    "forbidden",
    "time",
    "memory",
    "recursion",
    "output",
    "no_value",
    "busy",
    "unavailable",
]

SECONDS: Final = 1.0
MEMORY_BYTES: Final = 32 * 1024 * 1024
OUTPUT_CHARS: Final = 2_000
SOURCE_CHARS: Final = 4_000
REASON_CHARS: Final = 200
MOST_ITEMS: Final = 200
PROCESSES: Final = 2
# A process that is past its time and does not stop by itself is killed this much later.
GRACE_S: Final = 0.5
# So long a calculation waits for those before it.
QUEUE_S: Final = 2.0

_LIMITS: Final = ResourceLimits(
    max_feed_duration_secs=SECONDS,
    max_memory=MEMORY_BYTES,
    max_recursion_depth=200,
    max_suspensions=20,
    max_total_sleep_secs=0.0,
)
# By the exception that ended the code; whatever is not here is an error of its own.
_FAILURES: Final[Mapping[type[BaseException], CalculationFailure]] = {
    TimeoutError: "time",
    MemoryError: "memory",
    RecursionError: "recursion",
    PermissionError: "forbidden",
    ModuleNotFoundError: "forbidden",
    ImportError: "forbidden",
}
_SINGLE: Final = (str, int, Decimal, date, datetime, time, timedelta)


@dataclass(frozen=True, slots=True)
class Calculated:
    """`value` is that of the code's last expression, as text; None where there is none, or where it failed.

    `printed` is what it printed, as far as it may. `because` says to whoever wrote the code what went wrong.
    """

    value: str | None
    printed: str
    failure: CalculationFailure | None
    because: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class _Ended:
    value: str | None = None
    failure: CalculationFailure | None = None
    because: str = ""


class Calculator:
    """Starts its processes with the first calculation and keeps them; `close` ends them."""

    def __init__(self) -> None:
        self._pool: AsyncMonty | None = None
        self._opening = asyncio.Lock()

    async def run(self, source: str) -> Calculated:
        """Run some lines of Python, within a second, 32 MB, and 2,000 characters of output. Never raises for them."""
        begun = perf_counter()
        printed = _Printed()
        if len(source) > SOURCE_CHARS:
            ended = _Ended(
                failure="too_long", because=f"The code is longer than {SOURCE_CHARS:,} characters."
            )
        else:
            ended = await self._ended(source, printed)
        milliseconds = (perf_counter() - begun) * 1000
        return Calculated(ended.value, printed.text, ended.failure, ended.because, milliseconds)

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.__aexit__(None, None, None)

    async def _ended(self, source: str, printed: "_Printed") -> _Ended:
        try:
            pool = await self._opened()
            async with pool.checkout(limits=_LIMITS, os_policy={"sleep": "zero"}) as session:
                return _valued(await session.feed_run(source, print_callback=printed.take))
        except MontyError as error:
            return _failed(error, printed)
        except TimeoutError:
            return _Ended(failure="busy", because="Too many calculations run at the moment.")
        except (OSError, RuntimeError) as error:
            logger.warning("no sandbox for calculations", reason=str(error)[:REASON_CHARS])
            return _Ended(failure="unavailable", because="Calculations are not available here.")
        except ValueError as error:
            # A number of thousands of digits is not written out.
            return _Ended(failure="output", because=str(error)[:REASON_CHARS])

    async def _opened(self) -> AsyncMonty:
        async with self._opening:
            if self._pool is None:
                pool = AsyncMonty(
                    max_processes=PROCESSES,
                    checkout_timeout=QUEUE_S,
                    request_timeout=SECONDS + 2 * GRACE_S,
                    feed_duration_limit_grace=GRACE_S,
                )
                self._pool = await pool.__aenter__()
            return self._pool


class _OutputFullError(Exception):
    """Ends code that prints more than may be kept."""


class _Printed:
    def __init__(self) -> None:
        self.text = ""
        self.is_full = False

    def take(self, _stream: Literal["stdout", "stderr"], text: str) -> None:
        room = OUTPUT_CHARS - len(self.text)
        self.text += text[:room]
        if len(text) > room:
            self.is_full = True
            raise _OutputFullError


def _failed(error: MontyError, printed: _Printed) -> _Ended:
    if printed.is_full:
        return _Ended(failure="output", because=f"It printed more than {OUTPUT_CHARS:,} characters.")
    if isinstance(error, MontyCrashedError):
        return _Ended(failure="time" if error.timed_out else "memory", because="It had to be stopped.")
    because = str(error)[:REASON_CHARS]
    if isinstance(error, MontySyntaxError):
        return _Ended(failure="syntax", because=because)
    raised = error.exception()
    kinds: list[CalculationFailure] = [kind for known, kind in _FAILURES.items() if isinstance(raised, known)]
    return _Ended(failure=kinds[0] if kinds else "error", because=because)


def _valued(value: Any) -> _Ended:
    if value is None:
        return _Ended()
    text = _as_text(value)
    if text is None:
        because = f"The last expression must be a number, a text, or a flat list of at most {MOST_ITEMS}."
        return _Ended(failure="no_value", because=because)
    if len(text) > OUTPUT_CHARS:
        return _Ended(failure="output", because=f"The value is longer than {OUTPUT_CHARS:,} characters.")
    return _Ended(value=text)


def _as_text(value: Any) -> str | None:
    """A single value, or a flat list of some; anything deeper could be far larger as text than it is in memory."""
    if isinstance(value, dict):
        pairs = [(_single(key), _single(own)) for key, own in _few(value.items())]
        return _joined([None if None in pair else f"{pair[0]}: {pair[1]}" for pair in pairs], len(value))
    if isinstance(value, list | tuple | set | frozenset):
        return _joined([_single(own) for own in _few(value)], len(value))
    return _single(value)


def _few(values: Collection[Any]) -> list[Any]:
    return [own for own, _ in zip(values, range(MOST_ITEMS), strict=False)]


def _joined(parts: list[str | None], count: int) -> str | None:
    known = [part for part in parts if part is not None]
    return ", ".join(known) if len(known) == count else None


def _single(value: Any) -> str | None:
    if isinstance(value, float):
        # As many digits as a float has: 53.55 rather than 53.550000000000004.
        return f"{value:.15g}"
    # Cut here, because a list may hold one long text many times.
    return str(value)[: OUTPUT_CHARS + 1] if isinstance(value, _SINGLE) else None
