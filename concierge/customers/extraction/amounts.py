"""Sums of money as people write them, made readable again. Pure."""

import re
from typing import Final

_SIGNS: Final = {"$": "$", "€": "€", "£": "£", "chf": "CHF", "fr.": "CHF", "usd": "$", "eur": "€", "gbp": "£"}
_WORDS: Final = {
    "dollar": "$",
    "buck": "$",
    "euro": "€",
    "pound": "£",
    "quid": "£",
    "franken": "CHF",
    "franc": "CHF",
}
_NUMBER: Final = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_UNIT: Final = r"dollars?|bucks|euros?|pounds?|quid|franken|francs?|usd|eur|gbp|chf"
PRICED: Final = (
    rf"(?:(?:[$€£]|usd|eur|gbp|chf)\s?(?:{_NUMBER})\s?k?\b|(?:{_NUMBER})\s?k?\s?(?:[$€£]|(?:{_UNIT})\b))"
)
MONEY: Final = rf"(?:{PRICED}|(?:{_NUMBER})k?\b)"
_PARTS: Final = re.compile(rf"(?P<number>{_NUMBER})\s?(?P<thousands>k\b|k(?=[$€£]))?", re.IGNORECASE)


def money(text: str, language: str = "en") -> str | None:
    """Write “1.5k €” as “€1,500”; None where it holds no number. Without a currency it stays a number."""
    found = _PARTS.search(text)
    if found is None:
        return None
    amount = _number(found["number"]) * (1000 if found["thousands"] else 1)
    return _shown(amount, currency_of(text), language)


def currency_of(text: str) -> str:
    lower = text.lower()
    for sign, shown in _SIGNS.items():
        if sign in lower:
            return shown
    return next((shown for word, shown in _WORDS.items() if word in lower), "")


def _number(text: str) -> float:
    """Three digits after a sign are thousands, wherever the sign comes from; one or two are a fraction."""
    text = re.sub("[' ]", "", text)
    fraction = re.search(r"[.,](\d{1,2})$", text)
    whole = text[: fraction.start()] if fraction else text
    return float(re.sub(r"\D", "", whole) or 0) + (float(f"0.{fraction[1]}") if fraction else 0)


def _shown(amount: float, currency: str, language: str) -> str:
    number = f"{amount:,.2f}".removesuffix(".00")
    if language == "de":
        number = number.translate(str.maketrans(",.", ".,"))
        return f"{number} {currency}".strip()
    return f"{currency} {number}" if len(currency) > 1 else f"{currency}{number}"
