"""Where one sentence of running prose ends and the next begins."""

import re

Span = tuple[int, int]

# A mark that may end a sentence with the closing quotes and brackets after it, then a space. Chinese and Japanese
# marks need no space. Markdown may escape a mark with a backslash.
_END = re.compile(r"[.!?…‽⁈]+[\"'”’»)\]*_\\]*(?=\s)|[。！？｡]+[」』”’）]*|[।॥؟](?=\s)")
_BREAK = re.compile(r"[:.!?…][\"'”’»)\]*_\\]*[ \t]*(?:\r\n|[\n\r\u2028\u2029])|  (?:\r\n|\n)")
_LAST_WORD = re.compile(r"[\w.'’&-]*$")
_OPENING = re.compile(r"[\s\"'“‘«(\[*_]*")
_ACRONYM = re.compile(r"(?:\w\.)+\w?$")
_NUMBERING = re.compile(r"^[\s\-*+•(\[]*(?:\d{1,3}(?:\.\d{1,3})*|[a-zA-Z]|[ivxIVX]{1,4})$")

# Words that are nearly always followed by more of the same sentence.
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "rev",
        "hon",
        "gen",
        "sen",
        "rep",
        "gov",
        "capt",
        "sgt",
        "col",
        "lt",
        "maj",
        "st",
        "mt",
        "ft",
        "vs",
        "cf",
        "e.g",
        "i.e",
        "eg",
        "ie",
        "viz",
        "al",
        "etc",
        "approx",
        "ca",
        "no",
        "nos",
        "fig",
        "figs",
        "eq",
        "eqs",
        "sec",
        "ch",
        "chap",
        "vol",
        "pp",
        "p",
        "ed",
        "eds",
        "para",
        "art",
        "dept",
        "est",
        "ext",
        "tel",
        "min",
        "max",
        "misc",
        "incl",
        "excl",
        "inc",
        "ltd",
        "co",
        "corp",
        "bros",
        "jr",
        "sr",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "z.b",
        "d.h",
        "u.a",
        "bzw",
        "ggf",
        "nr",
        "str",
        "s",
        "ev",
        "usw",
        "abs",
        "evtl",
        "inkl",
        "zzgl",
        "m.a",
        "mme",
        "mlle",
        "sig",
        "sra",
        "av",
        "ave",
        "blvd",
        "rd",
    ]
)
# After these a capital letter still tells: "in the U.S. The law …", "Acme Inc. It …".
_MAY_END = frozenset(
    ["etc", "al", "inc", "ltd", "co", "corp", "jr", "sr", "p.m", "a.m", "u.s", "u.k", "e.u", "st", "usw"]
)
_STARTERS = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "he",
        "she",
        "they",
        "we",
        "you",
        "i",
        "in",
        "on",
        "at",
        "for",
        "from",
        "by",
        "as",
        "if",
        "when",
        "while",
        "after",
        "before",
        "since",
        "however",
        "but",
        "and",
        "or",
        "so",
        "there",
        "here",
        "our",
        "your",
        "his",
        "her",
        "their",
        "to",
        "with",
        "no",
        "not",
        "also",
        "another",
        "some",
        "all",
        "each",
        "both",
        "one",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "es",
        "er",
        "sie",
        "wir",
        "le",
        "la",
        "les",
        "un",
        "une",
        "il",
        "elle",
        "nous",
        "vous",
        "el",
        "los",
        "las",
    ]
)


def trim(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends; empty at `end` when there is nothing else."""
    body = text[start:end]
    stripped = body.lstrip()
    if not stripped:
        return end, end
    return end - len(stripped), start + len(body.rstrip())


def sentence_spans(text: str) -> list[Span]:
    """The sentences of a paragraph, trimmed; together they hold its every non-space character.

    Decimals, URLs, abbreviations, initials and numbering do not end a sentence.
    """
    cuts = sorted(
        {match.end() for match in _END.finditer(text) if _ends_sentence(text, match)}
        | {match.end() for match in _BREAK.finditer(text)}
    )
    spans: list[Span] = []
    start = 0
    for cut in [*cuts, len(text)]:
        begin, end = trim(text, start, cut)
        if begin < end:
            spans.append((begin, end))
        start = cut
    return spans


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    following = _next_word(text, match.end())
    if following[:1].islower():
        return mark[-1] in "?!。！？｡"  # Not: “Really?” she asked.
    if mark[0] != ".":
        return True
    if mark.startswith(".."):
        return True
    return _may_end_with_dot(text, match.start(), following)


def _may_end_with_dot(text: str, dot: int, following: str) -> bool:
    before = text[max(0, dot - 40) : dot].rstrip("\\")
    word = _last_word(before)
    if dot < 40 and _NUMBERING.match(before):
        return False
    bare = word.lower().strip("-'’")
    starts_anew = following.lower() in _STARTERS and following[:1].isupper()
    if bare in _ABBREVIATIONS or _ACRONYM.match(word):
        return starts_anew and (bare in _MAY_END or _ACRONYM.match(word) is not None)
    if len(word) == 1 and word.isupper():  # An initial: "J. Smith"; but "vitamin C. The …".
        return starts_anew
    return True


def _last_word(before: str) -> str:
    match = _LAST_WORD.search(before)
    return match.group().lstrip(".") if match else ""


def _next_word(text: str, position: int) -> str:
    opening = _OPENING.match(text, position)
    begin = opening.end() if opening else position
    word = re.compile(r"\w*").match(text, begin)
    return word.group() if word else ""
