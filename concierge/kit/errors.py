"""One tree of errors. Whoever meets one raises it; only the boundary turns it into a response (RFC 9457)."""

from collections.abc import Mapping


class ConciergeError(Exception):
    """A failure a person will read: `detail` is written for them, `code` is stable for programs."""

    status: int = 500
    code: str = "internal_error"
    title: str = "Something went wrong on our side"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class InvalidInputError(ConciergeError):
    status, code, title = 422, "invalid_input", "The request could not be understood"


class UnauthorizedError(ConciergeError):
    """Who asks could not be made sure of; the answer names the scheme, as HTTP wants it (RFC 9110, 11.6.1)."""

    status, code, title = 401, "unauthorized", "You are not signed in"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail, code=code, headers={"WWW-Authenticate": "Bearer"})


class ForbiddenError(ConciergeError):
    status, code, title = 403, "forbidden", "You may not do this"


class NotFoundError(ConciergeError):
    status, code, title = 404, "not_found", "Not found"


class ConflictError(ConciergeError):
    status, code, title = 409, "conflict", "This conflicts with what is already there"


class TooLargeError(ConciergeError):
    status, code, title = 413, "too_large", "Too large"


class UnavailableError(ConciergeError):
    """The service cannot answer just now and heals by itself; says when to come back."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: int = 2) -> None:
        super().__init__(detail, code=code, headers={"Retry-After": str(retry_after_s)})
