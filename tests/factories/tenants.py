"""Organizations to test with, each with its owner, keys, an agent and a pack, made through the product's own services."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt

from concierge.accounts.scope import TenantScope, Unit
from concierge.accounts.service import KeyService
from concierge.agents.schemas import AgentIn
from concierge.agents.service import AgentService
from concierge.entrypoints.wiring import Platform
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from concierge.knowledge.schemas import NewItem, NewSource, PackIn
from concierge.knowledge.service import PackService, SourceService

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Tenant:
    """`owner` and `secret` are headers of its owner's session and of its secret key; `publishable` of its other key."""

    platform: Platform
    client: httpx.AsyncClient
    org_id: UUID
    agent_id: UUID
    pack_id: UUID
    email: str
    refresh_token: str
    owner: dict[str, str]
    secret: dict[str, str]
    publishable: dict[str, str]

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.org_id)

    async def learn(self, **documents: str) -> UUID:
        """Have documents read, by name and text (Markdown). Returns their source."""
        items = [NewItem(f"{name}.md", text.encode()) for name, text in documents.items()]
        return await self.read(NewSource("folder", "notes", f"notes-{new_id()}", items))

    async def read(self, source: NewSource) -> UUID:
        """Have a source read, in this process and now."""
        async with self.platform.db.transaction(self.org_id) as session:
            added = await SourceService(Unit(session, self.scope)).add(self.pack_id, source)
        await self.platform.ingestion.run(self.scope, added.id)
        return added.id

    async def ask(self, message: str, **body: Any) -> dict[str, Any]:
        """Ask the agent with the secret key. Returns the reply."""
        response = await self.client.post(
            f"/api/v1/chat/{self.agent_id}", headers=self.secret, json={"message": message, **body}
        )
        assert response.status_code == 200, response.text
        return response.json()

    async def visitor(self) -> dict[str, str]:
        """Headers of a new visitor's token."""
        response = await self.client.post(
            "/api/v1/visitors/token", headers=self.publishable, json={"agent_id": str(self.agent_id)}
        )
        assert response.status_code == 200, response.text
        return bearer(response.json()["token"])

    async def ask_as(self, visitor: dict[str, str], message: str, **body: Any) -> dict[str, Any]:
        """Ask the agent with a visitor's token. Returns the reply."""
        response = await self.client.post(
            f"/api/v1/chat/{self.agent_id}", headers=visitor, json={"message": message, **body}
        )
        assert response.status_code == 200, response.text
        return response.json()

    async def identity_secret(self) -> str:
        """Make the secret that this organization's server signs identities with."""
        response = await self.client.post("/api/v1/customers/settings/identity-secret", headers=self.owner)
        assert response.status_code == 200, response.text
        return response.json()["identity_secret"]

    async def identify(self, visitor: dict[str, str], user_token: str) -> httpx.Response:
        return await self.client.post(
            "/api/v1/visitors/identify", headers=visitor, json={"user_token": user_token}
        )


def sign_identity(secret: str, **claims: Any) -> str:
    """Sign who somebody is, as a business's server does."""
    return jwt.encode({"exp": utc_now() + timedelta(hours=1), **claims}, secret, algorithm="HS256")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def make_tenant(platform: Platform, client: httpx.AsyncClient) -> Tenant:
    email = f"owner-{new_id()}@shop.example"
    pair = await platform.accounts.sign_in.sign_up(
        organization="Shop", name="Olive Owner", email=email, password=PASSWORD
    )
    async with platform.db.transaction(pair.org_id) as session:
        unit = Unit(session, TenantScope(pair.org_id))
        pack = await PackService(unit).create(PackIn(name="Knowledge"))
        agent, _ = await AgentService(unit).create(AgentIn(name="Ada", slug="ada", pack_ids=[pack.id]))
        _, secret = await KeyService(unit).create(kind="secret", name="tests", scopes=None)
        _, publishable = await KeyService(unit).create(kind="publishable", name="tests", scopes=None)
    return Tenant(
        platform=platform,
        client=client,
        org_id=pair.org_id,
        agent_id=agent.id,
        pack_id=pack.id,
        email=email,
        refresh_token=pair.refresh_token,
        owner=bearer(pair.access_token),
        secret=bearer(secret),
        publishable=bearer(publishable),
    )
