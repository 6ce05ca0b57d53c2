"""The curves of a run, each with a sentence on how to read it.

Drawn as SVG: once a second a picture takes the place of another, and nothing flickers or jumps. It is shown
as an image, which can't see the page's colours, so it is told whether they are dark.
"""

from __future__ import annotations

import math
from base64 import b64encode
from bisect import bisect_left
from html import escape
from typing import NamedTuple

import streamlit as st

from genlab.app.following import Curves
from genlab.app.style import BLUE, GREEN, ON_DARK, ORANGE

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 466, 112, 42, 10, 6, 18  # px; the margins hold the labels
DASHES = (("", "solid"), ("7 3", "dashed"))  # lines differ in more than their colour


class Line(NamedTuple):
    key: str
    label: str
    colour: str


class Chart(NamedTuple):
    title: str
    unit: str
    lines: tuple[Line, ...]
    sentence: str
    rule: float | None = None  # a level to compare with


CHARTS = (
    Chart(
        "ELBO", "nats per image", (Line("elbo", "now", BLUE),),
        "How well the model explains an image: it should rise, fast at first.",
    ),
    Chart(
        "Reconstruction", "nats per image", (Line("reconstruction", "now", ORANGE),),
        "What is lost between an image and its decoded code. It should fall.",
    ),
    Chart(
        "KL", "nats per image", (Line("kl", "now", GREEN),),
        "How much a code says about its image; at 0, codes are ignored.",
    ),
    Chart(
        "Losses", "nats", (Line("discriminator_loss", "D", BLUE), Line("generator_loss", "G", ORANGE)),
        "Level curves are a fair game: neither should win, falling is not the aim.",
    ),
    Chart(
        "D is right", "share of images", (Line("accuracy", "now", GREEN),),
        "At 0.5 D guesses, for G deceives it; close to 1, G learns little from it.", 0.5,
    ),
    Chart(
        "D’s scores", "logits", (Line("real_logit", "real", BLUE), Line("fake_logit", "generated", ORANGE)),
        "Real above generated, but not by ever more: both stay in the game.",
    ),
)  # fmt: skip


def draw(curves: Curves, steps: int) -> None:
    """Every chart that the run has the numbers for, over 0 to `steps`."""
    for chart in CHARTS:
        lines = [line for line in chart.lines if line.key in curves.raw]
        if lines:
            st.html(markup(chart, lines, curves, steps, st.context.theme.type == "dark"))


def markup(chart: Chart, lines: list[Line], curves: Curves, steps: int, dark: bool) -> str:
    """Title, newest values, picture and sentence as HTML."""
    values = "".join(
        f'<span class="value"><i style="border-top:3px {DASHES[i][1]} {colour(line, dark)}"></i> '
        f"{line.label} <b>{number(curves.memory[line.key])}</b></span>"
        for i, line in enumerate(lines)
    )
    said = ", ".join(f"{line.label} {number(curves.memory[line.key])}" for line in lines)
    alt = escape(f"{chart.title} in {chart.unit} over the steps up to {curves.steps[-1]} of {steps}: {said}")
    source = b64encode(picture(chart, lines, curves, steps, dark).encode()).decode()
    return (
        f'<div class="chart"><div><b>{chart.title}</b> <small>{chart.unit}</small>{values}</div>'
        f'<img src="data:image/svg+xml;base64,{source}" alt="{alt}"><p>{chart.sentence}</p></div>'
    )


def picture(chart: Chart, lines: list[Line], curves: Curves, steps: int, dark: bool) -> str:
    """The SVG: grid, labels, and each line twice, faint as logged and strong as smoothed."""
    low, high, ticks = scale(curves, lines, chart.rule)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / max(steps, 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    field = f'x="{LEFT}" y="{TOP - 2}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM + 4}"'
    parts = [f'<clipPath id="field"><rect {field}/></clipPath>']
    parts += [grid(y(tick), number(tick)) for tick in ticks]
    parts += [
        f'<text x="{x(step):.0f}" y="{HEIGHT - 3}" text-anchor="{anchor}">{label}</text>'
        for step, anchor, label in (
            (0, "start", "step 0"),
            (steps / 2, "middle", f"{steps // 2:,}"),
            (steps, "end", f"{steps:,}"),
        )
    ]
    if chart.rule is not None:
        parts.append(level(y(chart.rule), 'stroke-opacity=".6" stroke-dasharray="3 3"'))
    for i, line in enumerate(lines):
        for series, width, opacity in ((curves.raw, 1.0, 0.35), (curves.smooth, 2.2, 1.0)):
            points = [f"{x(s):.1f} {y(v):.1f}" for s, v in zip(curves.steps, series[line.key], strict=False)]
            path = "M" + "L".join(points)
            parts.append(stroke(line, i, path, width, opacity, dark))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="11" '
        f'font-family="sans-serif" color="{"#fff" if dark else "#000"}" fill="currentColor" '
        f'fill-opacity=".72">{"".join(parts)}</svg>'
    )


def stroke(line: Line, index: int, path: str, width: float, opacity: float, dark: bool) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour(line, dark)}" stroke-width="{width}" '
        f'opacity="{opacity}" stroke-linejoin="round" clip-path="url(#field)" '
        f'stroke-dasharray="{DASHES[index][0]}"/>'
    )


def colour(line: Line, dark: bool) -> str:
    return ON_DARK.get(line.colour, line.colour) if dark else line.colour


def grid(height: float, label: str) -> str:
    text = f'<text x="{LEFT - 6}" y="{height + 3.5:.1f}" text-anchor="end">{label}</text>'
    return level(height, 'stroke-opacity=".14"') + text


def level(height: float, look: str) -> str:
    return f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="currentColor" {look}/>'


def scale(curves: Curves, lines: list[Line], rule: float | None) -> tuple[float, float, list[float]]:
    """Bounds and round ticks for the smoothed curves after the first tenth of the steps: their plunge would
    leave the rest a flat line."""
    first = bisect_left(curves.steps, curves.steps[-1] / 10)
    values = [v for line in lines for v in curves.smooth[line.key][first:]]
    values += [] if rule is None else [rule]
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - margin, high + margin
    power = 10 ** math.floor(math.log10((high - low) / 2))
    grain = next(power * m for m in (1, 2, 5, 10) if power * m * 3 >= high - low)
    bottom, top = math.floor(low / grain), math.ceil(high / grain)
    return bottom * grain, top * grain, [grain * i for i in range(bottom, top + 1)]


def number(value: float) -> str:
    """Four digits, with a minus that is as wide as a plus."""
    return f"{value + 0.0:.4g}".replace("-", "−")
