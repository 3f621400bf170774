"""Messages with the readings people gave them, from the public sets and from our own file."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).parents[1] / "written_messages.txt"
INTENT_SETS = ("hint3", "clinc_oos", "banking77", "nlu_corpora")
WORD = re.compile(r"[a-z0-9]+")
FOLDS = 5
PLAIN = "plain"
# What somebody whose bank did something wrong may feel.
TROUBLED = ("neutral", "frustrated", "worried", "confused")


@dataclass(frozen=True, slots=True)
class Row:
    """`accepted` are the labels people would accept. Rows of one `group` say nearly the same."""

    text: str
    accepted: frozenset[str]
    source: str
    group: str
    kind: str = ""

    @property
    def fold(self) -> int:
        return hashlib.sha256(self.group.encode()).digest()[0] % FOLDS


def emotion_rows(data: Path, part: str) -> list[Row]:
    """Rows of "train" or "dev" with a label: the strict ones, or the near ones where there is no strict one.

    To measure with, only rows that have one.
    """
    path = data / "goemotions" / ("train.jsonl.gz" if part == "train" else "dev.jsonl")
    rows: list[Row] = []
    for entry in _entries(path):
        labels = entry["ours_emotion"] or entry["near_emotion"]
        if len(labels) == 1 or (labels and part == "train"):
            rows.append(_row(entry["text"], labels, "goemotions"))
    return rows


def intent_rows(data: Path) -> list[Row]:
    """Every row of the intent sets on which a label is claimed."""
    rows = [
        _row(entry["text"], entry["ours_intent_any"], name, entry.get("intent", entry.get("intent77", "")))
        for name in INTENT_SETS
        for entry in _entries(data / name / "dev.jsonl")
        if entry["ours_intent_any"]
    ]
    return rows + [row for row in churn_rows(data) if row.accepted]


def churn_rows(data: Path, language: str = "en") -> list[Row]:
    """Messages to a telecom; those that say nothing of leaving accept nothing in particular."""
    return [
        _row(entry["text"], entry["ours_intent"] if entry["any_churn"] else (), "churn_chatbot")
        for entry in _entries(data / "churn_chatbot" / "dev.jsonl")
        if entry["lang"] == language
    ]


def written_rows() -> list[tuple[Row, Row]]:
    """Our own messages, each as a row of emotion and a row of intent; either may accept nothing."""
    rows: list[tuple[Row, Row]] = []
    for line in WRITTEN.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            emotion, intent, text = (part.strip() for part in line.split(" ; ", 2))
            rows.append((_row(text, _labels(emotion), "written"), _row(text, _labels(intent), "written")))
    return rows


def plain_rows(data: Path) -> list[Row]:
    """Questions and requests to assistants, shops and a bank, which mostly tell of no feeling; of trouble, they may."""
    rows = [_row(entry["text"], ("neutral",), PLAIN) for entry in _entries(data / "clinc_oos" / "dev.jsonl")]
    for entry in _entries(data / "banking77" / "dev.jsonl"):
        calm = "information_seeking" in entry["ours_intent_any"]
        rows.append(_row(entry["text"], ("neutral",) if calm else TROUBLED, PLAIN))
    shops = _entries(data / "hint3" / "dev.jsonl")
    calm_ones = (
        entry for entry in shops if entry["ours_intent_any"] and "complaint" not in entry["ours_intent_any"]
    )
    return rows + [_row(entry["text"], ("neutral",), PLAIN) for entry in calm_ones]


def banking_rows(data: Path) -> list[Row]:
    """All questions to a bank, by whether they ask to close the account."""
    return [
        _row(entry["text"], entry["ours_intent_any"], "banking77", entry["intent77"])
        for entry in _entries(data / "banking77" / "dev.jsonl")
    ]


def _labels(cell: str) -> Sequence[str]:
    return () if cell == "-" else cell.split("|")


def _row(text: str, accepted: Sequence[str], source: str, kind: str = "") -> Row:
    words = sorted(set(WORD.findall(text.lower())))
    return Row(text, frozenset(accepted), source, f"{source} {' '.join(words)}", kind)


def _entries(path: Path) -> Iterator[Any]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    for line in text.splitlines():
        yield json.loads(line)
