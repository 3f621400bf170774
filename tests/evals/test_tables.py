"""What was measured is shown in tables."""

from evals.intelligence.measure import Confusion
from evals.measure import Measurement
from evals.tables import tables_of


def test_readings_are_shown_by_what_people_said_and_what_was_read() -> None:
    matrix = Confusion(("calm", "angry"), [[3, 1], [0, 2]])
    reports = {"emotion confusion": matrix, "intent confusion": matrix, "more": {"faultless": 0.9}}

    emotion, intent, besides = tables_of(Measurement("intelligence", (), reports, {}))

    assert [emotion.row_count, intent.row_count, besides.row_count] == [2, 2, 1]
    assert [len(table.columns) for table in (emotion, intent)] == [3, 3]
