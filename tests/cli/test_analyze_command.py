"""`concierge analyze`: a message read on the command line, with reasons; many messages, one object a line, in order."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from concierge.entrypoints.cli.main import app
from concierge.intelligence.reading import BUILT_IN

MESSAGE = "Third time I ask. My order is late and nobody answers!"


@pytest.fixture(autouse=True)
def data_dir(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local model is converted once for the whole run, where other tests have it too."""
    monkeypatch.setenv("CONCIERGE_DATA_DIR", str(shared_folder))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["analyze", *arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_message_is_read_as_one_json_object_with_all_eight_dimensions() -> None:
    read = json.loads(run(MESSAGE).stdout)

    assert set(BUILT_IN) <= read.keys()
    assert set(read["confidence"]) == set(read["evidence"]) == set(BUILT_IN)
    assert read["emotional_state"] in {"frustrated", "angry"}
    assert read["next_best_actions"][0] in {"escalate_to_human", "apologise"}


def test_the_reasons_are_shown_with_the_words_they_rest_on() -> None:
    shown = run(MESSAGE, "--explain").stdout

    assert "emotional_state" in shown
    assert "Third time" in shown
    assert "nobody answers" in shown


def test_what_the_page_knows_counts() -> None:
    elsewhere = json.loads(run("Nothing loads").stdout)
    there = json.loads(run("Nothing loads", "--context", '{"current_page": "/status/outage"}').stdout)

    assert (elsewhere["urgency_level"], there["urgency_level"]) == ("medium", "high")
    assert any(reason["source"] == "context" for reason in there["evidence"]["urgency_level"])


def test_a_file_is_read_line_by_line_in_order_and_a_bad_line_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    rows = [
        json.dumps({"text": "Still not working.", "history": ["It is not working", "Still broken"]}),
        "{not json",
        json.dumps({"history": []}),
        json.dumps({"text": "", "context": {"local_time": 12}}),
        json.dumps({"text": "\ud83d ok \u0000", "extra": 1}),
    ]
    path.write_text("\n".join(rows) + "\n\n", encoding="utf-8")

    result = run("--jsonl", str(path))

    read = lines(result)
    assert ["error" in row for row in read] == [False, True, True, False, False]
    assert read[0]["emotional_state"] == "frustrated"
    assert read[2]["error"] == "text: Field required"
    assert read[3]["confidence_score"] < read[0]["confidence_score"]
    assert result.exit_code == 1
    assert "2 lines could not be read" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Give either a message, or a file"),
        (("Hi", "--context", "{"), "--context is not JSON"),
        (("Hi", "--context", "[]"), "--context must be a JSON object"),
    ],
)
def test_what_is_wrong_with_the_call_is_said_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
