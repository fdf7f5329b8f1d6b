"""Pictures of the results as SVG, without any library: bars with intervals, and rows of dots on a logarithmic axis."""

import math
from dataclasses import dataclass
from html import escape

WIDTH = 860
LEFT = 200  # of it, for the names
RIGHT = 90
PLOT = WIDTH - LEFT - RIGHT
ROW = 26
TOP = 56

COLOURS = ("#c2410c", "#fb923c", "#a16207", "#6b7280", "#9ca3af", "#0369a1", "#7c3aed", "#15803d", "#be185d", "#0f766e")


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    low: float
    high: float
    ours: bool = False


def text(x, y, words, anchor="start", size=12, weight="normal", colour="#1f2937"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{colour}">{escape(words)}</text>')


def picture(title, subtitle, height, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(16, 24, title, size=15, weight="bold"),
        text(16, 42, subtitle, colour="#6b7280"),
        *parts, "</svg>", ""])


def short(number):
    """Three digits are as many as mean something."""
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{number:.{digits}f}"


def bars(title, subtitle, rows):
    """Horizontal bars from 0, each with its interval as a line."""
    most = max(row.high for row in rows)
    scale = PLOT / most if most > 0 else 0
    parts = []
    for index, row in enumerate(rows):
        top = TOP + index * ROW
        middle = top + ROW / 2 - 3
        parts += [
            text(LEFT - 8, middle + 4, row.name, "end", weight="bold" if row.ours else "normal"),
            f'<rect x="{LEFT}" y="{top}" width="{max(row.value * scale, 0):.1f}" height="{ROW - 8}" '
            f'fill="{COLOURS[0] if row.ours else "#94a3b8"}"/>',
            f'<path d="M{LEFT + row.low * scale:.1f} {middle:.1f}H{LEFT + row.high * scale:.1f}" stroke="#111827"/>',
            text(LEFT + row.high * scale + 8, middle + 4, short(row.value))]
    return picture(title, subtitle, TOP + len(rows) * ROW + 12, parts)


def decades(low, high):
    """1, 2 and 5 of each power of ten within."""
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for digit in (1, 2, 5):
            if low <= digit * 10**power <= high:
                yield digit * 10.0**power


def dots(title, subtitle, names, series):
    """One row for each name; series maps what is shown to a list of values, one for each row, None where there is none."""
    present = [value for values in series.values() for value in values if value]
    low, high = min(present) / 1.2, max(present) * 1.2
    scale = PLOT / math.log(high / low)

    def across(value):
        return LEFT + math.log(value / low) * scale

    lines_of_key = -(-len(series) // 5)
    top = TOP + lines_of_key * 18
    bottom = top + len(names) * ROW
    parts = []
    for index, name in enumerate(series):
        x, y = LEFT + index % 5 * (PLOT + RIGHT) / 5, TOP + index // 5 * 18
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS[index % len(COLOURS)]}"/>',
                  text(x + 8, y + 4, name, size=11)]
    for mark in decades(low, high):
        x = across(mark)
        parts += [f'<path d="M{x:.1f} {top - 4}V{bottom}" stroke="#e5e7eb"/>',
                  text(x, bottom + 14, f"{mark:g}", "middle", 11, colour="#6b7280")]
    for row, name in enumerate(names):
        y = top + row * ROW + ROW / 2
        parts += [f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#f3f4f6"/>', text(LEFT - 8, y + 4, name, "end")]
        # Ours last, so that nothing covers it.
        for index, values in reversed(list(enumerate(series.values()))):
            if values[row]:
                parts.append(f'<circle cx="{across(values[row]):.1f}" cy="{y:.1f}" r="4.5" fill-opacity="0.85" '
                             f'fill="{COLOURS[index % len(COLOURS)]}"/>')
    return picture(title, subtitle, bottom + 28, parts)
