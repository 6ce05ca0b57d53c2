"""The yardstick: one row a model, beside what real images and what noise would get."""

from __future__ import annotations

from html import escape
from typing import Any

from genlab.evaluation.instruments import Instrument
from genlab.lessons.report.content import Report
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
    measured = [*(m.measurement for m in report.models), report.floor, report.ceiling]
    protocols = [record["protocol"] for record in measured]

    def named(values: set[str]) -> str:
        return ", ".join(sorted(values)) or "not recorded"

    counts = " and ".join(grouped(count) for count in sorted({p["count"] for p in protocols}))
    networks = named({identity for p in protocols for identity in p["networks"].values()})
    data = named({str(p["data"]) for p in protocols})
    return f"N = {counts} images a row · feature networks {networks} · test images of {data}"


def _head(metric: Instrument) -> str:
    return (
        f'<th scope="col" class="number">{escape(metric.label)}<small>{escape(metric.unit)}</small>'
        f'<small class="better">{escape(direction(metric))}</small></th>'
    )


def _row(report: Report, measurement: dict[str, Any], label: str, sub: str, mark: str, cost: str) -> str:
    cells = "".join(_cell(measurement, metric) for metric in report.metrics)
    name = f'<span class="{mark}"></span>{escape(label)}<small>{escape(sub)}</small>'
    return f'<tr><th scope="row">{name}</th>{cells}<td class="number">{escape(cost)}</td></tr>'


def _cell(measurement: dict[str, Any], metric: Instrument) -> str:
    value = look_up(measurement, metric.key)
    why = reason(value)
    if why is not None:
        return f'<td class="number missing">—<small>{escape(why)}</small></td>'
    found = number(value)
    assert found is not None
    text = shown(found, metric.digits)
    bounds = interval(value)
    if bounds is not None:
        low, high = (shown(bound, metric.digits) for bound in bounds)
        text += f"<small>{low} to {high}</small>"
    return f'<td class="number">{text}</td>'


def explanations(report: Report) -> str:
    """What each column sees, and what it does not."""
    items = "".join(
        f"<div><dt>{escape(metric.label)}</dt><dd><b>Sees.</b> {escape(metric.sees)}</dd>"
        f"<dd><b>Does not see.</b> {escape(metric.blind)}</dd>"
        f"<dd><b>Measured.</b> {escape(report.sees.get(metric.key, 'not calibrated'))}</dd></div>"
        for metric in report.metrics
    )
    return f'<dl class="explained">{items}</dl>'
