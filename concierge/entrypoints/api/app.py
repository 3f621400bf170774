"""The HTTP application: routes, errors, middleware, pages, and what starts and stops with it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.routing import APIRoute

from concierge import __version__
from concierge.accounts.routes import router as accounts_routes
from concierge.agents.routes import router as agents_routes
from concierge.agents.routes import strategies as strategies_routes
from concierge.agents.routes.personas import router as personas_routes
from concierge.agents.routes.writing import router as writing_routes
from concierge.billing.routes import router as billing_routes
from concierge.catalog.routes import router as catalog_routes
from concierge.catalog.routes.imports import router as catalog_import_routes
from concierge.chat.expertise_routes import router as expertise_trial_routes
from concierge.chat.persona_routes import router as persona_preview_routes
from concierge.chat.routes import customers as customer_data_routes
from concierge.chat.routes import router as chat_routes
from concierge.conversations.routes import router as conversations_routes
from concierge.customers.routes import customers_router
from concierge.customers.routes.memory import router as memory_routes
from concierge.customers.routes.sessions import router as sessions_routes
from concierge.entrypoints.api import problems
from concierge.entrypoints.api.health import router as health_routes
from concierge.entrypoints.api.middleware import (
    BodyLimitMiddleware,
    ChatCorsMiddleware,
    FaultMiddleware,
    RequestIdMiddleware,
)
from concierge.entrypoints.api.pages import router as pages_routes
from concierge.entrypoints.wiring import Platform
from concierge.intelligence.routes import router as intelligence_routes
from concierge.knowledge.routes import router as knowledge_routes
from concierge.knowledge.routes.archives import router as archives_routes
from concierge.knowledge.routes.contradictions import router as contradictions_routes
from concierge.knowledge.routes.expertise import router as expertise_routes
from concierge.knowledge.routes.faqs import router as faqs_routes
from concierge.knowledge.routes.feeds import router as feeds_routes
from concierge.knowledge.routes.indexes import router as indexes_routes
from concierge.knowledge.routes.judgements import router as judgements_routes
from concierge.learning.routes import router as learning_routes

DESCRIPTION = """
AI concierge agents for a business's website: they answer from what the business knows, with sources that prove it.

Sign up or sign in for an access token, or use a secret API key; send either as `Authorization: Bearer …`.
Errors are `application/problem+json` (RFC 9457) with a stable `code` and the `request_id`.
"""
ROUTERS = (
    accounts_routes,
    billing_routes,
    agents_routes,
    writing_routes,
    strategies_routes,
    personas_routes,
    persona_preview_routes,
    expertise_trial_routes,
    sessions_routes,
    memory_routes,
    customers_router,
    catalog_routes,
    catalog_import_routes,
    knowledge_routes,
    archives_routes,
    contradictions_routes,
    faqs_routes,
    feeds_routes,
    expertise_routes,
    indexes_routes,
    judgements_routes,
    chat_routes,
    customer_data_routes,
    conversations_routes,
    intelligence_routes,
    learning_routes,
    health_routes,
    pages_routes,
)
PROBLEM_RESPONSE = {
    "description": "A problem, with a stable `code`.",
    "content": {
        problems.MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code", "request_id"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "request_id": {"type": ["string", "null"]},
                },
            }
        }
    },
}


def create_app(platform: Platform, *, with_worker: bool = False) -> FastAPI:
    """Make the application; `with_worker` also runs background jobs in this process."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        worker = asyncio.create_task(platform.job_runner().run()) if with_worker else None
        yield
        await platform.watching.close()
        # Closing waits for the turns as well, but the worker is to stay for as long as they do.
        await platform.chat.drain()
        if worker is not None:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
        await platform.close()

    app = FastAPI(
        title="Concierge",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        # A redirect to the address without its slash would be made from the Host header, which anybody may write.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses={"4XX": PROBLEM_RESPONSE, "5XX": PROBLEM_RESPONSE},
    )
    app.state.platform = platform
    app.state.accounts = platform.accounts
    app.state.billing = platform.billing
    app.state.chat = platform.chat
    app.state.visitors = platform.visitors
    app.state.customer_data = platform.customer_data
    app.state.finding = platform.finding
    app.state.faqs = platform.faqs
    app.state.feeds = platform.feeds
    app.state.watching = platform.watching
    app.state.exporting = platform.exporting
    app.state.chunkers = platform.chunkers
    app.state.analyst = platform.analyst
    app.state.guidance = platform.guidance
    app.state.labels = platform.labels
    app.state.identity_sealer = platform.identity_sealer
    app.state.learning = platform.learning
    app.state.memory = platform.memory
    app.state.sessions = platform.sessions
    app.state.catalog = platform.catalog
    app.state.modelling = platform.modelling
    app.state.expertise = platform.expertise
    app.state.limits = platform.settings.limits
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimitMiddleware, limits=platform.settings.limits)
    app.add_middleware(FaultMiddleware)
    app.add_middleware(ChatCorsMiddleware)
    app.add_middleware(RequestIdMiddleware)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
