"""From Markdown-like source text to words a person reads; nothing is added here, markup only falls away."""

import re

_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\((?:[^()\s]|\([^)]*\))*(?:\s+\"[^\"]*\")?\)")
_REFERENCE_LINK = re.compile(r"\[([^\]]+)\]\[[^\]]*\]")
_FOOTNOTE = re.compile(r"\s?\[(?:\d{1,3}|[a-z]|\^[\w-]+|note \d+|citation needed)\]")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<!--.*?-->", re.DOTALL)
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![\w*])|(?<![\w_])_(?=[^\s_])(.+?)(?<=[^\s_])_(?![\w_])"
)
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>&~:'\"])")
_ATTRIBUTE = re.compile(r"\{[#.:][^{}]*\}")
_LEFTOVER = re.compile(r"\*\*|__(?=\s|$)")
_SPACE = re.compile(r"\s+")
_TIGHT = re.compile(r"\s+([,.;:!?])(?=\s|$)")
_NEEDS_WORK = re.compile(r"[\[\]<>*_\\{}]")


def plain(text: str) -> str:
    """The text without link, emphasis and anchor markup, footnote marks and line breaks. Inline code keeps its ticks."""
    if _NEEDS_WORK.search(text):
        text = _IMAGE.sub("", text)
        text = _LINK.sub(r"\1", text)
        text = _FOOTNOTE.sub("", text)
        text = _REFERENCE_LINK.sub(r"\1", text)
        text = _TAG.sub("", text)
        text = _STRONG.sub(r"\2", text)
        text = _EMPHASIS.sub(lambda found: found[1] or found[2], text)
        text = _ESCAPE.sub(r"\1", text)
        text = _ATTRIBUTE.sub("", text)
        text = _LEFTOVER.sub("", text)
    return _TIGHT.sub(r"\1", _SPACE.sub(" ", text)).strip()


def heading_text(line: str) -> str:
    """The words of a heading line: without marks, closing marks and a trailing colon."""
    return plain(line.strip().lstrip("#").rstrip("#")).rstrip(":").strip()


def is_question(text: str) -> bool:
    return text.rstrip(" \"”'’)*_").endswith("?")
