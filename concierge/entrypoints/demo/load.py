"""Load the demo organization, once; a second time only makes sure that it is whole."""

import secrets
from functools import partial
from pathlib import Path

from concierge.accounts.errors import EmailTakenError, TokenError
from concierge.accounts.scope import TenantScope, Unit
from concierge.accounts.service import KeyService, TokenPair
from concierge.agents.schemas import AgentIn
from concierge.agents.service import AgentService
from concierge.entrypoints.demo.credentials import EMAIL, DemoCredentials
from concierge.entrypoints.demo.offers import load_catalog
from concierge.entrypoints.wiring import Platform
from concierge.kit.ids import new_id
from concierge.knowledge.schemas import NewItem, NewSource, PackIn
from concierge.knowledge.service import PackService, SourceService

DOCUMENTS = Path(__file__).parent / "documents"
GREETING = "Hello! Ask me anything about our furniture, delivery, returns or care."


async def load_demo(platform: Platform) -> DemoCredentials:
    """Return how to get into the demo organization, which exists afterwards; its documents may still be read."""
    data_dir = platform.settings.data_dir
    known = DemoCredentials.load(data_dir)
    if known is not None and await _still_there(platform, known):
        return known
    demo = await _create(platform)
    demo.save(data_dir)
    return demo


async def _still_there(platform: Platform, demo: DemoCredentials) -> bool:
    """Whether the keys still open the organization of this database, and not that of an earlier one."""
    try:
        await platform.accounts.authentication.scope_of(demo.secret_key)
        scope = await platform.accounts.authentication.scope_of(demo.publishable_key)
    except TokenError:
        return False
    return scope.org_id == demo.org_id


async def _create(platform: Platform) -> DemoCredentials:
    password = secrets.token_urlsafe(12)
    email, pair = await _sign_up(platform, password)
    scope = TenantScope(pair.org_id)
    async with platform.db.transaction(pair.org_id) as session:
        unit = Unit(session, scope)
        pack = await PackService(unit).create(
            PackIn(name="Coconut Furniture", description="Catalogue, policies, care guides and FAQs")
        )
        agent, _packs = await AgentService(unit).create(
            AgentIn(name="Coco", slug="coco", greeting=GREETING, pack_ids=[pack.id])
        )
        keys = KeyService(unit)
        _, secret = await keys.create(kind="secret", name="Demo", scopes=None)
        _, publishable = await keys.create(kind="publishable", name="Demo shop", scopes=None)
        await SourceService(unit).add(pack.id, demo_documents())
        await load_catalog(unit, platform.catalog)
    return DemoCredentials(email, password, pair.org_id, agent.id, pack.id, secret, publishable)


async def _sign_up(platform: Platform, password: str) -> tuple[str, TokenPair]:
    """The organization of a lost credentials file keeps its owner's address, so a new one gets another."""
    sign_up = partial(
        platform.accounts.sign_in.sign_up,
        organization="Coconut Furniture",
        name="Demo Owner",
        password=password,
    )
    try:
        return EMAIL, await sign_up(email=EMAIL)
    except EmailTakenError:
        other = EMAIL.replace("@", f"+{new_id().hex[-6:]}@")
        return other, await sign_up(email=other)


def demo_documents() -> NewSource:
    files = sorted(path for path in DOCUMENTS.iterdir() if path.is_file())
    return NewSource(
        kind="folder",
        name="Coconut Furniture",
        uri="demo",
        items=[NewItem(path.name, path.read_bytes()) for path in files],
        authoritative=True,
        credibility=0.9,
    )
