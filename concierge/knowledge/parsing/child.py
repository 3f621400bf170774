"""The process in which files of strangers are taken apart: started by `sandbox`, never imported by the product.

It speaks over one socket, its standard input: a request is four bytes of length, a JSON head and the file; a reply
is four bytes of length and JSON. It limits itself before it loads anything that parses, ends by itself when idle
or orphaned, and a request that runs over its limits ends it by a signal.
"""

import dataclasses
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any, cast

import psutil

from concierge.knowledge.errors import DocumentRejectedError

_LENGTH = struct.Struct(">I")
# A child writes nothing while it reads a document; this much when the PDF reader unpacks its own library.
_LIBRARY_BYTES = 64 * 1024 * 1024


def main() -> None:
    address_space, kept_bytes, idle_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, _LIBRARY_BYTES))
    channel = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "r+b", buffering=0) as null:  # noqa: PTH123  # A descriptor is wanted, not a path.
        for descriptor in (0, 1, 2):
            os.dup2(null.fileno(), descriptor)
    own = psutil.Process()
    # What it has now. The most it ever had is of no use: that counts the process that started it.
    while _serve_one(channel, idle_s) and own.memory_info().rss <= kept_bytes:
        pass


def _serve_one(channel: socket.socket, idle_s: float) -> bool:
    channel.settimeout(idle_s)
    head = _received(channel, _LENGTH.size)
    if head is None:
        return False
    channel.settimeout(None)
    request = json.loads(_received(channel, _LENGTH.unpack(head)[0]) or b"{}")
    data = _received(channel, int(request["size"]))
    if data is None:
        return False
    _limit_time(float(request["seconds"]))
    reply = json.dumps(_read(str(request["reader"]), str(request["media_type"]), data)).encode()
    channel.sendall(_LENGTH.pack(len(reply)) + reply)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return True


def _limit_time(seconds: float) -> None:
    """Both clocks end the process by a signal's default action, which no native code can hold back."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)


def _read(reader: str, media_type: str, data: bytes) -> dict[str, object]:
    # Loaded only now: under the limits, and not at all when nobody sends such a file.
    module: Any = importlib.import_module(f"concierge.knowledge.parsing.{reader}")
    if media_type == "application/pdf":
        _unpack(module)
    try:
        extracted = module.read(data, media_type)
    except DocumentRejectedError as error:
        return {"error": "refused", "code": error.code, "message": error.detail}
    except MemoryError:
        return {"error": "memory"}
    except Exception as error:  # noqa: BLE001  # Whatever a parser raises, the document is what is wrong.
        return {"error": "unreadable", "message": f"{type(error).__name__}: {error}"[:500]}
    return cast("dict[str, object]", dataclasses.asdict(extracted))


def _unpack(office: Any) -> None:
    """Before the first stranger's PDF is looked at, and never after it."""
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] == 0:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LIBRARY_BYTES, _LIBRARY_BYTES))
    try:
        office.unpack()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _received(channel: socket.socket, size: int) -> bytes | None:
    """Exactly `size` bytes, or None when the other side is gone or silent."""
    body = bytearray()
    while len(body) < size:
        try:
            part = channel.recv(min(size - len(body), 1 << 20))
        except TimeoutError:
            return None
        if not part:
            return None
        body += part
    return bytes(body)


if __name__ == "__main__":
    main()
