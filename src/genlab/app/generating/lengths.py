"""How far from the origin a path through the latent space runs: |z| along the line and along the arc."""

from __future__ import annotations

import math
from base64 import b64encode
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app.live.curves import grid, level, number
from genlab.app.style import BLUE, ON_DARK, ORANGE

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 466, 132, 42, 10, 8, 18  # px; the margins hold the labels
LOOKS = {"line": (BLUE, "", "line"), "arc": (ORANGE, "7 3", "arc")}


def draw(curves: dict[str, NDArray[np.float32]], chosen: str, dimensions: int) -> None:
    """`curves` by way, "line" and "arc": |z| at evenly spaced points of the path; `chosen` is strong."""
    dark = st.context.theme.type == "dark"
    values = "".join(
        f'<span class="value"><i style="border-top:3px {"dashed" if dash else "solid"} '
        f'{shade(hue, dark)}"></i> {label} <b>{number(middle(curves[way]))}</b></span>'
        for way, (hue, dash, label) in LOOKS.items()
    )
    alt = escape(
        "│z│ along the path: half-way "
        + ", ".join(f"{number(middle(each))} on the {way}" for way, each in curves.items())
        + f"; √{dimensions} is {math.sqrt(dimensions):.3g}"
    )
    source = b64encode(picture(curves, chosen, dimensions, dark).encode()).decode()
    st.html(
        f'<div class="chart"><div><b>│z│ along the path</b> <small>half-way</small>{values}</div>'
        f'<img src="data:image/svg+xml;base64,{source}" alt="{alt}"></div>'
    )


def middle(curve: NDArray[np.float32]) -> float:
    return float(curve[len(curve) // 2])


def picture(curves: dict[str, NDArray[np.float32]], chosen: str, dimensions: int, dark: bool) -> str:
    """The SVG, from 0 to what holds both curves and √Z, the radius about which N(0, I) lies."""
    radius = math.sqrt(dimensions)
    high = max(radius, *(float(each.max()) for each in curves.values())) * 1.12

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / high

    parts = [grid(y(tick), number(tick)) for tick in ticks(high)]
    parts.append(level(y(radius), 'stroke-opacity=".6" stroke-dasharray="2 3"'))
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{y(radius) - 4:.1f}" text-anchor="end">√{dimensions}</text>')
    for x, anchor, words in ((LEFT, "start", "from"), (WIDTH - RIGHT, "end", "to")):
        parts.append(f'<text x="{x}" y="{HEIGHT - 3}" text-anchor="{anchor}">{words}</text>')
    for way, (hue, dash, _) in LOOKS.items():
        strong = way == chosen
        parts.append(
            f'<path d="{path(curves[way], y)}" fill="none" stroke="{shade(hue, dark)}" '
            f'stroke-width="{3 if strong else 1.6}" opacity="{1 if strong else 0.6}" '
            f'stroke-dasharray="{dash}"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="11" '
        f'font-family="sans-serif" color="{"#fff" if dark else "#000"}" fill="currentColor" '
        f'fill-opacity=".72">{"".join(parts)}</svg>'
    )


def path(curve: NDArray[np.float32], y: object) -> str:
    assert callable(y)
    span = WIDTH - LEFT - RIGHT
    points = [f"{LEFT + span * i / (len(curve) - 1):.1f} {y(float(v)):.1f}" for i, v in enumerate(curve)]
    return "M" + "L".join(points)


def ticks(high: float) -> list[float]:
    """Three or four round levels from 0."""
    grain = 10 ** math.floor(math.log10(high))
    grain = next(grain * share for share in (0.1, 0.2, 0.5, 1, 2, 5) if grain * share * 4 >= high)
    return [grain * i for i in range(int(high / grain) + 1)]


def shade(hue: str, dark: bool) -> str:
    return ON_DARK.get(hue, hue) if dark else hue
