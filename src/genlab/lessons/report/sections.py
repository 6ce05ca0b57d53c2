"""The sections of the page, in the order in which they are read. All text from outside is escaped here."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

import numpy as np

from genlab.lessons.estimators import pathwise_variance
from genlab.lessons.report.content import Chart, Report
from genlab.lessons.report.diagram import diagram
from genlab.lessons.report.numbers import difference, duration, grouped
from genlab.lessons.report.pictures import data_uri, picture, scale_for, sheet
from genlab.lessons.report.table import explanations, table

GRID, COLUMNS = 64, 8


def section(key: str, title: str, lead: str, body: str) -> str:
    return f'<section id="{key}"><h2>{title}</h2><p class="lead">{lead}</p>{body}</section>'


def header(report: Report) -> str:
    facts = {
        "When": when(report.created),
        "Took": duration(report.wall_seconds),
        "Data": report.dataset,
        "Seed": str(report.seed),
        "Machine": " · ".join(f"{key} {value}" for key, value in report.machine.items()),
        "Command": report.command,
    }
    listed = "".join(f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>" for key, value in facts.items())
    return (
        f'<header class="top"><h1>{escape(report.title)}</h1><p class="lead">{escape(report.summary)}</p>'
        '<p class="verdict"><span class="badge">one seed: no verdict</span> Train again with another seed '
        "and the numbers move, some of them further than they lie apart: this is what happened once.</p>"
        f'<dl class="facts">{listed}</dl></header>'
    )


def when(created: str) -> str:
    try:
        return datetime.fromisoformat(created).strftime("%d %B %Y, %H:%M").lstrip("0")
    except ValueError:
        return created


def see(report: Report) -> str:
    cards = [
        _card(
            f"mark c{index}", model.label, f"z from {model.prior}", model.samples,
            f"{grouped(model.steps)} steps in {duration(model.seconds)} {model.note}".rstrip(),
        )
        for index, model in enumerate(report.models)
    ]  # fmt: skip
    cards.append(_card("mark c4", "Test images", "real, never trained on", report.real, "what all aim at"))
    lead = (
        f"The first {GRID} images of each, none chosen (sampling seed {report.sampling_seed}). Look before "
        "you read any number: which strokes are blurred, which are no digit, what repeats? Select a sheet to "
        "enlarge it."
    )
    return section("see", "What you see", lead, f'<div class="sheets">{"".join(cards)}</div>')


def _card(mark: str, label: str, sub: str, pixels: Any, note: str) -> str:
    shown = pixels[:GRID]
    image = picture(shown, COLUMNS, f"{len(shown)} images: {label}", 28)
    return (
        f'<figure><figcaption><span class="{mark}"></span><b>{escape(label)}</b><small>{escape(sub)}</small>'
        f'</figcaption><button class="enlarge" aria-label="Enlarge: {escape(label)}">{image}</button>'
        f"<small>{escape(note)}</small></figure>"
    )


def reconstructions(report: Report) -> str:
    pairs = report.reconstructions
    if pairs is None:
        return ""
    count, row = len(pairs.originals), 16
    blocks = [
        np.concatenate([part[start : start + row] for part in (pairs.originals, pairs.reconstructed)])
        for start in range(0, count - count % row or count, row)
    ]
    width = min(row, count)
    images = "".join(picture(b, width, "test images above, their reconstructions below", 56) for b in blocks)
    label = next((m.label for m in report.models if m.key == pairs.model), pairs.model)
    lead = (
        f"Above a test image, below it what the {escape(label)} makes of its code: encode to z, decode z. "
        "What does the code keep, and what does it smooth away?"
    )
    return section("reconstructions", "Through the code and back", lead, f'<div class="pairs">{images}</div>')


RECEIPT_LINES = {
    "source": "from run",
    "weights": "weights copied",
    "tensors": "tensors",
    "parameters": "parameters",
    "max_difference": "max |G(z) − Dec(z)|",
    "reloaded_difference": "… after saving and reading back",
    "training_difference": "… in the mode that trains",
    "trunk_tensors": "tensors of the encoder's trunk, into the discriminator",
    "trunk_difference": "max difference of the trunks' features",
}


def one_network(report: Report) -> str:
    lead = (
        "A VAE's decoder and a GAN's generator are the same network in two roles. The GAN below starts where "
        "the VAE ended; only what judges its images is new."
    )
    body = f'<div class="network">{diagram(report)}{receipt(report)}</div>'
    return section("network", "One network, two roles", lead, body)


def receipt(report: Report) -> str:
    if report.receipt is None:
        return ""
    lines = "".join(
        f"<div><dt>{escape(RECEIPT_LINES.get(key, key))}</dt><dd>{escape(_receipt_value(value))}</dd></div>"
        for key in sorted(report.receipt, key=_receipt_place)
        if (value := report.receipt[key]) is not None
    )
    return (
        f'<aside class="receipt"><h3>Receipt</h3><dl>{lines}</dl><p>Compared before the first step of the '
        "GAN, pixels in [−1, 1]. In the mode that trains, batch statistics stand in for the averages, so a "
        "difference there is no fault of the copy.</p></aside>"
    )


def _receipt_place(key: str) -> int:
    known = list(RECEIPT_LINES)
    return known.index(key) if key in known else len(known)


def _receipt_value(value: Any) -> str:
    if isinstance(value, float):
        return difference(value)
    return grouped(value) if isinstance(value, int) else str(value)


def same_z(report: Report) -> str:
    same = report.same_z
    if same is None:
        return ""
    rows = []
    for label, pixels in same.rows:
        image, scale = sheet(pixels, len(pixels), gap=2), scale_for(pixels.shape[3], 56)
        rows.append(
            f'<div><b>{escape(label)}</b><img class="pixels" src="{data_uri(image)}" '
            f'width="{image.width * scale}" height="{image.height * scale}" '
            f'alt="{len(pixels)} images, each from the z of its column"></div>'
        )
    lead = (
        "Each column is one z, decoded twice. The GAN began as a copy of the VAE's decoder: how much of each "
        "z's first meaning is left after training against a discriminator?"
    )
    return section("same-z", "The same z", lead, f'<div class="same">{"".join(rows)}</div>')


def explore(report: Report) -> str:
    if report.directions is None or not report.decoders:
        return ""
    lead = (
        "Drag in the field, or use the arrow keys: both networks decode the same z, in this page. The field "
        "spans the two directions in which the VAE's codes vary most, the sliders the next ones."
    )
    return section("explore", "Walk through z", lead, '<div class="explorer" data-explorer></div>')


def yardstick(report: Report) -> str:
    lead = (
        "A number means something only between its floor and its ceiling: what real training images get, and "
        "what noise gets, at the same N through the same feature network. Intervals (95 %) are for other "
        "samples of the same trained model; another training moves further."
    )
    body = f'{table(report)}<div class="ruler" data-ruler></div>{explanations(report)}'
    return section("yardstick", "One yardstick", lead, body)


GROUPS = {
    "vae": ("While the VAE learned", "One loss, one goal: it may be read as progress."),
    "gan": ("While the GANs learned", "Two losses that pull against each other show balance, not progress."),
    "quality": ("Quality over time", "The yardstick, applied on the way."),
}


def curves(report: Report) -> str:
    groups = ""
    for group, (title, sentence) in GROUPS.items():
        charts = [chart for chart in report.charts if chart.group == group and chart.series]
        if charts:
            groups += f'<h3>{title}</h3><p>{sentence}</p><div class="charts">{_figures(charts)}</div>'
    lead = (
        "Faint: single batches, as logged. Strong: their running mean. Point at a curve to read its values, "
        "or focus it and use the arrow keys."
    )
    return section("curves", "How they learned", lead, groups) if groups else ""


def _figures(charts: list[Chart]) -> str:
    return "".join(
        f'<figure class="chart" data-chart="{escape(chart.key)}"><figcaption><b>{escape(chart.title)}</b>'
        f"<p>{escape(chart.sentence)}</p></figcaption></figure>"
        for chart in charts
    )


def why(report: Report, charts: tuple[Chart, ...]) -> str:
    if not report.estimators:
        return ""
    lead = (
        "To train an encoder one needs the gradient of an average over random z. Two ways to estimate it are "
        "right on average: through the sample, z = μ + σε (pathwise, “the trick”), or by weighting with the "
        "score ∇ ln p(z). Here for E‖z‖² with z ~ N(μe₁, I), in μ."
    )
    body = f'<p>{_what_was_measured(report)}</p><div class="charts two">{_figures(list(charts))}</div>'
    return section("why", "Why the trick?", lead, body)


def _what_was_measured(report: Report) -> str:
    count = grouped(report.estimators[0].samples)
    sentences = [
        f"Points were measured, {count} gradients each, ± 2 standard errors; lines are closed forms."
    ]
    scores = [p for p in report.estimators if p.estimator == "score function"]
    if scores:
        worst = max(scores, key=lambda p: p.exact_variance)
        ratio = grouped(round(worst.exact_variance / pathwise_variance(worst.dimensions, worst.mu)))
        sentences.append(
            f"By them, at D = {worst.dimensions}, μ = {worst.mu:g}, the score function needs {ratio} samples "
            "for what one gives the pathwise gradient."
        )
    cut = [p for p in report.estimators if p.estimator == "detached"]
    if cut and all(p.variance == 0 and p.mean == 0 for p in cut):
        sentences.append(
            "With z detached, the mistake that everybody makes once, every gradient was exactly 0."
        )
    return " ".join(sentences)


def limits(report: Report) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    steps = "".join(
        f"<div><dt><code>{escape(step.command)}</code></dt><dd>{escape(step.sentence)}</dd></div>"
        for step in report.next_steps
    )
    lead = "An ordering seen once is an anecdote. Before you believe one, ask what would have to be repeated."
    body = f'<ul class="notes">{notes}</ul>' if notes else ""
    if steps:
        body += f'<h3>How to go on</h3><dl class="steps">{steps}</dl>'
    return section("limits", "What one seed can't tell", lead, body)
