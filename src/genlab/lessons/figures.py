"""Charts in Vega-Lite's terms, and what is made of them: the page's own charts, and SVG for everything else.

Colours are those of Okabe & Ito (2008), which every kind of eye tells apart, and each series has a shape or a
dash of its own beside its colour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from genlab.errors import UserError

Row = Mapping[str, Any]
Spec = dict[str, Any]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
ON_DARK = ("#4AA8E8", "#FF8A4C", "#35C79A", "#E39AC4", "#F0B429", "#8FD0F5", "#B0B0B0", "#F5EA6B")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (12, 4), (4, 4), (1, 3), (10, 2, 2, 2))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "stroke")
WIDTH, HEIGHT = 560, 300  # px of the plot itself
INK, FAINT = {"light": "#1f2933", "dark": "#e6e8ec"}, {"light": "#d7dbe0", "dark": "#3a4049"}


def channel(name: str, title: str, *, log: bool = False, kind: str = "quantitative", **more: Any) -> Spec:
    """An axis: the field of each row, and its label with its unit."""
    scale: Spec = {"type": "log", "nice": False} if log else {"zero": more.pop("zero", False)}
    if log and "domain" not in more:
        scale["padding"] = 6  # px, so that no mark is cut by the edge
    for end in ("domain", "domainMin", "domainMax"):
        if end in more:
            scale[end] = more.pop(end)
    axis = {"tickCount": 6, "labelSeparation": 8, **more.pop("axis", {})}
    found = {"field": name, "type": kind, "title": title, "axis": axis, **more}
    return found | {"scale": scale} if kind == "quantitative" else found


def by(name: str, order: Sequence[str], title: str | None = None) -> Spec:
    """Series told apart by colour, in this order."""
    scale = {"domain": list(order), "range": list(COLOURS[: len(order)])}
    legend = {"title": title, "orient": "top", "columns": 4, "labelLimit": 260, "columnPadding": 18}
    return {"field": name, "type": "nominal", "scale": scale, "legend": legend}


def dashed(name: str, order: Sequence[str]) -> Spec:
    scale = {"domain": list(order), "range": [list(dash) for dash in DASHES[: len(order)]]}
    return {"field": name, "type": "nominal", "scale": scale, "legend": None}


def shaped(name: str, order: Sequence[str]) -> Spec:
    scale = {"domain": list(order), "range": list(SHAPES[: len(order)])}
    return {"field": name, "type": "nominal", "scale": scale, "legend": None}


def line(rows: Sequence[Row], x: Spec, y: Spec, series: str, order: Sequence[str], **mark: Any) -> Spec:
    """A line for each series."""
    return {
        "data": {"values": [dict(row) for row in rows]},
        "mark": {"type": "line", "strokeWidth": 2, "clip": True, **mark},
        "encoding": {"x": x, "y": y, "color": by(series, order), "strokeDash": dashed(series, order)},
    }


def points(rows: Sequence[Row], x: Spec, y: Spec, series: str, order: Sequence[str], **mark: Any) -> Spec:
    """A mark of its own shape for each series, and where rows have `low` and `high`, their interval."""
    values = [dict(row) for row in rows]
    shared = {"x": x, "color": by(series, order)}
    dots = {
        "data": {"values": values},
        "mark": {"type": "point", "filled": True, "size": 55, "clip": True, **mark},
        "encoding": {**shared, "y": y, "shape": shaped(series, order)},
    }
    if not values or "low" not in values[0]:
        return dots
    bars = {
        "data": {"values": [row for row in values if row["low"] is not None]},
        "mark": {"type": "rule", "strokeWidth": 1.5, "clip": True},
        "encoding": {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }
    return {"layer": [bars, dots]}


def layered(*layers: Spec, width: int = WIDTH, height: int = HEIGHT) -> Spec:
    return {"width": width, "height": height, "layer": list(layers)}


def beside(*charts: tuple[str, Spec], columns: int = 2) -> Spec:
    """Several small charts, each under its title."""
    return {"columns": columns, "spacing": 24, "concat": [{"title": title, **spec} for title, spec in charts]}


def themed(spec: Spec, theme: str = "light") -> Spec:
    """The chart complete: with its schema and the house's fonts and inks."""
    ink, faint = INK[theme], FAINT[theme]
    text = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12.5}
    if theme == "dark":
        spec = recoloured(spec, ON_DARK)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "transparent",
        "padding": {"left": 6, "right": 6, "top": 6, "bottom": 6},
        **spec,
        "config": {
            "font": "system-ui, sans-serif",
            "view": {"stroke": faint},
            "axis": {"gridColor": faint, "domainColor": faint, "tickColor": faint,
                     "titleFontWeight": "normal", **text},
            "legend": {"labelFontSize": 12, "labelColor": ink, "titleColor": ink, "symbolStrokeWidth": 2},
            "title": {"color": ink, "fontSize": 13, "anchor": "start", "fontWeight": 600},
        },
    }  # fmt: skip


def recoloured(spec: Spec, colours: Sequence[str]) -> Spec:
    """The chart with each of `COLOURS` replaced by its kin in `colours`."""
    told = json.dumps(spec)
    for colour, other in zip(COLOURS, colours, strict=True):
        told = told.replace(colour, other)
    found: Spec = json.loads(told)
    return found


def svg(spec: Spec, theme: str = "light") -> str:
    """The chart as SVG. Raises UserError where the renderer is not installed."""
    try:
        import vl_convert
    except ImportError as error:
        raise UserError("charts need vl-convert-python: install the lab with ./lab build") from error
    return str(vl_convert.vegalite_to_svg(json.dumps(themed(spec, theme))))


def inline(spec: Spec) -> str:
    """SVG that takes a page's inks, whatever its theme: for the inside of HTML."""
    drawn = svg(spec, "light").replace(INK["light"], "var(--ink)").replace(FAINT["light"], "var(--faint)")
    for number, colour in enumerate(COLOURS):
        drawn = drawn.replace(colour, f"var(--c{number})").replace(colour.lower(), f"var(--c{number})")
    return drawn
