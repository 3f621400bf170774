"""Whether an agent is an expert, in what, and how it would answer: tried out without storing a conversation."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.entitled import Paused, within
from concierge.agents.schemas import GroundingMode
from concierge.agents.service import AgentService, ModelChain
from concierge.billing.plans import Entitlements, Feature
from concierge.billing.service import Plans
from concierge.chat.errors import TurnFailedError
from concierge.chat.pipeline import Pipeline
from concierge.chat.schemas import AudienceLabels, ChatOut, SessionContext
from concierge.chat.steps.receive import Received, audiences_of
from concierge.conversations.schemas import Exchange, StartedTurn, TurnRequest
from concierge.kit.db import Database
from concierge.kit.fields import PlainText
from concierge.kit.ids import new_id
from concierge.knowledge.schemas import Passage
from concierge.knowledge.service import PackService

SHOWN_TEXT: Final = 600
MOST_EARLIER: Final = 6
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), PlainText]
ToolState = Literal["on", "off", "not_in_plan", "unavailable"]


class EarlierIn(BaseModel):
    message: Text
    reply: Text


class TestQueryIn(BaseModel):
    """`history` is what was said before, the oldest first."""

    model_config = ConfigDict(extra="forbid")

    agent_id: UUID
    message: Text
    history: Annotated[list[EarlierIn], Field(max_length=MOST_EARLIER)] = []
    session_context: SessionContext = SessionContext()
    audiences: AudienceLabels = []


class EvidenceOut(BaseModel):
    """What the answer could rest on. `score` orders it, `cited` says that the answer does rest on it."""

    title: str
    url: str | None
    type: str
    text: str
    score: float
    cited: bool


class TestQueryOut(BaseModel):
    """`answer` is what a visitor would get; the rest says why. Of the conversation, nothing was stored."""

    answer: ChatOut
    evidence: list[EvidenceOut]
    scores: list[dict[str, Any]]
    plan: dict[str, Any]
    trace: dict[str, Any]


class PackStateOut(BaseModel):
    id: UUID
    name: str
    paused: bool


class LackOut(BaseModel):
    """Something the agent is set up for, or could do, that its plan does not hold; and the cheapest plan that does."""

    feature: Feature
    title: str
    plan: str | None
    wanted: bool


class CapabilitiesOut(BaseModel):
    """What an agent can do now. `writers` are asked in turn, and the house writer always comes last."""

    agent_id: UUID
    plan: str
    domain_expertise_enabled: bool
    persona: str | None
    grounding_mode: GroundingMode
    writers: list[str]
    packs: list[PackStateOut]
    web_search: ToolState
    site_search: ToolState
    sites: list[str]
    code_exec: ToolState
    lacks: list[LackOut]


@dataclass(frozen=True, slots=True)
class Expertise:
    """`turn_seconds` is the longest an attempt takes, `searches` whether a provider of web search is configured."""

    db: Database
    plans: Plans
    chain: ModelChain
    pipeline: Pipeline
    turn_seconds: float
    searches: bool

    async def attempt(self, scope: TenantScope, wanted: TestQueryIn) -> TestQueryOut:
        """Errors: AgentNotFoundError, AudiencesNotAllowedError, TurnFailedError when it takes too long."""
        received = await self._received(scope, wanted)
        try:
            async with asyncio.timeout(self.turn_seconds):
                tried = await self.pipeline.attempt(received)
        except TimeoutError as error:
            raise TurnFailedError from error
        answer = ChatOut.model_validate(tried.reply)
        return TestQueryOut(
            answer=answer,
            evidence=list(_evidence(tried.evidence, answer)),
            scores=tried.trace["retrieval"]["candidates"],
            plan={"strategy": tried.trace["strategy"], "stage": tried.trace.get("stage")},
            trace=tried.trace,
        )

    async def capabilities(self, scope: TenantScope, agent_id: UUID) -> CapabilitiesOut:
        """Errors: AgentNotFoundError."""
        entitlements = await self.plans.of(scope)
        async with self.db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            wanted = await AgentService(unit).configuration(agent_id)
            names = {pack.id: pack.name for pack in await PackService(unit).list()}
        agent, held_back = within(wanted, entitlements)
        writing = await self.chain.of(scope, agent_id)
        persona = agent.applied_persona
        return CapabilitiesOut(
            agent_id=agent_id,
            plan=entitlements.plan,
            domain_expertise_enabled=agent.expertise,
            persona=persona.name if persona else None,
            grounding_mode=agent.grounding_mode,
            writers=[*(model.address.model for model in writing.models), "house"],
            packs=[
                PackStateOut(id=own, name=names.get(own, ""), paused=own in held_back.pack_ids)
                for own in wanted.pack_ids
            ],
            web_search=self._state(
                entitlements, Feature.WEB_SEARCH, on=agent.expertise and wanted.tools.web_search
            ),
            site_search=self._state(
                entitlements, Feature.SITE_SEARCH, on=agent.expertise and bool(wanted.tools.site_search)
            ),
            sites=list(wanted.tools.site_search),
            code_exec="on" if agent.expertise and agent.tools.code_exec else "off",
            lacks=list(self._lacks(entitlements, held_back)),
        )

    async def _received(self, scope: TenantScope, wanted: TestQueryIn) -> Received:
        entitlements = await self.plans.of(scope)
        async with self.db.transaction(scope.org_id) as session:
            found = await AgentService(Unit(session, scope)).configuration(wanted.agent_id)
        agent, held_back = within(found, entitlements)
        request = TurnRequest(
            agent_id=wanted.agent_id,
            message=wanted.message,
            session_context=wanted.session_context.model_dump(exclude_none=True),
            audiences=audiences_of(scope.actor, wanted.audiences),
        )
        history = tuple(Exchange(own.message, own.reply) for own in wanted.history)
        turn = StartedTurn(new_id(), new_id(), len(history) + 1, history, is_new=True)
        return Received(scope, agent, request, turn, held_back=held_back)

    def _state(self, entitlements: Entitlements, feature: Feature, *, on: bool) -> ToolState:
        if not on:
            return "off"
        if not entitlements.allows(feature):
            return "not_in_plan"
        return "on" if self.searches else "unavailable"

    def _lacks(self, entitlements: Entitlements, held_back: Paused) -> Iterator[LackOut]:
        wanted = {*held_back.features, *([Feature.KNOWLEDGE_PACKS] if held_back.pack_ids else [])}
        for feature, title in self.plans.table.titles.items():
            better = self.plans.table.next_with_more(entitlements, feature)
            if better is not None:
                yield LackOut(feature=feature, title=title, plan=better.name, wanted=feature in wanted)


def _evidence(passages: Sequence[Passage], answer: ChatOut) -> Iterator[EvidenceOut]:
    cited = {source.document_id for source in answer.sources}
    for passage in passages:
        yield EvidenceOut(
            title=passage.title,
            url=passage.url,
            type=passage.kind,
            text=passage.text[:SHOWN_TEXT],
            score=round(passage.score, 4),
            cited=passage.document_id in cited,
        )
