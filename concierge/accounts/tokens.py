"""Signed tokens (JWT, HS256): a member's access and refresh tokens, a visitor's token; and API keys."""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import jwt

from concierge.accounts.errors import TokenError
from concierge.kit.clock import Clock

ISSUER = "concierge"
Audience = Literal["access", "refresh", "visitor"]
KeyKind = Literal["secret", "publishable"]
KEY_PREFIXES: dict[KeyKind, str] = {"secret": "sk_", "publishable": "pk_"}
KEY_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class MintedKey:
    """An API key at the one moment it is known: `plain` is shown once, only `digest` is kept."""

    plain: str
    digest: bytes
    hint: str


class TokenSigner:
    """Signs and verifies tokens with the server's key."""

    def __init__(self, key: str, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def sign(self, audience: Audience, claims: dict[str, Any], life: timedelta) -> tuple[str, datetime]:
        expires = self._clock() + life
        payload = {**claims, "iss": ISSUER, "aud": audience, "iat": self._clock(), "exp": expires}
        return jwt.encode(payload, self._key, algorithm="HS256"), expires

    def verify(self, audience: Audience, token: str) -> dict[str, Any]:
        """Return the claims. Errors: TokenError for a token that is expired, foreign, tampered or no token at all."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=audience,
                issuer=ISSUER,
                options={"require": ["exp", "aud", "iss"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise TokenError("This token is not valid here. Sign in again, or ask for a new one.") from error
        if claims["exp"] <= self._clock().timestamp():
            raise TokenError("This token has expired. Ask for a new one.", code="token_expired")
        return claims

    @staticmethod
    def audience_of(token: str) -> str | None:
        """Read what a token says it is for, without believing it: `verify` is asked next."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, ValueError):
            return None
        audience = claims.get("aud")
        return audience if isinstance(audience, str) else None


def claimed_id(claims: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(claims[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TokenError("This token does not say what it is for.") from error


def mint_key(kind: KeyKind, org_id: UUID) -> MintedKey:
    """A key carries its organization, so that looking it up never crosses tenants."""
    body = base64.urlsafe_b64encode(org_id.bytes + secrets.token_bytes(KEY_SECRET_BYTES)).decode()
    plain = KEY_PREFIXES[kind] + body
    return MintedKey(plain, key_digest(plain), f"{plain[:3]}…{plain[-4:]}")


def key_digest(plain: str) -> bytes:
    """A plain SHA-256 is enough: the key holds 192 random bits, so there is nothing to guess."""
    return hashlib.sha256(plain.encode()).digest()


def key_organization(plain: str) -> UUID:
    """Read which organization a key claims to be of. Errors: TokenError."""
    try:
        raw = base64.b64decode(plain[3:], altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError("This is not an API key of this server.", code="key_invalid") from error
    if len(raw) != 16 + KEY_SECRET_BYTES:
        raise TokenError("This is not an API key of this server.", code="key_invalid")
    return UUID(bytes=raw[:16])
