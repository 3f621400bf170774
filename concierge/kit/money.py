"""Prices: read as people and shops write them, said as people say them. Pure."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_AMOUNT: Final = re.compile(
    r"(?P<before>[A-Z]{3}|[^\w\s.,-]{1,3})?\s*(?P<number>[0-9]{1,3}(?:[ ',.’\u202f\xa0][0-9]{3}){0,3}(?:[.,][0-9]{1,2})?|[0-9]{1,12}(?:[.,][0-9]{1,6})?)"
    r"\s*(?P<behind>[A-Z]{3}|[^\w\s.,-]{1,3})?"
)  # fmt: skip
SYMBOLS: Final[Mapping[str, str]] = {
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
# ISO 4217, without funds, metals and testing.
CURRENCIES: Final = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "UZS",
        "VED",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XCG",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ]
)
_WITHOUT_CENTS: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THOUSANDTHS: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def amount_of(price: str, currency: str | None = None) -> tuple[Decimal, str] | None:
    """A price and what is said of its currency, a code or a sign; None for what is no price, as “on request”."""
    found = _AMOUNT.fullmatch(price.strip())
    if found is None:
        return None
    code = found["before"] or found["behind"] or (currency or "").strip().upper()
    number, decimals = _digits(found["number"])
    return Decimal(f"{number}.{decimals or 0}"), code


def decimals_of(currency: str) -> int:
    """How many digits a price in this currency has behind its mark."""
    return 0 if currency in _WITHOUT_CENTS else 3 if currency in _THOUSANDTHS else 2


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount as it can be paid, halves upwards."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)


def said(amount: Decimal, code: str) -> str:
    """An amount as it is said: $1,299, €12.50, 1,299 SEK."""
    whole, _, decimals = f"{amount:f}".partition(".")
    written = f"{int(whole):,}" + (f".{decimals:0<2}" if decimals.strip("0") else "")
    symbol = SYMBOLS.get(code, "" if re.fullmatch(r"[A-Z]{3}", code) else code)
    return f"{symbol}{written}" if symbol else f"{written} {code}".strip()


def money(price: str, currency: str | None = None) -> tuple[float, str] | None:
    """A price as it is compared and as it is said, “349.00 EUR” as €349; None for what is no price, as “on request”."""
    found = amount_of(price, currency)
    return None if found is None else (float(found[0]), said(*found))


def _digits(number: str) -> tuple[str, str]:
    """The digits before and behind the decimal mark: the last mark, unless three digits stand behind it."""
    decimal = re.search(r"[.,](\d+)$", number)
    if decimal is None or (len(decimal[1]) == 3 and not re.fullmatch(r"0[.,]\d+", number)):
        return re.sub(r"\D", "", number), ""
    return re.sub(r"\D", "", number[: decimal.start()]), decimal[1]
