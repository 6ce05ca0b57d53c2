"""The house's one yardstick, as a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genlab.data.source import load
from genlab.experiment.measured import evaluate_run, references
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import open_run
from genlab.lessons.work import Said
from genlab.runs.store import Run


def prepare(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """See to it that the real images' features lie in the user's cache, where every measurement finds them.
    given: data."""
    use_threads(1)
    return {"networks": dict(references(load(given["data"])).networks)}


def yardstick(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """What `genlab evaluate` says of the run in the first folder needed. given: count, seed, prior."""
    use_threads(1)
    trained = open_run(Run(needs[0] / "run"), prior=given.get("prior", "own"))
    real = references(load_data(trained.experiment))
    record = evaluate_run(trained, real, count=given["count"], seed=given["seed"])
    return {key: record[key] for key in ("values", "details", "cost", "prior", "step")}
