"""Words of shops that mean the same, by their stems. What an organization says of its own words comes before these."""

from collections.abc import Mapping
from typing import Final

from concierge.kit.words import terms

_GROUPS: Final = (
    "sofa couch settee",
    "loveseat",
    "armchair recliner",
    "shelf bookcase bookshelf shelving",
    "lamp light lighting",
    "wardrobe closet armoire",
    "sideboard credenza buffet",
    "cupboard cabinet",
    "rug carpet",
    "duvet comforter quilt",
    "curtain drape",
    "sneaker trainer",
    "jumper sweater pullover",
    "trousers pants",
    "coat jacket",
    "bag handbag purse",
    "phone smartphone mobile cellphone",
    "laptop notebook",
    "television tv",
    "headphones earphones earbuds",
    "fridge refrigerator",
    "bike bicycle",
    "pram stroller buggy",
    "nappy diaper",
    "torch flashlight",
    "colour color",
    "grey gray",
    "outdoor garden patio terrace balcony",
)


def _by_stem() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in _GROUPS:
        stems = terms(group)
        for stem in stems:
            found[stem] = tuple(other for other in stems if other != stem)
    return found


SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = _by_stem()
