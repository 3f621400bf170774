"""What a business offers just now, for every turn: what anybody is shown is kept, what fits the message is looked up."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from concierge.accounts.scope import PUBLIC, Audiences, TenantScope
from concierge.catalog.filters import Facet, Vocabulary, read_after
from concierge.catalog.matching import NOTHING, Question, asked, matching
from concierge.catalog.prices import Discounts
from concierge.catalog.repository import SearchRepository, StaticRow, StaticsRepository
from concierge.catalog.rows import (
    FloatArray,
    Kept,
    compared,
    holds_on,
    price_now,
    product_entry,
    promotion_entry,
    promotion_of,
    running,
    text_entry,
)
from concierge.catalog.schemas.context import CatalogEntry, EntryKind, PriceRange, ProductContext, Promotion
from concierge.catalog.synonyms import SYNONYMS
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.money import said
from concierge.kit.words import local_term, terms
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LOCAL_SPACE

KEPT: Final = 64
KEPT_VOCABULARIES: Final = 8
CANDIDATES: Final = 12
# Of each kind so many are shown, the nearest to the message.
SHOWN: Final = 12
MOST_RANGES: Final = 60
TEXTS: Final[Sequence[EntryKind]] = ("policy", "company", "support", "faq")


@dataclass(slots=True)
class Statics:
    """A version of a catalogue, for all audiences."""

    version: int
    facets: Sequence[Mapping[str, Any]]
    synonyms: Mapping[str, str]
    entries: Mapping[str, Sequence[Kept]]
    promotions: Sequence[StaticRow]
    featured: Sequence[StaticRow]
    priced: Sequence[StaticRow]
    vocabularies: OrderedDict[Audiences, Vocabulary] = field(
        default_factory=OrderedDict[Audiences, Vocabulary]
    )
    shown: OrderedDict[tuple[Audiences, tuple[date, ...]], "Shown"] = field(
        default_factory=OrderedDict[tuple[Audiences, tuple[date, ...]], "Shown"]
    )

    def vocabulary(self, audiences: Audiences) -> Vocabulary:
        """The names that somebody of these audiences may know."""
        known = self.vocabularies.get(audiences)
        if known is None:
            seen = dict.fromkeys(
                Facet(facet["name"], facet["value"])
                for facet in self.facets
                if may_see(facet["audience"] or None, audiences)
            )
            known = Vocabulary.of(seen, self.synonyms)
        self.vocabularies[audiences] = known
        self.vocabularies.move_to_end(audiences)
        if len(self.vocabularies) > KEPT_VOCABULARIES:
            self.vocabularies.popitem(last=False)
        return known

    def shown_on(self, audiences: Audiences, days: tuple[date, ...]) -> "Shown":
        """What somebody of these audiences may see, on days all of which must suit."""
        key = audiences, days
        known = self.shown.get(key) or shown_of(self, audiences, days)
        self.shown[key] = known
        self.shown.move_to_end(key)
        if len(self.shown) > KEPT_VOCABULARIES:
            self.shown.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class Shown:
    """What does not depend on a message. `texts` are everything but products, by kind."""

    discounts: Discounts
    promotions: tuple[Promotion, ...]
    featured: tuple[CatalogEntry, ...]
    pricing: tuple[PriceRange, ...]
    texts: Mapping[EntryKind, Sequence[Kept]]


class ProductContexts:
    """Costs a turn two statements, and a third where the catalogue has changed since the last one."""

    def __init__(self, db: Database, vectors: QuestionVectors, clock: Clock = utc_now) -> None:
        self._db = db
        self._vectors = vectors
        self._clock = clock
        self._kept: OrderedDict[UUID, Statics] = OrderedDict()

    async def of(
        self,
        scope: TenantScope,
        message: str,
        vector: FloatArray | None = None,
        *,
        audiences: Audiences = PUBLIC,
        today: date | None = None,
        earlier: Sequence[str] = (),
    ) -> ProductContext:
        """Say what the business offers somebody of these audiences, above all what fits the message.

        `vector` is the message's by the local model, (384,) of length 1; without one it is embedded here. `today` is the
        visitor's: a promotion holds on the organization's day and on that one. `earlier` are the messages before, newest
        first. Errors: UnavailableError.
        """
        statics = self._kept.get(scope.org_id)
        synonyms = SYNONYMS if statics is None else statics.vocabulary(audiences).synonyms
        stems = terms(message)
        more = [other for stem in stems for other in synonyms.get(stem, ())]
        postings = {local_term(scope.org_id, word): word for word in (*stems, *more)}
        if vector is None:
            (vector,) = await self._vectors.of(LOCAL_SPACE, [message])
        async with self._db.transaction(scope.org_id) as session:
            search = SearchRepository(session, scope, audiences)
            state = await search.state(list(postings))
            if state is None:
                return ProductContext()
            if statics is None or statics.version != state.version:
                rows = await StaticsRepository(session, scope).all()
                statics = statics_of(state.version, rows)
            self._keep(scope.org_id, statics)
            days = days_of(self._clock(), state.time_zone, today)
            shown = statics.shown_on(audiences, days)
            filters = read_after(message, earlier, statics.vocabulary(audiences))
            df = {postings[term]: count for term, count in state.df.items()}
            question = Question(message, filters, vector, df, state.products)
            wanted = asked(scope.org_id, question, days[0], shown.discounts.as_json(), state.currency)
            found = await search.products(wanted, CANDIDATES) if state.products else []
        texts: dict[EntryKind, Sequence[CatalogEntry]] = {
            kind: compared(own, vector) for kind, own in shown.texts.items()
        }
        matches, filtered = matching(question, found, texts, days[0], shown.discounts, state.currency)
        return ProductContext(
            version=state.version,
            matches=tuple(matches),
            filters=tuple(filtered),
            nearest=any(own.startswith(NOTHING) for own in filtered),
            featured=shown.featured,
            pricing=shown.pricing,
            promotions=shown.promotions,
            company=_nearest(texts["company"]),
            policies=_nearest(texts["policy"]),
            support=_nearest(texts["support"]),
            faqs=_nearest(texts["faq"]),
        )

    def _keep(self, org_id: UUID, statics: Statics) -> None:
        self._kept[org_id] = statics
        self._kept.move_to_end(org_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def days_of(now: datetime, time_zone: str, visitors: date | None) -> tuple[date, ...]:
    own = now.astimezone(ZoneInfo(time_zone)).date()
    return (own,) if visitors is None or visitors == own else (own, visitors)


def statics_of(version: int, rows: Sequence[StaticRow]) -> Statics:
    by_source: dict[str, list[StaticRow]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    entries: dict[str, list[Kept]] = {}
    for row in by_source.get("entry", ()):
        kept = text_entry(row.values, row.sentence_vectors, row.vector)
        entries.setdefault(kept.entry.kind, []).append(kept)
    return Statics(
        version=version,
        facets=[row.values for row in by_source.get("facet", ())],
        synonyms=next((dict(row.values) for row in by_source.get("settings", ())), {}),
        entries=entries,
        promotions=by_source.get("promotion", ()),
        featured=by_source.get("featured", ()),
        priced=by_source.get("priced", ()),
    )


def shown_of(statics: Statics, audiences: Audiences, days: tuple[date, ...]) -> Shown:
    """Promotions hold on all of these days, or there is nothing of them."""
    offers = [
        row
        for row in statics.promotions
        if may_see(row.values["audience"], audiences) and holds_on(row.values, *days)
    ]
    lowering = (running(row.values) for row in offers)
    discounts = Discounts.of(promotion for promotion in lowering if promotion is not None)
    texts: dict[EntryKind, Sequence[Kept]] = {
        kind: [own for own in statics.entries.get(kind, ()) if may_see(own.entry.audience, audiences)]
        for kind in TEXTS
    }
    texts["promotion"] = [promotion_entry(row.values, row.sentence_vectors, row.vector) for row in offers]
    return Shown(
        discounts=discounts,
        promotions=tuple(promotion_of(row.values) for row in offers),
        featured=tuple(
            _featured(row, days[0], discounts)
            for row in statics.featured
            if may_see(row.values["audience"], audiences)
        ),
        pricing=price_ranges(statics.priced, audiences, days[0], discounts),
        texts=texts,
    )


def _featured(row: StaticRow, today: date, discounts: Discounts) -> CatalogEntry:
    updated = datetime.fromisoformat(row.values["updated_at"])
    return product_entry(row.values, row.sentence_vectors, updated, today, discounts)


def may_see(audience: str | None, audiences: Audiences) -> bool:
    return audiences.everything or audience is None or audience in audiences.labels


def _nearest(entries: Sequence[CatalogEntry]) -> tuple[CatalogEntry, ...]:
    """The nearest to the message, in the order the business gave them."""
    if len(entries) <= SHOWN:
        return tuple(entries)
    bound = sorted((entry.cosine for entry in entries), reverse=True)[SHOWN - 1]
    return tuple(entry for entry in entries if entry.cosine >= bound)[:SHOWN]


def price_ranges(
    rows: Sequence[StaticRow], audiences: Audiences, today: date, discounts: Discounts
) -> tuple[PriceRange, ...]:
    """What each category costs today, by its lowest and its highest price."""
    found: dict[tuple[str, str], list[tuple[Any, Mapping[str, Any]]]] = {}
    for row in rows:
        price = price_now(row.values, today, discounts)
        if price is not None and row.values["category"] and may_see(row.values["audience"], audiences):
            key = row.values["category_key"], row.values["currency"]
            found.setdefault(key, []).append((price.now, row.values))
    ranges: list[PriceRange] = []
    for (_, currency), priced in found.items():
        lowest, cheapest = min(priced, key=lambda one: (one[0], one[1]["id"]))
        highest = max(price for price, _ in priced)
        name = cheapest["category"].rpartition(">")[2].strip()
        updated = datetime.fromisoformat(cheapest["updated_at"])
        ranges.append(
            PriceRange(
                category=name,
                lowest=lowest,
                highest=highest,
                currency=currency,
                said=said(lowest, currency),
                entry_id=UUID(cheapest["id"]),
                entry=product_entry(cheapest, None, updated, today, discounts),
            )
        )
    return tuple(sorted(ranges, key=lambda one: one.category)[:MOST_RANGES])
