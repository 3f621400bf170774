"""Why this answer: what every step of a turn saw and took, as it is stored."""

from collections.abc import Awaitable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from time import perf_counter
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic_core import to_jsonable_python

from concierge.agents.schemas.stages import Persona
from concierge.chat.grounding import Checked
from concierge.chat.outside import Looked
from concierge.chat.steps.decide import Decided
from concierge.chat.steps.recall import Recalled
from concierge.chat.steps.receive import Received
from concierge.chat.steps.verify import Verified
from concierge.chat.strategy.schemas import StageChoice
from concierge.intelligence.analyst import Understood
from concierge.knowledge.contradictions import Contradiction, Statement
from concierge.knowledge.ranking import Signals
from concierge.knowledge.search import Found

SHOWN_CANDIDATES = 20
SIGNALS = tuple(own.name for own in fields(Signals))
Done = TypeVar("Done")


def _rounded(signals: Signals | None) -> dict[str, float] | None:
    return signals and {name: round(getattr(signals, name), 4) for name in SIGNALS}


def _id(chunk_id: UUID | None) -> str | None:
    return chunk_id and str(chunk_id)


def _stated(statement: Statement) -> dict[str, Any]:
    return {
        "document_id": str(statement.document_id),
        "start": statement.start,
        "end": statement.end,
        "text": statement.text,
        "kind": statement.value.kind,
        "dated": statement.dated and statement.dated.isoformat(),
    }


def _who(persona: Persona | None) -> dict[str, Any] | None:
    return persona and {
        "id": str(persona.id),
        "name": persona.name,
        "template_name": persona.template_name,
        "version": persona.version,
    }


def _staged(choice: StageChoice | None) -> dict[str, Any] | None:
    """Where a persona's tactics stood, why, and why its step was not taken, if it was not."""
    return choice and {
        "name": choice.stage.name,
        "goal": choice.stage.goal,
        "step": choice.stage.step,
        "before": choice.before,
        "move": choice.move,
        "because": choice.because,
        "held": choice.held,
        "held_because": choice.held_because,
    }


def _checked(entry: Checked) -> dict[str, Any]:
    """What became of a sentence of a draft, and why."""
    return {
        "text": entry.text,
        "verdict": entry.verdict,
        "reason": entry.reason,
        "fate": entry.fate,
        "mark": entry.mark,
        "shown": entry.shown,
        "evidence": [asdict(own) for own in entry.evidence],
    }


class TraceBuilder:
    """Collects while the turn runs; `finish` gives what is stored. Times are in milliseconds."""

    def __init__(self, received: Received) -> None:
        self._began = perf_counter()
        self._steps: dict[str, float] = {}
        self._trace: dict[str, Any] = {
            "agent": {"id": str(received.agent.id), "version": received.agent.version},
            "persona": _who(received.agent.applied_persona),
            "message": received.request.message,
            "session_context": dict(received.request.session_context),
            "audiences": sorted(received.request.audiences),
            "history_turns": len(received.turn.history),
            "held_back": asdict(received.held_back),
        }

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self._steps[name] = round((perf_counter() - began) * 1000, 3)

    async def timed(self, name: str, work: Awaitable[Done]) -> Done:
        """Wait for a step that runs beside others."""
        with self.step(name):
            return await work

    def understood(self, understood: Understood) -> Self:
        self._trace["analysis"] = asdict(understood.analysis)
        self._trace["understanding"] = {
            "cached": understood.cached,
            "milliseconds": understood.milliseconds,
            "model_step": asdict(understood.model_step),
        }
        return self

    def found(self, found: Found) -> Self:
        kept = {passage.chunk_id for passage in found.passages}
        self._trace["retrieval"] = {
            "embedding_models": list(found.models),
            "chunks_searched": found.chunks_searched,
            "pairs": [
                {
                    "document_id": str(pair.candidate.document_id),
                    "question": pair.question,
                    "cosine": round(pair.candidate.cosine, 4),
                    "same": pair.verdict.same,
                    "because": pair.verdict.because,
                }
                for pair in found.pairs
            ],
            "term_weights": {term: round(weight, 3) for term, weight in found.idf.items()},
            "candidates": [
                {
                    "chunk_id": str(entry.candidate.chunk_id),
                    "document_id": str(entry.candidate.document_id),
                    "score": round(entry.score, 4),
                    "bm25": round(entry.candidate.bm25, 4),
                    "cosine": round(entry.candidate.cosine, 4),
                    "signals": _rounded(entry.signals),
                    "kept": entry.candidate.chunk_id in kept,
                    "same_as": _id(found.copies.get(entry.candidate.chunk_id)),
                }
                for entry in found.candidates[:SHOWN_CANDIDATES]
            ],
        }
        return self

    def contradicted(self, pairs: Sequence[Contradiction]) -> Self:
        self._trace["contradictions"] = [
            {"valid": _stated(pair.valid), "other": _stated(pair.other), "settled": pair.settled}
            for pair in pairs
        ]
        return self

    def recalled(self, recalled: Recalled) -> Self:
        """What was known; of the catalogue only what could have been said."""
        product = recalled.product
        self._trace["customer"] = to_jsonable_python(asdict(recalled.customer))
        self._trace["product"] = {
            "version": product.version,
            "filters": list(product.filters),
            "matches": [
                {
                    "id": str(row.id),
                    "kind": row.kind,
                    "title": row.title,
                    "score": round(row.score, 4),
                    "cosine": round(row.cosine, 4),
                }
                for row in product.matches
            ],
            "promotions": [str(promotion.id) for promotion in product.promotions],
        }
        self._trace["missing"] = dict(recalled.missing)
        return self

    def decided(self, decided: Decided) -> Self:
        self._trace["strategy"] = to_jsonable_python(asdict(replace(decided.strategy, stage=None)))
        self._trace["stage"] = _staged(decided.strategy.stage)
        self._trace["moment"] = asdict(replace(decided.moment, draws=None))
        return self

    def verified(self, verified: Verified) -> Self:
        answer = verified.answer
        self._trace["writer"] = answer.calls[-1].model if answer.draft else "house"
        self._trace["model_calls"] = [asdict(call) for call in answer.calls]
        if verified.grounded is not None:
            self._trace["grounding"] = [_checked(entry) for entry in verified.grounded.checked]
        self._trace["answer"] = {
            "outcome": verified.answer.outcome,
            "confidence": round(verified.answer.confidence, 4),
            "abstained_because": verified.abstained_because,
            "claims": [
                {
                    "text": entry.claim.text,
                    "status": entry.status,
                    "quote": entry.claim.quote,
                    "start": entry.claim.start,
                    "end": entry.claim.end,
                }
                for entry in verified.claims
            ],
        }
        return self

    def looked(self, looked: Looked | None) -> Self:
        if looked is None:
            return self
        findings = looked.web.findings
        self._trace["web"] = {
            "need": looked.need,
            "status": findings.status,
            "because": findings.because,
            "provider": findings.provider,
            "cached": findings.cached,
            "results": [{"title": own.title, "url": own.url} for own in findings.results],
            "passages": len(looked.passages),
        }
        return self

    def finish(self) -> dict[str, Any]:
        total = round((perf_counter() - self._began) * 1000, 3)
        return {**self._trace, "milliseconds": {**self._steps, "total": total}}
