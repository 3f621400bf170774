"""Starting and ending the server's processes once it is decided that they must."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import structlog

from concierge.kit.postgres.address import socket_file
from concierge.kit.postgres.binaries import Binaries
from concierge.kit.postgres.cluster import postmaster_pid
from concierge.kit.postgres.errors import readable_os_errors
from concierge.kit.postgres.home import Home, prepare_socket_dir
from concierge.kit.postgres.identity import QUIET_ENVIRONMENT, ServerUser, from_refused_start
from concierge.kit.postgres.locks import ServerClaim
from concierge.kit.postgres.processes import POLL_S, end_all, living_postmaster, send
from concierge.kit.postgres.tuning import PostgresTuning, render

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOG_LIMIT_BYTES = 10_000_000
ORPHAN_GRACE_S = 0.5
FORCED_STOP_S = 10.0


def launch(
    home: Home, user: ServerUser, binaries: Binaries, tuning: PostgresTuning, claim: int
) -> subprocess.Popen[bytes]:
    """Starts a postmaster that inherits the locked descriptor `claim`. It is not ready yet when this returns.

    It gets a session of its own, so that Ctrl-C in the terminal reaches the product and not its database.
    """
    with readable_os_errors(home.folder):
        clear_leftovers(home)
        prepare_socket_dir(home, user)
        write_configuration(home, user, tuning)
        output = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            user.give(home.log)
            return start_postmaster(home, user, binaries, output=output, claim=claim)
        finally:
            os.close(output)


def start_postmaster(
    home: Home, user: ServerUser, binaries: Binaries, *, output: int, claim: int
) -> subprocess.Popen[bytes]:
    command = [
        binaries.program("postgres"),
        "-D",
        str(home.cluster),
        "-c",
        f"config_file={home.configuration}",
    ]
    try:
        return subprocess.Popen(  # noqa: S603  # The command is built here, never from input.
            command,
            cwd="/",
            env=QUIET_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(claim,),
            start_new_session=True,
            umask=0o077,
            **user.process_identity(),
        )
    except OSError as error:
        raise from_refused_start(error, user, command[0]) from error


def clear_leftovers(home: Home) -> None:
    """The claim proves that no process of this server lives, so these files are stale whatever pid they name.

    PostgreSQL would only ask whether *some* process has the pid, and a zombie or another program would stop it.
    """
    socket = socket_file(home.socket_dir)
    for path in (home.cluster / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        path.unlink(missing_ok=True)


def write_configuration(home: Home, user: ServerUser, tuning: PostgresTuning) -> None:
    scratch = home.configuration.with_suffix(".new")
    scratch.write_text(render(tuning, home.socket_dir), encoding="utf-8")
    scratch.chmod(0o600)
    user.give(scratch)
    scratch.replace(home.configuration)


def trim_log(path: Path) -> None:
    """Keeps the last part of a long log beside it. The server appends, so emptying the file under it is safe."""
    if not path.exists() or path.stat().st_size < LOG_LIMIT_BYTES:
        return
    previous = path.with_name(f"{path.name}.1")
    shutil.copyfile(path, previous)
    previous.chmod(0o600)
    os.truncate(path, 0)


def log_since(path: Path, offset: int) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(min(offset, path.stat().st_size))
        return file.read().decode(errors="replace")


def shut_down(home: Home, child: subprocess.Popen[bytes] | None, patience_s: float) -> None:
    """Fast shutdown (open transactions are rolled back), forced when it takes longer than `patience_s`."""
    end_processes(home, child, patience_s)
    if home.socket_dir.parent != home.folder:
        with suppress(OSError):  # A folder of ours in /tmp; whoever put something else into it keeps it.
            home.socket_dir.rmdir()


def end_processes(home: Home, child: subprocess.Popen[bytes] | None, patience_s: float) -> None:
    claim = ServerClaim(home.server_lock)
    for number, wait_s in ((signal.SIGINT, patience_s), (signal.SIGQUIT, FORCED_STOP_S)):
        postmaster = living_postmaster(postmaster_pid(home.cluster), home.cluster)
        if postmaster is None:
            break
        send(postmaster.pid, number)
        if wait_until_gone(claim, child, wait_s):
            return
        log.warning("postgres.slow_to_stop", signal=number.name, waited_s=wait_s)
    end_all(home.cluster, grace_s=ORPHAN_GRACE_S)


def wait_until_gone(claim: ServerClaim, child: subprocess.Popen[bytes] | None, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while not claim.is_free():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    reap(child)
    return True


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Takes a dead postmaster of ours off the process table."""
    if child is not None:
        child.poll()


def let_go(child: subprocess.Popen[bytes] | None) -> None:
    """The server outlives this process on purpose; told so, Popen neither waits for it nor warns about it."""
    if child is not None and child.poll() is None:
        child.returncode = 0
