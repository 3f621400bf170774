import io
import os
import tarfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.archives import documents_in_archive
from concierge.knowledge.parsing.folders import documents_in_folder
from concierge.knowledge.parsing.found import Found, FoundDocument, SkippedFile, WalkLimits
from tests.knowledge.parsing import files

SMALL = WalkLimits(document_bytes=1000, total_bytes=100_000, files=50)


def tarred(members: Iterable[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for member, content in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def documents(found: Iterable[Found]) -> dict[str, bytes]:
    return {one.name: one.data for one in found if isinstance(one, FoundDocument)}


def skipped(found: Iterable[Found]) -> dict[str, str]:
    return {one.name: one.reason for one in found if isinstance(one, SkippedFile)}


def test_documents_come_out_of_zip_and_tar() -> None:
    contents = {"a.md": b"one", "docs/b.txt": b"two"}
    assert documents(documents_in_archive(files.zipped(contents))) == contents
    for mode in ("w:gz", "w"):
        packed = tarred([(member(name), content) for name, content in contents.items()], mode)
        assert documents(documents_in_archive(packed)) == contents


def test_hidden_and_system_files_are_left_out() -> None:
    names = [
        ".git/x.md",
        "__MACOSX/._a.md",
        "docs/.hidden.md",
        "Thumbs.db",
        "node_modules/p/readme.md",
        "~$a.docx",
    ]
    found = list(documents_in_archive(files.zipped({**dict.fromkeys(names, b"x"), "a.md": b"one"})))
    assert documents(found) == {"a.md": b"one"}
    assert skipped(found) == {}


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.md", "/etc/passwd.md", "a/../../b.md", "..\\x.md", "C:\\x.md"]
)
def test_names_that_point_outside_are_skipped(name: str) -> None:
    for packed in (files.zipped({name: b"x"}), tarred([(member(name), b"x")])):
        found = list(documents_in_archive(packed))
        assert documents(found) == {}
        assert len(skipped(found)) == 1


def test_links_and_devices_are_skipped() -> None:
    kinds = {
        "a.md": tarfile.SYMTYPE,
        "b.md": tarfile.LNKTYPE,
        "c.md": tarfile.CHRTYPE,
        "d.md": tarfile.FIFOTYPE,
    }
    packed = tarred([(member(name, kind, "/etc/passwd"), b"") for name, kind in kinds.items()])
    assert set(skipped(documents_in_archive(packed))) == set(kinds)
    link = zipfile.ZipInfo("link.md")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert set(skipped(documents_in_archive(out.getvalue()))) == {"link.md"}


def test_reasons_are_given_for_what_is_not_read() -> None:
    packed = files.zipped({"a.exe": b"x", "b.md": b"", "c.md": b"x" * 1001, "d.md": b"ok"})
    found = list(documents_in_archive(packed, limits=SMALL))
    assert documents(found) == {"d.md": b"ok"}
    assert set(skipped(found)) == {"a.exe", "b.md", "c.md"}


def test_one_level_of_archives_inside_is_opened() -> None:
    deepest = files.zipped({"deep.md": b"deep"})
    inner = files.zipped({"in.md": b"inner", "deepest.zip": deepest})
    found = list(
        documents_in_archive(tarred([(member("inner.zip"), inner), (member("bad.zip"), b"PK\x03\x04")]))
    )
    assert documents(found) == {"inner.zip/in.md": b"inner"}
    assert set(skipped(found)) == {"inner.zip/deepest.zip", "bad.zip"}


@pytest.mark.parametrize(
    "packed",
    [
        files.zipped({f"{n}.md": b"\0" * 10_000_000 for n in range(4)}),
        tarred([(member(f"{n}.md"), b"\0" * 10_000_000) for n in range(4)]),
        tarred([(member("big.bin"), b"\0" * 60_000_000)]),
    ],
    ids=["zip", "tar", "skipped member"],
)
def test_bombs_are_refused(packed: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(DocumentRejectedError) as caught:
        list(documents_in_archive(packed))
    assert caught.value.code == "archive_bomb"
    assert time.monotonic() - started < 5


def test_a_bomb_inside_counts_for_the_whole() -> None:
    inner = files.zipped({"zeros.md": b"\0" * 40_000_000})
    with pytest.raises(DocumentRejectedError) as caught:
        list(documents_in_archive(files.zipped({"inner.zip": inner})))
    assert caught.value.code == "archive_bomb"


def test_too_many_files_are_refused() -> None:
    for packed in (
        files.zipped({f"{n}.md": b"x" for n in range(51)}),
        tarred([(member(f"{n}/", tarfile.DIRTYPE), b"") for n in range(51)]),
    ):
        with pytest.raises(DocumentRejectedError) as caught:
            list(documents_in_archive(packed, limits=SMALL))
        assert caught.value.code == "archive_bomb"


def test_a_directory_that_lies_about_sizes_is_caught_while_unpacking() -> None:
    honest = files.zipped({"a.md": b"y" * 5000})
    size = (5000).to_bytes(4, "little")
    lying = honest.replace(size, (10).to_bytes(4, "little"))
    assert lying != honest
    assert documents(documents_in_archive(lying, limits=SMALL)) == {}


@pytest.mark.parametrize("damage", [b"", b"not an archive", b"PK\x03\x04 cut", b"\x1f\x8b\x08 cut"])
def test_damaged_archives_say_so(damage: bytes) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        list(documents_in_archive(damage))
    assert caught.value.code == "document_corrupt"


def test_an_archive_cut_in_the_middle_gives_what_came_before() -> None:
    packed = tarred([(member(f"{n}.md"), os.urandom(5000)) for n in range(20)])
    seen: list[Found] = []
    with pytest.raises(DocumentRejectedError):
        seen.extend(documents_in_archive(packed[: len(packed) // 2]))
    assert len(documents(seen)) > 5


def test_a_folder_is_walked_in_order_and_stays_inside(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_bytes(b"secret")
    root = tmp_path / "docs"
    (root / "b").mkdir(parents=True)
    (root / ".git").mkdir()
    for name in ("z.md", "b/a.txt", ".git/config.md", "program.exe"):
        (root / name).write_bytes(b"text")
    (root / "bundle.zip").write_bytes(files.zipped({"in.md": b"inner"}))
    (root / "out.md").symlink_to(outside)
    (root / "in.md").symlink_to(root / "z.md")
    (root / "ring.md").symlink_to(root / "ring.md")
    (root / "up").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.md")
    found = list(documents_in_folder(root))
    assert list(documents(found)) == ["b/a.txt", "bundle.zip/in.md", "in.md", "z.md"]
    assert set(skipped(found)) == {"out.md", "ring.md", "up", "pipe.md", "program.exe"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"x")
    with pytest.raises(NotADirectoryError):
        list(documents_in_folder(tmp_path / "a.md"))
