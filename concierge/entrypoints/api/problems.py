"""Every error leaves as RFC 9457 `application/problem+json` with a stable `code` and the `request_id`."""

import errno
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from concierge.kit.db import STORAGE_FULL, StorageFullError
from concierge.kit.errors import ConciergeError

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
SHOWN_PROBLEMS = 20
HTTP_CODES = {404: "route_not_found", 405: "method_not_allowed", 400: "bad_request", 413: "too_large"}
HTTP_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    400: "The request could not be read. Send valid JSON in UTF-8.",
    413: "The request is larger than this server takes. Please send less.",
}


def problem(
    status: int, code: str, title: str, detail: str, *, headers: dict[str, str] | None = None, **extra: Any
) -> JSONResponse:
    body = {
        "type": f"urn:concierge:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
        **extra,
    }
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    app.add_exception_handler(ConciergeError, _concierge_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _concierge_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ConciergeError)
    return problem(
        error.status, error.code, error.title, error.detail, headers=error.headers or None, **error.extra
    )


async def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = _readable(error.errors())
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return problem(400, "invalid_json", "The request could not be read", "The body is not valid JSON.")
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in problems[:3])
    return problem(422, "invalid_input", "The request could not be understood", detail, errors=problems)


def _readable(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Say which field is wrong and why, without repeating what was sent: it may be a password."""
    return [
        {
            "field": ".".join(str(part) for part in item["loc"] if part != "body") or "body",
            "message": str(item["msg"]).removeprefix("Value error, "),
            "type": str(item["type"]),
        }
        for item in errors[:SHOWN_PROBLEMS]
    ]


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if is_full(error.__cause__):
        # What is uploaded waits in a file for the moment; the framework takes its fault for one of the sender.
        return await _concierge_error(request, StorageFullError(STORAGE_FULL))
    detail = HTTP_DETAILS.get(error.status_code, str(error.detail))
    headers = dict(error.headers) if error.headers else None
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_methods(request))}
    code = HTTP_CODES.get(error.status_code, "http_error")
    return problem(error.status_code, code, str(error.detail), detail, headers=headers)


def is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def _methods(request: Request) -> list[str]:
    """Every method this address takes; the framework names those of one route only."""
    app: FastAPI = request.app
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in here for method in getattr(route, "methods", None) or ()})


def unexpected(method: str, path: str, error: Exception) -> JSONResponse:
    """Write a fault of ours to the log; the answer says only where to find it."""
    logger.error("request failed", path=path, method=method, exc_info=error)
    return problem(
        500,
        "internal_error",
        ConciergeError.title,
        "The fault is ours, and it was written to the log. Mention the request id when you report it.",
    )
