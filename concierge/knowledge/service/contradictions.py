"""Statements of a pack that disagree: found after its documents changed, listed for the operator to settle."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.db import Database, Session
from concierge.kit.jobs import defer
from concierge.knowledge.contradictions import (
    Contradiction,
    Reason,
    Sentence,
    Statement,
    contradictions,
    enough_to_meet,
    standing,
    statements_of,
)
from concierge.knowledge.errors import ContradictionNotFoundError, PackNotFoundError
from concierge.knowledge.lexical import index_term
from concierge.knowledge.models import FoundContradiction
from concierge.knowledge.repository import DocumentRepository, IndexRepository, PackRepository
from concierge.knowledge.repository.contradictions import (
    ContradictionRepository,
    ListedDocument,
    StoredPassage,
)
from concierge.knowledge.schemas.contradictions import (
    ContradictionOut,
    ContradictionsFound,
    ContradictionStatus,
    StatementOut,
)

logger = structlog.get_logger(__name__)

CONTRADICTIONS_TASK = "knowledge.contradictions"
DOCUMENTS_AT_A_TIME = 100
# Few new documents are compared with those that share their rarest words; beyond this, reading the whole pack is quicker.
POSTINGS_BUDGET = 4_000
# What is held in memory at once, some 150 MB; what a larger pack states beyond it is not compared.
MOST_STATEMENTS = 100_000
MOST_PAIRS = 2_000


async def look_for_contradictions(session: Session, scope: TenantScope, pack_id: UUID) -> None:
    """Have the pack's documents compared in the background, once this transaction is committed."""
    args = {"org_id": str(scope.org_id), "pack_id": str(pack_id)}
    await defer(session, CONTRADICTIONS_TASK, lock=f"contradictions:{pack_id}", args=args)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands, whichever of its versions is read."""

    source_id: UUID
    uri: str


class ContradictionSearch:
    """Runs the job of one pack: compares what its new and changed documents state with all the pack states."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self, scope: TenantScope, pack_id: UUID) -> ContradictionsFound:
        """Bring the list of a pack up to date. Errors: UnavailableError, StorageFullError, to be tried again."""
        async with self._db.transaction(scope.org_id) as session:
            new = await ContradictionRepository(session, scope).to_compare(pack_id)
        pile = _Pile()
        await self._read(scope, new, pile)
        own = frozenset(new)
        others = await self._others(scope, pack_id, own, pile.statements)
        await self._read(scope, others, pile)
        pairs = await asyncio.to_thread(contradictions, pile.statements, of=own)
        rows = _rows(pairs, pile.places)
        async with self._db.transaction(scope.org_id) as session:
            if not await DocumentRepository(session, scope).lock_pack(pack_id):
                return ContradictionsFound(documents=0, found=0)
            found = await ContradictionRepository(session, scope).replace(pack_id, new, rows)
        logger.info("compared statements", pack_id=str(pack_id), documents=len(new), found=found)
        return ContradictionsFound(documents=len(new), found=found)

    async def _read(self, scope: TenantScope, documents: Sequence[UUID], pile: "_Pile") -> None:
        for start in range(0, len(documents), DOCUMENTS_AT_A_TIME):
            if pile.is_full:
                logger.warning("too much is stated to compare all of it", statements=len(pile.statements))
                return
            async with self._db.transaction(scope.org_id) as session:
                passages = await ContradictionRepository(session, scope).passages(
                    documents[start : start + DOCUMENTS_AT_A_TIME]
                )
            await asyncio.to_thread(pile.add, passages)

    async def _others(
        self, scope: TenantScope, pack_id: UUID, own: frozenset[UUID], statements: Sequence[Statement]
    ) -> list[UUID]:
        """Return the documents that may state something else: those with some of the rarest words of what is new."""
        if not statements:
            return []
        words = {word for statement in statements for word in statement.about}
        async with self._db.transaction(scope.org_id) as session:
            index = await IndexRepository(session, scope).current(pack_id)
            if index is None:
                return []
            posting_of = {word: index_term(index.id, word) for word in words}
            repository = ContradictionRepository(session, scope)
            frequency = await repository.frequencies(index.id, posting_of.values())
            wanted = {
                posting for statement in statements for posting in _rarest(statement, posting_of, frequency)
            }
            most = sum(frequency.get(posting, 0) for posting in wanted)
            if most > POSTINGS_BUDGET:
                there = await repository.documents_of(pack_id)
            else:
                there = await repository.documents_with(index.id, sorted(wanted), most)
        return sorted(set(there) - own)


def _rarest(statement: Statement, posting_of: Mapping[str, int], frequency: Mapping[int, int]) -> list[int]:
    """The postings of so many of a statement's words that every statement alike has one of them."""
    postings = sorted((posting_of[word] for word in statement.about), key=lambda key: frequency.get(key, 0))
    return postings[: enough_to_meet(len(postings))]


class _Pile:
    """What was read so far: statements, and where their documents stand."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.places: dict[UUID, Place] = {}
        self._seen: set[tuple[UUID, int, int]] = set()

    @property
    def is_full(self) -> bool:
        return len(self.statements) >= MOST_STATEMENTS

    def add(self, passages: Sequence[StoredPassage]) -> None:
        """Blocks: the work is computing."""
        for passage in passages:
            self.places[passage.document_id] = Place(passage.source_id, passage.uri)
            for sentence in _sentences(passage):
                # Chunks may overlap.
                key = sentence.document_id, sentence.start, sentence.end
                if key not in self._seen:
                    stated = list(statements_of(sentence))
                    self.statements.extend(stated)
                    if stated:
                        self._seen.add(key)


def _sentences(passage: StoredPassage) -> Iterator[Sentence]:
    for start, end in zip(passage.spans[::2], passage.spans[1::2], strict=True):
        yield Sentence(
            document_id=passage.document_id,
            start=start,
            end=end,
            text=passage.text[start - passage.start : end - passage.start],
            title=passage.title,
            headings=passage.headings,
            dated=passage.dated,
            authoritative=passage.authoritative,
            credibility=passage.credibility,
        )


def _rows(pairs: Sequence[Contradiction], places: Mapping[UUID, Place]) -> list[dict[str, Any]]:
    """The pairs as they are stored, each once; the same sentence on the same page is the same statement."""
    rows: dict[bytes, dict[str, Any]] = {}
    for pair in pairs[: 2 * MOST_PAIRS]:
        rows.setdefault(
            _fingerprint(pair, places),
            {
                "kind": pair.valid.value.kind,
                "fingerprint": _fingerprint(pair, places),
                "settled": pair.settled,
                **_stored("valid", pair.valid),
                **_stored("other", pair.other),
            },
        )
    return list(rows.values())[:MOST_PAIRS]


def _stored(side: str, statement: Statement) -> dict[str, Any]:
    return {
        f"{side}_document_id": statement.document_id,
        f"{side}_start": statement.start,
        f"{side}_end": statement.end,
        f"{side}_quote": statement.text,
    }


def _fingerprint(pair: Contradiction, places: Mapping[UUID, Place]) -> bytes:
    """Which statements these are, whatever ids their documents have now."""
    sides = sorted(
        f"{places[side.document_id].source_id} {places[side.document_id].uri}\0{side.text}"
        for side in (pair.valid, pair.other)
    )
    return hashlib.sha256("\0".join((pair.valid.value.kind, *sides)).encode()).digest()


@dataclass(frozen=True, slots=True)
class _Side:
    """A stored statement as its document stands now, which may have become more credible or newer since."""

    document: ListedDocument
    start: int
    end: int
    quote: str

    @property
    def credibility(self) -> float:
        return self.document.credibility + (1.0 if self.document.authoritative else 0.0)

    @property
    def dated(self) -> datetime | None:
        return self.document.dated

    def out(self) -> StatementOut:
        return StatementOut(
            document_id=self.document.id,
            title=self.document.title,
            url=self.document.url,
            quote=self.quote,
            start=self.start,
            end=self.end,
            dated=self.document.dated,
            authoritative=self.document.authoritative,
            credibility=self.document.credibility,
        )


class ContradictionService:
    """What the operator sees of a pack's contradictions, and decides."""

    def __init__(self, unit: Unit) -> None:
        self._packs = PackRepository(unit.session, unit.scope)
        self._contradictions = ContradictionRepository(unit.session, unit.scope)

    async def list(
        self, pack_id: UUID, *, status: ContradictionStatus | None, before: UUID | None, limit: int
    ) -> Sequence[ContradictionOut]:
        """Errors: PackNotFoundError."""
        if await self._packs.get(pack_id) is None:
            raise PackNotFoundError
        return await self._shown(await self._contradictions.list(pack_id, status, before, limit))

    async def dismiss(self, contradiction_id: UUID) -> ContradictionOut:
        """Let a pair rest for as long as both statements stand. Errors: ContradictionNotFoundError."""
        return await self._set(contradiction_id, dismissed=True)

    async def reopen(self, contradiction_id: UUID) -> ContradictionOut:
        """Errors: ContradictionNotFoundError."""
        return await self._set(contradiction_id, dismissed=False)

    async def _set(self, contradiction_id: UUID, *, dismissed: bool) -> ContradictionOut:
        await self._contradictions.set_status(contradiction_id, dismissed=dismissed)
        row = await self._contradictions.get(contradiction_id)
        if row is None:
            raise ContradictionNotFoundError
        return (await self._shown([row]))[0]

    async def _shown(self, rows: Sequence[FoundContradiction]) -> Sequence[ContradictionOut]:
        ids = {key for row in rows for key in (row.valid_document_id, row.other_document_id)}
        documents = await self._contradictions.documents(ids)
        return [_shown(row, documents) for row in rows]


def _shown(row: FoundContradiction, documents: Mapping[UUID, ListedDocument]) -> ContradictionOut:
    """A pair as it stands today, which is how answers see it."""
    one = _Side(documents[row.valid_document_id], row.valid_start, row.valid_end, row.valid_quote)
    other = _Side(documents[row.other_document_id], row.other_start, row.other_end, row.other_quote)
    used, reason = standing(one, other)
    rest = other if used is one else one
    return ContradictionOut(
        id=row.id,
        pack_id=row.pack_id,
        kind=row.kind,
        status=cast("ContradictionStatus", row.status),
        used=used.out(),
        other=rest.out(),
        settled=reason != "undecided",
        reason=reason,
        explanation=explanation(reason, used, rest),
        found_at=row.found_at,
    )


def explanation(reason: Reason, used: _Side, rest: _Side) -> str:
    if reason == "newer" and used.dated and rest.dated:
        return f"Answers use this one: it is of {_day(used.dated)}, the other of {_day(rest.dated)}."
    return _EXPLANATIONS[reason]


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


_EXPLANATIONS: Mapping[Reason, str] = {
    "authoritative": "Answers use this one: its source is marked authoritative.",
    "more_credible": "Answers use this one: its source is more credible.",
    "newer": "Answers use this one: it is newer.",
    "undecided": (
        "Answers cannot tell which one holds, so they say that it is not settled and offer a colleague. Correct one "
        "of the two, or mark the source that holds as authoritative."
    ),
}
