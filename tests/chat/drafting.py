"""A shop whose answers a language model writes, behind a server that speaks as OpenAI's does."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
from pydantic import HttpUrl, SecretStr

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import DatabaseAddress, build
from concierge.kit.settings import Settings, Writer, WriterModel
from concierge.llm.embeddings import Embedder
from tests.factories.tenants import Tenant, make_tenant
from tests.llm.language_vendors import KEY
from tests.llm.streaming_vendors import Streamed, StreamingServer, completions_text

FREE = Decimal(0)
RETURNS = "# Returns\n\nYou have 30 days from delivery to send anything back. We collect it for free.\n"
DELIVERY = "# Delivery\n\nDelivery is free above $500. Below that it costs $49. It takes 5 working days.\n"


@dataclass(slots=True)
class DraftingShop:
    tenant: Tenant
    server: StreamingServer

    def writes(self, *drafts: str) -> None:
        """Have the model write these, one after the other."""
        self.answers(*(Streamed(completions_text(pieces(draft))) for draft in drafts))

    def answers(self, *answers: Streamed) -> None:
        self.server.answers[:] = answers
        self.server.requests.clear()

    async def trace(self, reply: dict[str, Any]) -> dict[str, Any]:
        response = await self.tenant.client.get(
            f"/api/v1/turns/{reply['turn_id']}/trace", headers=self.tenant.secret
        )
        assert response.status_code == 200, response.text
        return response.json()["trace"]

    async def ask(self, message: str, **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the reply and its trace."""
        reply = await self.tenant.ask(message, **body)
        return reply, await self.trace(reply)

    @property
    def told(self) -> str:
        """What the model was last told, system and all."""
        return "\n".join(str(message["content"]) for message in self.server.requests[-1].body["messages"])


def pieces(text: str) -> Sequence[str]:
    return [text[at : at + 12] for at in range(0, len(text), 12)]


@asynccontextmanager
async def drafting_shop(
    settings: Settings, database: DatabaseAddress, embedder: Embedder, **limits: Any
) -> AsyncGenerator[DraftingShop]:
    server = StreamingServer([Streamed()])
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        url = HttpUrl(f"http://127.0.0.1:{port}/v1")
        writer = Writer(
            model="openai:big",
            key=SecretStr(KEY),
            url=url,
            fallback=WriterModel(
                model="openai:small", key=SecretStr(KEY), url=url, read_price=FREE, written_price=FREE
            ),
            **limits,
        )
        platform = build(settings.model_copy(update={"writer": writer}), database, embedder=embedder)
        transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            tenant = await make_tenant(platform, client)
            await tenant.learn(returns=RETURNS, delivery=DELIVERY)
            yield DraftingShop(tenant, server)
        await platform.close()
        await asyncio.gather(*server.handling, return_exceptions=True)
