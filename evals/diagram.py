"""A reliability diagram as an SVG: how often it was so, against how sure it was said to be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from concierge.knowledge.metrics import Reliability

SIZE = 420
MARGIN = 48
Scale = Callable[[float], float]
INK, BAR, IDEAL = "#1f2a37", "#2f7f79", "#b9c2cc"


@dataclass(frozen=True, slots=True)
class Wording:
    """What the rows and the two axes of a reliability diagram are called."""

    rows: str
    said: str
    true: str


QUESTIONS = Wording("questions", "support as said", "answerable in truth")
MESSAGES = Wording("messages", "confidence as said", "right in truth")


def reliability_svg(
    title: str, bins: Sequence[Reliability], error: float, wording: Wording = QUESTIONS
) -> str:
    """Bars on the diagonal are what a calibrated score gives; a bar's width in ink is its share of all rows."""
    total = sum(own.rows for own in bins) or 1
    inner = SIZE - 2 * MARGIN

    def x(value: float) -> float:
        return MARGIN + value * inner

    def y(value: float) -> float:
        return SIZE - MARGIN - value * inner

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" font-size="11" fill="{INK}">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<text x="{MARGIN}" y="22" font-size="14">{title}</text>',
        f'<text x="{MARGIN}" y="38">expected calibration error {error:.3f}, {total:,} {wording.rows}</text>',
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="{IDEAL}" stroke-dasharray="4 3"/>',
    ]
    for own in bins:
        width = x(own.upper) - x(own.lower) - 4
        opacity = 0.25 + 0.75 * min(1.0, own.rows / total * len(bins) / 2)
        parts.append(
            f'<rect x="{x(own.lower) + 2:.1f}" y="{y(own.true):.1f}" width="{width:.1f}" '
            f'height="{y(0) - y(own.true):.1f}" fill="{BAR}" fill-opacity="{opacity:.2f}"/>'
        )
        parts.append(f'<circle cx="{x(own.said):.1f}" cy="{y(own.true):.1f}" r="3"/>')
    parts += [_axis(x, y, mark / 5) for mark in range(6)]
    parts.append(f'<text x="{SIZE / 2}" y="{SIZE - 8}" text-anchor="middle">{wording.said}</text>')
    parts.append(
        f'<text transform="translate(14 {SIZE / 2}) rotate(-90)" text-anchor="middle">{wording.true}</text>'
    )
    return "\n".join([*parts, "</svg>\n"])


def confusion_svg(title: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Rows are what people said, columns what was read; the ink of a cell is its share of its row."""
    cell, left, top = 52, 140, 150
    width, height = left + cell * len(labels) + 20, top + cell * len(labels) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="20" y="22" font-size="14">{title}</text>',
        '<text x="20" y="38">rows: what people said; columns: what was read</text>',
    ]
    for row, (label, own) in enumerate(zip(labels, counts, strict=True)):
        y = top + row * cell
        parts.append(f'<text x="{left - 8}" y="{y + cell / 2 + 4}" text-anchor="end">{label}</text>')
        parts.append(
            f'<text transform="translate({left + row * cell + cell / 2 + 4} {top - 8}) rotate(-60)">{label}</text>'
        )
        for column, count in enumerate(own):
            x, share = left + column * cell, count / max(1, sum(own))
            parts.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="{cell - 2}" fill="{BAR}" '
                f'fill-opacity="{0.04 + 0.8 * share:.2f}"/>'
            )
            parts.append(
                f'<text x="{x + cell / 2}" y="{y + cell / 2 + 4}" text-anchor="middle">{count:,}</text>'
            )
    return "\n".join([*parts, "</svg>\n"])


def _axis(x: Scale, y: Scale, value: float) -> str:
    return (
        f'<text x="{x(value):.1f}" y="{y(0) + 16:.1f}" text-anchor="middle">{value:.1f}</text>'
        f'<text x="{x(0) - 8:.1f}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>'
    )
