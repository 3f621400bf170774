"""A reliability diagram as an SVG: how often it was so, against how sure it was said to be."""

from collections.abc import Callable, Sequence

from concierge.knowledge.metrics import Reliability

SIZE = 420
MARGIN = 48
Scale = Callable[[float], float]
INK, BAR, IDEAL = "#1f2a37", "#2f7f79", "#b9c2cc"


def reliability_svg(title: str, bins: Sequence[Reliability], error: float) -> str:
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
        f'<text x="{MARGIN}" y="38">expected calibration error {error:.3f}, {total:,} questions</text>',
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
    parts.append(f'<text x="{SIZE / 2}" y="{SIZE - 8}" text-anchor="middle">support as said</text>')
    parts.append(
        f'<text transform="translate(14 {SIZE / 2}) rotate(-90)" text-anchor="middle">answerable in truth</text>'
    )
    return "\n".join([*parts, "</svg>\n"])


def _axis(x: Scale, y: Scale, value: float) -> str:
    return (
        f'<text x="{x(value):.1f}" y="{y(0) + 16:.1f}" text-anchor="middle">{value:.1f}</text>'
        f'<text x="{x(0) - 8:.1f}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>'
    )
