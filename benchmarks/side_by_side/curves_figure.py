"""The figure of `curves.py`: distance against seconds, both on logarithmic scales, a line for each training;
an SVG of plain text on a ground of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

LEFT, TOP, WIDTH, HEIGHT, RIGHT, BOTTOM = 70, 44, 470, 320, 240, 56  # px
INK, FAINT = "#333333", "#e5e5e5"
# Okabe & Ito (2008), told apart by every kind of eye; and each line has a dash of its own
STYLES = [("#0072B2", ""), ("#D55E00", ""), ("#56B4E9", "7 4"), ("#E69F00", "7 4"), ("#009E73", "2 3")]
SECONDS = (0.25, 1, 3, 10, 30, 100, 300, 600)
STEPS = (1, 2, 5)

Along = Callable[[float], float]


def figure(rows: list[dict[str, Any]], labels: dict[str, tuple[str, str]], floor: tuple[str, float]) -> str:
    """`labels`: arm -> its words and its family. `floor`: the scale that is drawn, and what real images have
    on it."""
    scale, least = floor
    values = [row["fid"][scale] for row in rows]
    times = [row["seconds"] for row in rows]
    across = logarithmic(min(times) * 0.8, max(times) * 1.1, LEFT, LEFT + WIDTH)
    down = logarithmic(min([*values, least]) * 0.8, max(values) * 1.2, TOP + HEIGHT, TOP)
    total, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" width="{total}" '
        f'height="{height}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{total}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">Fréchet distance of what is drawn, '
        "by seconds of training</text>",
        *frame(across, down, (min(times), max(times)), (min([*values, least]), max(values))),
    ]
    y = down(least)
    parts.append(f'<path d="M{LEFT} {y:.1f}H{LEFT + WIDTH}" stroke="{INK}" stroke-dasharray="1 4"/>')
    parts.append(
        f'<text x="{LEFT + WIDTH + 8}" y="{y + 4:.1f}" font-size="11">real images: {least:.1f}</text>'
    )
    arms = [name for name in labels if any(row["arm"] == name for row in rows)]
    ends = []
    for name, (colour, dash) in zip(arms, STYLES, strict=False):
        for seed in sorted({row["seed"] for row in rows if row["arm"] == name}):
            mine = [row for row in rows if (row["arm"], row["seed"]) == (name, seed)]
            parts += line([(across(row["seconds"]), down(row["fid"][scale])) for row in mine], colour, dash)
        last = [row for row in rows if row["arm"] == name][-1]
        ends.append((down(last["fid"][scale]), name, colour, f"{last['fid'][scale]:.0f}"))
    for y, name, colour, value in apart(sorted(ends)):
        x, words = LEFT + WIDTH + 8, f"{labels[name][0]}: {value}"
        parts.append(
            f'<text x="{x}" y="{y + 4:.1f}" fill="{colour}" font-weight="bold">{escape(words)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def logarithmic(least: float, most: float, start: float, end: float) -> Along:
    def along(value: float) -> float:
        return start + (math.log(value) - math.log(least)) / (math.log(most) - math.log(least)) * (
            end - start
        )

    return along


def frame(
    across: Along, down: Along, times: tuple[float, float], values: tuple[float, float]
) -> Iterator[str]:
    """Ticks with their lines and words."""
    bottom = TOP + HEIGHT
    for second in SECONDS:
        if times[0] * 0.8 <= second <= times[1] * 1.1:
            x = across(second)
            yield f'<path d="M{x:.1f} {TOP}V{bottom + 4}" stroke="{FAINT}"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" font-size="11">{second:g}</text>'
    for power in range(-1, 5):
        for step in STEPS:
            tick = step * 10.0**power
            if values[0] * 0.8 <= tick <= values[1] * 1.2:
                y = down(tick)
                yield f'<path d="M{LEFT - 4} {y:.1f}H{LEFT + WIDTH}" stroke="{FAINT}"/>'
                yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="11">{tick:g}</text>'
    yield (
        f'<text x="{LEFT + WIDTH / 2}" y="{bottom + 40}" text-anchor="middle">seconds of training, '
        "drawing not counted</text>"
    )
    yield (
        f'<text transform="translate(18 {TOP + HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        "Fréchet distance to the test images</text>"
    )


def line(points: list[tuple[float, float]], colour: str, dash: str) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>']
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return parts


def apart(
    ends: list[tuple[float, str, str, str]], gap: float = 16.0
) -> Iterator[tuple[float, str, str, str]]:
    """The words at the lines' ends, moved down where they would meet."""
    above = -math.inf
    for y, *rest in ends:
        above = max(y, above + gap)
        yield (above, *rest)  # type: ignore[misc]
