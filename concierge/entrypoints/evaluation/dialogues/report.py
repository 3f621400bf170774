"""What became of a script: every turn with what was found, totals by check, and whether it passes. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from concierge.entrypoints.evaluation.dialogues.checks import Verdict
from concierge.entrypoints.evaluation.dialogues.script import CheckName, PassPolicy


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """`number` counts from 1 within the dialogue; `milliseconds` are from the message to the reply."""

    dialogue: str
    number: int
    held_out: bool
    asked: str
    answer: str
    sources: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    milliseconds: float

    @property
    def failures(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.holds)


@dataclass(frozen=True, slots=True)
class Total:
    checked: int
    failed: int


@dataclass(frozen=True, slots=True)
class DialogueReport:
    """`share` are the turns in which nothing failed; NaN is not possible, for a script has turns. `reasons` say why it
    does not pass; none where it does. `seen` and `held_out` are the shares of the two halves, None for an empty one.
    """

    dialogues: int
    turns: int
    failed: int
    share: float
    seen: float | None
    held_out: float | None
    checks: Mapping[CheckName, Total]
    reasons: tuple[str, ...]
    played: tuple[PlayedTurn, ...] = field(repr=False)

    @property
    def passes(self) -> bool:
        return not self.reasons


def report_of(played: Sequence[PlayedTurn], policy: PassPolicy) -> DialogueReport:
    checks = totals(played)
    share = _share(played) or 0.0
    return DialogueReport(
        dialogues=len({turn.dialogue for turn in played}),
        turns=len(played),
        failed=sum(bool(turn.failures) for turn in played),
        share=share,
        seen=_share([turn for turn in played if not turn.held_out]),
        held_out=_share([turn for turn in played if turn.held_out]),
        checks=checks,
        reasons=tuple(_reasons(share, checks, policy)),
        played=tuple(played),
    )


def told(report: DialogueReport) -> str:
    """The turns that failed as plain text, one under the other."""
    return "\n".join(
        f"{turn.dialogue}, turn {turn.number}: “{turn.asked}” – {verdict.check}: {verdict.problem}"
        for turn in report.played
        for verdict in turn.failures
    )


def totals(played: Sequence[PlayedTurn]) -> dict[CheckName, Total]:
    """How often each check was made and failed, those that failed most first."""
    verdicts = [verdict for turn in played for verdict in turn.verdicts]
    checked: Counter[CheckName] = Counter(verdict.check for verdict in verdicts)
    failed: Counter[CheckName] = Counter(verdict.check for verdict in verdicts if not verdict.holds)
    ordered: list[CheckName] = sorted(checked, key=lambda name: (-failed[name], name))
    return {name: Total(checked[name], failed[name]) for name in ordered}


def _share(played: Sequence[PlayedTurn]) -> float | None:
    return sum(not turn.failures for turn in played) / len(played) if played else None


def _reasons(share: float, checks: Mapping[CheckName, Total], policy: PassPolicy) -> list[str]:
    reasons = [
        f"“{name}” must never fail, and failed {checks[name].failed} times"
        for name in policy.never
        if name in checks and checks[name].failed
    ]
    if share < policy.turns:
        reasons.append(f"{share:.1%} of the turns pass, and {policy.turns:.1%} are wanted")
    return reasons
