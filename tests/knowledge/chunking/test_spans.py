"""Units cover the text exactly, and fall where a reader would say a sentence, item or row ends."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from concierge.kit.sentences import sentence_spans
from concierge.knowledge.chunking.spans import MAX_UNIT, Kind, bounded, heading_title, units_of

from .documents import documents, letters


def pieces(text: str) -> list[str]:
    return [text[unit.start : unit.end] for unit in units_of(text)]


@given(documents)
@example("x" * 100_000)
@example("word and word, " * 7_000)
@example("```\n" * 50)
@settings(deadline=None)
def test_units_are_trimmed_ordered_bounded_and_hold_every_character(text: str) -> None:
    units = units_of(text)
    assert letters("".join(text[unit.start : unit.end] for unit in units)) == letters(text)
    position = 0
    for unit in units:
        assert position <= unit.start < unit.end <= len(text)
        assert unit.end - unit.start <= MAX_UNIT
        assert text[unit.start : unit.end] == text[unit.start : unit.end].strip()
        position = unit.end


@given(st.text())
@settings(deadline=None)
def test_sentences_hold_every_character(text: str) -> None:
    assert letters("".join(text[start:end] for start, end in sentence_spans(text))) == letters(text)


@given(st.text(), st.integers(1, 50))
@settings(deadline=None)
def test_bounded_parts_hold_every_character(text: str, limit: int) -> None:
    parts = list(bounded(text, 0, len(text), limit))
    assert letters("".join(text[start:end] for start, end in parts)) == letters(text)
    assert all(end - start <= limit for start, end in parts)


@pytest.mark.parametrize(
    "sentences",
    [
        ["It costs 4.50 euros.", "Shipping is free."],
        ["See https://shop.example/a.b?c=1.5 today.", "It works."],
        ["Dr. J. R. Smith lives there.", "She is fine."],
        ["Use oil, e.g. Danish oil.", "Let it dry."],
        ["We ship to the U.S. and Canada.", "Ask us."],
        ["We ship to the U.S.", "The price differs."],
        ["Acme Inc. makes chairs.", "They last."],
        ["“Really?” she asked.", "He nodded."],
        ["Wait…", "Now go!", "Why?"],
        ["No. 5 is sold out.", "Fig. 3 shows it."],
        ["The sofa (it folds.) is blue.", "Buy it."],
        ["This is version 2.", "New in it: colors."],
        ["Take vitamin C.", "It helps."],
        [r"Use US East \(N\. Virginia\)\.", r"It \(mostly\.\) works\.", "Done."],
        ["椅子可以退货。", "我们支付运费！"],
        ["Das kostet z.B. 5 Euro.", "Der Versand ist frei."],
    ],
)
def test_prose_is_cut_between_sentences_only(sentences: list[str]) -> None:
    text = "".join(sentences) if sentences[0].endswith("。") else " ".join(sentences)
    assert pieces(text) == sentences


def test_hard_wrapped_lines_are_one_sentence() -> None:
    text = (
        "Our chairs are made of oak that grows in forests\nnot far from the workshop in which we build them."
    )
    assert pieces(text) == [text]


def test_short_lines_are_read_line_by_line() -> None:
    assert pieces("Monday 9 to 5\nTuesday 9 to 6\nSunday closed") == [
        "Monday 9 to 5",
        "Tuesday 9 to 6",
        "Sunday closed",
    ]


def test_items_rows_and_code_keep_together() -> None:
    text = "- First. Then second.\n- Other\n\n| a | b |\n|---|---|\n| 1. x | 2 |\n\n```\nx = 1\n\ny = 2\n```"
    assert [(unit.kind, text[unit.start : unit.end]) for unit in units_of(text)] == [
        (Kind.ITEM, "- First. Then second."),
        (Kind.ITEM, "- Other"),
        (Kind.ROW, "| a | b |\n|---|---|"),
        (Kind.ROW, "| 1. x | 2 |"),
        (Kind.CODE, "```\nx = 1\n\ny = 2\n```"),
    ]


@pytest.mark.parametrize(
    ("line", "level", "title"),
    [
        ("# Returns", 1, "Returns"),
        ("### **Oak** chairs ###", 3, "Oak chairs"),
        ('## Limits<a name="limits"></a>', 2, "Limits"),
        ("Care guide\n==========", 1, "Care guide"),
        ("Care guide\n---", 2, "Care guide"),
        ("#", 1, ""),
    ],
)
def test_headings_have_a_level_and_a_title(line: str, level: int, title: str) -> None:
    heading, body = units_of(f"{line}\n\nText.")
    assert (heading.kind, heading.level, heading_title(f"{line}\n\nText.", heading)) == (
        Kind.HEADING,
        level,
        title,
    )
    assert body.kind is Kind.SENTENCE


def test_a_hash_inside_code_is_no_heading() -> None:
    assert [unit.kind for unit in units_of("```\n# comment\n```")] == [Kind.CODE]
