"""The figure of `mixtures.py`: where the samples of each method lie, as an SVG of plain text."""

from __future__ import annotations

from html import escape
from typing import Any

import torch
from torch import Tensor

from genlab.data.mixtures import MIXTURES, Mixture
from genlab.metrics.modes import RADIUS
from genlab.randomness import generator

SIDE, GAP, LEFT, TOP = 210, 26, 56, 46  # px: of a panel, between panels, before the first
LIMITS = {"ring": 1.5, "grid": 5.5}
TICKS = {"ring": (-1, 0, 1), "grid": (-4, -2, 0, 2, 4)}
NEAR, FAR, MISSED = "#0072B2", "#D55E00", "#000000"  # Okabe & Ito (2008): told apart by every kind of eye
INK, FRAME = "#333333", "#999999"


def figure(rows: list[dict[str, Any]], labels: dict[str, str]) -> str:
    """One row of panels for each data set, one column for real points and each method of `labels`."""
    data = [name for name in MIXTURES if any(row["data"] == name and row["points"] for row in rows)]
    drawn = {(row["data"], row["method"]): torch.tensor(row["points"]) for row in rows if row["points"]}
    methods = [key for key in labels if any(key == method for _, method in drawn)]
    width = LEFT + (len(methods) + 1) * (SIDE + GAP)
    height = TOP + len(data) * (SIDE + GAP) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for column, title in enumerate(["training points", *(labels[key] for key in methods)]):
        x = LEFT + column * (SIDE + GAP) + SIDE / 2
        parts.append(
            f'<text x="{x}" y="{TOP - 16}" text-anchor="middle" font-size="15">{escape(title)}</text>'
        )
    for row, name in enumerate(data):
        real, _ = MIXTURES[name].sample(2500, generator(0, "figure"))
        for column, points in enumerate([real, *(drawn.get((name, key)) for key in methods)]):
            if points is not None:
                corner = LEFT + column * (SIDE + GAP), TOP + row * (SIDE + GAP)
                parts += panel(points, MIXTURES[name], corner, first=column == 0)
    return "\n".join([*parts, *legend(width, height), "</svg>", ""])


def panel(points: Tensor, mixture: Mixture, corner: tuple[int, int], first: bool) -> list[str]:
    """The frame with its ticks, the samples in two colours, and a ring about each mode that was missed."""
    (left, top), limit = corner, LIMITS[mixture.name]

    def across(x: float) -> float:
        return left + (x / limit + 1) / 2 * SIDE

    def down(y: float) -> float:
        return top + (1 - y / limit) / 2 * SIDE

    def dots(some: Tensor, colour: str) -> str:
        inside = some[(some.abs() < limit).all(dim=1)].tolist()
        path = "".join(f"M{across(x):.1f} {down(y):.1f}h0" for x, y in inside)
        return (
            f'<path d="{path}" stroke="{colour}" stroke-width="2.2" stroke-linecap="round" opacity="0.55"/>'
        )

    distances, nearest = torch.cdist(points, torch.tensor(mixture.means)).min(dim=1)
    near = distances < RADIUS * mixture.deviation
    hit = set(nearest[near].tolist())
    parts = [f'<rect x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{FRAME}"/>']
    for tick in TICKS[mixture.name]:
        x, y = across(tick), down(tick)
        parts.append(f'<path d="M{x:.1f} {top + SIDE}v4M{left} {y:.1f}h-4" stroke="{FRAME}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{top + SIDE + 16}" text-anchor="middle" font-size="11">{tick}</text>'
        )
        if first:
            parts.append(
                f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="11">{tick}</text>'
            )
    if first:
        middle = top + SIDE / 2
        parts.append(
            f'<text transform="translate({left - 36} {middle}) rotate(-90)" text-anchor="middle">'
            f"{mixture.name} of {len(mixture.means)}: x₂</text>"
        )
    parts += [dots(points[~near], FAR), dots(points[near], NEAR)]
    for mode, (x, y) in enumerate(mixture.means):
        if mode not in hit:
            parts.append(
                f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="6" fill="none" stroke="{MISSED}" '
                'stroke-width="1.5"/>'
            )
    return parts


def legend(width: int, height: int) -> list[str]:
    y = height - 16
    middle = LEFT + (width - LEFT) / 2 - 310
    entries = [
        (0, f'<circle cx="{{x}}" cy="{y - 4}" r="4" fill="{NEAR}"/>', "sample within 3 σ of a mode"),
        (210, f'<circle cx="{{x}}" cy="{y - 4}" r="4" fill="{FAR}"/>', "sample between the modes"),
        (434, f'<circle cx="{{x}}" cy="{y - 4}" r="6" fill="none" stroke="{MISSED}" stroke-width="1.5"/>',
         "mode without a sample"),
    ]  # fmt: skip
    parts = [f'<text x="{LEFT + (width - LEFT - GAP) / 2}" y="{y - 22}" text-anchor="middle">x₁</text>']
    for offset, mark, text in entries:
        x = middle + offset
        parts += [mark.format(x=x), f'<text x="{x + 12}" y="{y}">{text}</text>']
    return parts
