"""Backup to one file and back, by the wheel's own pg_dump, pg_restore and psql; also for a server of your own."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from concierge.kit.errors import InvalidInputError
from concierge.kit.postgres.address import PostgresAddress
from concierge.kit.postgres.binaries import wheel_binaries
from concierge.kit.postgres.errors import PostgresError, from_output, readable_os_errors

Progress = Callable[[str], None]

MAGIC = b"PGDMP"  # How pg_dump's custom format begins.
# Everything goes, so that nothing of a newer schema survives under an older backup. `public` comes back as PostgreSQL
# itself creates it, because a backup does not mention what is at its default.
CLEAR = """
BEGIN;
SET LOCAL lock_timeout = '30s';
SET LOCAL client_min_messages = warning;
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP
        EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', name);
    END LOOP;
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$)' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
END $$;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


def dump(address: PostgresAddress | str, file: Path, *, on_progress: Progress | None = None) -> None:
    """Writes one consistent snapshot; `file` appears when it is complete. `address` may be a URL or a conninfo string.

    `on_progress` gets a line per object (`dumping contents of table "public.chunks"`). Blocks.
    """
    target, environment = connection(address)
    partial = file.with_name(f".{file.name}.partial")
    command = [wheel_binaries().program("pg_dump"), "--format=custom", "--compress=gzip:3", "--verbose"]
    command += [f"--file={partial}", f"--dbname={target}"]
    try:
        with readable_os_errors(file.parent):
            os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            result, said = run(command, environment, on_progress)
            if result != 0:
                raise from_output("The backup", "\n".join(said), file.parent, code="backup_failed")
            partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def restore(address: PostgresAddress | str, file: Path, *, on_progress: Progress | None = None) -> None:
    """Replaces everything in the database by the backup, in one transaction: it happens completely or not at all.

    Waits up to 30 seconds for open transactions of others. Blocks.
    """
    check_is_backup(file)
    target, environment = connection(address)
    binaries = wheel_binaries()
    reader = [binaries.program("pg_restore"), "--no-owner", "--verbose", "--file=-", str(file)]
    writer = [
        binaries.program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
    ]
    writer += ["--file=-", f"--dbname={target}"]
    with (
        tempfile.TemporaryFile() as complaints,
        start(
            reader, environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as source,
        start(
            writer, environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints
        ) as sink,
    ):
        said: list[str] = []
        listener = threading.Thread(target=listen, args=(source.stderr, said, on_progress))
        listener.start()
        pour(source, sink)
        listener.join()
        failed = sink.wait() != 0
        complaints.seek(0)
        objections = complaints.read().decode(errors="replace")
    if source.returncode > 0:  # Negative when it was killed because the writer had failed first.
        raise from_output("Reading the backup", "\n".join(said), file.parent, code="backup_unreadable")
    if failed:
        raise from_output("Restoring the backup", objections, file.parent, code="restore_failed")


def pour(source: subprocess.Popen[bytes], sink: subprocess.Popen[bytes]) -> None:
    """Streams the script into psql. Only a backup that was read to its end is committed; otherwise psql rolls back."""
    assert source.stdout is not None
    assert sink.stdin is not None
    try:
        sink.stdin.write(CLEAR.encode())
        shutil.copyfileobj(source.stdout, sink.stdin)
        if source.wait() == 0:
            sink.stdin.write(b"\nCOMMIT;\n")
        sink.stdin.close()
    except BrokenPipeError:  # The writer stopped at an error, which it has said; the reader need not go on.
        source.kill()
        with suppress(BrokenPipeError):
            sink.stdin.close()


def connection(address: PostgresAddress | str) -> tuple[str, dict[str, str]]:
    """What to pass on the command line, and the environment: a password is not for everybody who can list processes."""
    text = address.conninfo() if isinstance(address, PostgresAddress) else address
    scheme, separator, rest = text.partition("://")
    try:
        parts = conninfo_to_dict(f"{scheme.split('+')[0]}{separator}{rest}")
    except ProgrammingError as error:
        raise InvalidInputError(
            f"This is no address of a database: {error}", code="invalid_database_url"
        ) from error
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["LC_ALL"] = "C"
    password = parts.pop("password", None)
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **parts), environment


def check_is_backup(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            if opened.read(len(MAGIC)) == MAGIC:
                return
    except OSError as error:
        raise PostgresError(f"{file} cannot be read: {error.strerror}.", code="backup_unreadable") from error
    raise InvalidInputError(
        f"{file} is not a backup made by `concierge db backup`.", code="backup_unreadable"
    )


def run(
    command: list[str], environment: dict[str, str], on_progress: Progress | None
) -> tuple[int, list[str]]:
    said: list[str] = []
    with start(
        command, environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as job:
        listen(job.stderr, said, on_progress)
    return job.returncode, said


def start(
    command: list[str], environment: dict[str, str], *, stdin: int, stdout: int, stderr: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # The command is built here; file names are whole arguments.
        command, env=environment, stdin=stdin, stdout=stdout, stderr=stderr
    )


def listen(lines: Iterable[bytes] | None, said: list[str], on_progress: Progress | None) -> None:
    """Collects what a program says on stderr; `pg_dump: dumping …` becomes `dumping …`."""
    for line in lines or ():
        text = line.decode(errors="replace").rstrip()
        said.append(text)
        if on_progress is not None:
            on_progress(text.partition(": ")[2] or text)
