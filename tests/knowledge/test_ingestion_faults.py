"""Whatever is wrong with one document, it is said with that document, and the others of its source are not harmed."""

import asyncio
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concierge.accounts.scope import Unit
from concierge.entrypoints.wiring import Platform, build
from concierge.kit.errors import ConciergeError, UnavailableError
from concierge.knowledge.schemas import NewItem, NewSource
from concierge.knowledge.service import PackService
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant
from tests.knowledge.parsing.files import empty_pdf, encrypted_pdf, pdf, word, zipped
from tests.knowledge.reading import (
    add,
    assert_counters_are_true,
    cancel,
    folder,
    items_of,
    retry,
    single,
    source_of,
    texts_in,
    until_stored,
)

pytestmark = pytest.mark.anyio

CHAIRS = "# Chairs\n\nThe Kelapa chair costs 129 dollars."
NOISE = bytes(range(256)) * 40


def tarred(files: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    return out.getvalue()


def bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", b"0" * (30 * 1024 * 1024))
    return out.getvalue()


async def test_every_faulty_file_says_what_is_wrong_and_the_good_ones_are_read(tenant: Tenant) -> None:
    source_id = await tenant.read(
        folder(
            "mixed",
            chairs=CHAIRS,
            locked__pdf=encrypted_pdf(),
            broken__pdf=pdf()[:900],
            pictures__pdf=empty_pdf(),
            noise__md=NOISE,
            blank__md=b"  \n\n ",
            broken__docx=word()[:2000],
            terms__pdf=pdf(),
        )
    )

    items = await items_of(tenant, source_id)
    assert {uri: item.error_code for uri, item in items.items()} == {
        "chairs.md": None,
        "locked.pdf": "document_encrypted",
        "broken.pdf": "document_corrupt",
        "pictures.pdf": "document_empty",
        "noise.md": "document_binary",
        "blank.md": "document_empty",
        "broken.docx": "document_corrupt",
        "terms.pdf": None,
    }
    for item in items.values():
        assert (item.status == "failed") is (item.error is not None)
        assert item.error is None or item.error.endswith(".")
    source = await source_of(tenant, source_id)
    assert (source.status, source.progress.stored, source.progress.failed) == ("succeeded", 2, 6)
    assert source.progress.percent == 100
    assert len(await texts_in(tenant)) == 2
    await assert_counters_are_true(tenant)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("bomb.zip", bomb(), "archive_bomb"),
        ("broken.zip", zipped({"a.md": b"# A"})[:30], "document_corrupt"),
        ("broken.tar.gz", tarred({"a.md": b"# A\n\nText."})[:40], "document_corrupt"),
        ("empty.zip", zipped({}), "source_empty"),
        ("pictures.zip", zipped({"a.jpg": b"\xff\xd8\xff", "b.bin": b"\x00"}), "source_empty"),
        ("empty.md", b"", "document_empty"),
        ("noise.md", NOISE, "document_binary"),
        ("locked.pdf", encrypted_pdf(), "document_encrypted"),
    ],
    ids=["bomb", "broken zip", "broken tar", "empty zip", "pictures", "empty", "noise", "locked"],
)
async def test_a_source_with_nothing_to_read_fails_with_the_reason(
    tenant: Tenant, name: str, data: bytes, code: str
) -> None:
    source = await source_of(tenant, await tenant.read(single(name, data, "archive")))

    assert (source.status, source.error_code) == ("failed", code)
    assert source.error
    assert source.error.endswith(".")
    assert await texts_in(tenant) == []


async def test_an_archive_becomes_its_documents_and_says_what_it_passed_over(tenant: Tenant) -> None:
    inner = zipped({"deep.md": b"# Deep\n\nInside."})
    archive = zipped({"shop/chairs.md": CHAIRS.encode(), "logo.png": b"\x89PNG", "more.zip": inner})

    source_id = await tenant.read(single("docs.zip", archive, "archive"))

    items = await items_of(tenant, source_id)
    assert {uri: item.status for uri, item in items.items()} == {
        "docs.zip": "expanded",
        "docs.zip/shop/chairs.md": "stored",
        "docs.zip/logo.png": "skipped",
        "docs.zip/more.zip/deep.md": "stored",
    }
    progress = (await source_of(tenant, source_id)).progress
    assert (progress.items, progress.done, progress.percent) == (3, 3, 100)
    await assert_counters_are_true(tenant)


async def test_an_archive_that_arrives_damaged_does_not_cost_what_it_held_before(tenant: Tenant) -> None:
    archive = zipped({"chairs.md": CHAIRS.encode()})
    await tenant.read(single("docs.zip", archive, "archive"))

    source_id = await tenant.read(single("docs.zip", archive[:30], "archive"))

    assert (await source_of(tenant, source_id)).status == "failed"
    assert len(await texts_in(tenant)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "größe & maße – 漢字 🪑.md",
        "\U0001f600" * 60 + ".md",
        "a/" * 1500 + "deep.md",
        "x" * 3000 + ".md",
        "[bold]{braces}%s';--.md",
        "-rf.md",
        "line\nbreak\ttab\x1b[31m.md",
    ],
    ids=["letters", "faces", "deep", "long", "marks", "dash", "controls"],
)
async def test_a_document_may_have_any_name_in_an_archive(tenant: Tenant, name: str) -> None:
    source_id = await tenant.read(single("docs.tar.gz", tarred({name: CHAIRS.encode()}), "archive"))

    assert (await source_of(tenant, source_id)).progress.stored == 1
    assert "129" in (await tenant.ask("How much does the Kelapa chair cost?"))["response"]


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd.md", "nul\x00.md", b"\xff\xfe.md".decode("latin-1")],
    ids=["up", "root", "nul", "latin"],
)
async def test_a_name_that_is_not_one_harms_nobody(tenant: Tenant, name: str) -> None:
    archive = tarred({name: CHAIRS.encode(), "good.md": b"# Good\n\nAll is well."})

    source = await source_of(tenant, await tenant.read(single("docs.tar.gz", archive, "archive")))

    assert source.status == "succeeded"
    assert source.progress.failed == 0
    assert any("All is well" in text for text in await texts_in(tenant))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=300))
async def test_any_text_is_read_or_refused_with_a_reason(tenant: Tenant, body: str) -> None:
    source_id = await tenant.read(single("note.txt", body.encode("utf-8", errors="surrogatepass")))

    item = (await items_of(tenant, source_id))["note.txt"]
    assert item.status in {"stored", "unchanged"} or item.error_code in {"document_empty", "document_binary"}
    await assert_counters_are_true(tenant)


async def test_a_text_of_a_megabyte_in_one_line_is_read(tenant: Tenant) -> None:
    """Most of it is one word without end, which the model reads quickly; chunks are bounded all the same."""
    line = "The Kelapa chair costs 129 dollars. " * 100 + "x" * 1_000_000

    source_id = await tenant.read(single("line.txt", line.encode()))

    assert (await source_of(tenant, source_id)).progress.stored == 1
    assert "129" in (await tenant.ask("How much does the Kelapa chair cost?"))["response"]
    await assert_counters_are_true(tenant)


async def test_a_cancelled_source_is_not_begun(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", chairs=CHAIRS))
    await cancel(tenant, source_id)

    await tenant.platform.ingestion.run(tenant.scope, source_id)

    assert (await source_of(tenant, source_id)).status == "cancelled"
    assert await texts_in(tenant) == []


async def test_a_source_cancelled_on_the_way_stops_and_can_go_on(tenant: Tenant) -> None:
    names = {f"n{i:02}": f"# Note {i}\n\nArticle {i} costs {i} dollars." for i in range(40)}
    source_id = await add(tenant, folder("shop", **names))
    reading = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    state = await until_stored(tenant, source_id, 1)
    assert state.status == "running"
    assert state.progress.current
    await cancel(tenant, source_id)
    await reading

    stopped = await source_of(tenant, source_id)
    assert (stopped.status, stopped.progress.current) == ("cancelled", None)
    assert 0 < stopped.progress.stored < 40
    assert len(await texts_in(tenant)) == stopped.progress.stored
    await assert_counters_are_true(tenant)

    await retry(tenant, source_id)

    assert (await source_of(tenant, source_id)).status == "succeeded"
    assert len(await texts_in(tenant)) == 40
    await assert_counters_are_true(tenant)


async def test_a_source_cancelled_while_its_reader_was_dead_ends_as_cancelled(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **{f"n{i}": f"# Note {i}\n\nText {i}." for i in range(30)}))
    reader = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    await until_stored(tenant, source_id, 1)
    reader.cancel()
    await asyncio.wait([reader])
    assert (await source_of(tenant, source_id)).status == "running"
    await cancel(tenant, source_id)

    await tenant.platform.ingestion.run(tenant.scope, source_id)

    assert (await source_of(tenant, source_id)).status == "cancelled"


async def test_a_reader_that_dies_leaves_the_rest_to_the_next(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **{f"n{i}": f"# Note {i}\n\nText {i}." for i in range(30)}))
    reader = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    await until_stored(tenant, source_id, 3)
    reader.cancel()
    await asyncio.wait([reader])

    await tenant.platform.ingestion.run(tenant.scope, source_id)

    source = await source_of(tenant, source_id)
    assert (source.status, source.progress.stored, source.progress.duplicate) == ("succeeded", 30, 0)
    assert len(await texts_in(tenant)) == 30
    await assert_counters_are_true(tenant)


async def test_what_failed_is_tried_again_on_request(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", chairs=CHAIRS, locked__pdf=encrypted_pdf()))

    await retry(tenant, source_id)

    items = await items_of(tenant, source_id)
    assert items["locked.pdf"].error_code == "document_encrypted"
    assert items["chairs.md"].status == "stored"
    assert len(await texts_in(tenant)) == 1


async def test_a_pack_deleted_while_it_is_read_ends_the_reading(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **{f"n{i}": f"# Note {i}\n\nText {i}." for i in range(30)}))
    reading = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    await until_stored(tenant, source_id, 1)
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await PackService(Unit(session, tenant.scope)).remove(tenant.pack_id)

    await asyncio.wait_for(reading, 30)

    assert await texts_in(tenant) == []


async def test_content_that_is_gone_is_said_to_be(tenant: Tenant) -> None:
    source_id = await tenant.read(NewSource("file", "lost", "lost", [NewItem("lost.md", None)]))

    source = await source_of(tenant, source_id)
    assert source.status == "failed"
    assert source.error
    assert "no longer there" in source.error


async def test_a_source_waits_for_an_embedding_service_that_is_away(
    tenant: Tenant, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "nobody-answers")
    away = build(
        SETTINGS.model_copy(update={"embedding_model": "openai:text-embedding-3-small"}), platform.address
    )
    source_id = await add(tenant, folder("shop", chairs=CHAIRS))

    with pytest.raises(UnavailableError):
        await away.ingestion.run(tenant.scope, source_id, last_attempt=False)
    waiting = await source_of(tenant, source_id)
    assert (waiting.status, waiting.error_code) == ("queued", "embedding_unavailable")
    assert waiting.progress.percent == 0
    with pytest.raises(ConciergeError):
        await away.ingestion.run(tenant.scope, source_id, last_attempt=True)
    given_up = await source_of(tenant, source_id)
    assert (given_up.status, given_up.error_code) == ("failed", "embedding_unavailable")
    assert given_up.finished_at is not None
    await away.db.close()

    await retry(tenant, source_id)

    recovered = await source_of(tenant, source_id)
    assert (recovered.status, recovered.error_code, recovered.error) == ("succeeded", None, None)
