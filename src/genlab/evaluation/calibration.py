"""What does each instrument see? Real images under known corruptions, measured as if a model had drawn them.

The test images are halved: samples come from one half, the other is what they are held against, so that clean
samples are as new as a perfect model's. An instrument *sees* a corruption when it moves for the worse by more
than four standard errors, and is *fooled* when it moves as far for the better. The table of responses is
computed (`genlab calibrate`), ships with the package, and decides which instruments a report shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from genlab.data import Dataset, to_float
from genlab.errors import UserError
from genlab.evaluation.corruptions import CORRUPTIONS, Clean, clean_images
from genlab.evaluation.extractor import Extractor
from genlab.evaluation.instruments import INSTRUMENTS, Instrument
from genlab.evaluation.references import References, chosen, references_for
from genlab.evaluation.yardstick import Values, measure, plain
from genlab.metrics.intervals import Estimate
from genlab.randomness import generator

COUNT = 2000  # samples a measurement; a class must be left with as many when half of the classes are gone
THRESHOLD = 4.0  # standard errors
SHIPPED = (
    Path(__file__).parent / "responses"
)  # made by `genlab calibrate mnist [--features random] --out FILE`

KINDS = ("classifier", "random")

Verdict = Literal["sees", "blind", "fooled"]
Table = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One measurement: the corruption ("none" for clean images), its grade and what the instruments said."""

    corruption: str
    grade: float
    values: Values


def calibrate(dataset: Dataset, extractor: Extractor, count: int = COUNT) -> Iterator[Row]:
    """Clean images first, then other clean images (which nothing may see), then every corruption's grades.

    Raises UserError where the test set is too small to be halved."""
    if len(dataset.test) < 3 * count:
        raise UserError(
            f"{dataset.name} has {len(dataset.test)} test images, too few to calibrate on: {3 * count} are "
            "needed."
        )
    references, clean = halves(dataset, extractor, count)
    yield Row("none", 0, measure(clean.images, references, full=True))
    yield Row("none", 1, measure(clean.pool[-count:], references, full=True))
    for corruption in CORRUPTIONS.values():
        if corruption.needs_labels and clean.labels is None:
            continue
        for grade in corruption.grades:
            yield Row(corruption.name, grade, measure(corruption.apply(clean, grade), references, full=True))


def halves(dataset: Dataset, extractor: Extractor, count: int) -> tuple[References, Clean]:
    """One half of the test images to hold samples against, the other (with its labels) to corrupt."""
    order = torch.randperm(len(dataset.test), generator=generator(0, "calibration/halves")).numpy()
    middle = len(order) // 2
    against, pool = dataset.test.take(np.sort(order[middle:])), dataset.test.take(order[:middle])
    some = chosen(len(dataset.train), 2 * count, "calibration/train").numpy()
    references = references_for(replace(dataset, test=against), extractor)
    train = to_float(torch.from_numpy(dataset.train.pixels[some]))
    return references, clean_images(to_float(torch.from_numpy(pool.pixels)), pool.labels, train, count)


def table(rows: list[Row], references: dict[str, str], facts: dict[str, Any]) -> Table:
    """The rows as JSON, with each instrument's response to each corruption in standard errors."""
    clean, *others = rows
    responses = {
        key: [response(INSTRUMENTS[key], clean.values[key], row.values.get(key)) for row in others]
        for key in clean.values
    }
    return {
        "version": 1,
        **facts,
        "networks": references,
        "threshold": THRESHOLD,
        "clean": plain(clean.values),
        "rows": [{"corruption": row.corruption, "grade": row.grade} for row in others],
        "values": {key: [plain({key: row.values[key]})[key] for row in others] for key in clean.values},
        "responses": responses,
    }


def response(instrument: Instrument, clean: object, found: object) -> float | None:
    """How far `found` lies on the worse side of `clean`, in standard errors of the difference; negative on
    the better side. For an instrument that does not judge, the distance alone. None where either is missing.
    """
    if not isinstance(clean, Estimate) or not isinstance(found, Estimate):
        return None
    error = max((clean.error**2 + found.error**2) ** 0.5, 1e-12)
    difference = found.value - clean.value
    match instrument.better:
        case "lower":
            worse = difference
        case "higher":
            worse = -difference
        case "near":
            assert instrument.target is not None
            worse = abs(found.value - instrument.target) - abs(clean.value - instrument.target)
        case "neither":
            worse = abs(difference)
    return float(round(min(max(worse / error, -999.0), 999.0), 2))


def verdict(response: float | None, threshold: float = THRESHOLD) -> Verdict:
    if response is None or abs(response) <= threshold:
        return "blind"
    return "sees" if response > 0 else "fooled"


def seen_by(table: Table, key: str) -> dict[str, float | None]:
    """The lightest grade of each corruption that the instrument sees; None where it sees none."""
    lightest: dict[str, float | None] = {}
    for row, value in zip(table["rows"], table["responses"][key], strict=True):
        name = row["corruption"]
        if name != "none" and lightest.get(name) is None:
            lightest[name] = row["grade"] if verdict(value) == "sees" else None
    return lightest


def decided(table: Table) -> tuple[str, ...]:
    """The instruments of a report's table: in the order of the catalogue, each one that sees a grade of a
    fault that none before it sees, or that tells two faults apart, in their lightest grade, that none before
    it does (it sees one and not the other). Together they see all that any standard instrument sees."""
    lightest: dict[str, int] = {}
    for index, row in enumerate(table["rows"]):
        if row["corruption"] != "none":
            lightest.setdefault(row["corruption"], index)
    seen: set[int] = set()
    apart: set[tuple[int, int]] = set()
    chosen: list[str] = []
    for key, instrument in INSTRUMENTS.items():
        if not instrument.standard or key not in table["responses"]:
            continue
        mine = {i for i, value in enumerate(table["responses"][key]) if verdict(value) == "sees"}
        told = {(a, b) for a, b in combinations(lightest.values(), 2) if (a in mine) != (b in mine)}
        if mine - seen or told - apart:
            chosen.append(key)
            seen |= mine
            apart |= told
    return tuple(chosen)


@cache
def shipped() -> dict[str, Table]:
    """The tables that come with genlab, by the kind of own network: "classifier" and "random"."""
    return {name: json.loads((SHIPPED / f"{name}.json").read_text("utf-8")) for name in KINDS}


def table_for(identity: str) -> Table:
    """The shipped table that describes an own network of this identity."""
    return shipped()["random" if identity.startswith("random-conv") else "classifier"]


def default_keys(identity: str) -> tuple[str, ...]:
    """The instruments that a report shows for an own network of this identity."""
    return decided(table_for(identity))


def sentence(table: Table, key: str) -> str:
    """What real images under corruption have shown of an instrument, in words; the numbers are grades."""
    if key not in table["responses"]:
        return "not calibrated"
    if set(table["responses"][key]) == {None}:
        return str(table["clean"][key]["unavailable"])
    lightest = seen_by(table, key)
    seen = [f"{name} (from {grade:g})" for name, grade in lightest.items() if grade is not None]
    unseen = [name for name, grade in lightest.items() if grade is None]
    fooled = sorted(
        {
            row["corruption"]
            for row, value in zip(table["rows"], table["responses"][key], strict=True)
            if verdict(value) == "fooled" and row["corruption"] != "none"
        }
    )
    parts = [f"moved by {', '.join(seen) if seen else 'none of the faults'}"]
    if unseen:
        parts.append(f"not by {', '.join(unseen)}")
    if fooled:
        parts.append(f"moved for the better by {', '.join(fooled)}")
    return "; ".join(parts)
