"""Markdown as people write it (front matter, HTML, JSX, links) into the plain Markdown that passages are made of."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final, cast

import yaml

from concierge.kit.text import normalize
from concierge.knowledge.parsing.document import Extracted
from concierge.knowledge.parsing.markup import CODE_SPAN, QUESTION_MARK, without_markup

_FRONT_MATTER: Final = re.compile(
    r"\A\s*(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
_PLAIN_FIELD: Final = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*[:=][ \t]*(.+?)[ \t]*$", re.MULTILINE)
_FENCED: Final = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[^\n`]*\n.*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_MODULE_LINES: Final = re.compile(
    r"^(?:import[ \t][^\n;]{0,200}?(?:\{[^}]{0,2000}\}[^\n;]*?)?from[ \t]+['\"][^'\"\n]+['\"];?|import[ \t]+['\"][^'\"\n]+['\"];?"
    r"|export[ \t]+(?:const|default)[ \t][^\n]*)[ \t]*$",
    re.MULTILINE,
)
_ADMONITION: Final = re.compile(
    r"^[ \t]*:::+[ \t]*(?:[a-z]+)?[ \t]*(?:\[([^\]\n]+)\]|(?:\{[^}\n]*\})?([^\n]*))$", re.MULTILINE
)
_ALERT: Final = re.compile(r"^(>[ \t]*)\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*\n", re.MULTILINE)
_HEADING_ID: Final = re.compile(r"(?<![ \t])[ \t]*+\{#[\w:.-]+\}[ \t]*$", re.MULTILINE)
_HEADING: Final = re.compile(r"^ {0,3}(#{1,6})[ \t]++(\S[^\n]*)$", re.MULTILINE)
_UNDERLINED: Final = re.compile(r"^ {0,3}(?![-=*+#>|\s])(\S[^\n]*)\n {0,3}(={3,}|-{3,})[ \t]*$", re.MULTILINE)
_BULLET: Final = re.compile(r"^([ \t]*)[*+•][ \t]+", re.MULTILINE)
_IMAGE: Final = re.compile(r"!\[[^\]\n]{0,500}\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\])")
_LINK: Final = re.compile(
    r"(?<!\\)\[((?:[^\[\]\n]|\n(?!\s*\n)|\[[^\[\]\n]*\])+)\]\(\s*<?([^()\s>]*(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+[\"'][^)\n]*)?\s*\)"
)
_REFERENCE_LINK: Final = re.compile(r"(?<!\\)\[([^\[\]\n]+)\]\[[^\[\]\n]*\]")
_REFERENCE: Final = re.compile(r"^ {0,3}\[[^\]\n^]+\]:[ \t]+\S+[^\n]*$", re.MULTILINE)
_EMPTY_LINK: Final = re.compile(r"\[\s*\]\([^()\n]*\)")
_SPACE_EXPRESSION: Final = re.compile(r"\{\s*([\"'])\s\1\s*\}")
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:)[^\s<>]+)>")
_STRONG: Final = re.compile(
    r"(?<![\w*\\])(\*\*\*|\*\*)(?=\S)([^*\n]+?)(?<=\S)\1(?![*])|(?<![\w\\])(__)(?=\S)([^_\n]+?)(?<=\S)__(?!\w)"
)
_EMPHASIS: Final = re.compile(
    r"(?<![\w*\\])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])|(?<![\w\\])_(?=[^\s_])([^_\n]+?)(?<=[^\s_])_(?!\w)"
)
_ESCAPE: Final = re.compile(r"\\([\\`*_{}\[\]()#+.!<>~$&:-])")
_HIDDEN: Final = re.compile(r"\0(\d+)\0")
# Link texts that mean nothing without the address behind them.
_BARE_TEXTS: Final = frozenset(
    {"here", "this", "link", "this link", "click here", "this page", "read more", "more"}
)

_TITLE_FIELDS: Final = ("title", "sidebar_label", "name")
_URL_FIELDS: Final = ("url", "canonical_url", "canonical", "permalink", "source_url", "source", "link")
_PUBLISHED_FIELDS: Final = ("date", "published", "published_at", "pubdate", "created", "created_at")
_MODIFIED_FIELDS: Final = (
    "lastmod",
    "last_modified",
    "updated",
    "updated_at",
    "last_updated",
    "modified",
    "last_update",
)
_LANGUAGE_FIELDS: Final = ("language", "lang", "locale")


def read(data: bytes, _media_type: str) -> Extracted:
    """`data` is UTF-8. Nothing in it can make this fail: what is no Markdown is text."""
    return read_text(data.decode())


def read_text(source: str) -> Extracted:
    """As `read`, for text."""
    source = normalize(source)
    fields, body = front_matter(source)
    text = clean(body)
    url = _field(fields, _URL_FIELDS)
    return Extracted(
        text=text,
        title=_field(fields, _TITLE_FIELDS) or first_heading(text),
        url=url if url and url.startswith(("https://", "http://")) else None,
        language=_field(fields, _LANGUAGE_FIELDS),
        published=_field(fields, _PUBLISHED_FIELDS),
        modified=_field(fields, _MODIFIED_FIELDS),
    )


def front_matter(source: str) -> tuple[Mapping[str, str], str]:
    """The scalar fields (names in lower case) of YAML or TOML front matter, and what follows it."""
    found = _FRONT_MATTER.match(source)
    if found is None:
        return {}, source
    fields = _yaml_fields(found[2]) if found[1] == "---" else None
    if fields is None:
        # TOML, or YAML with a slip such as an unquoted colon in a title.
        fields = {name.lower(): value.strip("\"'") for name, value in _PLAIN_FIELD.findall(found[2])}
        if not fields:
            return {}, source
    return fields, source[found.end() :]


def _yaml_fields(block: str) -> Mapping[str, str] | None:
    try:
        loaded: object = yaml.safe_load(block)
        if not isinstance(loaded, dict):
            return None
        mapping = cast("dict[object, object]", loaded)
        return {
            str(name).lower(): value.isoformat() if isinstance(value, date) else str(value).strip()
            for name, value in mapping.items()
            if isinstance(value, str | int | float | date) and not isinstance(value, bool)
        }
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _field(fields: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((fields[name] for name in names if fields.get(name)), None)


def tidy(extracted: Extracted) -> Extracted:
    """What the readers of other formats write as Markdown, in the same plain form."""
    text = clean(normalize(extracted.text))
    return replace(extracted, text=text, title=extracted.title or first_heading(text))


def first_heading(text: str) -> str | None:
    """The first heading of the highest rank."""
    headings = [
        (len(found[1]), -index, _heading_text(found))
        for index, found in enumerate(_HEADING.finditer(outside_code(text)))
    ]
    best = min(headings, key=lambda heading: (heading[0], -heading[1]), default=None)
    return best[2].replace("`", "").strip() or None if best else None


def _heading_text(found: re.Match[str]) -> str:
    """Without the number signs that may close a heading."""
    return re.sub(r"(?<![ \t])[ \t]++#++\Z", "", found[2].rstrip())


def outside_code(text: str) -> str:
    return _FENCED.sub("", text)


def clean(body: str) -> str:
    """Fenced code stays as it is; everything else loses tags, link targets, images and emphasis marks."""
    return _with_question_headings(_around(_FENCED, body, _clean_prose))


def _with_question_headings(text: str) -> str:
    """A question on a fold-out becomes a heading one below the last, so that its answer is found under it."""
    if QUESTION_MARK not in text:
        return text
    lines, level, fence = text.split("\n"), 1, ""
    for index, line in enumerate(lines):
        start = line.lstrip()[:3]
        if start in {"```", "~~~"} and fence in {"", start}:
            fence = "" if fence else start
        elif not fence and (found := _HEADING.match(line)):
            level = len(found[1])
        elif line.startswith(QUESTION_MARK):
            lines[index] = f"{'#' * min(level + 1, 6)} {line.removeprefix(QUESTION_MARK).strip()}"
    return "\n".join(lines)


def _around(kept: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """`change` applied to everything between the matches of `kept`."""
    parts: list[str] = []
    at = 0
    for found in kept.finditer(text):
        parts += (change(text[at : found.start()]), found[0])
        at = found.end()
    return "".join([*parts, change(text[at:])])


def _with_code_hidden(text: str, change: Callable[[str], str]) -> str:
    """`change` applied while numbers between NULs, which no normalised text contains, stand for the code spans."""
    spans: list[str] = []

    def hide(found: re.Match[str]) -> str:
        spans.append(found[0])
        return f"\0{len(spans) - 1}\0"

    changed = change(CODE_SPAN.sub(hide, text.replace("\0", "")))
    return _HIDDEN.sub(lambda found: spans[int(found[1])], changed)


def _clean_prose(text: str) -> str:
    text = _MODULE_LINES.sub("", text)
    text = _AUTOLINK.sub(r"\1", text)
    text = _SPACE_EXPRESSION.sub(" ", text)
    text = without_markup(text)
    text = _ADMONITION.sub(_admonition, text)
    text = _ALERT.sub("", text)
    text = _HEADING_ID.sub("", text)
    text = _with_code_hidden(text, _clean_inline)
    text = _UNDERLINED.sub(lambda found: f"{'#' if found[2][0] == '=' else '##'} {found[1]}", text)
    text = _HEADING.sub(lambda found: f"{found[1]} {_heading_text(found)}", text)
    return _BULLET.sub(r"\1- ", text)


def _admonition(found: re.Match[str]) -> str:
    title = (found[1] or found[2] or "").strip()
    return f"**{title}**\n" if title else ""


def _clean_inline(text: str) -> str:
    text = _IMAGE.sub("", text)
    text = _EMPTY_LINK.sub("", text)
    text = _LINK.sub(_link_text, text)
    text = _REFERENCE.sub("", text)
    text = _REFERENCE_LINK.sub(r"\1", text)
    text = _STRONG.sub(lambda found: found[2] or found[4], text)
    text = _EMPHASIS.sub(lambda found: found[1] or found[2], text)
    return _ESCAPE.sub(r"\1", text)


def _link_text(found: re.Match[str]) -> str:
    text, target = found[1].strip(), found[2]
    if target.startswith("mailto:") and target.removeprefix("mailto:").lower() not in text.lower():
        return f"{text} ({target.removeprefix('mailto:').partition('?')[0]})"
    if target.startswith(("http://", "https://")) and text.strip("*_ .").lower() in _BARE_TEXTS:
        return f"{text} ({target})"
    return text
