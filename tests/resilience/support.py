"""The product as real processes: its command line in forks of one process that has imported everything already."""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import psutil

from concierge.entrypoints.cli import evaluate
from concierge.entrypoints.cli.main import main
from concierge.entrypoints.wiring import DatabaseAddress, build
from concierge.kit.postgres import OWNER_ROLE
from concierge.kit.postgres.cluster import postmaster_pid
from concierge.kit.postgres.home import Home
from concierge.kit.postgres.processes import end_all, server_processes
from concierge.kit.settings import Settings
from concierge.llm.embeddings import LocalEmbedder
from tests.factories.tenants import Tenant, bearer
from tests.kit.postgres.support import CONTEXT

# One server makes all forks of a test run, so what its other user needs stays in the list.
CONTEXT.set_forkserver_preload(["tests.kit.postgres.support", "tests.resilience.support"])
PRELOADED = (evaluate,)
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    org_id: str
    agent_id: str
    pack_id: str
    email: str
    secret: str
    publishable: str


class Command:
    """One running `concierge …`; what it says goes to files, so that nothing blocks it."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._files = (folder / "out", folder / "err")
        folder.mkdir(parents=True)
        for file in self._files:
            file.touch()
        self._process = CONTEXT.Process(
            target=live, args=(arguments, dict(environment), self._files), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def out(self) -> str:
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        return self._files[1].read_text()

    def is_running(self) -> bool:
        return self._process.is_alive()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()
        self._process.join(10)

    def code(self, within_s: float = PATIENCE_S) -> int:
        """Wait for the end. Returns the exit code, as a shell would."""
        self._process.join(within_s)
        code = self._process.exitcode
        assert code is not None, f"still running\n{self.err}"
        return code


def live(arguments: tuple[str, ...], environment: dict[str, str], files: tuple[Path, Path]) -> None:
    os.setsid()
    for name in [name for name in os.environ if name.startswith("CONCIERGE_")]:
        del os.environ[name]
    os.environ.update(environment)
    for descriptor, file in zip((1, 2), files, strict=True):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, buffering=1)
    sys.argv = ["concierge", *arguments]
    try:
        main()
    finally:
        sys.stdout.flush()


@dataclass(slots=True)
class Installation:
    """A data folder of its own with an organization in it, and the commands that run on it."""

    data_dir: Path
    credentials: Credentials
    port: int
    environment: dict[str, str] = field(default_factory=dict[str, str])
    commands: list[Command] = field(default_factory=list[Command])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> dict[str, str]:
        return bearer(self.credentials.secret)

    @property
    def home(self) -> Home:
        return Home(self.data_dir / "postgres")

    def start(self, *arguments: str, **environment: str) -> Command:
        variables = {
            "CONCIERGE_DATA_DIR": str(self.data_dir),
            "CONCIERGE_PORT": str(self.port),
            **self.environment,
            **environment,
        }
        folder = self.data_dir / f"command-{len(self.commands)}"
        command = Command(arguments, variables, folder)
        self.commands.append(command)
        return command

    def run(self, *arguments: str, **environment: str) -> Command:
        """Run a command to its end."""
        command = self.start(*arguments, **environment)
        command.code()
        return command

    def serve(self, *arguments: str) -> Command:
        """Start the server and wait until it answers."""
        command = self.start("serve", *arguments)
        deadline = time.monotonic() + PATIENCE_S
        while not self.is_ready():
            assert command.is_running(), command.err
            assert time.monotonic() < deadline, command.err
            time.sleep(0.05)
        return command

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill_database(self) -> None:
        """Kill it. Its servers would still answer a statement or two before they see that they are orphans."""
        servers = list(server_processes(self.home.cluster))
        pid = postmaster_pid(self.home.cluster)
        assert pid
        os.kill(pid, signal.SIGKILL)
        for server in servers:
            with suppress(psutil.NoSuchProcess):
                server.kill()

    @asynccontextmanager
    async def tenant(self, embedder: LocalEmbedder) -> AsyncGenerator[Tenant]:
        """Look at the database of a running command, without a part in keeping it running."""
        address = self.home.address
        settings = Settings(data_dir=self.data_dir)
        database = DatabaseAddress(address.url(role=OWNER_ROLE), address.url(), None)
        platform = build(settings, database, embedder=embedder)
        known = self.credentials
        try:
            async with httpx.AsyncClient(base_url=self.origin, timeout=30) as client:
                yield Tenant(
                    platform=platform,
                    client=client,
                    org_id=UUID(known.org_id),
                    agent_id=UUID(known.agent_id),
                    pack_id=UUID(known.pack_id),
                    email=known.email,
                    refresh_token="",
                    owner=self.secret,
                    secret=self.secret,
                    publishable=bearer(known.publishable),
                )
        finally:
            await platform.db.close()

    def end(self) -> None:
        for command in self.commands:
            command.kill()
        end_all(self.home.cluster, grace_s=0)
        if self.home.socket_dir.parent != self.home.folder:
            shutil.rmtree(self.home.socket_dir, ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
