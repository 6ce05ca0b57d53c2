"""The yardstick: one row a model, beside what real images and what noise would get."""

from __future__ import annotations

from html import escape
from typing import Any

from genlab.lessons.report.content import Metric, Report
from genlab.lessons.report.numbers import (
    direction,
    duration,
    grouped,
    interval,
    look_up,
    number,
    reason,
    shown,
)

FLOOR = "Training images", "the floor: as real as can be"
CEILING = "Uniform noise", "the ceiling: nothing learned"


def table(report: Report) -> str:
    """Nothing is set in bold: one seed shows no winner."""
    heads = "".join(_head(metric) for metric in report.metrics)
    rows = "".join(
        _row(report, m.measurement, m.label, f"z from {m.prior}", f"mark c{index}", duration(m.seconds))
        for index, m in enumerate(report.models)
    )
    frame = _row(report, report.floor, *FLOOR, "mark c4", "")
    frame += _row(report, report.ceiling, *CEILING, "mark", "")
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of measurements"><table>'
        f'<caption>{escape(provenance(report))}</caption><thead><tr><th scope="col">Images from</th>'
        f'{heads}<th scope="col" class="number">Training<small>on this machine</small></th></tr></thead>'
        f'<tbody>{rows}</tbody><tbody class="frame">{frame}</tbody></table></div>'
    )


def provenance(report: Report) -> str:
    """N, the feature network and the reference of the measurements, each named once where all agree."""
    measurements = [*(m.measurement for m in report.models), report.floor, report.ceiling]

    def named(key: str) -> str:
        values = {str(m[key]) for m in measurements if m.get(key) is not None}
        return ", ".join(sorted(values)) or "not recorded"

    counts = {m["count"] for m in measurements if isinstance(m.get("count"), int)}
    each = " and ".join(grouped(count) for count in sorted(counts)) or "not recorded"
    return f"N = {each} images a row · feature network {named('extractor')} · test images of {named('data')}"


def _head(metric: Metric) -> str:
    return (
        f'<th scope="col" class="number">{escape(metric.label)}<small>{escape(metric.unit)}</small>'
        f'<small class="better">{escape(direction(metric))}</small></th>'
    )


def _row(report: Report, measurement: dict[str, Any], label: str, sub: str, mark: str, cost: str) -> str:
    cells = "".join(_cell(measurement, metric) for metric in report.metrics)
    name = f'<span class="{mark}"></span>{escape(label)}<small>{escape(sub)}</small>'
    return f'<tr><th scope="row">{name}</th>{cells}<td class="number">{escape(cost)}</td></tr>'


def _cell(measurement: dict[str, Any], metric: Metric) -> str:
    value = look_up(measurement, metric.key)
    why = reason(value)
    if why is not None:
        return f'<td class="number missing">—<small>{escape(why)}</small></td>'
    found = number(value)
    assert found is not None
    text = shown(found, metric.digits)
    most = number(look_up(measurement, metric.of)) if metric.of else None
    if most is not None:
        text += f" of {shown(most, metric.digits)}"
    bounds = interval(value)
    if bounds is not None:
        low, high = (shown(bound, metric.digits) for bound in bounds)
        text += f"<small>{low} to {high}</small>"
    return f'<td class="number">{text}</td>'


def explanations(report: Report) -> str:
    """What each column sees, and what it does not."""
    items = "".join(
        f"<div><dt>{escape(metric.label)}</dt><dd><b>Sees.</b> {escape(metric.sees)}</dd>"
        f"<dd><b>Does not see.</b> {escape(metric.blind)}</dd></div>"
        for metric in report.metrics
    )
    return f'<dl class="explained">{items}</dl>'
