"""`serve`, `worker`, `demo`, `openapi`."""

import asyncio
import json
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Annotated

import structlog
import typer
import uvicorn

from concierge.accounts.scope import TenantScope
from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.cli.console import aside, out, say, settings_of_command
from concierge.entrypoints.cli.progress import watch_sources, working
from concierge.entrypoints.cli.tenants import packs_by_plan
from concierge.entrypoints.demo.credentials import DemoCredentials
from concierge.entrypoints.demo.load import load_demo
from concierge.entrypoints.wiring import (
    Platform,
    build,
    embedded_postgres,
    prepare_database,
    running_platform,
    unconnected,
    watched,
)
from concierge.kit.errors import ConflictError
from concierge.kit.logging import configure_logging
from concierge.kit.postgres import EmbeddedPostgres
from concierge.kit.settings import Settings

logger = structlog.get_logger(__name__)

# Together with what the turns and the jobs under way get, less than the ten seconds most supervisors allow.
GRACE_SECONDS = 3


def serve(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo organization first.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    worker: Annotated[bool | None, typer.Option(help="Also run background jobs.")] = None,
) -> None:
    """Serve the API, the widget and the pages, and run background jobs."""
    given = {"host": host, "port": port, "worker": worker}
    settings = Settings().model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    configure_logging(settings)
    asyncio.run(_serve(settings, with_demo=demo))


async def _serve(settings: Settings, *, with_demo: bool) -> None:
    _check_port(settings)
    embedded = embedded_postgres(settings)
    try:
        address = await asyncio.to_thread(prepare_database, settings, embedded)
        platform = build(settings, address)
        await _serve_platform(platform, embedded, with_demo=with_demo)
    finally:
        if embedded is not None:
            await asyncio.to_thread(embedded.stop)


def _check_port(settings: Settings) -> None:
    """Look before anything is started; who takes the port in between is told by uvicorn. Errors: ConflictError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise ConflictError(
            f"The server cannot listen on {settings.host}, port {settings.port}: {error.strerror}. "
            "Stop what uses it, or choose another one with --port.",
            code="port_taken",
        ) from error


async def _serve_platform(platform: Platform, embedded: EmbeddedPostgres | None, *, with_demo: bool) -> None:
    settings = platform.settings
    await asyncio.to_thread(_note_other_indexes, platform)
    demo = await load_demo(platform) if with_demo else None
    app = create_app(platform, with_worker=settings.worker)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    server = Server(config, platform)
    announcing = asyncio.create_task(_announce(server, platform, demo))
    try:
        async with watched(embedded):
            await server.serve()
    finally:
        announcing.cancel()
        with suppress(asyncio.CancelledError):
            await announcing


def _note_other_indexes(platform: Platform) -> None:
    """Packs keep the model they were indexed by; after the settings changed, somebody should know which that are."""
    default = platform.chunkers.default_plan
    others = {plan: n for plan, n in packs_by_plan(platform.address.owner_url).items() if plan != default}
    if others:
        logger.warning(
            "packs keep answering by another model or chunker than the settings'; "
            "`concierge packs reindex --all` moves them",
            packs=sum(others.values()),
            models=sorted({plan.space.model for plan in others}),
            setting=default.space.model,
        )


class Server(uvicorn.Server):
    """Ends its streams when it is asked to stop, and leaves the end of the process to its caller."""

    def __init__(self, config: uvicorn.Config, platform: Platform) -> None:
        super().__init__(config)
        self._platform = platform

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Streams end with their turns; uvicorn alone would only break them off.
        await self._platform.watching.close()
        await self._platform.chat.drain()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        with super().capture_signals():
            yield
            # Raised again they would end the process before the database is stopped.
            self._captured_signals.clear()


async def _announce(server: uvicorn.Server, platform: Platform, demo: DemoCredentials | None) -> None:
    while not server.started:  # noqa: ASYNC110  # uvicorn offers a flag, not an event.
        await asyncio.sleep(0.02)
    if demo is not None:
        await _watch_demo(platform, demo)
        say(_demo_text(platform.settings, demo))
    say(f"[bold green]●[/] Concierge is running at [bold]{platform.settings.origin}[/]  (Ctrl-C stops it)")


async def _watch_demo(platform: Platform, demo: DemoCredentials) -> None:
    """Show how far the demo's documents are read, until they are."""
    await watch_sources(platform, TenantScope(demo.org_id), demo.pack_id)


def _demo_text(settings: Settings, demo: DemoCredentials) -> str:
    body = json.dumps({"message": "How long do I have to send a chair back?"})
    return (
        f"\n[bold]Coconut Furniture[/], the demo shop: {settings.origin}/\n"
        f"  Sign in:  {demo.email}   password: {demo.password}\n"
        f"  Ask from a terminal:\n"
        f"  curl -s {settings.origin}/api/v1/chat/{demo.agent_id} \\\n"
        f"    -H 'Authorization: Bearer {demo.secret_key}' \\\n"
        f"    -H 'Content-Type: application/json' -d '{body}'\n"
    )


def worker() -> None:
    """Run background jobs only, beside one or more servers."""
    settings = Settings()
    configure_logging(settings)
    asyncio.run(_worker(settings))


async def _worker(settings: Settings) -> None:
    async with running_platform(settings) as platform:
        task = asyncio.create_task(platform.job_runner().run())
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, task.cancel)
        say("[bold green]●[/] Worker is running  (Ctrl-C stops it)")
        with suppress(asyncio.CancelledError):
            await task


def demo() -> None:
    """Load the demo organization and print how to get into it."""
    asyncio.run(_demo(settings_of_command()))


async def _demo(settings: Settings) -> None:
    async with running_platform(settings) as platform:
        credentials = await load_demo(platform)
        async with working(platform):
            await _watch_demo(platform, credentials)
    aside.print(_demo_text(settings, credentials), soft_wrap=True)


def openapi() -> None:
    """Print the OpenAPI document."""
    out.print_json(data=create_app(unconnected(Settings())).openapi())
