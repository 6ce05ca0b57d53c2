"""The charts of the Reconstruct page, as Vega-Lite. Each is given its numbers apart from its look, so that a
stroke of the pen changes the numbers alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app.held_out import HeldOut
from genlab.app.reconstructing.posterior import IDLE, Account, Known, Numbers
from genlab.app.style import BLUE, GREEN, ON_DARK, ORANGE, PALETTE

Part = dict[str, Any]

BINS = 40
GREY = "#8C8C8C"


def dark() -> bool:
    return st.context.theme.type == "dark"


def ink(colour: str) -> str:
    return ON_DARK.get(colour, colour) if dark() else colour


def show(layers: list[Part], data: dict[str, Part], height: int, alt: str) -> None:
    """Layers that name the `data` they are drawn from: columns of equal length."""
    spec = {"layer": layers, "datasets": data, "height": height}
    st.vega_lite_chart(spec=spec, width="stretch", height=height, alt=alt)


def layer(data: str, mark: str, encoding: Part, **look: Any) -> Part:
    return {"data": {"name": data}, "mark": {"type": mark, **look}, "encoding": encoding}


def quantity(field: str, title: str | None = None, *, ticks: int = 5, **more: Any) -> Part:
    """An axis for numbers; another layer's, which has its title already, goes by the field alone."""
    axis = {} if title is None else {"axis": {"title": title, "titlePadding": 6, "tickCount": ticks}}
    return {"field": field, "type": "quantitative", **axis, **more}


def tips(**titles: str) -> list[Part]:
    """What a mark of the charts by dimension says when it is pointed at: its fields, by their titles."""
    numbers = [{"field": field, "title": title, "format": ".3f"} for field, title in titles.items()]
    return [{"field": "name", "title": "dimension"}, *numbers]


def distribution(known: Known, elbo: float, words: str) -> None:
    """How the test images' ELBOs lie, and where this one does. The far tail is gathered in the first bar."""
    lowest, highest = float(np.quantile(known.elbo, 0.005)), float(known.elbo.max())
    edges = np.linspace(lowest, max(highest, lowest + 1e-6), BINS + 1)
    counts, _ = np.histogram(known.elbo.clip(lowest), edges)
    across = quantity("left", "ELBO, nats per image", ticks=8, scale={"zero": False, "nice": False})
    bars = {
        "x": {**across, "bin": {"binned": True}},
        "x2": {"field": "right"},
        "y": quantity("count", "images", ticks=3),
        "tooltip": {"field": "count", "title": "test images"},
    }
    show(
        [
            layer("bars", "bar", bars, color=ink(BLUE), opacity=0.75, binSpacing=1),
            layer("here", "rule", {"x": quantity("elbo")}, color=ink(ORANGE), strokeWidth=3),
        ],
        {"bars": {"left": edges[:-1], "right": edges[1:], "count": counts}, "here": {"elbo": [elbo]}},
        140,
        f"Histogram of the test images' ELBOs; {words} at {elbo:.0f} nats",
    )


def dimensions(found: Account, known: Known) -> None:
    """Mean and spread of q(z|x), dimension by dimension; below it, how many nats each is worth."""
    order = ordered(found)
    idle = np.zeros(len(order), bool) if known.per_dimension is None else known.per_dimension < IDLE
    names = [f"z{i + 1}" for i in order]
    rows = {
        "name": names,
        "mean": found.mean[order],
        "low": (found.mean - found.spread)[order],
        "high": (found.mean + found.spread)[order],
        "spread": found.spread[order],
        "kind": np.where(idle[order], "idle", "in use"),
    }
    kinds = {
        "field": "kind",
        "legend": {"title": None, "orient": "top", "offset": 0},
        "scale": {"domain": ["in use", "idle"], "range": [ink(BLUE), GREY]},
    }
    common: Part = {
        "x": by_name(None),
        "color": kinds,
        "tooltip": tips(mean="mean", spread="standard deviation"),
    }
    show(
        [
            layer(
                "prior",
                "rect",
                {"y": quantity("low", "z"), "y2": {"field": "high"}},
                color=GREY,
                opacity=0.16,
            ),
            layer("rows", "rule", {**common, "y": quantity("low"), "y2": {"field": "high"}}, strokeWidth=3),
            layer("rows", "point", {**common, "y": quantity("mean")}, filled=True, size=45, opacity=1),
        ],
        {"rows": rows, "prior": {"low": [-1.0], "high": [1.0]}},
        230,
        "Mean and standard deviation of the posterior in each dimension of z",
    )
    if found.per_dimension is not None and known.per_dimension is not None:
        nats(found.per_dimension[order], known.per_dimension[order], names)


def ordered(found: Account) -> NDArray[np.int64]:
    """The dimensions, those that say the most of this image first."""
    return np.argsort(found.spread if found.per_dimension is None else -found.per_dimension, kind="stable")


def by_name(title: str | None) -> Part:
    axis = {"title": title, "labelOverlap": True, "labelAngle": 0}
    return {"field": "name", "type": "nominal", "sort": None, "scale": {"type": "band"}, "axis": axis}


def nats(own: Numbers, others: Numbers, names: list[str]) -> None:
    across = by_name("dimension of z, those that say the most of this image first")
    tip = tips(own="this image", others="test images, mean")
    bars = {"x": across, "y": quantity("own", "KL, nats", ticks=4), "tooltip": tip}
    ticks = {"x": across, "y": quantity("others"), "tooltip": tip}
    show(
        [
            layer("rows", "bar", bars, color=ink(GREEN)),
            layer("rows", "tick", ticks, color=ink(ORANGE), thickness=2),
        ],
        {"rows": {"name": names, "own": own, "others": others}},
        150,
        "KL of each dimension of z, of this image and on average over the test images",
    )


def landing(found: Account, known: Known, tests: HeldOut, words: str) -> None:
    """The codes of the test images on a plane, and where this image's code is among them."""
    points, here = known.plane.place(known.codes), known.plane.place(found.mean[None])
    several = told_apart(tests)
    x, y = (quantity(field, name) for field, name in zip("xy", known.plane.names, strict=True))
    colour: Part = {"value": ink(BLUE)}
    if several:
        scale = {"domain": list(tests.names), "range": list(PALETTE[: len(tests.names)])}
        colour = {"field": "class", "type": "nominal", "scale": scale, "legend": None}
    tip = [{"field": "number", "title": "test image"}, {"field": "class"}]
    codes = {"x": x, "y": y, "color": colour, "tooltip": tip}
    layers = [layer("codes", "point", codes, filled=True, size=22, opacity=0.6)]
    data: dict[str, Part] = {
        "codes": {**placed(points), "class": kinds_of(tests), "number": range(len(tests))}
    }
    if several:
        data["middles"] = middles(points, tests)
        layers += labels(colour)
    data["here"] = placed(here)
    edge, paper = ("#ffffff", "#000000") if dark() else ("#000000", "#ffffff")
    for width, stroke in ((7, paper), (3, edge)):  # seen on every ground
        look = {"shape": "diamond", "size": 260, "strokeWidth": width, "color": stroke, "opacity": 1}
        layers.append(layer("here", "point", {"x": quantity("x"), "y": quantity("y")}, tooltip=words, **look))
    show(layers, data, 440, f"The codes of {len(tests)} test images on a plane, {words} among them")


def told_apart(tests: HeldOut) -> bool:
    """Whether there are classes, and few enough to colour and label."""
    return tests.labels is not None and len(tests.names) <= len(PALETTE)


def placed(points: Numbers) -> Part:
    return {"x": points[:, 0], "y": points[:, 1]}


def kinds_of(tests: HeldOut) -> list[str]:
    if tests.labels is None:
        return ["none"] * len(tests)
    return [tests.names[label] for label in tests.labels]


def middles(points: Numbers, tests: HeldOut) -> Part:
    """Where each class has its middle: the median of its codes, on the plane."""
    names = [name for name in tests.names if len(tests.of(name))]
    return {"class": names, **placed(np.stack([np.median(points[tests.of(name)], axis=0) for name in names]))}


def labels(colour: Part) -> list[Part]:
    """The names of the classes at their middles, each with a rim that lifts it off the points."""
    where = {"x": quantity("x"), "y": quantity("y"), "text": {"field": "class"}}
    rim = {"stroke": "#0e1117" if dark() else "#ffffff", "strokeWidth": 5}
    font = {"fontSize": 18, "fontWeight": "bold"}
    return [
        layer("middles", "text", where, **font, **rim),
        layer("middles", "text", {**where, "color": colour}, **font),
    ]


def fall(errors: list[float], rule: float | None) -> None:
    """A search's lowest error so far, step by step; `rule` is the VAE's error on the same image."""
    steps = np.arange(len(errors))
    level = quantity("error", "MSE", ticks=4, scale={"type": "log", "nice": False})
    line = {"x": quantity("step", "step of the search"), "y": level}
    layers = [layer("fall", "line", line, color=ink(BLUE), strokeWidth=2.5)]
    data: dict[str, Part] = {"fall": {"step": steps, "error": errors}}
    if rule is not None:
        data["vae"] = {"error": [rule]}
        layers.append(
            layer("vae", "rule", {"y": quantity("error")}, color=ink(ORANGE), strokeDash=[6, 4], size=2)
        )
    show(layers, data, 170, "The lowest mean squared error found so far, against the steps of the search")
