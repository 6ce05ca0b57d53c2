"""One HTML file that needs nothing but a browser, and the same numbers as JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields, is_dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from genlab.lessons.report import sections
from genlab.lessons.report.charts import estimator_charts
from genlab.lessons.report.content import Chart, Report
from genlab.lessons.report.numbers import interval, look_up, number
from genlab.lessons.report.pictures import data_uri, sheet
from genlab.runs.files import replacing, write_json

SCRIPTS = ("decoder.js", "charts.js", "explorer.js", "page.js")
LINKS = {
    "see": "See", "network": "Network", "same-z": "Same z", "explore": "Walk", "yardstick": "Yardstick",
    "curves": "Curves", "why": "Why", "limits": "Limits",
}  # fmt: skip


def write_report(folder: Path, report: Report) -> Path:
    """Writes `folder`/report.html and `folder`/report.json; returns the path of the page.

    The page loads nothing from anywhere and opens from a file. The JSON has all numbers except weights and
    pixels.
    """
    page = folder / "report.html"
    html = render(report)
    write_json(folder / "report.json", plain(report))
    with replacing(page) as temporary:
        temporary.write_text(html, "utf-8")
    return page


def render(report: Report) -> str:
    charts = estimator_charts(report.estimators) if report.estimators else ()
    body = "".join(
        (
            sections.see(report), sections.reconstructions(report), sections.one_network(report),
            sections.same_z(report), sections.explore(report), sections.yardstick(report),
            sections.curves(report), sections.why(report, charts), sections.limits(report),
        )
    )  # fmt: skip
    parts = {
        "title": escape(report.title),
        "css": asset("report.css"),
        "nav": "".join(f'<a href="#{k}">{v}</a>' for k, v in LINKS.items() if f'<section id="{k}">' in body),
        "header": sections.header(report),
        "body": body,
        "data": embedded(data(report, charts)),
        "js": "\n".join(asset(name) for name in SCRIPTS),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], asset("template.html"))


def asset(name: str) -> str:
    return (resources.files("genlab.lessons.report") / name).read_text("utf-8")


def embedded(value: Any) -> str:
    """JSON that no HTML parser can take for markup."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def data(report: Report, charts: tuple[Chart, ...]) -> dict[str, Any]:
    """What the page's scripts draw from."""
    assert len(report.models) <= 4, "the page has colours for four models"
    if report.directions is not None:
        size = len(report.directions.mean)
        assert all(live.portable["latent_dim"] == size for live in report.decoders)
    return {
        "models": [{"key": model.key, "label": model.label} for model in report.models],
        "charts": {chart.key: plain(chart) for chart in (*report.charts, *charts)},
        "ruler": ruler(report),
        "decoders": [{"model": live.model, "net": live.portable} for live in report.decoders],
        "directions": _directions(report),
    }


def ruler(report: Report) -> dict[str, Any] | None:
    """The first metric drawn on a log scale, as points with intervals; None where it was not measured."""
    rows: list[tuple[str, int | None, dict[str, Any]]] = [
        *((m.label, index, m.measurement) for index, m in enumerate(report.models)),
        ("Training images (floor)", 4, report.floor),
        ("Uniform noise (ceiling)", None, report.ceiling),
    ]
    for metric in report.metrics:
        points = [
            {"label": label, "colour": colour, "value": value, "interval": interval(found)}
            for label, colour, measurement in rows
            if (value := number(found := look_up(measurement, metric.key))) is not None and value > 0
        ]
        if metric.log and points:
            return {"label": metric.label, "unit": metric.unit, "digits": metric.digits, "points": points}
    return None


def _directions(report: Report) -> dict[str, Any] | None:
    if report.directions is None:
        return None
    found: dict[str, Any] = plain(report.directions)
    if report.directions.start_images is not None:
        images = report.directions.start_images
        found["start_images"] = [data_uri(sheet(images[i : i + 1], 1)) for i in range(len(images))]
    return found


def plain(value: Any) -> Any:
    """Dataclasses and arrays as JSON: pixels, and dicts that carry weights, are left out, as are numbers that
    JSON lacks (null takes their place)."""
    if is_dataclass(value) and not isinstance(value, type):
        items = {field.name: getattr(value, field.name) for field in fields(value)}
        return {key: plain(item) for key, item in items.items() if not _bulky(key, item)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value if not _bulky("", item)]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _bulky(key: str, value: Any) -> bool:
    return key == "portable" or (isinstance(value, np.ndarray) and value.dtype == np.uint8)
