"""Every format, made by real software, read into one form; and what cannot be read, refused with a reason."""

import contextlib
import time
from datetime import UTC, datetime

import pytest

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing import MAX_DOCUMENT_BYTES, ParsedDocument, parse
from tests.knowledge.parsing import files

PAGE = """<!doctype html><html lang="de-AT"><head><title>Returns | Shop</title>
<link rel="canonical" href="https://shop.test/returns">
<meta property="article:modified_time" content="2025-03-01T10:00:00Z">
<script type="application/ld+json">{"datePublished": "2024-03-01"}</script></head><body>
<nav><a href="/">Home</a> <a href="/cart">Cart</a></nav><main><h1>Returns</h1><h2>How long?</h2>
<p>You can return <b>any item</b> within 30 days of delivery, see <a href="/contact">contact</a>. It must be unused.</p>
<ul><li>Unused</li><li>In its box</li></ul>
<table><tr><th>Item</th><th>Fee</th></tr><tr><td>Chair</td><td>$10</td></tr></table></main>
<footer>Imprint</footer><script>track()</script></body></html>"""


def read(data: bytes, filename: str, media_type: str | None = None) -> ParsedDocument:
    return parse(data, filename=filename, media_type=media_type)


def refusal(data: bytes, filename: str, media_type: str | None = None) -> DocumentRejectedError:
    started = time.monotonic()
    with pytest.raises(DocumentRejectedError) as caught:
        read(data, filename, media_type)
    assert time.monotonic() - started < 20
    assert caught.value.detail.endswith(".")
    return caught.value


def test_a_web_page_is_its_main_text() -> None:
    document = read(PAGE.encode(), "returns", "text/html; charset=utf-8")
    assert document.title == "Returns"
    assert (document.url, document.language) == ("https://shop.test/returns", "de")
    assert document.published_at
    assert document.published_at.isoformat() == "2024-03-01T00:00:00+00:00"
    assert document.modified_at
    assert document.modified_at.isoformat() == "2025-03-01T10:00:00+00:00"
    assert "You can return any item within 30 days of delivery, see contact." in document.text
    assert "- Unused\n- In its box" in document.text
    assert "| Chair | $10 |" in document.text
    assert not any(word in document.text for word in ("Cart", "track", "Imprint"))


def test_a_page_declares_its_encoding() -> None:
    page = '<html><head><meta charset="iso-8859-2"><title>Zwroty</title></head><body><p>Możesz zwrócić krzesło.</p></body></html>'
    assert "Możesz zwrócić krzesło" in read(page.encode("iso-8859-2"), "zwroty.html").text


def test_a_word_document_keeps_headings_lists_and_tables() -> None:
    document = read(files.word(), "policy.docx")
    assert document.title == "Return policy"
    assert document.text.startswith(
        "# Returns\n\nYou may return goods within 30 days.\n\n## Steps\n\n- Pack it\n- Send it"
    )
    assert "| Item | Fee |\n| --- | --- |\n| Chair | $10 |" in document.text


def test_a_pdf_keeps_paragraphs_whole_and_rows_apart() -> None:
    document = read(files.pdf(), "warranty.pdf")
    assert document.title == "Warranty terms"
    assert (files.SENTENCE * 6).strip() in document.text
    assert "- Oak chair $120\n- Walnut table $400" in document.text


def test_a_pdf_without_a_useful_title_is_named_by_its_heading() -> None:
    assert read(files.pdf(title="untitled"), "x.pdf").title == "Coverage"


def test_tables_and_mails_are_read() -> None:
    assert read("name,price\nOak chair,120\n".encode("utf-16"), "prices.csv").text == (
        "| name | price |\n| --- | --- |\n| Oak chair | 120 |"
    )
    mail = b"From: a@shop.test\nTo: b@shop.test\nSubject: Delivery\nContent-Type: text/plain\n\nIt comes on Monday.\n"
    document = read(mail, "mail.eml")
    assert document.title == "Delivery"
    assert "It comes on Monday." in document.text


def test_slides_are_sections_under_their_titles() -> None:
    pages = {
        "Our sofas": ["The Palma sofa costs 899 dollars.", "It is made of oak."],
        "Delivery": ["It is free."],
    }

    document = read(files.slides("Sales deck", pages), "deck.pptx")

    assert document.title == "Sales deck"
    assert document.text == (
        "## Our sofas\n\nThe Palma sofa costs 899 dollars.\n\nIt is made of oak.\n\n## Delivery\n\nIt is free."
    )


def test_a_sheet_is_a_table_under_its_name() -> None:
    document = read(files.spreadsheet([("Item", "Price"), ("Oak chair", "$120")]), "prices.xlsx")

    assert document.text == "## Prices\n\n| Item | Price |\n| --- | --- |\n| Oak chair | $120 |"


def test_chapters_of_a_book_are_sections_also_where_only_its_contents_name_them() -> None:
    chapters = {
        "Oiling": "<h1>Oiling the wood</h1><p>Oil it twice a year.</p><h2>Which oil</h2><p>Use linseed oil.</p>",
        "Cleaning &amp; drying": "<p>Wipe it with a soft cloth.</p>",
    }

    document = read(files.book(chapters), "oak.epub")

    assert (document.title, document.language) == ("Care of oak", "en")
    assert document.published_at == datetime(2023, 5, 1, tzinfo=UTC)
    assert document.text == (
        "# Oiling the wood\n\nOil it twice a year.\n\n## Which oil\n\nUse linseed oil.\n\n"
        "# Cleaning & drying\n\nWipe it with a soft cloth."
    )


@pytest.mark.parametrize("html", [False, True])
def test_a_mail_has_its_subject_as_title_its_date_and_who_sent_it(*, html: bool) -> None:
    document = read(files.mail({"terms.md": b"# Terms"}, html=html).as_bytes(), "prices.eml")

    assert document.title == "Prices from May – Größe"
    assert document.published_at == datetime(2024, 5, 3, 8, tzinfo=UTC)
    assert "Ann Smith" in document.text
    assert "From May on, a chair costs 140 dollars." in document.text
    assert "# Terms" not in document.text


def test_front_matter_says_what_a_page_is() -> None:
    document = read(
        b"---\ntitle: Our returns\ndate: 2024-03-01\nupdated: 2025-01-02\nlang: de\naudience: staff\n---\n\n"
        b"# Heading\n\nYou have 30 days.\n\n```sh\n# no heading\nmake run\n```\n",
        "returns.md",
    )

    assert (document.title, document.language) == ("Our returns", "de")
    assert document.published_at == datetime(2024, 3, 1, tzinfo=UTC)
    assert document.modified_at == datetime(2025, 1, 2, tzinfo=UTC)
    assert document.text == "# Heading\n\nYou have 30 days.\n\n```sh\n# no heading\nmake run\n```"


def test_plain_text_is_taken_as_it_is() -> None:
    document = read("Opening hours\r\n\r\nMon–Fri 9–17 <b>\r\n".encode("cp1252"), "hours.txt")
    assert document.text == "Opening hours\n\nMon–Fri 9–17 <b>"
    assert document.title == "Opening hours"


def test_content_decides_where_the_name_says_nothing() -> None:
    assert read(files.pdf(), "download", "application/octet-stream").media_type == "application/pdf"
    assert read(PAGE.encode(), "index.php").media_type == "text/html"


@pytest.mark.parametrize("data", [b"", b"  \r\n\t ", b"\xef\xbb\xbf\n", b"---\n---\n", b"***"])
def test_nothing_is_no_document(data: bytes) -> None:
    assert refusal(data, "empty.md").code == "document_empty"


def test_binary_data_with_the_name_of_a_text_is_refused() -> None:
    assert refusal(b"\x89PNG\r\n\x1a\n" + bytes(200), "notes.md").code == "document_binary"
    assert refusal(bytes(range(256)) * 50, "notes.txt").code == "document_binary"
    assert "PDF" in refusal(files.pdf(), "notes.md").detail


def test_text_with_the_name_of_a_pdf_is_refused() -> None:
    assert refusal(b"<html>Not found</html>", "terms.pdf").code == "document_corrupt"


def test_protected_documents_say_so() -> None:
    assert refusal(files.encrypted_pdf(), "secret.pdf").code == "document_encrypted"
    container = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    )
    for name in ("secret.docx", "secret.xlsx", "secret.pptx"):
        error = refusal(container, name)
        assert error.code == "document_encrypted"
        assert "Remove the password" in error.detail
    for name, document in (
        ("locked.docx", files.word()),
        ("locked.epub", files.book({"One": "<p>Text.</p>"})),
    ):
        assert refusal(files.locked(document), name).code == "document_encrypted"


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (files.pdf()[:900], "half.pdf"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 100, "noise.pdf"),
        (files.word()[:9000], "half.docx"),
        (files.repacked(files.word(), {"word/document.xml": b"<w:document><broken"}), "broken.docx"),
        (b"{\\rtf1", "cut.rtf"),
    ],
)
def test_damaged_documents_say_so(data: bytes, filename: str) -> None:
    assert refusal(data, filename).code in {"document_corrupt", "document_empty"}


def test_a_picture_of_text_is_explained() -> None:
    error = refusal(files.empty_pdf(), "scan.pdf")
    assert error.code == "document_empty"
    assert "OCR" in error.detail


def test_a_document_may_not_be_enormous() -> None:
    assert refusal(bytes(MAX_DOCUMENT_BYTES + 1), "big.txt").code == "document_too_large"


def test_an_archive_is_no_document() -> None:
    assert refusal(files.zipped({"a.md": b"text"}), "docs.zip").code == "document_unsupported"


def test_a_document_that_would_unpack_to_gigabytes_is_not_opened() -> None:
    bomb = files.repacked(files.word(), {"word/document.xml": b"<w:document>" + b" " * 100_000_000})
    assert refusal(bomb, "bomb.docx").code == "archive_bomb"


def test_a_billion_laughs_stay_silent() -> None:
    word = files.word()
    body = files.part(word, "word/document.xml").split(b"?>", 1)[1].replace(b"You may", b"&l9; You may")
    laughing = files.repacked(word, {"word/document.xml": files.many_laughs("lol") + body})
    assert refusal(laughing, "laughs.docx").code in {"document_corrupt", "document_too_complex"}
    page = files.many_laughs("html") + b"<html><body><p>&l9;</p><p>Real text of the page.</p></body></html>"
    document = read(page, "laughs.html")
    assert "Real text" in document.text
    assert len(document.text) < 1000


def test_a_page_nested_without_end_ends() -> None:
    page = b"<html><body><p>Real text.</p>" + b"<div>" * 100_000
    # Deep nesting is cut off by the parser: the text before it may or may not survive, the product does.
    started = time.monotonic()
    with contextlib.suppress(DocumentRejectedError):
        assert len(read(page, "deep.html").text) < 1000
    assert time.monotonic() - started < 20
