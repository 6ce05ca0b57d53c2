"""What every form of the table says alike: numbers with their spread, costs, and what was measured how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row
from genlab.evaluation.instruments import Instrument
from genlab.evaluation.records import Entry, Reading, Record, measure, some
from genlab.lessons.report.numbers import compact, duration, shown
from genlab.metrics.unavailable import Unavailable

FEW = 6  # entries that stand side by side as columns; more stand below each other
FLOOR, CEILING = "floor: training images", "ceiling: noise"


def value_text(cell: Cell | Reading, instrument: Instrument) -> str:
    return shown(cell.value, instrument.digits)


def spread_text(cell: Cell, instrument: Instrument) -> str:
    """Half the interval: to one digit where the instrument's would round it to 0, empty where it is 0."""
    if cell.half == 0:
        return ""
    text = shown(cell.half, instrument.digits)
    return f"{cell.half:.1g}" if float(text.replace("\u202f", "")) == 0 else text


def in_order(comparison: Comparison) -> list[int]:
    """The entries as they were asked for where they are few; more of them by the first instrument, the best
    first and those without a value last."""
    indices = list(range(len(comparison.entries)))
    if len(indices) <= FEW or not comparison.rows:
        return indices
    row = comparison.rows[0]

    def loss(index: int) -> float:
        cell = row.cells[index]
        if isinstance(cell, Unavailable):
            return float("inf")
        if row.instrument.better == "near" and row.instrument.target is not None:
            return abs(cell.value - row.instrument.target)
        return -cell.value if row.instrument.better == "higher" else cell.value

    return sorted(indices, key=loss)


def family(entry: Entry) -> str:
    names = {"vae": "VAE", "gan": "GAN", "vaegan": "VAE-GAN"}
    found = str(entry.first.get("family", ""))
    return names.get(found, found)


def described(entry: Entry) -> str:
    """Family, where z comes from, which steps and seeds: what the name leaves open."""
    parts = [family(entry), f"z from {entry.prior}" if entry.prior else ""]
    if entry.steps:
        parts.append(f"step {' to '.join(f'{s:,}' for s in sorted({entry.steps[0], entry.steps[-1]}))}")
    seeds = [str(r["training_seed"]) for r in entry.records if r.get("training_seed") is not None]
    parts.append(f"seed{'s' if len(seeds) > 1 else ''} {some(seeds, 8)}" if seeds else "")
    return ", ".join(filter(None, parts))


def provenance(comparison: Comparison) -> list[tuple[str, str]]:
    """N, the reference data, the feature networks, the sampling seed and the measure of nats, by name."""
    protocol = comparison.entries[0].first["protocol"]
    networks = protocol.get("networks") or {}
    seeds = {str(r["protocol"].get("seed")) for r in comparison.records}
    facts = [
        ("N", f"{protocol['count']:,} samples each"),
        ("against", f"{protocol['references']:,} test images of {protocol['data']}"),
        ("feature networks", ", ".join(f"{role} {name}" for role, name in networks.items()) or "none"),
        ("sampling seed", some(sorted(seeds))),
    ]
    measures = dict.fromkeys(filter(None, map(measure, comparison.records)))
    return [*facts, *([("nats", "; ".join(measures))] if measures else [])]


def missing(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(reason, instruments, entries) for every value that is not there, each reason once."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in comparison.rows:
        reasons: dict[str, list[str]] = {}
        for entry, cell in zip(comparison.entries, row.cells, strict=True):
            if isinstance(cell, Unavailable):
                reasons.setdefault(cell.reason, []).append(entry.letter)
        for reason, letters in reasons.items():
            who = "" if len(letters) == len(comparison.entries) else some(letters)
            found.setdefault((reason, who), []).append(row.instrument.label)
    return [(reason, some(labels, 12), who) for (reason, who), labels in found.items()]


@dataclass(frozen=True)
class Cost:
    """A line of what a run took: `of` reads it from the record's "cost"."""

    label: str
    of: Callable[[Record], float | None]
    text: Callable[[float], str]


def _number(key: str) -> Callable[[Record], float | None]:
    def of(cost: Record) -> float | None:
        value = cost.get(key)
        return float(value) if isinstance(value, int | float) else None

    return of


def _parameters(cost: Record) -> float | None:
    parts = cost.get("parameters")
    return float(sum(parts.values())) if isinstance(parts, dict) and parts else None


COSTS = (
    Cost("parameters", _parameters, lambda n: compact(round(n))),
    Cost("training", _number("training_seconds"), duration),
    Cost("images seen", _number("images_seen"), lambda n: compact(round(n))),
    Cost("samples / s", _number("images_per_second"), lambda n: compact(round(n))),
    Cost("latency", _number("latency_ms"), lambda n: f"{n:.1f} ms"),
    Cost("memory", _number("memory_mb"), lambda n: f"{n:,.0f} MB"),
)


def cost_text(entry: Entry, cost: Cost) -> str:
    """The mean over an entry's runs; empty where one does not say."""
    values = [cost.of(record.get("cost") or {}) for record in entry.records]
    there = [value for value in values if value is not None]
    return cost.text(fmean(there)) if len(there) == len(values) else ""


def costs(entries: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """(label, text of each entry) for what any entry's record says."""
    lines = [(cost.label, [cost_text(entry, cost) for entry in entries]) for cost in COSTS]
    return [(label, texts) for label, texts in lines if any(texts)]


def effect_text(row: Row, comparison: Comparison, most: int = 3) -> list[str]:
    """How far the next ones are from the best: "B +3.1 [2.0, 4.2]"."""
    digits = row.instrument.digits
    lines = []
    for effect in row.effects[:most]:
        text = f"{comparison.entries[effect.entry].letter} {signed(effect.difference, digits)}"
        if effect.low is not None and effect.high is not None:
            text += f" [{signed(effect.low, digits)}, {signed(effect.high, digits)}]"
        lines.append(text)
    return lines


def signed(value: float, digits: int) -> str:
    rounded = round(value, digits)
    return ("+" if rounded > 0 else "") + shown(rounded or 0.0, digits)  # and no −0.0
