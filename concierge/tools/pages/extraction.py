"""The main text of a stranger's page, found in a child process that a hostile page can only take with it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from pydantic import BaseModel

logger = structlog.get_logger(__name__)

CHILD: Final = "concierge.tools.pages.child"
# A page that takes longer is given up, and the next one has a new process.
SECONDS: Final = 2.0
_LONGEST_LINE: Final = 512 * 1024


class Extracted(BaseModel):
    """`date` is the day a page was published, as YYYY-MM-DD, or empty."""

    title: str = ""
    text: str = ""
    date: str = ""


class Extraction:
    """One page after another; `of` may be called by several at once."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._one = asyncio.Lock()

    async def start(self) -> None:
        """Start the process before the first page is there: that takes a third of a second."""
        async with self._one:
            await self._running()

    async def of(self, body: bytes, charset: str | None) -> Extracted:
        """Return what a page says; nothing where it says nothing, or could not be taken apart."""
        async with self._one:
            try:
                async with asyncio.timeout(SECONDS):
                    return await self._asked(await self._running(), body, charset)
            except (OSError, ValueError, TimeoutError) as error:
                logger.info("a page could not be taken apart", reason=type(error).__name__)
                await self.end()
                return Extracted()
            except asyncio.CancelledError:
                await self.end()
                raise

    async def end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())

    async def _running(self) -> Process:
        if self._child is None or self._child.returncode is not None:
            # Nothing of this process's environment, which holds keys, reaches the child.
            environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", CHILD),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=environment,
                limit=_LONGEST_LINE,
            )
        return self._child

    async def _asked(self, child: Process, body: bytes, charset: str | None) -> Extracted:
        assert child.stdin is not None
        assert child.stdout is not None
        head = json.dumps({"charset": charset, "size": len(body)})
        child.stdin.write(f"{head}\n".encode() + body)
        await child.stdin.drain()
        return Extracted.model_validate_json(await child.stdout.readline())


@asynccontextmanager
async def extracting() -> AsyncGenerator[Extraction]:
    """An extraction whose process starts at once and ends with the block."""
    extraction = Extraction()
    starting = asyncio.create_task(extraction.start())
    try:
        yield extraction
    finally:
        try:
            with suppress(OSError):
                await asyncio.shield(starting)
        finally:
            await extraction.end()
