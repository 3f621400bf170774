"""An expert's turn on a large pack: what it takes beside the model, and how soon a model's first word leaves."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from pydantic import HttpUrl, SecretStr

from benchmarks.figures import Figure, Target, Timings
from benchmarks.packs import Pack, PackDatabase
from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentIn
from concierge.agents.schemas.personas import ExpertisePatch, FromTemplateIn
from concierge.agents.service import AgentService, ExpertiseService, PersonaService
from concierge.chat.schemas import ChatIn
from concierge.entrypoints.wiring import Platform, build
from concierge.kit.ids import new_id
from concierge.kit.settings import Billing, Settings, Writer
from concierge.llm.scripted import ScriptedModel
from concierge.llm.structured import ModelAddress
from concierge.llm.writing import Request

TURN_TARGET: Final = Target(60)
FIRST_WORD_TARGET: Final = Target(40)
WARM_UP: Final = 20
SCRIPTED: Final = "scripted:quick"
ANSWER: Final = ("You can do that in the ", "settings of your project, ", "and it takes effect at once [1].")


@dataclass(slots=True)
class ModelServer:
    """Speaks Chat Completions: the answer in three pieces, and when the first of them was sent."""

    sent_at: list[float] = field(default_factory=list[float])

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                self.sent_at.append(perf_counter())
                for event in _events():
                    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
        writer.close()


def _events() -> Sequence[bytes]:
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "quick"}
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"role": "assistant", "content": piece}} for piece in ANSWER
    ]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    usage = {"prompt_tokens": 900, "completion_tokens": 20, "total_tokens": 920}
    chunks = [*({**head, "choices": [own]} for own in choices), {**head, "choices": [], "usage": usage}]
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


async def measure(cache: Path, database: PackDatabase, questions: Sequence[str]) -> list[Figure]:
    pack = database.packs[0]
    settings = Settings(data_dir=cache / "expert", worker=False, billing=Billing(default_plan="enterprise"))
    scripted = settings.model_copy(update={"writer": Writer(model=SCRIPTED)})
    async with _expert(scripted, database, pack) as (platform, scope, agent_id):
        platform.modelling.models.keep(ModelAddress(SCRIPTED), ScriptedModel(_first_source))
        turns = [await _turn(platform, scope, agent_id, question) for question in questions]
    whole, first = Timings(tuple(turns[WARM_UP:])), Timings(await _first_words(settings, database, questions))
    name = f"An expert's turn, {pack.chunks:,} chunks, without the model's time: p50"
    return [
        Figure(name, whole.p50, "ms", TURN_TARGET, f"p95 {whole.p95:.1f} ms"),
        Figure(
            "From a model's first word to the visitor's: p50",
            first.p50,
            "ms",
            FIRST_WORD_TARGET,
            f"p95 {first.p95:.1f} ms",
        ),
    ]


async def _first_words(
    settings: Settings, database: PackDatabase, questions: Sequence[str]
) -> tuple[float, ...]:
    server, heard = ModelServer(), list[float]()
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        writer = Writer(
            model="openai:quick", key=SecretStr("none"), url=HttpUrl(f"http://127.0.0.1:{port}/v1")
        )
        chosen = settings.model_copy(update={"writer": writer})
        async with _expert(chosen, database, database.packs[0]) as (platform, scope, agent_id):
            for question in questions:
                heard.append(await _first_word(platform, scope, agent_id, question))
    pairs = list(zip(server.sent_at, heard, strict=True))[WARM_UP:]
    return tuple((told - sent) * 1000 for sent, told in pairs)


async def _turn(platform: Platform, scope: TenantScope, agent_id: UUID, question: str) -> float:
    began = perf_counter()
    turn_id = await platform.chat.begin(scope, agent_id, ChatIn(message=question))
    await platform.chat.reply(scope, agent_id, turn_id)
    return (perf_counter() - began) * 1000


async def _first_word(platform: Platform, scope: TenantScope, agent_id: UUID, question: str) -> float:
    turn_id = await platform.chat.begin(scope, agent_id, ChatIn(message=question))
    heard = 0.0
    async for event in platform.chat.follow(scope, agent_id, turn_id):
        if event.type == "message.delta" and not heard:
            heard = perf_counter()
    return heard


@asynccontextmanager
async def _expert(
    settings: Settings, database: PackDatabase, pack: Pack
) -> AsyncGenerator[tuple[Platform, TenantScope, UUID]]:
    platform = build(settings, database.address)
    scope = TenantScope(pack.org_id)
    try:
        yield platform, scope, await _made(platform, scope, pack)
    finally:
        await platform.close()


async def _made(platform: Platform, scope: TenantScope, pack: Pack) -> UUID:
    name = f"Expert {new_id()}"
    async with platform.db.transaction(scope.org_id) as session:
        unit = Unit(session, scope)
        agent, _ = await AgentService(unit).create(AgentIn(name=name, pack_ids=[pack.pack_id]))
        wanted = FromTemplateIn(template_name="support_expert", name=name)
        persona = await PersonaService(unit).from_template(wanted)
        expertise = ExpertisePatch(persona_id=persona.id, domain_expertise_enabled=True)
        await ExpertiseService(unit).change(agent.id, expertise)
    return agent.id


def _first_source(request: Request) -> str:
    """What the first source says, as a model would say it that quotes."""
    lines = [line[2:] for line in request.user.splitlines() if line.startswith("> ") and len(line) > 30]
    return " ".join(f"{line.strip()} [1]" for line in lines[:3]) or "I don't have anything on that."
