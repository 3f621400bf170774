"""A script of conversations is read as it is meant, and a broken one says where and why."""

from pathlib import Path

import pytest

from concierge.entrypoints.evaluation.dialogues import read_script
from concierge.kit.errors import ConciergeError

WHOLE = """\
begins: 2026-11-10T18:30:00+00:00
pass: {turns: 0.9, never: [lacks, promises]}
dialogues:
  - name: a chair
    held_out: true
    known_as: ann
    context: {device: mobile}
    turns:
      - says: How much is the chair?
        contains: $129
        cites: [Kelapa]
      - says: And now?
        days_later: 3
        abstains: true
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConciergeError) as caught:
        read_script(written(folder, text))
    return caught.value.detail


def test_a_script_is_read(tmp_path: Path) -> None:
    script = read_script(written(tmp_path, WHOLE))

    (dialogue,) = script.dialogues
    assert (script.policy.turns, script.policy.never) == (0.9, ("lacks", "promises"))
    assert (dialogue.held_out, dialogue.known_as, dialogue.context.device) == (True, "ann", "mobile")
    first, second = dialogue.turns
    assert (first.contains, first.cites, first.among) == (("$129",), ("Kelapa",), 3)
    assert (second.days_later, second.abstains, second.contains) == (3, True, None)


def test_without_a_policy_every_turn_has_to_pass(tmp_path: Path) -> None:
    script = read_script(written(tmp_path, "dialogues: [{name: one, turns: [{says: Hello}]}]"))

    assert (script.policy.turns, script.policy.never) == (1.0, ())


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("contains: $129", "contain: $129", "line 10: `dialogues.0.turns.0.contain`"),
        ("contains: $129", "opening: maybe", "line 10: `dialogues.0.turns.0.opening`"),
        ("says: And now?", "says: ''", "line 12: `dialogues.0.turns.1.says`"),
        ("days_later: 3", "days_later: soon", "line 13: `dialogues.0.turns.1.days_later`"),
        ("never: [lacks, promises]", "never: [luck]", "line 2: `pass.never.0`"),
        ("abstains: true", "abstains: true\n        answers: true", "both answer and abstain"),
        ("  - name: a chair\n", "  - called: a chair\n", "line 4: `dialogues.0.name`: Field required"),
    ],
)
def test_a_broken_field_is_named_with_its_line(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    assert wrong in WHOLE

    assert said in complaint(tmp_path, WHOLE.replace(wrong, right, 1))


def test_two_dialogues_of_one_name_are_refused(tmp_path: Path) -> None:
    text = "dialogues:\n  - {name: one, turns: [{says: Hello}]}\n  - {name: one, turns: [{says: Bye}]}\n"

    assert "two dialogues are called “one”" in complaint(tmp_path, text)


def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 3: this is no YAML" in complaint(tmp_path, "dialogues:\n  - name: [open\n")


def test_many_problems_are_told_as_a_few(tmp_path: Path) -> None:
    turns = ", ".join("{says: Hello, contain: x}" for _ in range(5))

    assert complaint(tmp_path, f"dialogues: [{{name: one, turns: [{turns}]}}]").endswith("and 2 more.")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConciergeError, match="There is no file"):
        read_script(tmp_path / "nothing.yaml")
