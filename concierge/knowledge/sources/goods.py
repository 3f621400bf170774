"""What a row says of a product, in a sentence that an answer can repeat: “The Oak Table costs €349 and is in stock.” Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_AMOUNT: Final = re.compile(
    r"(?P<before>[A-Z]{3}|[^\w\s.,-]{1,3})?\s*(?P<number>[0-9]{1,3}(?:[ ',.’\u202f\xa0][0-9]{3}){0,3}(?:[.,][0-9]{1,2})?|[0-9]{1,12}(?:[.,][0-9]{1,6})?)"
    r"\s*(?P<behind>[A-Z]{3}|[^\w\s.,-]{1,3})?"
)  # fmt: skip
_SYMBOLS: Final[Mapping[str, str]] = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "KRW": "₩",
    "ILS": "₪",
    "TRY": "₺",
    "UAH": "₴",
    "VND": "₫",
    "NGN": "₦",
    "PHP": "₱",
}
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


def money(price: str, currency: str | None = None) -> tuple[float, str] | None:
    """A price as it is compared and as it is said, “349.00 EUR” as €349; None for what is no price, as “on request”."""
    found = _AMOUNT.fullmatch(price.strip())
    if found is None:
        return None
    code = found["before"] or found["behind"] or (currency or "").strip().upper()
    number, decimals = _digits(found["number"])
    whole = f"{int(number):,}" + (f".{decimals:0<2}" if decimals.strip("0") else "")
    amount = float(f"{number}.{decimals or 0}")
    symbol = _SYMBOLS.get(code, "" if re.fullmatch(r"[A-Z]{3}", code) else code)
    return amount, f"{symbol}{whole}" if symbol else f"{whole} {code}".strip()


def _digits(number: str) -> tuple[str, str]:
    """The digits before and behind the decimal mark: the last mark, unless three digits stand behind it."""
    decimal = re.search(r"[.,](\d+)$", number)
    if decimal is None or (len(decimal[1]) == 3 and not re.fullmatch(r"0[.,]\d+", number)):
        return re.sub(r"\D", "", number), ""
    return re.sub(r"\D", "", number[: decimal.start()]), decimal[1]


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
    many = _is_plural(title)
    said: list[str] = []
    if known:
        cost = "cost" if many else "costs"
        said.append(
            f"{cost} {known[0][1]}" if len(known) == 1 else f"{cost} from {known[0][1]} to {known[-1][1]}"
        )
    if state is not None:
        said.append(f"{'are' if many else 'is'} {state}")
    return f"{_subject(title)} {' and '.join(said)}." if said else None


def _subject(title: str) -> str:
    if len(title.split()) > LONGEST_NAME or re.search(r"[|;:!?.]\s|[.!?]$", title):
        return f"“{title}”"
    return title[:1].upper() + title[1:] if _ARTICLE.match(title) else f"The {title}"


def _is_plural(title: str) -> bool:
    last = re.sub(r"\W+$", "", title.lower()).rpartition(" ")[2]
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "’s"))
