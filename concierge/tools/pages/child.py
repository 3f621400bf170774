"""The process that takes strangers' pages apart: started by `extraction`, never imported by the product.

It reads pages from its standard input, each a line of JSON and the page's bytes, and writes a line of JSON for each. It
has no environment, limits its own memory, and is killed by its parent when time is up.
"""

import json
import resource
import sys
from configparser import ConfigParser

import trafilatura
from trafilatura.settings import use_config

_MEMORY_BYTES = 768 * 1024 * 1024
_PROCESSOR_S = 20
_MOST_CHARACTERS = 20_000
_MOST_TITLE = 300


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_S, _PROCESSOR_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    while head := sys.stdin.buffer.readline():
        asked = json.loads(head)
        body = sys.stdin.buffer.read(asked["size"])
        line = json.dumps(_read(body, asked["charset"]))
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _read(body: bytes, charset: str | None) -> dict[str, str]:
    try:
        page: str | bytes = body.decode(charset, errors="replace") if charset else body
    except LookupError:
        page = body
    try:
        found = trafilatura.bare_extraction(
            page, include_comments=False, favor_recall=True, with_metadata=True, config=_config()
        )
    except (ValueError, RecursionError, MemoryError):
        found = None
    if found is None or isinstance(found, dict):
        return {"title": "", "text": "", "date": ""}
    return {
        "title": (found.title or "")[:_MOST_TITLE],
        "text": (found.text or "")[:_MOST_CHARACTERS],
        "date": found.date or "",
    }


def _config() -> ConfigParser:
    # By default a page of a few sentences counts as no page.
    config = use_config()
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
    return config


if __name__ == "__main__":
    main()
