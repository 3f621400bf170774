"""Who somebody is, by the word of the business's own server: a signed token, or a hash of their id. Pure.

Whatever a page says without such a word is never believed.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt

from concierge.customers.errors import IdentityRefusedError

LONGEST_LIFE: Final = timedelta(hours=24)
CLOCK_SKEW: Final = timedelta(minutes=2)
MOST_ID_CHARS: Final = 200
MOST_EMAIL_CHARS: Final = 320
MOST_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """`token_digest` and `expires_at` are those of the token, None for what was proved by a hash."""

    external_id: str
    email: str | None = None
    name: str | None = None
    token_digest: bytes | None = None
    expires_at: datetime | None = None


def identity_in(token: str, secret: str, visitor_id: UUID, now: datetime) -> Identity:
    """Read a token (JWT, HS256) that the business signed for this visitor. Errors: IdentityRefusedError."""
    claims = _claims(token, secret)
    expires = _moment(claims["exp"])
    if expires <= now - CLOCK_SKEW:
        raise IdentityRefusedError("This identity token has expired. Have your server sign a new one.")
    if expires > now + LONGEST_LIFE + CLOCK_SKEW:
        raise IdentityRefusedError("This identity token lasts too long: sign it for at most 24 hours.")
    if claims.get("visitor_id") is not None and claims["visitor_id"] != str(visitor_id):
        raise IdentityRefusedError("This identity token was signed for another visitor.")
    return Identity(
        external_id=_external_id(claims["sub"]),
        email=_text(claims.get("email"), MOST_EMAIL_CHARS),
        name=_text(claims.get("name"), MOST_NAME_CHARS),
        token_digest=hashlib.sha256(token.encode()).digest(),
        expires_at=expires,
    )


def identity_by_hash(user_id: str, user_hash: str, secret: str) -> Identity:
    """Believe an id whose HMAC (SHA-256, hexadecimal) the business made. Errors: IdentityRefusedError."""
    made = hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(made, user_hash.strip().lower().encode("ascii", "replace").decode()):
        raise IdentityRefusedError("This hash was not made of this user id with your identity secret.")
    return Identity(_external_id(user_id))


def _claims(token: str, secret: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={
                "require": ["exp", "sub"],
                "verify_exp": False,
                "verify_aud": False,
                "verify_iat": False,
            },
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise IdentityRefusedError(
            "This identity token is not signed (HS256) with your identity secret, or lacks `sub` or `exp`."
        ) from error


def _moment(seconds: Any) -> datetime:
    try:
        return datetime.fromtimestamp(float(seconds), tz=UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise IdentityRefusedError("The `exp` of this identity token is no time.") from error


def _external_id(value: Any) -> str:
    text = _text(value, MOST_ID_CHARS)
    if not text:
        raise IdentityRefusedError(f"The user id must be a text of 1 to {MOST_ID_CHARS} characters.")
    return text


def _text(value: Any, most: int) -> str | None:
    """A text that can be stored, or nothing."""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        return None
    return value.strip() or None
