"""A quotation from a PDF can say on which page it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate

from concierge.knowledge.parsing import parse
from concierge.knowledge.parsing.pages import Page, page_starts
from tests.factories.tenants import Tenant
from tests.knowledge.parsing.files import BytesIO
from tests.knowledge.reading import folder

SECTIONS = {
    "Coverage": "The frame is covered for ten years, and the cushions for three of them.",
    "Claims": "Write to us with a picture of the damage; we answer within two working days.",
    "Exclusions": "Stains, scratches and the marks of cats are not covered by this warranty.",
}


pytestmark = pytest.mark.anyio


def paged_pdf() -> bytes:
    styles = getSampleStyleSheet()
    content: list[Flowable] = [
        flowable
        for name, text in SECTIONS.items()
        for flowable in (
            Paragraph(name, styles["Heading1"]),
            Paragraph(text, styles["BodyText"]),
            PageBreak(),
        )
    ]
    out = BytesIO()
    SimpleDocTemplate(out, title="Warranty").build(content)
    return out.getvalue()


def test_each_page_of_a_pdf_begins_where_its_first_words_stand() -> None:
    document = parse(paged_pdf(), filename="warranty.pdf", media_type=None)

    assert [document.text[start:].split()[0] for start in document.page_starts] == list(SECTIONS)


async def test_an_answer_and_a_search_say_on_which_page_they_found_it(tenant: Tenant) -> None:
    await tenant.read(folder("papers", warranty__pdf=paged_pdf()))

    reply = await tenant.ask("Are the marks of cats covered by the warranty?")
    found = await tenant.client.post(
        "/api/v1/knowledge/search", headers=tenant.secret, json={"query": "a picture of the damage"}
    )

    assert [(source["title"], source["page"]) for source in reply["sources"]] == [("Warranty", 3)]
    best = found.json()["passages"][0]
    assert best["page"] <= 2
    assert "picture" in best["text"]


def test_a_document_of_one_page_has_no_pages() -> None:
    assert page_starts("All of it.", [Page.of("All of it.")]) == ()


def test_a_page_set_differently_is_placed_by_its_letters() -> None:
    text = "First page here. Second page there. Third page."
    pages = [Page.of("First page here."), Page.of("Zweite Seite dort"), Page.of("Third page.")]

    starts = page_starts(text, pages)

    assert text[starts[1] :].startswith("Second")
    assert text[starts[2] :].startswith("Third")


@given(st.lists(st.text(max_size=80), min_size=2, max_size=8), st.text(max_size=200))
def test_page_starts_never_fall_and_never_leave_the_text(pages: list[str], text: str) -> None:
    starts = page_starts(text, [Page.of(page) for page in pages])

    assert len(starts) == len(pages)
    assert list(starts) == sorted(starts)
    assert all(0 <= start <= len(text) for start in starts)
