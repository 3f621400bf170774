"""Sets the chosen parts on the page: sentences as prose, lists as lists, steps numbered, rows as "Column: value"."""

import re
from collections.abc import Sequence

from concierge.chat.writers.choice import Part, reads_alone
from concierge.chat.writers.citations import Citations, marked
from concierge.chat.writers.markup import is_question, plain
from concierge.chat.writers.repair import capital
from concierge.chat.writers.selection import expectation_of
from concierge.chat.writers.structure import Unit
from concierge.knowledge.lexical import terms
from concierge.knowledge.schemas import Passage

# Names of days and months keep their capital in the middle of a sentence.
_CALENDAR = re.compile(
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|"
    r"September|October|November|December)\b"
)
LONGEST_NAME = 5  # Words; a longer title is a headline, not the name of the thing a row describes.
_PLAIN_COLUMNS = {
    "",
    "value",
    "values",
    "details",
    "detail",
    "description",
    "answer",
    "feature",
    "property",
    "item",
    "specification",
}
_ENDS = re.compile(r"[.!?…][\"”’)]*$")


def set_out(parts: Sequence[Part], question: str, citations: Citations) -> tuple[str, ...]:
    """The text of the answer in pieces that join to it, one for each sentence or line, in the order they are said."""
    pieces: list[str] = []
    previous: Part | None = None
    for part in parts:
        lines = _LAYOUTS[part.shape](part, question, citations)
        glue = _glue(previous, part)
        pieces.extend((glue if index == 0 else "\n") + line for index, line in enumerate(lines))
        previous = part
    return tuple(pieces)


def _glue(previous: Part | None, part: Part) -> str:
    if previous is None:
        return ""
    return " " if previous.is_prose and part.is_prose else "\n\n"


def _sentence(part: Part, _question: str, citations: Citations) -> list[str]:
    unit, standing = part.units[0], part.standings[0]
    text = capital(standing.text)
    said = marked(text, *citations.marks(unit, text, standing))
    asks = part.lead is not None and is_question(part.lead.text)
    if unit.kind in {"item", "step"} and part.lead and not asks and not reads_alone(text):
        return [f"{_introduction(part.lead, citations)} {said}"]
    title = plain(citations.passages[unit.passage].title)
    if standing.needs_previous and _opens_dangling(text) and 1 <= len(title.split()) <= LONGEST_NAME:
        return [f"{title}: {said}"]
    return [said]


def _opens_dangling(text: str) -> bool:
    return text.startswith(("It ", "Its ", "It’", "It'", "They ", "Their "))


def _introduction(lead: Unit, citations: Citations) -> str:
    """What stands before a list: a heading as it is, a sentence (or any number) with its mark."""
    text = capital(lead_in(lead))
    if lead.kind == "heading" and not any(letter.isdigit() for letter in text):
        return text
    return f"{text[:-1]} [{citations.cite(lead, text)}]:"


def lead_in(unit: Unit) -> str:
    """A heading or an introducing sentence as a lead-in: "Returns:"."""
    return unit.text.rstrip(" :.") + ":"


def _items(part: Part, _question: str, citations: Citations) -> list[str]:
    lines = [_introduction(part.lead, citations)] if part.lead else []
    shallow = min(unit.depth for unit in part.units)
    count = 0
    for unit in part.units:
        text = capital(unit.text)
        indent = "  " * (unit.depth - shallow)
        bullet = "-"
        if part.shape == "steps" and unit.kind == "step" and unit.depth == shallow:
            count += 1
            bullet = f"{count}."
        number = citations.cite(unit, text)
        lines.append(
            f"{indent}{bullet} {marked(text, number) if _ENDS.search(text) else f'{text} [{number}]'}"
        )
    if part.lead:
        return [f"{lines[0]}\n{lines[1]}", *lines[2:]] if len(lines) > 1 else lines
    return lines


def _code(part: Part, _question: str, citations: Citations) -> list[str]:
    unit = part.units[0]
    passage = citations.passages[unit.passage]
    text = passage.text[unit.start - passage.start : unit.end - passage.start]
    fence = text if text.rstrip().endswith(("```", "~~~")) else f"{text.rstrip()}\n```"
    lead = f"{_introduction(part.lead, citations)}\n\n" if part.lead else ""
    return [f"{lead}{fence}\n[{citations.cite(unit, text)}]"]


def _rows(part: Part, question: str, citations: Citations) -> list[str]:
    first, several = part.units[0], len(part.units) > 1
    passage = citations.passages[first.passage]
    if several and len(first.cells) > 2 and any(first.header):
        return _table(part, citations)
    name = subject_name(passage, first)
    if not several:
        return [marked(row_sentence(first, name, question), *citations.marks(first, _cells(first)))]
    lines = [
        f"{name}:" if name else _introduction(part.lead, citations) if part.lead else f"{passage.title}:"
    ]
    lines += [f"- {row_sentence(unit, '', question)} [{_cite_row(unit, citations)}]" for unit in part.units]
    return [f"{lines[0]}\n{lines[1]}", *lines[2:]]


def _table(part: Part, citations: Citations) -> list[str]:
    header = part.units[0].header
    lines = [f"{_introduction(part.lead, citations)}\n\n" if part.lead else ""]
    lines[0] += f"| {' | '.join(header)} |\n|{'---|' * len(header)}"
    lines += [f"| {' | '.join(unit.cells)} [{_cite_row(unit, citations)}] |" for unit in part.units]
    return [f"{lines[0]}\n{lines[1]}", *lines[2:]]


def _cite_row(unit: Unit, citations: Citations) -> int:
    return citations.cite(unit, _cells(unit))


def _cells(unit: Unit) -> str:
    return " | ".join(unit.cells)


def subject_name(passage: Passage, unit: Unit) -> str:
    """The thing a row of properties is about: the title, when it is a short name and the first column names none."""
    # Rows of days stand under the place they are about; other rows describe what the page is about.
    of_days = bool(unit.cells and _CALENDAR.match(unit.cells[0]))
    title = plain(unit.headings[-1] if of_days and unit.headings else passage.title)
    if unit.header and unit.header[0].lower() not in _PLAIN_COLUMNS:
        return ""
    if not title or len(title.split()) > LONGEST_NAME or title.endswith(("?", ".")):
        return ""
    return "" if set(terms(" ".join(unit.cells[:1]))) & set(terms(title)) else title


def row_sentence(unit: Unit, name: str, question: str) -> str:
    """One row in words: "Palma sofa, weight: 58 kg", or "Norway: price $49; delivery time 5–7 days"."""
    key, values = "".join(unit.cells[:1]), unit.cells[1:]
    head = f"{name}, {_lower(key)}" if name else key
    pairs = [(_column(unit, index + 1, value, name), value) for index, value in enumerate(values) if value]
    wanted = _of_the_kind(pairs, question) or _by_name(pairs, question) or pairs
    return f"{head}: {'; '.join(f'{column} {value}'.strip() for column, value in wanted)}" if wanted else head


def _of_the_kind(pairs: Sequence[tuple[str, str]], question: str) -> list[tuple[str, str]]:
    """The cells that hold what kind of thing is asked for, a price or a time, where others do not."""
    expected = expectation_of(question)
    held = [pair for pair in pairs if expected and expected.search(pair[1])]
    return held if len(held) < len(pairs) else []


def _by_name(pairs: Sequence[tuple[str, str]], question: str) -> list[tuple[str, str]]:
    asked = set(terms(question))
    return [pair for pair in pairs if len(pairs) > 1 and asked & set(terms(pair[0]))]


def _column(unit: Unit, index: int, value: str, name: str) -> str:
    """The name of a column as it stands before its value; none where it would say nothing or break a sentence."""
    column = unit.header[index] if index < len(unit.header) else ""
    about_name = bool(name and set(terms(column)) & set(terms(name)))
    if column.lower() in _PLAIN_COLUMNS or about_name or (len(unit.cells) == 2 and len(value.split()) > 3):
        return ""
    return _lower(column)


def _lower(text: str) -> str:
    if _CALENDAR.match(text):
        return text
    word = text.split(" ", 1)[0]  # "MySQL" and "URL" are written so wherever they stand.
    return text[:1].lower() + text[1:] if len(text) > 1 and not any(map(str.isupper, word[1:])) else text


_LAYOUTS = {"sentence": _sentence, "list": _items, "steps": _items, "rows": _rows, "code": _code}
