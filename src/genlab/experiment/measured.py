"""A run and its measurements: `report.json` keeps them, one for each prior that z was drawn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genlab.data.dataset import Dataset
from genlab.data.fetch import cache_folder
from genlab.evaluation.evaluate import evaluate
from genlab.evaluation.feature_networks import extractor_for
from genlab.evaluation.references import References, references_for
from genlab.evaluation.yardstick import STANDARD_COUNT, ceiling, floor
from genlab.experiment.trained import Trained
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run

Record = dict[str, Any]


def references(dataset: Dataset) -> References:
    """The real images as the data's own feature network sees them, kept in the user's cache."""
    return references_for(dataset, extractor_for(dataset), cache_folder() / "references")


def evaluate_run(trained: Trained, real: References, prior: str, *, count: int, seed: int) -> Record:
    """Measure an opened run and keep the result in its report."""
    record = evaluate(trained.model, real, count=count, seed=seed).as_json()
    record |= {
        "run": trained.run.name,
        "family": trained.experiment.family,
        "step": trained.step,
        "training_seconds": trained.run.status()["seconds"],
    }
    keep(trained.run, f"{prior}/{count}/{seed}", record)
    return record


def keep(run: Run, key: str, record: Record) -> None:
    path = run.path / "report.json"
    kept = read_json(path) if path.exists() else {}
    write_json(path, {**kept, key: record})


def kept(run: Run, prior: str, *, count: int, seed: int, step: int) -> Record | None:
    """The measurement that the run's report holds for this prior, N, seed and step, if any."""
    path = run.path / "report.json"
    record = read_json(path).get(f"{prior}/{count}/{seed}") if path.exists() else None
    return record if isinstance(record, dict) and record.get("step") == step else None


def bounds(real: References, count: int = STANDARD_COUNT) -> tuple[Record, Record]:
    """The floor (training images) and the ceiling (noise) that every table stands between."""
    return floor(real, count).as_json(), ceiling(real, count).as_json()


def records(
    names: list[str],
    *,
    count: int = STANDARD_COUNT,
    seed: int = 0,
    full: bool = False,
    features: str = "own",
    fresh: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[list[Record], Record, Record]:
    """The records of runs on one data set ("RUN", "RUN:fitted", "RUN@best"), and the bounds."""
    raise NotImplementedError
