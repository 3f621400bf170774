"""What a row says of a product, in a sentence that an answer can repeat: “The Oak Table costs €349 and is in stock.” Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from concierge.kit.money import money

_STATES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("instock", "available", "true", "yes", "1", "onlineonly", "instoreonly"), "in stock"),
    **dict.fromkeys(("outofstock", "unavailable", "false", "no", "0", "soldout"), "out of stock"),
    **dict.fromkeys(("preorder", "presale"), "available to pre-order"),
    **dict.fromkeys(("backorder", "onbackorder", "availablefororder"), "on back order"),
    **dict.fromkeys(("limitedavailability", "lowstock", "limited"), "in stock, but only a few are left"),
    "discontinued": "discontinued",
}
LONGEST_NAME: Final = 8  # Words; a longer title is quoted rather than made the subject of a sentence.
_ARTICLE: Final = re.compile(r"(?:the|a|an|our|your)\s", re.IGNORECASE)


def availability(value: str) -> str | None:
    """What a feed says of the stock, as it stands behind “is”; None for what nobody knows how to say."""
    word = value.strip().lower().rpartition("/")[2]
    known = _STATES.get(re.sub(r"[^a-z0-9]", "", word))
    if known is None and re.fullmatch(r"-?\d{1,9}(?:\.0+)?", word):
        return "in stock" if float(word) > 0 else "out of stock"
    return known


def offer(title: str, prices: Sequence[str], currency: str | None, stock: str | None) -> str | None:
    """One sentence on price and stock, None where neither can be said; several prices are those of its variants."""
    known = sorted({found for price in prices if (found := money(price, currency)) is not None})
    state = availability(stock) if stock else None
    many = is_plural(title)
    said: list[str] = []
    if known:
        cost = "cost" if many else "costs"
        said.append(
            f"{cost} {known[0][1]}" if len(known) == 1 else f"{cost} from {known[0][1]} to {known[-1][1]}"
        )
    if state is not None:
        said.append(f"{'are' if many else 'is'} {state}")
    return f"{subject(title)} {' and '.join(said)}." if said else None


def subject(title: str) -> str:
    if len(title.split()) > LONGEST_NAME or re.search(r"[|;:!?.]\s|[.!?]$", title):
        return f"“{title}”"
    return title[:1].upper() + title[1:] if _ARTICLE.match(title) else f"The {title}"


def is_plural(title: str) -> bool:
    last = re.sub(r"\W+$", "", title.lower()).rpartition(" ")[2]
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "’s"))
