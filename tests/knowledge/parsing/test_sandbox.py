import os
import signal
import stat
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.sandbox import Sandbox, SandboxBrokenError, SandboxLimits
from tests.knowledge.parsing import files


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _is_ours(child)]


def own_children(idle: str) -> set[int]:
    return {child.pid for child in children() if _is_ours(child, idle)}


def _is_ours(child: psutil.Process, idle: str = "") -> bool:
    try:
        words = child.cmdline()
    except psutil.NoSuchProcess:
        return False
    return "concierge.knowledge.parsing.child" in words and words[-1].startswith(idle)


def test_a_child_at_rest_leaves_no_zombie() -> None:
    before = {child.pid for child in psutil.Process().children()}
    sandbox = Sandbox(SandboxLimits(idle_s=0.05))
    read(sandbox)
    own = [child for child in psutil.Process().children() if child.pid not in before]
    deadline = time.monotonic() + 5
    while any(child.is_running() and child.status() == psutil.STATUS_ZOMBIE for child in own):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    sandbox.close()


def read(sandbox: Sandbox, data: bytes = b"name,price\nChair,120\n", media_type: str = "text/csv") -> str:
    return sandbox.read("office", data, media_type).text


def test_never_more_than_one_child_serves_one_caller_and_closing_ends_it() -> None:
    # Its own idle time marks the children of this sandbox among those of others in this process.
    sandbox = Sandbox(SandboxLimits(idle_s=31.25))
    for _ in range(3):
        assert "| Chair | 120 |" in read(sandbox)
        assert len(own_children("31.25")) <= 1
    sandbox.close()
    assert not own_children("31.25")


def test_a_child_is_kept_however_much_memory_this_process_has() -> None:
    """A new process is at first as large as the one that started it, in the books of the system."""
    ballast = b"\1" * (450 * 1024 * 1024)
    sandbox = Sandbox(SandboxLimits(idle_s=31.5))
    served: set[int] = set()
    for _ in range(3):
        assert "Chair" in read(sandbox)
        time.sleep(0.1)  # One that is not kept ends by itself.
        served |= own_children("31.5")
    sandbox.close()

    assert len(ballast) > 0
    assert len(served) == 1


def test_a_child_that_a_document_left_large_ends() -> None:
    sandbox = Sandbox(SandboxLimits(idle_s=31.75, kept_bytes=1_000_000))
    for _ in range(2):
        assert "Chair" in read(sandbox)
        deadline = time.monotonic() + 5
        while own_children("31.75"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    sandbox.close()


def test_the_first_pdf_of_a_new_machine_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The PDF library is unpacked on first use, into a folder that belongs to us alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sandbox = Sandbox()
    assert "Oak chair" in read(sandbox, files.pdf(), "application/pdf")
    sandbox.close()

    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.rglob("*.so")] == ["libpdfium.so"]


def test_a_folder_that_others_can_write_to_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / f"concierge-parsing-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    (planted / "kreuzberg-pdfium").mkdir()
    (planted / "kreuzberg-pdfium" / "libpdfium.so").write_bytes(b"not a library")
    sandbox = Sandbox()
    assert "Oak chair" in read(sandbox, files.pdf(), "application/pdf")
    sandbox.close()


def test_a_library_that_cannot_be_unpacked_is_not_the_fault_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / f"concierge-parsing-{os.getuid()}"
    folder.mkdir(mode=0o700)
    (folder / "kreuzberg-pdfium").touch()
    sandbox = Sandbox()
    with pytest.raises(SandboxBrokenError):
        read(sandbox, files.pdf(), "application/pdf")
    sandbox.close()


def test_a_killed_child_is_replaced() -> None:
    sandbox = Sandbox()
    before = {child.pid for child in children()}
    read(sandbox)
    (killed,) = [child for child in children() if child.pid not in before]
    os.kill(killed.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert "Chair" in read(sandbox)
    sandbox.close()


def test_a_child_that_rested_is_replaced() -> None:
    sandbox = Sandbox(SandboxLimits(idle_s=0.05))
    for pause in (0.0, 0.04, 0.05, 0.06, 0.3):
        time.sleep(pause)
        assert "Chair" in read(sandbox)
    sandbox.close()


def test_a_document_that_takes_too_long_costs_only_itself() -> None:
    sandbox = Sandbox(SandboxLimits(seconds=1))
    page = b"<html><body>" + b"<b><i><p>" * 50_000 + b"text"
    started = time.monotonic()
    with pytest.raises(DocumentRejectedError) as caught:
        sandbox.read("html", page, "text/html")
    assert caught.value.code == "document_too_complex"
    assert time.monotonic() - started < 8
    assert "Chair" in read(sandbox)
    sandbox.close()


def test_a_document_that_eats_memory_costs_only_itself() -> None:
    sandbox = Sandbox(SandboxLimits(memory_bytes=400 * 1024 * 1024))
    page = b"<html><body>" + b"<p>Hello there, this is text.</p>" * 300_000
    with pytest.raises(DocumentRejectedError) as caught:
        sandbox.read("html", page, "text/html")
    assert caught.value.code == "document_too_complex"
    assert "Chair" in read(sandbox)
    sandbox.close()


def test_many_threads_share_few_children() -> None:
    sandbox = Sandbox(SandboxLimits(children=2))
    before = len(children())
    texts: list[str] = []
    word = files.word()
    threads = [
        threading.Thread(
            target=lambda: texts.append(
                read(sandbox, word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
            )
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 8
    assert len(set(texts)) == 1
    assert len(children()) - before <= 2
    sandbox.close()


def test_the_child_sees_no_secret_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCIERGE_SECRET_KEY", "do-not-leak")
    sandbox = Sandbox()
    before = {child.pid for child in children()}
    read(sandbox)
    (child,) = [child for child in children() if child.pid not in before]
    assert "CONCIERGE_SECRET_KEY" not in child.environ()
    sandbox.close()
