"""Small tools of these tests: queries, signals, and other processes that use the same server."""

import multiprocessing
import os
import signal
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import LiteralString, Self

import psutil
import psycopg

from concierge.kit.postgres import EmbeddedPostgres, PostgresAddress, PostgresError, PostgresTuning
from concierge.kit.postgres.cluster import postmaster_pid

FAST = PostgresTuning(fsync=False)
STRANGER = 12345  # A user id without a name.
# Forks of one process that has imported everything start at once, also as a user who may not read Python's own files.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.kit.postgres.support"])
STAY = """
    server.ensure_running()
    say(postmaster(server))
    wait()
    server.stop()
"""


class Neighbor:
    """Another process with `server` on the same data folder; `say(…)` and `wait()` connect its script to the test."""

    def __init__(self, data_dir: Path, script: str, *, uid: int | None = None) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        user = os.geteuid() if uid is None else uid
        arguments = (textwrap.dedent(script), data_dir, user, theirs)
        self.process = CONTEXT.Process(target=live, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.pipe.close()

    def line(self) -> str:
        assert self.pipe.poll(30), "The other process says nothing."
        return str(self.pipe.recv())

    def kill(self) -> None:
        self.process.kill()
        self.process.join(10)

    def exit_code(self) -> int | None:
        self.process.join(30)
        return self.process.exitcode

    def finish(self) -> None:
        with suppress(BrokenPipeError):  # A script that does not wait has ended already.
            self.pipe.send("")
        assert self.exit_code() == 0


def live(script: str, data_dir: Path, uid: int, pipe: "Connection[object, object]") -> None:
    os.setsid()
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    names: dict[str, object] = {
        "server": EmbeddedPostgres(data_dir, FAST),
        "say": pipe.send,
        "wait": pipe.recv,
        "value": value,
        "postmaster": postmaster,
        "psutil": psutil,
        "psycopg": psycopg,
        "PostgresError": PostgresError,
        "os": os,
        "signal": signal,
        "time": time,
    }
    exec(script, names)  # noqa: S102  # The script stands in the test.


def execute(address: PostgresAddress, query: LiteralString) -> None:
    with psycopg.connect(address.conninfo(), autocommit=True) as connection:
        connection.execute(query)


def value(address: PostgresAddress, query: LiteralString) -> object:
    with psycopg.connect(address.conninfo(), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def postmaster(server: EmbeddedPostgres) -> int:
    pid = postmaster_pid(server.home.cluster)
    assert pid is not None
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def eventually(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
