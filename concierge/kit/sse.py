"""Server-sent events on the wire: numbered frames, and a ping whenever there is nothing to say for a while."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final

PING_SECONDS: Final = 15.0
PING: Final = b"event: ping\ndata: {}\n\n"
STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Frame:
    """`id` rises within a stream; a client that comes back sends the last one it has seen."""

    id: int
    event: str
    data: Mapping[str, Any]

    def encode(self) -> bytes:
        # JSON has no line break outside of its strings, and none inside that is not escaped.
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self.id}\nevent: {self.event}\ndata: {data}\n\n".encode()


async def frames(events: AsyncGenerator[Frame], ping_seconds: float = PING_SECONDS) -> AsyncGenerator[bytes]:
    """Encode events as they come. When whoever listens goes away, the events are closed at once."""
    async with aclosing(events):
        waiting = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=ping_seconds)
                if not done:
                    yield PING
                    continue
                event = waiting.result()
                if event is None:
                    return
                yield event.encode()
                waiting = asyncio.ensure_future(anext(events, None))
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
