from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, status
from fastapi.responses import JSONResponse, Response, StreamingResponse

from concierge.accounts.access import scope_with
from concierge.accounts.scope import Permission, TenantScope
from concierge.chat.customers import CustomerData
from concierge.chat.schemas import ChatIn, ChatOut, VisitorTokenIn, VisitorTokenOut
from concierge.chat.stream import Event
from concierge.chat.turn import ChatService
from concierge.chat.visitors import VisitorService
from concierge.customers.schemas.customers import IdentifiedOut, IdentifyIn
from concierge.kit.fields import PlainText
from concierge.kit.sse import STREAM_HEADERS, Frame, frames

router = APIRouter(prefix="/api/v1", tags=["chat"])
customers = APIRouter(prefix="/api/v1/customers", tags=["customers"])

Chatter = Annotated[TenantScope, scope_with(Permission.CHAT)]
KeyHolder = Annotated[TenantScope, scope_with(Permission.VISITORS_TOKEN)]
IdempotencyKey = Annotated[Annotated[str, PlainText] | None, Header(min_length=1, max_length=255)]


def _chat(request: Request) -> ChatService:
    service: ChatService = request.app.state.chat
    return service


def _visitors(request: Request) -> VisitorService:
    service: VisitorService = request.app.state.visitors
    return service


def _customer_data(request: Request) -> CustomerData:
    service: CustomerData = request.app.state.customer_data
    return service


def _collector(
    scope: Annotated[TenantScope, scope_with(Permission.CUSTOMERS_READ)],
) -> TenantScope:
    """All of a customer's data holds their conversations."""
    scope.require(Permission.CONVERSATIONS_READ)
    return scope


Chat = Annotated[ChatService, Depends(_chat)]
Visitors = Annotated[VisitorService, Depends(_visitors)]
Data = Annotated[CustomerData, Depends(_customer_data)]
Collector = Annotated[TenantScope, Depends(_collector)]
Eraser = Annotated[TenantScope, scope_with(Permission.CUSTOMERS_WRITE)]
EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All of it, as one JSON object.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.post("/visitors/token")
async def create_visitor_token(
    body: VisitorTokenIn,
    scope: KeyHolder,
    visitors: Visitors,
    origin: Annotated[str | None, Header()] = None,
) -> VisitorTokenOut:
    """Give a browser its own visitor, or renew one it had. Needs a publishable key and an allowed origin.

    A secret key may say which `audiences` the visitor belongs to; the token then also opens what is for these.
    """
    token, visitor_id, expires_at = await visitors.token(
        scope, body.agent_id, origin=origin, earlier=body.token, audiences=body.audiences
    )
    return VisitorTokenOut(token=token, visitor_id=visitor_id, expires_at=expires_at)


@router.post("/visitors/identify")
async def identify_visitor(
    body: IdentifyIn,
    scope: Chatter,
    visitors: Visitors,
    origin: Annotated[str | None, Header()] = None,
) -> IdentifiedOut:
    """Say who this visitor is, with your server's signature. What they did before becomes part of their profile.

    Go on with the token that comes back: where this browser had served somebody else, it is a fresh visitor's.
    """
    token, visitor_id, expires_at = await visitors.identify(scope, body, origin=origin)
    return IdentifiedOut(token=token, visitor_id=visitor_id, expires_at=expires_at)


@router.post("/visitors/reset")
async def reset_visitor(
    scope: Chatter, visitors: Visitors, origin: Annotated[str | None, Header()] = None
) -> IdentifiedOut:
    """Forget on this device who was here, as when somebody signs out; what they did stays theirs."""
    token, visitor_id, expires_at = await visitors.reset(scope, origin=origin)
    return IdentifiedOut(token=token, visitor_id=visitor_id, expires_at=expires_at)


@router.post(
    "/chat/{agent_id}",
    response_model=ChatOut,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The reply, or its events."}},
)
async def chat(
    agent_id: UUID,
    body: ChatIn,
    scope: Chatter,
    service: Chat,
    idempotency_key: IdempotencyKey = None,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
    origin: Annotated[str | None, Header()] = None,
) -> Response:
    """Answer a visitor's message: as JSON, or as server-sent events with `"stream": true`."""
    turn_id = await service.begin(scope, agent_id, body, idempotency_key=idempotency_key, origin=origin)
    if body.stream:
        return _streamed(service.follow(scope, agent_id, turn_id, after=last_event_id))
    return JSONResponse(await service.reply(scope, agent_id, turn_id))


@router.get(
    "/chat/{agent_id}/turns/{turn_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The turn's events."}},
)
async def resume_turn(
    agent_id: UUID,
    turn_id: UUID,
    scope: Chatter,
    service: Chat,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
    origin: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Take up a broken stream after the event named by `Last-Event-ID`."""
    await service.check(scope, agent_id, turn_id, origin=origin)
    return _streamed(service.follow(scope, agent_id, turn_id, after=last_event_id))


def _streamed(events: AsyncGenerator[Event]) -> StreamingResponse:
    return StreamingResponse(frames(_framed(events)), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _framed(events: AsyncGenerator[Event]) -> AsyncGenerator[Frame]:
    async with aclosing(events):
        async for event in events:
            yield Frame(event.id, event.type, event.data)


@customers.get("/{customer_id}/export", response_class=StreamingResponse, responses=EXPORT)
async def export_customer(customer_id: UUID, scope: Collector, data: Data) -> StreamingResponse:
    """Download everything that is kept of a customer: profile, visitors, merges, conversations with turns and traces."""
    record = await data.taken(scope, customer_id)
    return StreamingResponse(
        data.stream(scope, record),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="customer-{customer_id}.json"'},
    )


@customers.delete("/{customer_id}", status_code=status.HTTP_204_NO_CONTENT)
async def erase_customer(customer_id: UUID, scope: Eraser, data: Data) -> None:
    """Erase a customer with everything they ever wrote. This cannot be undone."""
    await data.erase(scope, customer_id)
