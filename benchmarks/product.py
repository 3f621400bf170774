"""The product as its users run it: the command line in a process of its own, asked over HTTP."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from benchmarks.memory import pss, with_children
from concierge.entrypoints.demo.credentials import DemoCredentials

RUN = "from concierge.entrypoints.cli import main; main()"
HOST = "127.0.0.1"
START_PATIENCE_S = 180.0
QUESTIONS = Path(__file__).parents[1] / "tests" / "scenarios" / "coconut_questions.jsonl"


def questions() -> list[str]:
    """What visitors ask the demo shop."""
    with QUESTIONS.open(encoding="utf-8") as lines:
        return [json.loads(line)["question"] for line in lines]


def environment(data_dir: Path, **settings: object) -> dict[str, str]:
    """The environment of a product with this data directory and these settings, and none of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONCIERGE_")}
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    given = {f"CONCIERGE_{name.upper()}": str(value) for name, value in settings.items()}
    return {**kept, "PYTHONPATH": path, "CONCIERGE_DATA_DIR": str(data_dir), **given}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", RUN, *arguments]


@dataclass(frozen=True, slots=True)
class Product:
    """A running `concierge serve --demo`."""

    process: subprocess.Popen[bytes]
    port: int
    demo: DemoCredentials
    launched: float

    def memory_mb(self) -> float:
        """Memory of the server, its helpers and its PostgreSQL; what processes share is counted once (PSS)."""
        return sum(map(pss, with_children(psutil.Process(self.process.pid)))) / 1024**2

    async def visitor(self, client: "Client") -> str:
        """Return the authorization of a new visitor."""
        reply = await client.post(
            "/api/v1/visitors/token", self.demo.publishable_key, {"agent_id": str(self.demo.agent_id)}
        )
        return str(reply["token"])

    async def ask(self, client: "Client", token: str, question: str) -> dict[str, Any]:
        return await client.post(f"/api/v1/chat/{self.demo.agent_id}", token, {"message": question})


class Client:
    """One keep-alive connection; does as little as possible, because it shares the processor with the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection(HOST, port))

    async def post(self, path: str, token: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Errors: RuntimeError for any status but 200."""
        return await self._request("POST", path, token, json.dumps(body).encode())

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def _request(self, method: str, path: str, token: str, body: bytes) -> dict[str, Any]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        status, *headers = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        lengths = [line for line in headers if line.lower().startswith("content-length:")]
        content = await self._reader.readexactly(int(lengths[0].split(":")[1]))
        if status.split()[1] != "200":
            raise RuntimeError(f"{path}: {status}: {content.decode()[:500]}")
        return json.loads(content)


@asynccontextmanager
async def serving(data_dir: Path, **settings: object) -> AsyncGenerator[Product]:
    """Run `concierge serve --demo` on a data directory; it has answered a request before this yields."""
    port = _free_port()
    log = data_dir.parent / f"{data_dir.name}.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    launched = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command("serve", "--demo", "--port", str(port)),
            env=environment(data_dir, **settings),
            stdout=output,
            stderr=output,
        )
    try:
        await _until_up(process, port, log)
        demo = DemoCredentials.load(data_dir)
        if demo is None:
            raise RuntimeError("the demo organization was not made")
        yield Product(process, port, demo, launched)
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 90)


async def prepared(cache: Path) -> Path:
    """A data directory with the demo organization read to the end; kept between runs."""
    data_dir = cache / "demo"
    process = await asyncio.create_subprocess_exec(
        *command("demo"), env=environment(data_dir), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise RuntimeError("`concierge demo` failed")
    return data_dir


async def _until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            client = await Client.connect(port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            await client.close()
            return
    raise RuntimeError("the server did not start in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
