"""Runs the readers of risky formats in a child process, so that a hostile file costs one document, not the product.

A child is kept warm between documents (starting one costs a good half second), limits its own memory, processor
time and time, and is replaced when it dies.
"""

import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.document import Extracted

_log = logging.getLogger(__name__)
_LENGTH: Final = struct.Struct(">I")
_MAX_REPLY_BYTES: Final = 128 * 1024 * 1024
_LAST_BREATH_S: Final = 2.0
Reader = Literal["feeds", "html", "markdown", "office"]


class SandboxBrokenError(Exception):
    """The reader itself does not work here, for instance because its library cannot be written: no file's fault."""


class _ChildEndedError(Exception):
    """The child closed the line without an answer."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """`seconds` bounds both the clock and the processor time of one document, `memory_bytes` its address space. A child
    that a document left with more than `kept_bytes` is replaced, which costs less than to keep that.
    """

    seconds: float = 30.0
    memory_bytes: int = 1536 * 1024 * 1024
    kept_bytes: int = 128 * 1024 * 1024
    idle_s: float = 30.0
    children: int = 2


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    channel: socket.socket

    def ask(self, head: Mapping[str, object], data: bytes, deadline: float) -> dict[str, Any]:
        """Raises TimeoutError, or _ChildEndedError when the child is gone."""
        encoded = json.dumps(head).encode()
        try:
            self._patience(deadline)
            self.channel.sendall(_LENGTH.pack(len(encoded)) + encoded)
            self.channel.sendall(data)
            size = _LENGTH.unpack(self._received(_LENGTH.size, deadline))[0]
            if size > _MAX_REPLY_BYTES:
                raise _ChildEndedError
            return cast("dict[str, Any]", json.loads(self._received(size, deadline)))
        except (BrokenPipeError, ConnectionError):
            raise _ChildEndedError from None

    def end(self) -> int:
        """Stop it if it still runs; its exit status, negative for a signal."""
        self.channel.close()
        self.process.kill()
        return self.process.wait()

    def ended(self) -> int:
        """The exit status of one that hung up by itself and may still be on its way out."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_LAST_BREATH_S)
        return self.end()

    def _received(self, size: int, deadline: float) -> bytes:
        body = bytearray()
        while len(body) < size:
            self._patience(deadline)
            part = self.channel.recv(min(size - len(body), 1 << 20))
            if not part:
                raise _ChildEndedError
            body += part
        return bytes(body)

    def _patience(self, deadline: float) -> None:
        self.channel.settimeout(max(deadline - time.monotonic(), 0.001))


@dataclass(slots=True)
class Sandbox:
    """Blocking and safe to call from many threads; more calls than `children` wait for their turn."""

    limits: SandboxLimits = field(default_factory=SandboxLimits)
    _idle: list[_Child] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _turns: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = threading.Semaphore(self.limits.children)

    def read(self, reader: Reader, data: bytes, media_type: str) -> Extracted:
        """Raises DocumentRejectedError when the file cannot be read within the limits, or SandboxBrokenError."""
        with self._turns:
            return self._read(reader, data, media_type)

    def close(self) -> None:
        """End the waiting children. The sandbox stays usable and starts new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _read(self, reader: Reader, data: bytes, media_type: str) -> Extracted:
        head = {"reader": reader, "media_type": media_type, "size": len(data), "seconds": self.limits.seconds}
        child, warm = self._child()
        try:
            # The child stops itself at the limit; a little later we stop waiting for it.
            reply = child.ask(head, data, time.monotonic() + self.limits.seconds + 5)
        except _ChildEndedError:
            status = child.ended()
            if warm and status == 0:
                # It went to rest just as we called.
                return self._read(reader, data, media_type)
            raise _died(status) from None
        except TimeoutError:
            child.end()
            raise _too_slow() from None
        except BaseException:
            child.end()
            raise
        with self._lock:
            self._idle.append(child)
        return _extracted(reply)

    def _child(self) -> tuple[_Child, bool]:
        """A child that waits, or a new one; and whether it was waiting."""
        while True:
            with self._lock:
                if not self._idle:
                    break
                child = self._idle.pop()
            if child.process.poll() is None:
                return child, True
            child.end()
        return self._start(), False

    def _start(self) -> _Child:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # Our own interpreter and module.
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "concierge.knowledge.parsing.child",
                    str(self.limits.memory_bytes),
                    str(self.limits.kept_bytes),
                    str(self.limits.idle_s),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )
        # Whoever waits for it as soon as it goes to rest leaves no zombie behind.
        threading.Thread(target=process.wait, name="parsing-child", daemon=True).start()
        return _Child(process, ours)


def _environment() -> dict[str, str]:
    """Only what the child needs: none of the product's secrets, and no way to a model hub."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    # The same code must be found wherever this process found it.
    path = os.pathsep.join(entry for entry in sys.path if entry) or os.getcwd()  # noqa: PTH109  # Joined as text.
    return {
        **kept,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
        "RAYON_NUM_THREADS": "1",
        # Threads that compute nothing here would each reserve address space.
        "OPENBLAS_NUM_THREADS": "1",
        "TMPDIR": _library_folder(),
    }


def _library_folder() -> str:
    """Where the PDF reader keeps its library: a place where nobody else can lay one for it to load."""
    folder = Path(tempfile.gettempdir()) / f"concierge-parsing-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return str(folder)
    return tempfile.mkdtemp(prefix=f"{folder.name}-")


def _extracted(reply: dict[str, Any]) -> Extracted:
    error = reply.get("error")
    if error is None:
        return Extracted(**reply)
    if error == "refused":
        raise DocumentRejectedError(str(reply.get("message")), code=str(reply.get("code")))
    _log.info("document_unreadable", extra={"reason": reply.get("message")})
    message = str(reply.get("message", "")).lower()
    if "pdfium initialization" in message:
        raise SandboxBrokenError(reply.get("message"))
    if error == "memory":
        raise _too_complex()
    if "password" in message or "encrypt" in message:
        raise DocumentRejectedError(
            "The document is protected with a password. Remove the password and add it again.",
            code="document_encrypted",
        )
    if "security" in message or "bomb" in message:
        raise _too_complex()
    raise DocumentRejectedError("The document is damaged or incomplete. Open it, save it again and retry.")


def _died(status: int) -> DocumentRejectedError:
    if -status in {signal.SIGALRM, signal.SIGXCPU}:
        return _too_slow()
    return DocumentRejectedError(
        "The document could not be read safely: it is damaged or far too complex. Save it again in another format.",
        code="document_too_complex",
    )


def _too_slow() -> DocumentRejectedError:
    return DocumentRejectedError(
        "Reading the document took too long. Split it into smaller documents.", code="document_too_complex"
    )


def _too_complex() -> DocumentRejectedError:
    return DocumentRejectedError(
        "Reading the document needs more memory than is allowed. Split it into smaller documents.",
        code="document_too_complex",
    )


sandbox: Final = Sandbox()
atexit.register(sandbox.close)
