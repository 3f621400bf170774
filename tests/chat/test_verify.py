"""What no passage states does not reach the visitor."""

from uuid import UUID, uuid4

import numpy as np

from concierge.chat.steps.verify import verify
from concierge.chat.writers.brief import Citation, Claim, WrittenAnswer
from concierge.knowledge.schemas import Passage

QUOTE = "You have 30 days from delivery."


def passage(text: str = QUOTE, *, document: UUID | None = None, authoritative: bool = False) -> Passage:
    return Passage(
        chunk_id=uuid4(),
        document_id=document or uuid4(),
        pack_id=uuid4(),
        title="Returns",
        url=None,
        kind="pack",
        headings=("Returns",),
        text=text,
        start=0,
        sentences=((0, len(text)),),
        sentence_vectors=np.zeros((1, 384), dtype=np.float32),
        score=1.0,
        bm25=1.0,
        cosine=0.5,
        rank=0,
        updated_at=None,
        credibility=0.5,
        authoritative=authoritative,
    )


def answer(
    source: Passage, text: str = QUOTE, *, quote: str = QUOTE, replaced: tuple[str, str] | None = None
) -> WrittenAnswer:
    citation = Citation(
        1, source.document_id, source.chunk_id, source.title, None, "pack", 1.0, quote, 0, len(quote)
    )
    claim = Claim(text, 1, quote, 0, len(quote), replaced)
    return WrittenAnswer(f"{text} [1]", "answered", 0.9, (claim,), (citation,), (f"{text} [1]",))


def test_a_sentence_taken_from_its_passage_is_supported() -> None:
    source = passage()

    verified = verify(answer(source), [source], "blended")

    assert verified.answer.text == f"{QUOTE} [1]"
    assert [entry.status for entry in verified.claims] == ["supported"]


def test_another_number_is_not_supported_and_the_answer_is_withheld() -> None:
    source = passage()

    verified = verify(answer(source, "You have 60 days from delivery."), [source], "blended")

    assert verified.abstained_because
    assert "60" not in verified.answer.text
    assert not verified.answer.citations
    assert verified.answer.offers_handover


def test_a_lost_negation_is_not_supported() -> None:
    source = passage("We do not ship to islands.")
    written = answer(source, "We ship to islands.", quote="We do not ship to islands.")

    assert verify(written, [source], "blended").abstained_because


def test_a_quote_that_is_not_in_the_passage_is_not_supported() -> None:
    source = passage("Something else.")

    assert verify(answer(source), [source], "blended").abstained_because


def test_a_word_from_nowhere_is_not_supported() -> None:
    source = passage()

    assert verify(answer(source, "You have 30 days from Christmas."), [source], "blended").abstained_because


def test_a_heading_may_name_what_the_sentence_is_about() -> None:
    source = passage()

    verified = verify(answer(source, "Returns: you have 30 days from delivery."), [source], "blended")

    assert verified.abstained_because is None


def test_a_pronoun_may_be_replaced_by_its_subject() -> None:
    source = passage("It weighs 58 kg.")
    written = answer(
        source, "The Palma sofa weighs 58 kg.", quote="It weighs 58 kg.", replaced=("It", "The Palma sofa")
    )

    assert verify(written, [source], "blended").abstained_because is None


def test_strict_mode_wants_a_second_document() -> None:
    source = passage()
    agreeing = passage("All customers: 30 days, counted from delivery, you have.")

    assert verify(answer(source), [source], "strict").abstained_because
    assert verify(answer(source), [source, agreeing], "strict").abstained_because is None


def test_strict_mode_takes_two_passages_of_one_document_as_one() -> None:
    source = passage()
    same = passage(QUOTE, document=source.document_id)

    assert verify(answer(source), [source, same], "strict").abstained_because


def test_strict_mode_believes_one_authoritative_document() -> None:
    source = passage(authoritative=True)

    assert verify(answer(source), [source], "strict").abstained_because is None
