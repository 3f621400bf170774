"""From the words that a pattern found to a fact that can be said back. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from concierge.customers.extraction.amounts import money
from concierge.customers.extraction.patterns import Template, words

LONGEST_VALUE: Final = 160
MOST_WORDS: Final = 4
_FIELD: Final = re.compile(r"\{(\w+)\}")

# What stands before a thing and says nothing of it.
_FILLERS: Final = re.compile(
    r"^(?:(?:a|an|the|some|any|my|our|your|one|this|that|these|those|another|new|old|nice|good|great|decent|proper|cheap|"
    r"affordable|couple of|pair of|kind of|few|more|really|very|of|bit|lot|bigger|smaller|better|different|single|perfect|right|"
    r"ein|eine|einen|einem|einer|der|die|das|den|mein\w*|unser\w*|neue[nrms]?|schöne[nrms]?|gute[nrms]?|passende[nrms]?)\s+)+",
    re.IGNORECASE,
)
# What people want that is nothing to be remembered of them.
_NO_THING: Final = re.compile(
    r"^(?:help|assistance|support|info\w*|advice|answers?|question|refunds?|invoice|receipt|replacement|return|quote|"
    r"person|human|people|someone|somebody|agent|manager|supervisor|to|know|knowing|it|them|this|that|these|those|one|ones|you|"
    r"your\w*|me|us|him|her|something|anything|everything|nothing|more|some|any|idea|chance|sure|hear|see|thank\w*|time|"
    r"moment|minute|problem\w*|issue\w*|trouble|account|password|link|email|call|chat|order|orders|delivery|day|days|way|look|"
    r"lot|money|discount|code|coupon|hilfe|rat|auskunft|info|frage|antwort|rückerstattung|erstattung|rechnung|jemand\w*|"
    r"mensch\w*|mitarbeiter\w*|es|das|sie|ihn|was|etwas|nichts|alles|zeit|tracking|status|update|cancel\w*|right|same|"
    r"(?:the |your )?(?:website|site|page|shop|store|service|team|company|bot)|if|when|what|how|why|a|an|the|not|never|be|"
    r"been|got|found|heard|read|seen|tried|already|no|yes|please)$",
    re.IGNORECASE,
)
_NUMBERS: Final = {"a": "one", "an": "one", "ein": "eine", "einen": "einen"}
_LIMITS: Final = {
    "up to": (
        "up to",
        "at most",
        "max",
        "no more than",
        "not more than",
        "maximal",
        "höchstens",
        "bis",
        "nicht mehr",
    ),
    "under": ("under", "below", "less than", "cheaper", "within", "unter", "weniger"),
    "around": (
        "around",
        "about",
        "roughly",
        "approx",
        "etwa",
        "circa",
        "ca",
        "rund",
        "ungefähr",
        "for",
        "für",
    ),
}
_LIMITS_DE: Final = {"up to": "höchstens", "under": "unter", "around": "etwa"}
_NAMES: Final = {
    "postgres": "PostgreSQL",
    "postgresql": "PostgreSQL",
    "aws": "AWS",
    "gcp": "GCP",
    "ios": "iOS",
    "php": "PHP",
    "sap": "SAP",
    "datev": "DATEV",
    "github": "GitHub",
    "gitlab": "GitLab",
    "hubspot": "HubSpot",
    "mysql": "MySQL",
    "woocommerce": "WooCommerce",
    "wordpress": "WordPress",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "fastapi": "FastAPI",
    "mongodb": "MongoDB",
    "macos": "macOS",
    "mariadb": "MariaDB",
    "quickbooks": "QuickBooks",
}
_SEVERAL: Final = {
    "puppy": "puppies",
    "Hund": "Hunde",
    "Katze": "Katzen",
    "Kater": "Kater",
    "Welpe": "Welpen",
    "Hase": "Hasen",
    "Kaninchen": "Kaninchen",
    "Vogel": "Vögel",
    "Pferd": "Pferde",
    "Meerschweinchen": "Meerschweinchen",
}
_NO_PLACE: Final = re.compile(
    r"^(?:there|here|it|them|home|work|order|pay|buy|get|use|see|know|find|be|do|try|you|him|her|someone|somebody|fear|pain|"
    r"debt|germany's|abroad|different|another|other|same|new|old|next|far|near|town|peace|good|bad|\w+ing)\b",
    re.IGNORECASE,
)
_VOWEL: Final = re.compile(r"^(?:[aeio]|u(?!ni|se|sb))", re.IGNORECASE)
_UNCOUNTED: Final = re.compile(
    r"(?:[^s]s|people|children|furniture|software|equipment|lighting|clothing|chocolate|coffee|tea|food|wine|beer|bread|milk|"
    r"cheese|paint|fabric|paper|storage|hosting|insurance|jewell?ery|luggage|bedding|flooring|soap|shampoo|oil|honey|rice|"
    r"cotton|leather|wool|linen|silk|access|data|hardware|makeup|skincare|gear)$",
    re.IGNORECASE,
)


def filled(template: Template, fields: Mapping[str, str], language: str) -> Template | None:
    """Return the template with its fields; None where one of them says nothing."""
    own: dict[str, str] = {}
    for name, text in fields.items():
        cleaned = _CLEANED.get(name, _plain)(text, language)
        if cleaned is None:
            return None
        own[name] = cleaned
    own |= _derived(own)
    if own.keys() >= {"age2"}:
        own["age"] = own.get("age") or own["age2"]
    subject, slot, value = (_put(part, own) for part in (template.subject, template.slot, template.value))
    if subject is None or slot is None or value is None or len(value) > LONGEST_VALUE:
        return None
    return Template(subject[:80], slot.lower()[:160], value)


def thing_of(text: str) -> str | None:
    """A thing without its articles; None where it is none."""
    text = _FILLERS.sub("", " ".join(text.split()).strip(" -'"))
    parts = text.split()
    if not parts or len(parts) > MOST_WORDS or _NO_THING.match(parts[0]) or _NO_THING.match(text):
        return None
    return text if len(text) <= 60 and not text.isdigit() else None


def article(thing: str) -> str:
    """Return “a ”, “an ”, or nothing, for before what there are several of, or what has a name."""
    if _UNCOUNTED.search(thing):
        return ""
    if thing[:1].isupper():
        return "the "
    return "an " if _VOWEL.match(thing) else "a "


def _derived(own: Mapping[str, str]) -> dict[str, str]:
    derived: dict[str, str] = {}
    first = next((own[name] for name in ("topic", "thing", "dwelling", "animal", "kin") if own.get(name)), "")
    derived["article"] = article(first) if first else ""
    if "animal" in own:
        several = own.get("number", "one") not in {"one", "1", "ein", "eine", "einen"}
        derived["animals"] = _SEVERAL.get(own["animal"], f"{own['animal']}s") if several else own["animal"]
        derived["number"] = "a" if own.get("number") == "one" else own.get("number", "a")
    if "lift" in own:
        derived["lift"] = f" {own['lift']}" if own["lift"] else ""
    return derived


def _put(template: str, fields: Mapping[str, str]) -> str | None:
    missing = [name for name in _FIELD.findall(template) if name not in fields]
    if missing:
        return None
    return " ".join(_FIELD.sub(lambda found: fields[found[1]], template).split())


def _plain(text: str, _language: str) -> str | None:
    return " ".join(text.lower().split())


def _thing(text: str, _language: str) -> str | None:
    return thing_of(text)


def _place(text: str, _language: str) -> str | None:
    text = " ".join(text.split())
    if _NO_PLACE.match(text) or any(sign.isdigit() for sign in text):
        return None
    return " ".join(part if part[:1].isupper() else part.capitalize() for part in text.split())


def _number(text: str, _language: str) -> str | None:
    text = text.lower()
    return _NUMBERS.get(text, text)


def _limit(text: str, language: str) -> str | None:
    text = text.lower()
    limit = next((shown for shown, spellings in _LIMITS.items() if text.startswith(spellings)), "around")
    return _LIMITS_DE[limit] if language == "de" else limit


def _tool(text: str, _language: str) -> str | None:
    return _NAMES.get(text.lower(), text if text[:1].isupper() else text.capitalize())


def _plan(text: str, _language: str) -> str | None:
    return text.capitalize()


def _colour(text: str, language: str) -> str | None:
    text = text.lower().replace("gray", "grey")
    return re.sub(r"e[nmrs]$|(?<=[uznlßt])e$", "", text).capitalize() if language == "de" else text


def _noun(text: str, language: str) -> str | None:
    return text.capitalize() if language == "de" else text.lower()


def _diet(text: str, language: str) -> str | None:
    text = text.lower()
    if language == "de":
        return "vegan" if text.startswith("vegan") else "vegetarisch"
    return text


def _trouble(text: str, _language: str) -> str | None:
    text = re.sub(r"^(?:is|are|was|has been|ist|sind|war) ", "", text.lower())
    return " ".join(text.split())


def _quoted(text: str, _language: str) -> str | None:
    return text


_CLEANED: Final[Mapping[str, Callable[[str, str], str | None]]] = {
    "thing": _thing,
    "topic": _quoted,
    "place": _place,
    "number": _number,
    "count": _number,
    "limit": _limit,
    "money": money,
    "most": money,
    "tool": _tool,
    "plan": _plan,
    "colour": _colour,
    "diet": _diet,
    "animal": _noun,
    "material": _noun,
    "room": _noun,
    "kin": _noun,
    "trouble": _trouble,
    "code": lambda text, _language: text.upper(),
    "when": lambda text, _language: " ".join(
        part.capitalize() if words("season").match(part) else part for part in text.split()
    ),
}
