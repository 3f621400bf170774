"""Columns of the files that shops give: their names, and which of them say something to a customer. Pure."""

import re
from typing import Final

# Columns that tell a customer nothing.
TECHNICAL: Final = re.compile(
    r"image|img|photo|picture|thumbnail|seo|meta|google|gtin|ean$|upc|barcode|mpn|taxable|tax (?:class|status)|fulfil|"
    r"inventory|requires shipping|^status$|published|handle|sku|^type$|id$|created|position|download|button|parent|"
    r"upsell|cross-sell|grouped|external|visibility|allow customer|sold individually|backorders|swatch|@|^context$|"
    r"compare.?at|is featured|weight unit",
    re.IGNORECASE,
)


def plain_name(column: str) -> str:
    """A name by which columns are compared: letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", column.lower())


def label_of(column: str) -> str:
    """The name of a property as a person writes it: “care_instructions” is Care instructions."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column.rpartition(".")[2] or column)
    spaced = " ".join(re.sub(r"[_-]+", " ", words).split())
    return spaced[:1].upper() + spaced[1:].lower() if spaced.islower() or "_" in column else spaced
