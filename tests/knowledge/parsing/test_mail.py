"""What is attached to a mail is read beside it, as documents of their own."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.parsing.found import FoundDocument, SkippedFile
from concierge.knowledge.parsing.mail import MAX_ATTACHMENTS, attachments
from tests.factories.tenants import Tenant
from tests.knowledge.parsing.files import mail, pdf, zipped
from tests.knowledge.reading import assert_counters_are_true, items_of, single, texts_in

TERMS = b"# Terms\n\nYou have 30 days to send anything back."


def test_what_is_attached_comes_with_its_names() -> None:
    message = mail({"terms.md": TERMS, "warranty.pdf": pdf(), "logo.png": b"\x89PNG", "größe.md": b"# S"})
    message.add_attachment(TERMS, maintype="text", subtype="markdown", filename="../../etc/terms.md")

    found = attachments(message.as_bytes(), "mail.eml")

    assert found == [
        FoundDocument("terms.md", TERMS),
        FoundDocument("warranty.pdf", pdf_of(found)),
        SkippedFile("logo.png", "This type of file is not read."),
        FoundDocument("größe.md", b"# S"),
    ]


def pdf_of(found: list[FoundDocument | SkippedFile]) -> bytes:
    """The bytes of the PDF, which holds the moment it was made."""
    (data,) = (one.data for one in found if isinstance(one, FoundDocument) and one.name.endswith(".pdf"))
    assert data.startswith(b"%PDF")
    return data


def test_a_picture_within_the_text_is_part_of_the_message() -> None:
    message = EmailMessage()
    message.set_content("<p>Hello <img src='cid:logo'></p>", subtype="html")
    message.add_related(b"\x89PNG", maintype="image", subtype="png", cid="<logo>", filename="logo.png")

    assert attachments(message.as_bytes(), "mail.eml") == []


def test_a_mail_in_a_mail_is_opened_once() -> None:
    outer = mail()
    outer.add_attachment(mail({"terms.md": TERMS}), filename="inner.eml")

    (inner,) = attachments(outer.as_bytes(), "mail.eml")

    assert isinstance(inner, FoundDocument)
    assert inner.name == "inner.eml"
    assert attachments(inner.data, "mail.eml/inner.eml") == [FoundDocument("terms.md", TERMS)]
    assert attachments(inner.data, "mail.eml/inner.eml/deeper.eml") == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 2_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 3_000,
        b'Content-Disposition: attachment; filename="' + b'";"' * 300_000 + b"\n\nx",
        b"Content-Disposition: attachment; filename==?utf-8?b?" + b"a" * 3_000 + b"?=\n\nx",
        b"Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n" + b"=" * 500_000,
    ],
    ids=["nothing", "zeros", "nested", "endless name", "no encoding", "no base64"],
)
def test_a_hostile_mail_ends_soon_and_harms_nobody(data: bytes) -> None:
    assert len(attachments(data, "mail.eml")) <= 1


def test_no_mail_has_too_many_attachments() -> None:
    message = mail({f"note{number}.md": b"# Note" for number in range(MAX_ATTACHMENTS + 5)})

    assert len(attachments(message.as_bytes(), "mail.eml")) == MAX_ATTACHMENTS


@given(st.binary(max_size=500))
def test_any_bytes_are_a_mail_or_none(data: bytes) -> None:
    attachments(data, "mail.eml")


@pytest.mark.anyio
async def test_a_mail_becomes_its_message_and_what_was_attached(tenant: Tenant) -> None:
    message = mail(
        {
            "terms.md": TERMS,
            "docs.zip": zipped({"care.md": b"# Care\n\nOil it twice."}),
            "logo.png": b"\x89PNG",
        }
    )

    await tenant.read(single("prices.eml", message.as_bytes()))
    source_id = await tenant.read(single("prices.eml", message.as_bytes()))

    assert {uri: item.status for uri, item in (await items_of(tenant, source_id)).items()} == {
        "prices.eml": "unchanged",
        "prices.eml/terms.md": "unchanged",
        "prices.eml/docs.zip": "expanded",
        "prices.eml/docs.zip/care.md": "unchanged",
        "prices.eml/logo.png": "skipped",
    }
    assert len(await texts_in(tenant)) == 3
    assert "30 days" in (await tenant.ask("How many days do I have to send something back?"))["response"]
    await assert_counters_are_true(tenant)

    await tenant.read(single("prices.eml", mail().as_bytes()))
    assert len(await texts_in(tenant)) == 1
    await assert_counters_are_true(tenant)
