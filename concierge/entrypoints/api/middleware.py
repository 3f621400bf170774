"""What surrounds every request: its id, the size limit of its body, and CORS for the chat on other sites."""

import re
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from concierge.entrypoints.api.problems import problem, unexpected
from concierge.kit.settings import Limits

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
UPLOAD_PATH = re.compile(
    r"/api/v1/(?:knowledge/packs/(?:[^/]+/(?:files|feeds|feeds/preview)|import)|catalog/import)"
)
# A multipart body is a little larger than the file in it.
MULTIPART_OVERHEAD = 64 * 1024
CROSS_ORIGIN_PATHS = ("/api/v1/chat/", "/api/v1/visitors/")
ALLOWED_HEADERS = "authorization, content-type, idempotency-key, last-event-id"
PREFLIGHT_SECONDS = "7200"


class RequestIdMiddleware:
    """Gives each request an id, which its log lines, its errors and its response carry."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wanted = Headers(scope=scope).get("x-request-id", "")
        request_id = wanted if REQUEST_ID.fullmatch(wanted) else uuid4().hex
        client = scope.get("client")
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, ip=client[0] if client else None)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        await self.app(scope, receive, send_with_id)


class FaultMiddleware:
    """Turns a fault of ours into a problem. The framework would do it too, but outside of the other middleware, so
    that the answer had no id and a page of another origin could not read it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            # A response that was begun can only be broken off, which is the server's to do.
            if started:
                raise
            await unexpected(scope["method"], scope["path"], error)(scope, receive, send)


class BodyLimitMiddleware:
    """Refuses a body past its limit, by its declared length at once and by its real length while reading."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413, "Too large")
            return message

        await self.app(scope, counted, send)

    def _limit(self, path: str) -> int:
        if UPLOAD_PATH.fullmatch(path):
            return self._limits.upload_bytes + MULTIPART_OVERHEAD
        return self._limits.body_bytes


def _too_large(limit: int) -> ASGIApp:
    megabytes = max(limit // 1024**2, 1)
    return problem(413, "too_large", "Too large", f"This may be at most {megabytes} MB. Please send less.")


class ChatCorsMiddleware:
    """Lets pages of other origins call the chat. No cookie is involved, and the agent's own list of allowed origins
    decides about each call; this only lets the browser read the answer, also when it is a refusal.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or not scope["path"].startswith(CROSS_ORIGIN_PATHS):
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await _preflight(origin, send)
            return

        async def readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = "x-request-id, retry-after"
                headers.add_vary_header("Origin")
            await send(message)

        await self.app(scope, receive, readable)


async def _preflight(origin: str, send: Send) -> None:
    headers = MutableHeaders(
        {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": PREFLIGHT_SECONDS,
            "Vary": "Origin",
        }
    )
    await send({"type": "http.response.start", "status": 204, "headers": headers.raw})
    await send({"type": "http.response.body", "body": b""})
