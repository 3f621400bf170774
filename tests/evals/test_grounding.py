"""The evaluation of drafts makes right sentences that stay right, wrong ones that are wrong, and runs end to end."""

import json
import random
import tarfile
from pathlib import Path

import pytest

from evals.grounding.drafts import KINDS, RIGHT, drafts
from evals.grounding.material import Statement, documents, statements
from evals.grounding.measure import checks, measure_grounding
from evals.grounding.mutate import (
    CHANGES,
    Surroundings,
    extra_clause,
    other_name,
    other_number,
    other_sense,
    other_unit,
)
from evals.grounding.paraphrase import paraphrased
from evals.tables import tables_of
from tests.chat.grounding.sources import passage

TOWNS = (
    "Oslo",
    "Bergen",
    "Tromso",
    "Hamar",
    "Molde",
    "Narvik",
    "Bodo",
    "Alta",
    "Arendal",
    "Drammen",
    "Larvik",
    "Skien",
)
NOWHERE = Surroundings((), (), ())


def page(town: str, number: int) -> str:
    """A page of a town's office, long enough to be cut into a passage."""
    return (
        f"The office in {town} was opened by the mayor of {town} in {1900 + number}. Letters from {town} always take {number + 2} days "
        f"to reach the capital. Visitors of the office in {town} do not pay for parking before noon. "
        f"The library of {town} includes several large rooms with a view of Lake {town}."
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for folder in ("squad2_half", "awsdocs_qa", "docs_railway", "docs_plausible", "tau2_banking"):
        (tmp_path / folder).mkdir()
    article = "\n\n".join(page(town, number) for number, town in enumerate(TOWNS))
    rows = [{"doc_id": f"Towns_{number}", "text": article, "paragraph_starts": [0]} for number in range(4)]
    (tmp_path / "squad2_half" / "dev_docs.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    articles = [
        {"id": town, "title": town, "content": page(town, number)} for number, town in enumerate(TOWNS)
    ]
    (tmp_path / "tau2_banking" / "documents.jsonl").write_text("\n".join(map(json.dumps, articles)), "utf-8")
    for name in ("awsdocs_qa", "docs_railway", "docs_plausible"):
        with tarfile.open(tmp_path / name / "docs_md.tar.gz", "w:gz") as archive:
            for number, town in enumerate(TOWNS):
                path = tmp_path / f"{name}-{town}.md"
                path.write_text(f"# {town}\n\n{page(town, number)}", "utf-8")
                archive.add(path, path.name)
    return tmp_path


def test_a_paraphrase_has_other_words_and_is_never_the_source_s_own() -> None:
    said = "After the return, the customer receives 14 days to purchase a large lamp."

    told = {paraphrased(said, random.Random(seed)) for seed in range(40)} - {None}

    assert len(told) > 5
    assert all(said.rstrip(".") not in text for text in told if text)
    assert any(text.startswith("The customer") for text in told if text)
    assert any("fourteen days" in text for text in told if text)


def test_each_change_makes_a_sentence_say_something_else() -> None:
    lot = random.Random(3)
    near = passage("The museum of Bergen sold 77 maps in Narvik. The mayor of Alta slept in Molde.")
    around = Surroundings(
        statements(near), [Statement(near, "The mayor saw Hamar.", "The mayor saw Hamar.")], ()
    )

    assert other_number("The lamp weighs 12 kg in all.", NOWHERE, lot) != "The lamp weighs 12 kg in all."
    assert other_unit("It takes 3 days at most.", NOWHERE, lot) in {
        f"It takes 3 {unit} at most." for unit in ("weeks", "hours", "months")
    }
    assert other_name("We met in Oslo again.", around, lot) == "We met in Hamar again."
    assert other_sense("Cards cannot go back.", NOWHERE, lot) == "Cards can go back."
    extra = extra_clause("Cards go back.", NOWHERE, lot)
    assert extra
    assert extra.startswith("Cards go back")
    assert extra != "Cards go back."
    assert other_unit("Cards go back.", NOWHERE, lot) is None


def test_drafts_are_the_same_at_every_run_and_the_halves_share_no_document(data: Path) -> None:
    made = drafts(documents(data), each=3)

    assert [draft.text for draft in made] == [draft.text for draft in drafts(documents(data), each=3)]
    assert {draft.kind for draft in made} == set(KINDS)
    assert {draft.right for draft in made if draft.kind in RIGHT} == {True}
    assert {draft.right for draft in made if draft.kind in CHANGES} == {False}
    halves = [
        {draft.sources[draft.gold - 1].document_id for draft in made if draft.held_out is half}
        for half in (True, False)
    ]
    assert not halves[0] & halves[1]


def test_the_sentence_to_be_judged_is_where_the_draft_says(data: Path) -> None:
    for draft in drafts(documents(data), each=2):
        assert draft.sentence == draft.text[draft.start : draft.end]
        if draft.kind in {*RIGHT, *CHANGES}:
            assert draft.quote in draft.sources[draft.gold - 1].text


def test_it_runs_end_to_end_and_has_its_targets_for_both_halves(data: Path) -> None:
    measured = measure_grounding(data, data, each=3)

    rates = measured.reports["grounding"]
    assert {rate.half for rate in rates} == {"dev", "held out"}
    assert all(rate.kept + rate.reworded + rate.dropped == pytest.approx(1) for rate in rates)
    assert measured.checks == checks(rates)
    assert len(measured.checks) == 6
    assert [table.row_count for table in tables_of(measured)] == [len(KINDS) + 2] * 2
