"""What the shelf alone can answer: prices in general, offers of the day, what there is at all, a call for help. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from concierge.chat.strategy.moment import LOOKED_AT, asks_price
from concierge.knowledge.lexical import terms

_HERE: Final = r"(?:\s+(?:here|today|now|please|right now|at the moment|currently|around))*"
# A place or a person to buy something for, which says nothing of what.
_FOR: Final = (
    r"(?:\s+for (?:an? |my |our |the |his |her |their )?(?:[\w-]+ ){0,3}?(?:room|flat|home|house|office|kitchen|balcony|garden|"
    r"terrace|apartment|hall|hallway|corner|family|kids?|children|couple|gift|present|birthday|me|us))?"
)
_AROUND: Final = re.compile(
    r"\W*(?:(?:hi|hello|hey)\b\W*)?(?:"
    r"(?:(?:i['’]?m|i am|we['’]?re|we are)\s+)?(?:just|only)\s+(?:looking|browsing|having a look)(?:\s+around)?|"
    r"(?:(?:can|could) you )?show me (?:around|what you have|what you['’]ve got|your (?:products|range))|"
    r"what (?:do|can) you (?:sell|offer|make|have)(?: to offer| for sale)?|what have you got|what (?:products|furniture) do you (?:have|sell)"
    rf"){_FOR}{_HERE}\W*",
    re.IGNORECASE,
)
_JUST_LOOKING: Final = re.compile(r"\b(?:looking|browsing|a look)\b", re.IGNORECASE)
_OFFERS: Final = re.compile(
    r"\b(?:discounts?|offers?|promo(?:tion)?s?|sales?|deals?|vouchers?|coupons?|special offers?)\b",
    re.IGNORECASE,
)
_WANTS: Final = re.compile(
    r"\b(?:recommend|suggest|show me|looking for|look for|searching for|shopping for|in the market for|"
    r"(?:i|we)(?: would|['’]d)? (?:want|need|like)|which \w+ (?:would|should|do you)|what would you (?:take|choose|pick|recommend|suggest|buy)|what \w+ (?:do you (?:have|sell|offer)|would you|are there))\b",
    re.IGNORECASE,
)
_COMPARES: Final = re.compile(
    r"\b(?:differences?|differs?|different|compar(?:e|ed|ison)|versus|vs\.?|which (?:one )?is (?:better|bigger|larger|smaller)\b(?=\W*$))",
    re.IGNORECASE,
)
# "What do you offer?" asks for the range, not for a discount.
_RANGE: Final = re.compile(r"\byou(?: guys)? (?:offer|sale|deal)\b", re.IGNORECASE)
_POINTS_BACK: Final = re.compile(r"\b(?:it|its|they|them|that|this|these|those|one)\b", re.IGNORECASE)
# Words of a question for prices or offers that name nothing in particular.
_GENERAL: Final = frozenset(
    terms(
        "hi hello hey there price prices pricing priced cost costs costing much rate rates fee fees quote cheap cheaper cheapest "
        "expensive affordable budget list overview range start starting begin roughly general about idea tell know please thing "
        "things stuff product products furniture item items piece pieces sell buy have has get got usually typically you your "
        "discount discounts offer offers promo promos promotion promotions sale sales deal deals voucher vouchers coupon coupons "
        "special current currently today now running any moment month week can do what are there is how"
    )
)


def wants_products(question: str) -> bool:
    """Whether somebody wants to be shown what there is of a kind, and not to know something about it."""
    return bool(_WANTS.search(question[:LOOKED_AT]))


def compares(question: str) -> bool:
    """Whether it is asked what sets things apart."""
    return bool(_COMPARES.search(question[:LOOKED_AT]))


def looks_around(question: str) -> bool:
    return bool(_AROUND.fullmatch(question[:LOOKED_AT]))


def is_leisurely(question: str) -> bool:
    """Whether somebody who looks around says so, and asks for nothing."""
    return "?" not in question and bool(_JUST_LOOKING.search(question[:LOOKED_AT]))


def asks_for_offers(question: str) -> bool:
    """Whether it is asked what runs today, and not whether something in particular is reduced."""
    shown = question[:LOOKED_AT]
    return bool(_OFFERS.search(shown)) and not _RANGE.search(shown) and not _names_more(shown, ())


def asks_for_prices(question: str, categories: Sequence[str]) -> bool:
    """Whether it is asked what things cost, or those of a category; not what one thing, or a service, does."""
    return asks_price(question) and not _names_more(question[:LOOKED_AT], categories)


def named(question: str, categories: Sequence[str]) -> list[str]:
    """The categories a question speaks of."""
    asked = set(terms(question[:LOOKED_AT]))
    return [category for category in categories if asked & set(terms(category))]


def _names_more(question: str, categories: Sequence[str]) -> bool:
    rest = set(terms(question)) - _GENERAL - set(terms(" ".join(categories)))
    return bool(rest or _POINTS_BACK.search(question))
