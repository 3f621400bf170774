"""What is attached to an e-mail: documents of their own, beside the message."""

import email
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from typing import Final, cast

from concierge.knowledge.parsing.found import (
    Found,
    FoundDocument,
    SkippedFile,
    WalkLimits,
    is_hidden,
    reason_to_skip,
    safe_name,
)
from concierge.knowledge.parsing.kinds import Kind, kind_of_name

MAX_ATTACHMENTS: Final = 200
# A mail in a mail is opened; one in that is not.
MAX_DEPTH: Final = 2
# The library takes very long over headers that never end.
MAX_HEADER: Final = 4_000


def is_mail_name(name: str) -> bool:
    return kind_of_name(name) is Kind.MAIL


def attachments(data: bytes, name: str) -> list[Found]:
    """Return what is attached to the mail of this name; blocking. Of what is no mail, nothing.

    A picture within the text is part of the message, and left out like the text.
    """
    if name.lower().count(".eml") > MAX_DEPTH:
        return []
    found: dict[str, Found] = {}
    try:
        for number, part in enumerate(_attached(data), 1):
            one = _document(part, f"attachment-{number}")
            if number > MAX_ATTACHMENTS:
                break
            if one is not None:
                found.setdefault(one.name, one)
    except Exception:  # noqa: BLE001  # The library trips over what is no mail in many ways; what was found is good.
        return list(found.values())
    return list(found.values())


def _attached(data: bytes) -> Iterator[Message]:
    parts = [email.message_from_bytes(data)]
    while parts:
        part = parts.pop(0)
        if (
            len(str(part.get("Content-Disposition", ""))) > MAX_HEADER
            or len(part.get_content_type()) > MAX_HEADER
        ):
            continue
        if part.get_content_disposition() == "attachment":
            # Mailers give pictures within the text so, too, which their text names by this.
            if part.get_content_maintype() != "image" or "Content-ID" not in part:
                yield part
        elif part.is_multipart():
            parts[:0] = cast("list[Message]", part.get_payload())


def _document(part: Message, unnamed: str) -> Found | None:
    given = part.get_filename()
    readable = str(make_header(decode_header(given))) if given else unnamed
    name = safe_name(readable.replace("/", "-"))
    if name is None or is_hidden(name):
        return None
    data = _content(part)
    reason = reason_to_skip(name, len(data), WalkLimits())
    return SkippedFile(name, reason) if reason else FoundDocument(name, data)


def _content(part: Message) -> bytes:
    """The bytes of a part; of a mail that is attached to the mail, the mail."""
    inner = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(inner, list):
        return b"\n".join(cast("Message", one).as_bytes() for one in inner)
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
