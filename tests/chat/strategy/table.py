"""Reads the decision table of decisions.md: a row is a turn, with what is known of it and what should be decided."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from concierge.agents.schemas.policy import StrategyPolicy
from concierge.catalog.schemas.context import ProductContext
from concierge.chat.strategy.decide import decide
from concierge.chat.strategy.moment import Moment, moment_of
from concierge.chat.strategy.schemas import Strategy
from concierge.customers.schemas.context import CustomerContext
from concierge.intelligence.schemas import ConversationAnalysis, PersonalizationCues

DECISIONS: Final = Path(__file__).with_name("decisions.md")
# Written from the specification alone, by somebody who had not seen how strategies are decided.
EXAMINED: Final = Path(__file__).with_name("examined.md")
STAGES: Final = {"/pricing": "consideration", "/checkout": "decision", "/cart": "decision"}
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One row, by the names of its columns; an empty cell is not there."""

    row: Row

    @property
    def name(self) -> str:
        return self.row["case"]

    def decided(self) -> Strategy:
        analysis = self.analysis()
        return decide(analysis, self.customer(), ProductContext(), StrategyPolicy(), self.moment(analysis))

    def analysis(self) -> ConversationAnalysis:
        row: dict[str, Any] = dict(self.row)
        return ConversationAnalysis(
            emotional_state=row.get("emotion", "neutral"),
            urgency_level=row.get("urgency", "low"),
            intent_category=row.get("intent", "information_seeking"),
            key_topics=(),
            pain_points=("a problem",) if row.get("problem") == "yes" else (),
            opportunities=(),
            next_best_actions=self._actions(),
            personalization_cues=PersonalizationCues(
                row.get("level", "intermediate"),
                row.get("likes", "neutral"),
                row.get("style", "neutral"),
                "en",
            ),
            confidence_score=0.8,
            confidence={},
            evidence={},
            settled_by={},
        )

    def customer(self) -> CustomerContext:
        row: dict[str, Any] = dict(self.row)
        return CustomerContext(
            profile_type=row.get("profile", "unknown"),
            returning=row.get("returning") == "yes",
            confidence_score=float(row.get("knows", 0)),
            response_style="concise" if row.get("device") == "mobile" else "neutral",
            journey_stage=next(
                (stage for page, stage in STAGES.items() if row.get("page", "").startswith(page)), "awareness"
            ),  # pyright: ignore[reportArgumentType]  # The table's own words.
            labels=frozenset(label.strip() for label in row.get("labels", "").split(",") if label.strip()),
        )

    def moment(self, analysis: ConversationAnalysis) -> Moment:
        moment = moment_of(self.row["message"].strip('"“”'), (), analysis, None)
        earlier = int(self.row.get("earlier", 0))
        return replace(
            moment,
            asks_for_person=self.row.get("asks_human") == "yes",
            unresolved=earlier + 1 if earlier else moment.unresolved,
            turn=earlier + 1,
        )

    def _actions(self) -> Any:
        return ("close_warmly",) if self.row.get("closing") == "yes" else ("answer",)


def cases(file: Path = DECISIONS) -> Iterator[Case]:
    """The rows of every table that has messages."""
    columns: list[str] = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not columns:
            columns = cells
        elif "message" in columns and not set(cells[0]) <= set("-: "):
            yield Case({name: cell for name, cell in zip(columns, cells, strict=True) if cell})
