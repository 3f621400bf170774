"""The server's processes as the operating system sees them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

PROGRAM = "postgres"
POLL_S = 0.02


def is_server_process(process: psutil.Process, cluster: Path) -> bool:
    """Every process of a server works in its data directory; a zombie works nowhere and a reused pid elsewhere."""
    try:
        return (
            process.name() == PROGRAM
            and process.status() != psutil.STATUS_ZOMBIE
            and process.cwd() == str(cluster.resolve())
        )
    except psutil.Error:
        return False


def living_postmaster(pid: int | None, cluster: Path) -> psutil.Process | None:
    if pid is None or pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return process if is_server_process(process, cluster) else None


def server_processes(cluster: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if is_server_process(process, cluster):
            yield process


def end_all(cluster: Path, *, grace_s: float) -> None:
    """Backends that lost their postmaster end by themselves when idle; a busy or stopped one has to be killed.

    Killing is harmless here: without a postmaster nothing they do can be committed any more, and the next start
    recovers from the write-ahead log either way.
    """
    deadline = time.monotonic() + grace_s
    while (left := list(server_processes(cluster))) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
