"""What is never remembered, whoever says it: secrets, and what a person's privacy protects most. Pure."""

import re
from typing import Final

_PATTERNS: Final = (
    # Numbers that open something or name somebody: cards, accounts, papers, telephones, codes.
    r"(?:\d[ .\-/]?){9,}",
    r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){3,8}\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    (
        r"\b(?:cvv|cvc|(?:my|the) pin|pin (?:code|number)|pin is|tan[ -]?(?:code|nummer)|otp|iban|bic|ssn|passport|reisepass|personalausweis|ausweisnummer|steuernummer|steuer-?id|"
        r"social security|sozialversicherung\w*|national id|id (?:card|number)|driver'?s licen[cs]e|tax (?:id|number)|"
        r"card number|kreditkarte\w*|credit card|debit card|bank account|kontonummer|account number|routing number|sort code)\b"
    ),
    (
        r"\b(?:pass(?:word|wort|code|phrase)|kennwort|secret|api[ _-]?key|access[ _-]?key|token|credential\w*|private key|"
        r"login data|zugangsdaten|one-time code|verification code)\b"
    ),
    r"\b(?:sk|pk|ghp|xox[bp]|akia|eyj)[_\-a-z0-9]{10,}",
    r"\b[\w.+\-]+@[\w\-]+\.[\w.\-]+\b",
    # Health beyond what a product must do without.
    (
        r"\b(?:cancer|diabet\w+|hiv|aids|depress\w+|anxiety|bipolar|adhd|autis\w+|schizo\w+|epilep\w+|asthma\w*|dementia|"
        r"alzheimer\w*|parkinson\w*|disab\w+|disease|disorder|illness|diagnos\w+|medication|medicine|prescription|therap\w+|"
        r"chemotherapy|surgery|hospital\w*|pregnan\w+|miscarriage|abortion|ivf|addict\w*|alcoholic|rehab|suicid\w+|arthritis|"
        r"back pain|bad back|migraine\w*|sick leave|wheelchair|expecting a (?:baby|child)|krebs|krank\w*|depressiv\w*|schwanger\w*|"
        r"behinder\w*|diagnose\w*|medikament\w*|rollstuhl|bandscheibe\w*|rückenschmerz\w*|süchtig\w*|\w+sucht|therapie)\b"
    ),
    # What people believe, whom they love, where they come from, what they did.
    (
        r"\b(?:christian|catholic|protestant|muslim|islam\w*|jew|jewish|judaism|hindu\w*|buddhis\w+|sikh|atheis\w+|mormon|"
        r"evangelical|religio\w+|church|mosque|synagogue|kosher|halal|pray\w*|christ(?:lich)?|katholi\w+|evangelisch|"
        r"muslimi?s?c?h?|jüdisch|koscher|gläubig\w*|kirche|moschee)\b"
    ),
    (
        r"\b(?:republican|democrat|conservative party|labour party|communist|socialist|liberal party|trump|biden|afd|cdu|spd|"
        r"die grünen|fdp|tory|tories|voted|vote|politic\w*|trade union|union member|gewerkschaft\w*|wähle|gewählt|politisch\w*)\b"
    ),
    (
        r"\b(?:gay|lesbian|bisexual|transgender|trans (?:man|woman)|queer|asexual|straight man|straight woman|heterosexual|"
        r"homosexual|sexual\w*|sex life|schwul|lesbisch|bisexuell|sexuell\w*)\b"
    ),
    (
        r"\b(?:ethnic\w*|skin colou?r|asylum|refugee|undocumented|immigration status|criminal|convict\w*|prison|jail|arrested|"
        r"probation|bankrupt\w*|insolven\w*|vorbestraft|gefängnis|asyl\w*|flüchtling\w*|insolvenz)\b"
    ),
)
_PRIVATE: Final = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
# What looks like an order to whoever reads it later is no fact about a person.
_ORDERS: Final = re.compile(
    r"\b(?:ignore|disregard|override|forget) (?:all |any |the |your |previous |prior )*(?:instructions?|rules?|prompts?)\b|"
    r"\b(?:system prompt|you are now|act as|developer mode|jailbreak|vorherigen anweisungen)\b|[<>{}\[\]|`\\]|https?:|www\.",
    re.IGNORECASE,
)
_STREET: Final = re.compile(
    r"\b\d+[a-z]?,? (?:\w+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|boulevard|blvd|court|place|way)\b|"
    r"\b\w+(?:straße|strasse|str\.|weg|allee|gasse|platz) \d+",
    re.IGNORECASE,
)


def is_private(text: str) -> bool:
    return _PRIVATE.search(text) is not None or _STREET.search(text) is not None


def is_order(text: str) -> bool:
    """Whether it would tell a reader what to do, or hold what no plain statement holds."""
    return _ORDERS.search(text) is not None
