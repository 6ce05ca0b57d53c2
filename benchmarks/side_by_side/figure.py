"""The figure of `peers.py`: every pair's ratio as a dot, its median as a bar, the goal and the peer's own
speed as lines; an SVG of plain text on a ground of its own, so that it reads alike on light and dark
pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from side_by_side.catalogue import NETWORKS
from side_by_side.ratios import Measurement, by_pair, quotients, spread

LEFT, RIGHT, TOP, ROW, PLOT, BOTTOM = 190, 30, 82, 30, 520, 70  # px
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe & Ito (2008)
INK, FRAME, FAINT = "#333333", "#999999", "#e5e5e5"

Across = Callable[[float], float]

# (side, setting) -> colour, mark, words; marks differ, so that colour need not be seen
ARMS = {
    ("ours", "ours"): (BLUE, "circle", "with our settings, on both sides"),
    ("ours", "plain"): (VERMILION, "square", "without them"),
    ("compiled", "ours"): (GREEN, "diamond", "ours --compile, with settings"),
    ("compiled", "plain"): (INK, "cross", "ours --compile, without"),
}
MARKS = {
    "circle": '<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{c}" fill-opacity="0.65"/>',
    "square": '<path d="M{x:.1f} {y:.1f}m-4 -4h8v8h-8z" fill="#ffffff" stroke="{c}" stroke-width="1.6"/>',
    "diamond": '<path d="M{x:.1f} {y:.1f}m0 -5l5 5l-5 5l-5 -5z" fill="{c}" fill-opacity="0.65"/>',
    "cross": '<path d="M{x:.1f} {y:.1f}m-4 -4l8 8m-8 0l8 -8" stroke="{c}" stroke-width="1.8" fill="none"/>',
}


def arms(rows: Sequence[Measurement]) -> dict[str, dict[tuple[str, str], list[float]]]:
    """network -> (side, setting) -> a ratio for each pair; only what was measured."""
    found: dict[str, dict[tuple[str, str], list[float]]] = {}
    for name in NETWORKS:
        for side, setting in ARMS:
            keys = {"network": name, "setting": setting}
            peers = by_pair(rows, "images_per_second", side="peer", **keys)
            ratios = quotients(by_pair(rows, "images_per_second", side=side, **keys), peers)
            if ratios:
                found.setdefault(name, {})[side, setting] = ratios
    return found


def figure(rows: Sequence[Measurement]) -> str:
    """One band for each network, one row in it for each arm."""
    drawn = arms(rows)
    used = [arm for arm in ARMS if any(arm in each for each in drawn.values())]
    lines = sum(len(each) for each in drawn.values())
    goals = [goal for name in drawn for goal in (NETWORKS[name].goal, NETWORKS[name].compiled_goal) if goal]
    far = max([1.0, *goals, *(value for each in drawn.values() for some in each.values() for value in some)])
    limit = math.ceil(far + 0.25)
    width, bottom = LEFT + PLOT + RIGHT, TOP + ROW * lines
    height = bottom + BOTTOM

    def across(value: float) -> float:
        return LEFT + value / limit * PLOT

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{title(rows)}</text>',
        *legend(used),
        *axis(limit, across, bottom),
    ]
    top = TOP
    for name, each in drawn.items():
        parts += band(name, each, top, across)
        top += ROW * len(each)
    return "\n".join([*parts, "</svg>", ""])


def title(rows: Sequence[Measurement]) -> str:
    busy = ", beside one busy core" if rows and rows[0]["busy"] else ""
    return escape(f"Images a second of ours for one of the peer's, same network{busy}")


def axis(limit: int, across: Across, bottom: int) -> list[str]:
    parts = []
    for tick in range(limit + 1):
        x = across(tick)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom + 4}" stroke="{FAINT}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle" font-size="11">{tick}×</text>'
        )
    x = across(1)
    parts.append(f'<path d="M{x:.1f} {TOP - 4}V{bottom + 4}" stroke="{INK}" stroke-dasharray="5 3"/>')
    parts.append(
        f'<text x="{LEFT}" y="{bottom + 44}" font-size="11">dashed: as fast as the peer; '
        "dotted, with a triangle: the goal; a dot is one pair, a bar the median</text>"
    )
    return parts


def band(name: str, each: dict[tuple[str, str], list[float]], top: int, across: Across) -> list[str]:
    """The network's name, its goals, and a row of marks for each arm."""
    network, height = NETWORKS[name], ROW * len(each)
    parts = [
        f'<path d="M{LEFT - 180} {top}H{LEFT + PLOT}" stroke="{FRAME}" stroke-width="0.5"/>',
        f'<text x="{LEFT - 12}" y="{top + height / 2 + 4:.1f}" text-anchor="end">'
        f"{escape(network.label)}</text>",
    ]
    wanted = {"ours": network.goal, "compiled": network.compiled_goal}
    for row, (arm, values) in enumerate(each.items()):
        colour, mark, _ = ARMS[arm]
        y, goal = top + ROW * (row + 0.5), wanted[arm[0]]
        if goal:
            x = across(goal)
            parts.append(
                f'<path d="M{x:.1f} {y - ROW / 2 + 2:.1f}V{y + ROW / 2 - 2:.1f}" stroke="{INK}" '
                'stroke-width="1.6" stroke-dasharray="2 2"/>'
            )
            parts.append(f'<path d="M{x:.1f} {y - ROW / 2 + 7:.1f}l-4 -6h8z" fill="{INK}"/>')
        parts += [MARKS[mark].format(x=across(value), y=y, c=colour) for value in values]
        x = across(spread(values).median)
        parts.append(f'<path d="M{x:.1f} {y - 9:.1f}v18" stroke="{colour}" stroke-width="3"/>')
    return parts


def legend(used: list[tuple[str, str]]) -> list[str]:
    """Two to a line."""
    parts = []
    for index, arm in enumerate(used):
        colour, mark, words = ARMS[arm]
        x, y = LEFT + 6 + PLOT / 2 * (index % 2), 42 + 18 * (index // 2)
        parts.append(MARKS[mark].format(x=x, y=y, c=colour))
        parts.append(f'<text x="{x + 12}" y="{y + 4}" font-size="12">{escape(words)}</text>')
    return parts
