"""A comparison for programs: everything as JSON, and a tidy CSV with a row for each entry and instrument."""

from __future__ import annotations

import csv
import math
from dataclasses import asdict
from io import StringIO
from typing import Any

import numpy as np

from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row
from genlab.evaluation.pairwise import Floats
from genlab.evaluation.records import Entry, Reading, measure
from genlab.lessons.comparison.figures import CEILING, FLOOR
from genlab.metrics.unavailable import Unavailable

COLUMNS = (
    "entry", "run", "family", "prior", "config", "step", "training_seeds", "instrument", "label", "unit",
    "better", "target", "value", "error", "low", "high", "n_seeds", "sampling_error", "unavailable", "mark",
    "verdict", "network", "data", "n", "references", "sampling_seed", "likelihood",
)  # fmt: skip


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Records, entries, every row with its verdict, and all pairs: `pairs.first` and `pairs.second` are
    entries by number, the other lists of `pairs` follow their order. Where there is no number, null."""
    return {
        "format": "genlab-comparison",
        "version": 1,
        "protocol": comparison.entries[0].first["protocol"],
        "notes": list(comparison.notes),
        "entries": [entry_json(entry) for entry in comparison.entries],
        "rows": [row_json(row, comparison) for row in comparison.rows],
        "pairs": pairs_json(comparison),
        "records": comparison.records,
        "floor": comparison.floor,
        "ceiling": comparison.ceiling,
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "letter": entry.letter,
        "name": entry.name,
        "runs": [record["run"] for record in entry.records],
        "training_seeds": [record.get("training_seed") for record in entry.records],
        **{key: entry.first.get(key) for key in ("family", "prior", "config")},
        "steps": list(entry.steps),
    }


def row_json(row: Row, comparison: Comparison) -> dict[str, Any]:
    instrument = asdict(row.instrument)
    networks = comparison.entries[0].first["protocol"].get("networks") or {}
    letters = [entry.letter for entry in comparison.entries]
    effects = [{**asdict(e), "entry": letters[e.entry]} for e in row.effects]
    return {
        **{key: instrument[key] for key in ("key", "label", "unit", "group", "better", "target")},
        **{key: instrument[key] for key in ("sees", "blind")},
        "network": networks.get(row.instrument.network),
        "cells": {letter: cell_json(cell) for letter, cell in zip(letters, row.cells, strict=True)},
        "floor": cell_json(row.floor),
        "ceiling": cell_json(row.ceiling),
        "verdict": row.text,
        "verdicts": [
            {
                "about": "recipes" if verdict.repeated else "trained models",
                "text": verdict.text,
                "best": None if verdict.best is None else letters[verdict.best],
                "within_noise": [letters[i] for i in verdict.within],
                "worse": [letters[i] for i in verdict.worse],
            }
            for verdict in row.verdicts
        ],
        "differences_to_the_best": effects,
    }


def cell_json(cell: Cell | Reading | Unavailable) -> dict[str, Any]:
    return cell.as_json() if isinstance(cell, Unavailable) else asdict(cell)


def pairs_json(comparison: Comparison) -> dict[str, Any]:
    pairs = comparison.pairs
    found: dict[str, Any] = {"first": pairs.first.tolist(), "second": pairs.second.tolist()}
    for k, row in enumerate(comparison.rows):
        if pairs.tested[k].any():
            found[row.instrument.key] = {
                "difference": _numbers(pairs.difference[k]),
                "error": _numbers(pairs.error[k]),
                "freedom": _numbers(pairs.freedom[k]),
                "p": _numbers(pairs.p[k]),
                "adjusted_p": _numbers(pairs.adjusted[k]),
            }
    return found


def _numbers(values: Floats) -> list[float | None]:
    """Six digits each, null for what is no number."""
    return [float(f"{x:.6g}") if math.isfinite(x) else None for x in np.asarray(values).tolist()]


def as_csv(comparison: Comparison) -> str:
    """Floor and ceiling are rows too. Numbers are in full; what is missing has its reason instead."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in comparison.rows:
        common = common_columns(row, comparison)
        for entry, cell in zip(comparison.entries, row.cells, strict=True):
            writer.writerow({**common, **entry_columns(entry), **cell_columns(cell)})
        for name, end in ((FLOOR, row.floor), (CEILING, row.ceiling)):
            writer.writerow({**common, "entry": name.partition(":")[0], "run": name, **cell_columns(end)})
    return out.getvalue()


def common_columns(row: Row, comparison: Comparison) -> dict[str, Any]:
    protocol = comparison.entries[0].first["protocol"]
    networks = protocol.get("networks") or {}
    instrument = row.instrument
    return {
        "instrument": instrument.key, "label": instrument.label, "unit": instrument.unit,
        "better": instrument.better, "target": "" if instrument.target is None else instrument.target,
        "verdict": row.text, "network": networks.get(instrument.network, ""), "data": protocol["data"],
        "n": protocol["count"], "references": protocol["references"],
    }  # fmt: skip


def entry_columns(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.letter,
        "run": " ".join(str(record["run"]) for record in entry.records),
        "family": entry.first.get("family") or "",
        "prior": entry.first.get("prior") or "",
        "config": entry.first.get("config") or "",
        "step": " ".join(map(str, entry.steps)),
        "training_seeds": " ".join(str(r.get("training_seed", "")) for r in entry.records),
        "sampling_seed": entry.first["protocol"].get("seed", ""),
        "likelihood": measure(entry.first) or "",
    }


def cell_columns(cell: Cell | Reading | Unavailable) -> dict[str, Any]:
    if isinstance(cell, Unavailable):
        return {"unavailable": cell.reason}
    found = {name: getattr(cell, name) for name in ("value", "error", "low", "high")}
    if isinstance(cell, Cell):
        found |= {"n_seeds": cell.seeds, "sampling_error": cell.sampling, "mark": cell.mark}
    return found
