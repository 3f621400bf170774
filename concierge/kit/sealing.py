"""Secrets at rest: sealed with a key made from the server's own, readable by nobody who has only the database."""

import os
from base64 import urlsafe_b64encode
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from concierge.kit.errors import UnavailableError

KEY_BYTES: Final = 32
NEW_SECRET_BYTES: Final = 32


class Sealer:
    """`purpose` keeps what is sealed for one thing from being opened as another."""

    def __init__(self, key: str, purpose: str) -> None:
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key.encode())
        self._fernet = Fernet(urlsafe_b64encode(derived))

    def seal(self, plain: str) -> bytes:
        return self._fernet.encrypt(plain.encode())

    def open(self, sealed: bytes) -> str:
        """Errors: UnavailableError when it was sealed with another server's key."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise UnavailableError(
                "A stored secret was sealed with another server key. Set CONCIERGE_SECRET_KEY to the former one, or make "
                "the secret anew.",
                code="secret_unreadable",
            ) from error


def new_secret() -> str:
    return urlsafe_b64encode(os.urandom(NEW_SECRET_BYTES)).rstrip(b"=").decode()
