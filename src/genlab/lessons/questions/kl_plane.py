"""The chart of codes in a plane, with the prior's rings."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, log, pi, sin, sqrt
from typing import Any

from genlab.lessons.figures import COLOURS, beside, channel, layered
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Figure


def named(beta: str | float) -> str:
    return f"β = {float(beta):g}"


def planes(findings: Findings) -> Figure:
    charts = [(named(beta), plane(each["points"])) for beta, each in findings["plane"].items()]
    return Figure(
        "plane", "The codes of test images in a plane",
        "Each mark is a test image's posterior mean, drawn as the number of its class. The rings hold half, "
        "90 % and 99 % of N(0, I); each chart has a scale of its own, and the outermost codes are left out. "
        "One seed.", beside(*charts, columns=3),
    )  # fmt: skip


def plane(codes: Sequence[Sequence[float]]) -> dict[str, Any]:
    away = sorted(abs(value) for x, y, _ in codes for value in (x, y))
    reach = max(3.2, 1.1 * away[int(0.99 * len(away))])
    x = channel("x", "z₁", domain=[-reach, reach], axis={"tickCount": 4})
    y = channel("y", "z₂", domain=[-reach, reach], axis={"tickCount": 4})
    values = [{"x": x, "y": y, "class": str(label)} for x, y, label in codes]
    classes = [str(number) for number in sorted({int(label) for _, _, label in codes})]
    colour = {"field": "class", "type": "nominal", "legend": None, "sort": classes,
              "scale": {"domain": classes, "scheme": "tableau10"}}  # fmt: skip
    marks = {
        "data": {"values": values},
        "mark": {"type": "text", "fontSize": 10, "clip": True},
        "encoding": {"x": x, "y": y, "text": {"field": "class"}, "color": colour},
    }
    return layered(marks, rings(x, y), width=250, height=250)


def rings(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """The circles about the origin that hold half, 90 % and 99 % of N(0, I) in the plane."""
    values = [
        {"x": radius * cos(turn), "y": radius * sin(turn), "ring": share, "turn": turn}
        for share in (0.5, 0.9, 0.99)
        for radius in (sqrt(-2 * log(1 - share)),)
        for turn in (2 * pi * i / 72 for i in range(73))
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "line", "stroke": COLOURS[1], "strokeWidth": 1.5, "clip": True},
        "encoding": {"x": x, "y": y, "detail": {"field": "ring"}, "order": {"field": "turn"}},
    }
