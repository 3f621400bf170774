"""Read an order out of a message, or nothing at all: whatever is not understood makes it unsure. Pure.

Each word becomes a letter (`tokens`), and an order is a sequence of a few patterns over them. A word that is neither
in the vocabulary nor in the name of a product fits no pattern, so that nothing is ever left out in silence.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from concierge.kit.money import decimals_of
from concierge.tools.arithmetic.mentions import Mention, UnsureError, mentions_of
from concierge.tools.arithmetic.order import (
    LARGEST_EXTRA,
    MOST_OF_ONE,
    Extra,
    Order,
    OrderLine,
    PricedRow,
)
from concierge.tools.arithmetic.tokens import Token, tokens_of, vocabulary

LONGEST_MESSAGE: Final = 500
MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class _Piece:
    """A token, or all those that name a product."""

    token: Token
    mention: Mention | None = None


@dataclass(slots=True)
class _Read:
    """What was read so far. `between` says that a reduction stood before a line and behind another."""

    rows: Sequence[PricedRow]
    lines: list[OrderLine] = field(default_factory=list[OrderLine])
    percents: list[tuple[Decimal, int]] = field(default_factory=list[tuple[Decimal, int]])
    extras: list[Extra] = field(default_factory=list[Extra])
    currencies: list[frozenset[str]] = field(default_factory=list[frozenset[str]])


def read_order(message: str, rows: Sequence[PricedRow]) -> Order | None:
    """Return what is ordered, where the message asks for a sum and each of its words is understood; None otherwise.

    `rows` are all products that the message could mean: one that is missing cannot make it unsure. None also where a
    product could be several, a quantity is missing or beyond 1 to 1,000, or there is nothing to calculate.
    """
    if len(message) > LONGEST_MESSAGE:
        return None
    tokens = tokens_of(message)
    try:
        pieces = _pieces(tokens, mentions_of(tokens, rows))
        order = _order(_read(pieces, rows))
    except UnsureError:
        return None
    return None if order is None or _asks_only_for_a_reduction(order, tokens) else order


def _asks_only_for_a_reduction(order: Order, tokens: Sequence[Token]) -> bool:
    """Whether a reduction may be what is asked for ("do I get 10 % off 3 chairs?") rather than what is known."""
    said, known = {token.text for token in tokens}, vocabulary()
    return order.percent_off is not None and bool(said & known.permits) and not said & known.asks


def _pieces(tokens: Sequence[Token], mentions: Sequence[Mention]) -> list[_Piece]:
    named = {mention.start: mention for mention in mentions}
    pieces: list[_Piece] = []
    place = 0
    while place < len(tokens):
        mention = named.get(place)
        token = tokens[place] if mention is None else replace(tokens[place], code="I")
        pieces.append(_Piece(token, mention))
        place = mention.end if mention else place + 1
    return pieces


def _read(pieces: Sequence[_Piece], rows: Sequence[PricedRow]) -> _Read:
    codes = "".join(piece.token.code for piece in pieces)
    read = _Read(rows)
    place = 0
    while place < len(codes):
        matched = next(
            ((found, take) for pattern, take in _PATTERNS if (found := pattern.match(codes, place))), None
        )
        if matched is None:
            raise UnsureError
        found, take = matched
        take(read, pieces[found.start() : found.end()])
        place = found.end()
    return read


def _take_percent(read: _Read, pieces: Sequence[_Piece]) -> None:
    percent = _number(pieces)
    if not 0 < percent < 100:
        raise UnsureError
    read.percents.append((percent, len(read.lines)))


def _take_extra(read: _Read, pieces: Sequence[_Piece]) -> None:
    name = next(piece.token.fee for piece in pieces if piece.token.fee)
    amount = _number(pieces)
    if not 0 < amount <= LARGEST_EXTRA or name in {extra.name for extra in read.extras}:
        raise UnsureError
    read.extras.append(Extra(name, amount))
    read.currencies += [piece.token.currencies for piece in pieces if piece.token.currencies]


def _take_line(read: _Read, pieces: Sequence[_Piece]) -> None:
    mention = next((piece.mention for piece in pieces if piece.mention), None)
    if mention is None and len(read.rows) != 1:
        raise UnsureError
    row = mention.row if mention else read.rows[0]
    counted = [piece.token for piece in pieces if piece.token.code in "NA"]
    if not counted and (mention is None or mention.is_many):
        raise UnsureError
    quantity = _quantity(counted[0]) if counted else 1
    if mention and counted and counted[0].text in mention.numbers:
        raise UnsureError
    if row in [line.row for line in read.lines]:
        raise UnsureError
    read.lines.append(OrderLine(row, quantity))


def _pass_over(_read: _Read, _pieces: Sequence[_Piece]) -> None:
    """Say nothing."""


# Letters as in `tokens`; I stands for a product. Two products with nothing between them are one that nobody knows.
_PATTERNS: Final[Sequence[tuple[re.Pattern[str], Callable[[_Read, Sequence[_Piece]], None]]]] = (
    (re.compile(r"A?M?NP[JK]?O+|A?O[JK]?NP|MNP"), _take_percent),
    (re.compile(r"C?NC?[JK]?D?F|[AD]?F[JK]?C?NC?(?![XJDIRP])"), _take_extra),
    (re.compile(r"(?:NX?J?|A)D?I(?!I)|NJ?R|D?I(?:XN|NX)(?![IRJDXCPF])|D?I(?!I)"), _take_line),
    (re.compile(r"K[gDA]?W|[gSJK]|D(?=[gSK]|$)|A(?=S)"), _pass_over),
)


def _number(pieces: Sequence[_Piece]) -> Decimal:
    return next(piece.token.number for piece in pieces if piece.token.number is not None)


def _quantity(token: Token) -> int:
    if token.number is None:
        return 1
    if not token.is_whole or not 1 <= token.number <= MOST_OF_ONE:
        raise UnsureError
    return int(token.number)


def _order(read: _Read) -> Order | None:
    lines = read.lines
    if not lines or len(lines) > MOST_LINES or len(read.percents) > 1:
        return None
    percent, behind = read.percents[0] if read.percents else (None, 0)
    # A reduction in the middle may be on what is before it alone.
    if 0 < behind < len(lines) or not _is_one_currency(read):
        return None
    has_sum = len(lines) > 1 or lines[0].quantity > 1 or percent is not None or bool(read.extras)
    return Order(tuple(lines), percent, tuple(read.extras)) if has_sum else None


def _is_one_currency(read: _Read) -> bool:
    """Whether everything is paid in one currency, and in coins that it has."""
    currency = read.lines[0].row.currency
    coins = all(_decimals(extra.amount) <= decimals_of(currency) for extra in read.extras)
    return (
        coins
        and all(line.row.currency == currency for line in read.lines)
        and all(currency in currencies for currencies in read.currencies)
    )


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
