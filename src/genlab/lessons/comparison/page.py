"""One HTML file that needs nothing but a browser: the table, the samples, the planes, the curves."""

from __future__ import annotations

import re
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from genlab.evaluation.compare import Comparison
from genlab.evaluation.records import some
from genlab.lessons.comparison import page_table
from genlab.lessons.comparison.figures import FEW, costs, described, provenance
from genlab.lessons.comparison.gather import Gathered
from genlab.lessons.comparison.planes import charts, planes
from genlab.lessons.report.pictures import picture
from genlab.lessons.report.sections import section
from genlab.lessons.report.write import asset, embedded
from genlab.runs.files import replacing

LINKS = {
    "yardstick": "Yardstick", "see": "See", "planes": "Planes", "curves": "Curves", "settings": "Settings",
    "costs": "Cost",
}  # fmt: skip


def write_page(path: Path, comparison: Comparison, gathered: Gathered) -> Path:
    """Writes `path`, which loads nothing from anywhere and opens from a file; returns it."""
    html = render(comparison, gathered)
    with replacing(path) as temporary:
        temporary.write_text(html, "utf-8")
    return path


def render(comparison: Comparison, gathered: Gathered) -> str:
    specs = {**planes(comparison), **charts(comparison, gathered.curves)}
    body = "".join(
        (
            page_table.yardstick(comparison), see(comparison, gathered), plane_section(specs),
            curves(comparison, gathered, specs), settings(comparison, gathered), cost(comparison),
        )
    )  # fmt: skip
    parts = {
        "title": "genlab compare",
        "css": asset("report.css") + own("comparison.css"),
        "nav": "".join(f'<a href="#{k}">{v}</a>' for k, v in LINKS.items() if f'<section id="{k}">' in body),
        "header": header(comparison),
        "body": body,
        "data": embedded({"charts": {}, "planes": specs}),
        "js": "\n".join((asset("charts.js"), own("comparison.js"), asset("page.js"))),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], asset("template.html"))


def own(name: str) -> str:
    return (resources.files("genlab.lessons.comparison") / name).read_text("utf-8")


def header(comparison: Comparison) -> str:
    letters = [entry.letter for entry in comparison.entries]
    runs = len(comparison.records)
    title = f"{some(letters, FEW)}, one yardstick" if len(letters) <= FEW else f"{runs} runs, one yardstick"
    repeated = sum(entry.repeated for entry in comparison.entries)
    badge = "models and recipes"
    if repeated in (0, len(letters)):
        badge = "about the recipes" if repeated else "about these models"
    verdict = " ".join(map(escape, comparison.notes))
    listed = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(said)}</dd></div>" for name, said in provenance(comparison)
    )
    return (
        f'<header class="top"><h1>{escape(title)}</h1><p class="verdict"><span class="badge">{badge}</span> '
        f'{verdict}</p>{legend(comparison)}<dl class="facts">{listed}</dl></header>'
    )


def legend(comparison: Comparison) -> str:
    """What each letter stands for."""
    items = "".join(
        f"<li>{page_table.badge(entry.letter, index)}<b>{escape(entry.name)}</b> "
        f"<small>{escape(described(entry))}</small></li>"
        for index, entry in enumerate(comparison.entries)
    )
    if len(comparison.entries) <= FEW:
        return f'<ul class="entries">{items}</ul>'
    summary = "<summary>What the letters stand for</summary>"
    return f'<details>{summary}<ul class="entries many">{items}</ul></details>'


def see(comparison: Comparison, gathered: Gathered) -> str:
    """Grids in groups that share z, so that one may be held against the other image by image."""
    columns = round(len(gathered.real) ** 0.5)
    together: dict[int, list[str]] = {}
    for sheet in gathered.sheets:
        entry = comparison.entries[sheet.entry]
        card = _card(
            page_table.badge(entry.letter, sheet.entry), entry.name, described(entry), sheet.pixels, columns
        )
        together.setdefault(sheet.latents, []).append(card)
    real = _card("", "Test images", "real, never trained on", gathered.real, columns)
    groups = sorted(together.values(), key=len, reverse=True)
    body, kind = "", "sheets" if columns == 8 else "sheets small"
    for cards in groups:
        if len(cards) > 1:
            body += f"<h3>From the same z</h3><p>{across(comparison, gathered)}</p>"
            body += f'<div class="{kind}">{"".join(cards)}</div>'
    alone = [cards[0] for cards in groups if len(cards) == 1]
    if body:
        body += "<h3>Beside them</h3>"
    body += f'<div class="{kind}">{"".join([*alone, real])}</div>'
    lead = (
        f"The first {len(gathered.real)} images of each, none chosen (sampling seed "
        f"{gathered.sampling_seed}). Select a sheet to enlarge it."
    )
    return section("see", "What you see", lead, body)


def across(comparison: Comparison, gathered: Gathered) -> str:
    """What may be expected of the same place in two sheets."""
    letters = [entry.letter for entry in comparison.entries]
    began = [f"{letters[child]} began as {letters[parent]}'s decoder" for child, parent in gathered.origins]
    told = f" {'; '.join(began)}: what is left of each z's first meaning?" if began else ""
    return f"The same place in every sheet is the same z: look across.{told}"


def _card(mark: str, label: str, sub: str, pixels: Any, columns: int) -> str:
    image = picture(pixels, columns, f"{len(pixels)} images: {label}", 28 if columns == 8 else 36)
    return (
        f"<figure><figcaption>{mark}<b>{escape(label)}</b><small>{escape(sub)}</small></figcaption>"
        f'<button class="enlarge" aria-label="Enlarge: {escape(label)}">{image}</button></figure>'
    )


def plane_section(specs: dict[str, dict[str, Any]]) -> str:
    drawn = figures([key for key in specs if key.startswith("plane-")], specs)
    lead = "Two numbers at a time, where one alone can be bought with the other. Bars are 95 % intervals."
    return section("planes", "Two at a time", lead, f'<div class="charts two">{drawn}</div>') if drawn else ""


def figures(keys: list[str], specs: dict[str, dict[str, Any]]) -> str:
    return "".join(
        f'<figure class="chart" data-plane="{escape(key)}"><figcaption><b>{escape(specs[key]["title"])}</b>'
        f"<p>{escape(specs[key]['sentence'])}</p></figcaption></figure>"
        for key in keys
    )


def curves(comparison: Comparison, gathered: Gathered, specs: dict[str, dict[str, Any]]) -> str:
    """Per second and per image, and how to have the curves that are not there."""
    body = ""
    for kind, title in (("validated", "Validation"), ("logged", "On the batches of training")):
        keys = [key for key in specs if key.startswith(kind)]
        if keys:
            body += f'<h3>{title}</h3><div class="charts two">{figures(keys, specs)}</div>'
    validated = {index for curve in gathered.curves if curve.validated for index in curve.entries}
    without = [e.letter for i, e in enumerate(comparison.entries) if i not in validated]
    if without:
        body += (
            f"<p>{escape(some(without))} had no validation while training; "
            "<code>genlab train … --set training.validate_every=500</code> does.</p>"
        )
    lead = "The same curves over seconds, which depend on the machine, and over images, which do not."
    return section("curves", "On the way", lead, body)


def settings(comparison: Comparison, gathered: Gathered) -> str:
    if not gathered.settings:
        return ""
    table = page_table.plain_table(comparison, "Setting", gathered.settings, code=True)
    lead = "Only what differs. Where several settings do, a difference in the numbers is owed to all of them."
    return section("settings", "What was set differently", lead, table)


def cost(comparison: Comparison) -> str:
    rows = [(label, tuple(texts)) for label, texts in costs(comparison.entries)]
    if not rows:
        return ""
    lead = "Means over an entry's runs, on the machine that trained and measured them."
    return section("costs", "What it cost", lead, page_table.plain_table(comparison, "Cost", rows))
