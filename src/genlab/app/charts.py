"""The curves of a run, each with a sentence on how to read it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import streamlit as st

from genlab.app.following import Curves
from genlab.app.style import BLUE, GREEN, GREY, ORANGE


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


ELBO = Chart(
    "ELBO", "nats per image", (Line("elbo", "ELBO", BLUE),),
    "How well the model explains an image, in nats. It should rise, fast at first; it can't pass log p(x).",
)  # fmt: skip
RECONSTRUCTION = Chart(
    "Reconstruction", "nats per image", (Line("reconstruction", "reconstruction", ORANGE),),
    "What is lost between an image and its decoded code. It should fall.",
)  # fmt: skip
KL = Chart(
    "KL", "nats per image", (Line("kl", "KL", GREEN),),
    "How much the code says about its image. It rises as codes are put to use; at 0 they are ignored.",
)  # fmt: skip
LOSSES = Chart(
    "Losses of the two players", "nats",
    (Line("discriminator_loss", "D", BLUE), Line("generator_loss", "G", ORANGE)),
    "Neither should win: two curves that stay level are a fair game. Falling is not the aim here.",
)  # fmt: skip
ACCURACY = Chart(
    "Discriminator right", "share of images", (Line("accuracy", "accuracy", GREEN),),
    "0.5 is guessing: G deceives D. Close to 1, D sees through G and teaches it little.", 0.5,
)  # fmt: skip
SCORES = Chart(
    "Scores that D gives", "logit",
    (Line("real_logit", "real", BLUE), Line("fake_logit", "generated", ORANGE)),
    "Real above generated, and the gap not growing: D still tells them apart, G still has a chance.",
)  # fmt: skip
CHARTS = (ELBO, RECONSTRUCTION, KL, LOSSES, ACCURACY, SCORES)


def draw(curves: Curves, steps: int, height: int = 92) -> None:
    """Every chart that the run has the numbers for."""
    for chart in CHARTS:
        lines = [line for line in chart.lines if line.key in curves.raw]
        if not lines:
            continue
        now = "  ".join(
            f":gray[{line.label if len(lines) > 1 else 'now'}] {curves.memory[line.key]:.4g}".replace(
                "-", "−"
            )
            for line in lines
        )
        st.markdown(f"**{chart.title}** :small[:gray[{chart.unit}]] &nbsp; {now}")
        st.vega_lite_chart(
            table(curves, lines), spec(chart, curves, lines, steps, height), width="stretch",
            alt=f"{chart.title} in {chart.unit} over the steps of training",
        )  # fmt: skip
        st.caption(chart.sentence)


def table(curves: Curves, lines: list[Line]) -> dict[str, list[Any]]:
    """Long form: a row per line and step."""
    rows = [
        (step, curves.raw[line.key][i], curves.smooth[line.key][i], line.label)
        for line in lines
        for i, step in enumerate(curves.steps)
        if i < len(curves.raw[line.key])
    ]
    steps, raw, smooth, label = (list(column) for column in zip(*rows, strict=True))
    return {"step": steps, "raw": raw, "smooth": smooth, "line": label}


def bounds(curves: Curves, lines: list[Line], rule: float | None) -> list[float]:
    """The range of the smoothed curves after their first tenth: the plunge of the first steps would leave
    the rest a flat line."""
    values = [v for line in lines for v in curves.smooth[line.key][len(curves.steps) // 10 :]]
    values += [] if rule is None else [rule]
    low, high = min(values), max(values)
    margin = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    grain = 10 ** math.floor(math.log10(high - low + 2 * margin)) / 2  # so that the axis moves seldom
    return [math.floor((low - margin) / grain) * grain, math.ceil((high + margin) / grain) * grain]


def spec(chart: Chart, curves: Curves, lines: list[Line], steps: int, height: int) -> dict[str, Any]:
    several = len(lines) > 1
    colour = {
        "field": "line", "type": "nominal",
        "scale": {"domain": [line.label for line in lines], "range": [line.colour for line in lines]},
        "legend": {"orient": "right", "title": None} if several else None,
    }  # fmt: skip
    x = {
        "field": "step", "type": "quantitative", "title": None,
        "scale": {"domain": [0, steps], "nice": False},
        "axis": {
            "tickCount": 5, "grid": False, "labelFlush": True,
            "labelExpr": "datum.value == 0 ? 'step 0' : format(datum.value, ',')",
        },
    }  # fmt: skip
    scale = {"domain": bounds(curves, lines, chart.rule), "zero": False, "nice": False}
    y = {"type": "quantitative", "title": None, "scale": scale, "axis": {"tickCount": 3}}

    def mark(field: str, width: float, opacity: float) -> dict[str, Any]:
        return {
            "mark": {"type": "line", "clip": True, "strokeWidth": width, "opacity": opacity},
            "encoding": {
                "x": x, "y": {**y, "field": field}, "color": colour,
                **({"strokeDash": {"field": "line", "type": "nominal", "legend": None}} if several else {}),
            },
        }  # fmt: skip

    layers = [mark("raw", 1, 0.3), mark("smooth", 2.2, 1)]
    if chart.rule is not None:
        rule = {"type": "rule", "strokeDash": [4, 4], "color": GREY}
        layers.append({"mark": rule, "encoding": {"y": {"datum": chart.rule}}})
    tooltip = {
        "mark": {"type": "point", "opacity": 0, "size": 60},
        "encoding": {
            "x": x, "y": {**y, "field": "smooth"},
            "tooltip": [
                {"field": "step", "type": "quantitative", "format": ",d"},
                {"field": "smooth", "type": "quantitative", "format": ".4g", "title": "smoothed"},
                {"field": "raw", "type": "quantitative", "format": ".4g", "title": "this batch"},
            ],
        },
    }  # fmt: skip
    return {
        "height": height,
        "layer": [*layers, tooltip],
        "padding": {"left": 0, "right": 0, "top": 4, "bottom": 0},
    }
