"""What a session context holds, as far as it can be believed to mean anything. Pure, and never an exception."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

LONGEST_ADDRESS: Final = 2_000
LONGEST_WORD: Final = 200
MOST_PARTS: Final = 30
# A page is a path of the business's own site, or a web address; nothing else is read.
_ADDRESS: Final = re.compile(r"(?:https?:)?//(?P<host>[^/?#\\\s]*)(?P<path>[^?#]*)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_APP: Final = re.compile(r"android-app://(?P<host>[\w.]+)", re.IGNORECASE)
_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f]")
_EXTENSION: Final = re.compile(r"\.(?:html?|php|aspx?|jsp)$")
_PHONE: Final = re.compile(
    r"\b(?:iphone|ipod|android.{1,40}mobile|windows phone|mobile safari)\b", re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(?:^|[T ])(?P<hour>[01]?\d|2[0-3]):[0-5]\d")
_TIMES: Final = ((6, "night"), (12, "morning"), (18, "afternoon"), (22, "evening"), (24, "night"))
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?=$|[-_,;])", re.IGNORECASE)
_UTM_NAMES: Final = ("source", "medium", "campaign", "term", "content")


@dataclass(frozen=True, slots=True)
class Signals:
    """`page` are the parts of the path, folded; of the home page one empty part, of no page none at all. `referrer` is a host."""

    page: tuple[str, ...] = ()
    referrer: str = ""
    utm: Mapping[str, str] = field(default_factory=dict[str, str])
    device: str = ""
    local_time: str = ""
    language: str = ""

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> "Signals":
        texts = {name: value for name, value in context.items() if isinstance(value, str)}
        device = _word(texts.get("device", ""))
        if not device and _PHONE.search(texts.get("user_agent", "")[:500]):
            device = "mobile"
        own, (referring, _) = _address(texts.get("current_page", "")), _address(texts.get("referrer", ""))
        return cls(
            page=own[1],
            referrer="" if referring == own[0] else referring,
            utm=_utm(context.get("utm")),
            device=device,
            local_time=_part_of_day(texts.get("local_time", "")),
            language=_language(texts.get("language", "")),
        )


def _address(text: str) -> tuple[str, tuple[str, ...]]:
    """The host and the parts of the path; neither of what is no web address."""
    text = text[:LONGEST_ADDRESS].strip()
    if (app := _APP.match(text)) is not None:
        return app["host"].lower(), ()
    found = _ADDRESS.match(text)
    if found is None:
        is_path = text.startswith("/") and not _SCHEME.match(text)
        return "", _parts(re.split(r"[?#]", text, maxsplit=1)[0]) if is_path else ()
    if not found["host"]:
        return "", ()
    return _host(found["host"]), _parts(found["path"])


def _host(text: str) -> str:
    """Without who signs in, the port and “www”; letters of other scripts as they are written."""
    host = text.rsplit("@", 1)[-1].lower()
    host = re.sub(r":\d*$", "", host).strip(".")
    try:
        host = host.encode("ascii").decode("idna") if "xn--" in host else host
    except UnicodeError:
        return ""
    return host.removeprefix("www.")[:LONGEST_WORD]


def _parts(path: str) -> tuple[str, ...]:
    parts = [_part(part) for part in path.replace("\\", "/").split("/")[: MOST_PARTS + 1]]
    return tuple(part for part in parts if part) or ("",)


def _part(part: str) -> str:
    return _EXTENSION.sub("", _UNSEEN.sub("", unquote(part, errors="replace")).casefold())[:LONGEST_WORD]


def _utm(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        return {}
    found: dict[str, str] = {}
    for name in _UTM_NAMES:
        value = given.get(name, given.get(f"utm_{name}"))
        if isinstance(value, str) and (word := _word(value)):
            found[name] = word
    return found


def _word(text: str) -> str:
    return " ".join(text[:LONGEST_WORD].casefold().split())


def _part_of_day(text: str) -> str:
    found = _CLOCK.search(text[:60])
    if found is None:
        return ""
    return next(name for until, name in _TIMES if int(found["hour"]) < until)


def _language(text: str) -> str:
    found = _LANGUAGE.match(text[:20].strip())
    return "" if found is None else found.group().lower()
