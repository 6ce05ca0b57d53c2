"""Training, as a task: the ordinary run in the task's folder, which an interrupted attempt goes on with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genlab.experiment import schema
from genlab.experiment.runner import begin, load_data, work
from genlab.experiment.second_stage import fit_prior
from genlab.experiment.trained import open_run
from genlab.lessons.work import Interrupted, Said
from genlab.runs.events import Event, Finished, Metrics, Validated
from genlab.runs.store import Run
from genlab.training.fit import Diverged

CURVE = 200  # points that are kept of what was logged, at most


def train(
    given: Mapping[str, Any],
    folder: Path,
    needs: Sequence[Path],
    said: Said,
    seen: Callable[[Event, Run], None] | None = None,
) -> dict[str, Any]:
    """given: config. The decoder starts from that of the run in the folder needed, where there is one. `seen`
    hears of every event, between two steps."""
    experiment = schema.parse(dict(given["config"]))
    dataset = load_data(experiment)
    run = Run(folder / "run")
    if not (run.path / "config.json").exists():
        start = str((needs[0] / "run").resolve()) if needs else None
        run = begin(experiment.model_copy(update={"start": start}), out=run.path, dataset=dataset)
    steps = experiment.training.steps
    if run.status()["state"] not in ("completed", "failed"):
        try:
            for event in work(run, dataset=dataset):
                said(event.step / steps)
                if seen is not None:
                    seen(event, run)
                if isinstance(event, Finished) and event.reason != "completed":
                    raise Interrupted
        except Diverged:
            pass  # which is what there is to find of such settings
    logged = run.all(Metrics)
    every = max(1, len(logged) // CURVE)
    return {
        "diverged": diverged(folder),
        "steps": steps,
        "seconds": run.status()["seconds"],
        "images": logged[-1].images if logged else 0,
        "curve": [{"step": event.step, **event.values} for event in logged[::every]],
        "validated": [{"step": event.step, **event.values} for event in run.all(Validated)],
    }


def diverged(folder: Path) -> bool:
    """Whether the training in a task's folder did; there may be no checkpoint of it."""
    return bool(Run(folder / "run").status()["state"] == "failed")


def prior(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """A copy of the VAE's run in the folder needed, with a mixture fitted to its codes, if it did not
    diverge."""
    if (folder / "run").exists():
        shutil.rmtree(folder / "run")
    shutil.copytree(needs[0] / "run", folder / "run")
    if diverged(folder):
        return {"seconds": 0.0}
    trained = open_run(Run(folder / "run"))
    _, seconds = fit_prior(trained, load_data(trained.experiment))
    return {"seconds": seconds}
