"""Everything a process is made of, put together in one place from the settings."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from concierge.accounts.access import AccountServices
from concierge.accounts.service import Authentication, Invitations, SignInService
from concierge.accounts.tokens import TokenSigner
from concierge.agents.service import ModelChain
from concierge.agents.service.modelling import Modelling
from concierge.agents.service.writing import of_settings
from concierge.billing.budgets import Budgets
from concierge.billing.payments import create_payments
from concierge.billing.plans import plan_table
from concierge.billing.routes import BillingServices
from concierge.billing.service import Overview, Paying, Plans, Usage
from concierge.catalog import jobs as catalog_jobs
from concierge.catalog.routes.parts import Catalog
from concierge.catalog.service import CatalogImports, CatalogReading, ProductContexts
from concierge.catalog.vectors import StatementReader
from concierge.chat import jobs as chat_jobs
from concierge.chat.customers import CustomerData, MemorySection
from concierge.chat.expertise import Expertise
from concierge.chat.outside import Outside
from concierge.chat.pipeline import Answering, Pipeline
from concierge.chat.remembering import Remembering
from concierge.chat.steps.recall import Recollection
from concierge.chat.steps.receive import Reception
from concierge.chat.steps.understand import Vocabularies
from concierge.chat.turn import ChatService
from concierge.chat.visitors import VisitorService
from concierge.chat.writers.chosen import Writers
from concierge.customers.service import Memory, MemoryRequests, SessionInferenceService
from concierge.intelligence.analyst import Analyst
from concierge.intelligence.service import GuidanceService, LabelExport
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.fetch import Fetcher, FetchLimits
from concierge.kit.jobs import JobRunner
from concierge.kit.migrations import migrate
from concierge.kit.postgres import APP_ROLE, EmbeddedPostgres
from concierge.kit.sealing import Sealer
from concierge.kit.secrets import signing_key
from concierge.kit.settings import Settings
from concierge.knowledge import jobs as knowledge_jobs
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.ingestion.faqs import FaqService
from concierge.knowledge.reindexing import Reindexing
from concierge.knowledge.search import Search
from concierge.knowledge.service import (
    ContradictionSearch,
    FeedService,
    KnownNames,
    PackExport,
    SearchService,
    SourceWatch,
)
from concierge.learning import jobs as learning_jobs
from concierge.learning.service import Judgement, Learning
from concierge.llm.embedders import Embedders, QuestionVectors
from concierge.llm.embeddings import LOCAL_MODEL, Embedder, VectorSpace, create_embedder
from concierge.llm.reranking import HostedReranker
from concierge.llm.structured import create_structured_model
from concierge.llm.writing import TextModels
from concierge.tools.calculator import Calculator
from concierge.tools.pages.reading import PAGE_LIMITS, WebPages
from concierge.tools.providers import create_provider
from concierge.tools.service import WebLookup, WebSearch


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """`owner_url` may change the schema; `app_url` is what the product works with, as `app_role`."""

    owner_url: str
    app_url: str
    app_role: str | None


@dataclass(frozen=True, slots=True)
class Platform:
    settings: Settings
    address: DatabaseAddress
    db: Database
    embedders: Embedders
    chunkers: Chunkers
    fetcher: Fetcher
    accounts: AccountServices
    billing: BillingServices
    search: Search
    analyst: Analyst
    finding: SearchService
    chat: ChatService
    visitors: VisitorService
    customer_data: CustomerData
    ingestion: Ingestion
    faqs: FaqService
    feeds: FeedService
    watching: SourceWatch
    contradictions: ContradictionSearch
    reindexing: Reindexing
    exporting: PackExport
    guidance: GuidanceService
    labels: LabelExport
    identity_sealer: Sealer
    learning: Learning
    judgement: Judgement
    memory: Memory
    remembering: Remembering
    memory_requests: MemoryRequests
    sessions: SessionInferenceService
    catalog: Catalog
    modelling: Modelling
    calculator: Calculator
    expertise: Expertise

    @property
    def embedder(self) -> Embedder:
        """The model of the settings."""
        return self.embedders.default

    def job_runner(self) -> JobRunner:
        runner = JobRunner(self.address.app_url, self.address.app_role)
        knowledge_jobs.register(runner.app, self.ingestion, self.contradictions, self.reindexing)
        learning_jobs.register(runner.app, self.judgement)
        chat_jobs.register(runner.app, self.remembering)
        catalog_jobs.register(runner.app, self.catalog.reading)
        return runner

    async def close(self) -> None:
        """Let the turns under way end, and close what they use; the database last, to which they write."""
        await self.chat.drain()
        await self.search.close()
        await self.calculator.close()
        await self.billing.paying.close()
        await self.db.close()


def embedded_postgres(settings: Settings) -> EmbeddedPostgres | None:
    """The data directory's own server, or None when the settings name another."""
    return None if settings.database_url else EmbeddedPostgres(settings.data_dir.resolve() / "postgres")


def database_address(settings: Settings, embedded: EmbeddedPostgres | None) -> DatabaseAddress:
    """Where the database is; starts the embedded one if need be. Errors: PostgresError."""
    if embedded is not None:
        embedded.ensure_running()
        return DatabaseAddress(embedded.owner_url, embedded.app_url, None)
    url = str(settings.database_url)
    scheme, rest = url.split("://", 1)
    url = f"postgresql+psycopg://{rest}" if scheme.startswith("postgres") else url
    return DatabaseAddress(url, url, APP_ROLE)


def prepare_database(settings: Settings, embedded: EmbeddedPostgres | None) -> DatabaseAddress:
    """Have the database running and its schema up to date. Blocks."""
    address = database_address(settings, embedded)
    migrate(address.owner_url)
    return address


def build(
    settings: Settings,
    address: DatabaseAddress,
    *,
    embedder: Embedder | None = None,
    fetcher: Fetcher | None = None,
    clock: Clock = utc_now,
) -> Platform:
    """Put the parts together; nothing is connected yet."""
    db = Database(address.app_url, pool_size=settings.database_pool, role=address.app_role)
    embedders = _embedders(settings, embedder)
    chunkers, vectors = Chunkers(embedders), QuestionVectors(embedders)
    accounts, fetcher = _accounts(settings, db, clock), fetcher or _fetcher(settings)
    search = Search(db, clock, reranker=_reranker(settings), vectors=vectors)
    guidance, language_model = GuidanceService(db, vectors), create_structured_model(settings.llm)
    analyst = Analyst(vectors, language_model, guidance)
    judgement, memory = Judgement(db, clock), Memory(db, vectors, clock)
    learning, products = Learning(db, judgement, clock), _catalog(db, embedders, vectors, clock)
    sessions, billing = SessionInferenceService(db), _billing(settings, db, clock)
    requests, reception = MemoryRequests(db, memory, clock), _reception(settings, db, billing.plans, clock)
    recollection = Recollection(db, sessions, requests, products.contexts, vectors, clock)
    modelling, answering, calculator = _answering(settings, db, embedders.default, clock)
    pipeline = Pipeline(db, search, analyst, _vocabularies(db), recollection, learning, answering, clock)
    chat = ChatService(db, reception, pipeline, settings.limits.turn_seconds)
    return Platform(
        settings=settings,
        address=address,
        db=db,
        embedders=embedders,
        chunkers=chunkers,
        fetcher=fetcher,
        accounts=accounts,
        billing=billing,
        calculator=calculator,
        expertise=_expertise(settings, db, billing.plans, modelling.chain, pipeline),
        search=search,
        analyst=analyst,
        finding=SearchService(db, search),
        chat=chat,
        visitors=_visitors(settings, db, accounts, clock),
        customer_data=CustomerData(db, chat, analyst, vectors, (MemorySection(),), clock),
        ingestion=Ingestion(db, chunkers, fetcher, clock),
        faqs=FaqService(db, chunkers, clock),
        feeds=FeedService(db, fetcher, clock),
        watching=SourceWatch(db, clock),
        contradictions=ContradictionSearch(db),
        reindexing=Reindexing(db, chunkers, clock),
        exporting=PackExport(db, clock),
        guidance=guidance,
        labels=LabelExport(db),
        identity_sealer=_sealer(settings),
        learning=learning,
        judgement=judgement,
        memory=memory,
        remembering=Remembering(db, memory, guidance, language_model),
        memory_requests=requests,
        sessions=sessions,
        catalog=products,
        modelling=modelling,
    )


def _outside(settings: Settings, db: Database, embedder: Embedder, clock: Clock) -> Outside:
    chosen = settings.web_search
    search = WebSearch(
        db,
        Budgets(db, clock),
        create_provider(chosen),
        calls_per_hour=chosen.calls_per_hour,
        seconds=chosen.seconds,
        clock=clock,
    )
    pages = WebPages(Fetcher(limits=PAGE_LIMITS), clock)
    return Outside(WebLookup(search, pages), embedder, clock)


def _expertise(
    settings: Settings, db: Database, plans: Plans, chain: ModelChain, pipeline: Pipeline
) -> Expertise:
    searches = settings.web_search.provider is not None
    return Expertise(db, plans, chain, pipeline, settings.limits.turn_seconds, searches)


def _answering(
    settings: Settings, db: Database, embedder: Embedder, clock: Clock
) -> tuple[Modelling, Answering, Calculator]:
    sealer = Sealer(signing_key(settings), "language models")
    chain = ModelChain(db, sealer, of_settings(settings.writer))
    models, budgets, calculator = TextModels(), Budgets(db, clock), Calculator()
    writers = Writers(chain, models, budgets, calculator)
    outside = _outside(settings, db, embedder, clock)
    modelling = Modelling(db, chain, models, budgets, sealer, Usage(clock))
    return modelling, Answering(writers, outside), calculator


def analyst_of(settings: Settings) -> Analyst:
    """What reads messages by itself, without a database. Loads the local model; blocks."""
    local = create_embedder(LOCAL_MODEL, cache_dir=model_cache(settings))
    return Analyst(QuestionVectors(_embedders(settings, local)), create_structured_model(settings.llm))


def _visitors(settings: Settings, db: Database, accounts: AccountServices, clock: Clock) -> VisitorService:
    origins = own_origins_of(settings)
    return VisitorService(db, accounts.authentication, origins, _sealer(settings), clock)


def _sealer(settings: Settings) -> Sealer:
    return Sealer(signing_key(settings), "customer identity")


def _vocabularies(db: Database) -> Vocabularies:
    return Vocabularies(KnownNames(db))


def _fetcher(settings: Settings) -> Fetcher:
    limits = settings.limits
    return Fetcher(limits=FetchLimits(total_s=limits.fetch_seconds, max_bytes=limits.fetch_bytes))


def _reception(settings: Settings, db: Database, plans: Plans, clock: Clock) -> Reception:
    return Reception(db, settings.limits.message_chars, own_origins_of(settings), plans, clock)


def _embedders(settings: Settings, default: Embedder | None) -> Embedders:
    """`default` is used instead of what the settings name."""

    def make(space: VectorSpace) -> Embedder:
        return create_embedder(space.model, cache_dir=model_cache(settings), dimension=space.dimensions)

    chosen = VectorSpace(settings.embedding_model, settings.embedding_dimensions)
    return Embedders(default or make(chosen), make)


def _catalog(db: Database, embedders: Embedders, vectors: QuestionVectors, clock: Clock) -> Catalog:
    reader = StatementReader(embedders)
    return Catalog(
        reader=reader,
        imports=CatalogImports(db, clock),
        reading=CatalogReading(db, reader, clock),
        contexts=ProductContexts(db, vectors, clock),
        clock=clock,
    )


def _reranker(settings: Settings) -> HostedReranker | None:
    chosen = settings.reranker
    if chosen.url is None:
        return None
    return HostedReranker(str(chosen.url), chosen.model, chosen.key, chosen.seconds)


def unconnected(settings: Settings) -> Platform:
    """A platform whose database is never asked anything, for its OpenAPI document."""
    nowhere = "postgresql+psycopg://nobody@/nothing"
    return build(settings, DatabaseAddress(nowhere, nowhere, None))


@asynccontextmanager
async def running_platform(settings: Settings, *, clock: Clock = utc_now) -> AsyncGenerator[Platform]:
    """A platform on a ready database, for a command; everything is closed on leaving."""
    embedded = embedded_postgres(settings)
    try:
        address = await asyncio.to_thread(prepare_database, settings, embedded)
        platform = build(settings, address, clock=clock)
        try:
            async with watched(embedded):
                yield platform
        finally:
            await platform.close()
    finally:
        if embedded is not None:
            embedded.stop()


@asynccontextmanager
async def watched(embedded: EmbeddedPostgres | None) -> AsyncGenerator[None]:
    """Bring the embedded database back whenever it dies meanwhile."""
    watch = None if embedded is None else asyncio.create_task(embedded.watch())
    try:
        yield
    finally:
        if watch is not None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


def _accounts(settings: Settings, db: Database, clock: Clock) -> AccountServices:
    signer = TokenSigner(signing_key(settings), clock)
    life = timedelta(days=settings.tokens.visitor_days)
    return AccountServices(
        db=db,
        authentication=Authentication(db, signer, life, clock),
        sign_in=SignInService(db, signer, settings.tokens, clock),
        invitations=Invitations(db),
    )


def _billing(settings: Settings, db: Database, clock: Clock) -> BillingServices:
    table = plan_table()
    plans, usage = Plans(db, table, settings.billing.default_plan), Usage(clock)
    paying = Paying(db, plans, create_payments(settings.billing, table), settings.origin)
    return BillingServices(
        db=db, plans=plans, usage=usage, paying=paying, overview=Overview(plans, paying, usage)
    )


def own_origins_of(settings: Settings) -> frozenset[str]:
    """The origins of the server's own pages, under every name a browser on this machine may use."""
    local = {f"http://{host}:{settings.port}" for host in ("localhost", "127.0.0.1", "[::1]")}
    return frozenset({settings.origin.lower(), *local})


def model_cache(settings: Settings) -> Path:
    return settings.data_dir.resolve() / "models"
