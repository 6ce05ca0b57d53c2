"""What one process and two of them both do, for `laws/test_ranks.py`; run as a script, it is one of the two.

python two_ranks.py TASKS ANSWERS     # TASKS: what `write_tasks` wrote; rank 0 writes ANSWERS
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab import ranks
from genlab.cli.devices import LOOPBACK, free_port
from genlab.data.batches import Batch, Source
from genlab.data.dataset import Dataset, Images
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.process import settle_here
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment, parse
from genlab.objectives.base import Objective, Update
from genlab.runs.events import Metrics
from genlab.training import checkpoint
from genlab.training.ema import tensors
from genlab.training.fit import Cadence, Diverged, advance, fit
from genlab.training.state import stand_together

STEPS = 5
PATIENCE = 120  # seconds after which ranks that wait for each other are a failure


class Outcome(NamedTuple):
    """What each of the first steps logged, and the model after the last."""

    logged: list[dict[str, float]]
    model: dict[str, Tensor]


class Doubled:
    """Batches in float64, in which rounding is no matter."""

    def __init__(self, batches: Source) -> None:
        self.batches, self.batch_size = batches, batches.batch_size

    def __len__(self) -> int:
        return len(self.batches)

    def __call__(self, step: int) -> Batch:
        batch = self.batches(step)
        return replace(batch, images=batch.images.to(torch.get_default_dtype()))


def trained(
    experiment: Experiment,
    dataset: Dataset,
    *,
    double: bool = False,
    stop: int = STEPS,
    resume: Path | None = None,
    folder: Path | None = None,
) -> Outcome:
    """`experiment` after `stop` of STEPS steps, by all the ranks that there are."""
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    try:
        experiment = settle_here(experiment)
        objective = build_objective(experiment.objective)
        state = build_state(experiment, build_model(experiment, dataset.shape))
        if resume is not None and ranks.leads():
            checkpoint.load(state, resume)
        stand_together(state)
        batches = Doubled(make_batches(experiment, dataset, objective))
        events = fit(
            state, objective, batches, STEPS, experiment.training.seed,
            cadence=Cadence(log=1, checkpoint=STEPS), folder=folder if ranks.leads() else None,
            interrupted=lambda: ranks.anyone(state.step >= stop),
        )  # fmt: skip
        logged = [event.values for event in events if isinstance(event, Metrics)]
        return Outcome(
            logged, {name: tensor.detach().clone() for name, tensor in tensors(state.model).items()}
        )
    finally:
        torch.set_default_dtype(torch.float32)


class Poisoned:
    """An objective whose losses are NaN on rank 1."""

    def __init__(self, objective: Objective) -> None:
        self.objective, self.batches_per_step = objective, objective.batches_per_step

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        for update in self.objective.updates(model, batch, rng):
            yield update if ranks.leads() else update._replace(loss=update.loss * torch.nan)


def write_tasks(folder: Path, experiments: dict[str, Experiment], dataset: Dataset) -> None:
    folder.mkdir()
    np.savez(folder / "images.npz", train=dataset.train.pixels, test=dataset.test.pixels)
    configs = {name: experiment.model_dump(mode="json") for name, experiment in experiments.items()}
    (folder / "configs.json").write_text(json.dumps(configs))


def read_tasks(folder: Path) -> tuple[dict[str, Experiment], Dataset]:
    arrays = np.load(folder / "images.npz")
    dataset = Dataset("tiny", Images(arrays["train"]), Images(arrays["test"]))
    configs = json.loads((folder / "configs.json").read_text())
    return {name: parse(config) for name, config in configs.items()}, dataset


def side_by_side(*arguments: str) -> None:
    """Python with these arguments, as two processes that join each other. A deadlock fails."""
    environment = os.environ | {
        "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    if sys.platform in LOOPBACK:
        environment.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK[sys.platform])
    both = [
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=Path(__file__).parent,
            env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        codes = [each.wait(PATIENCE) for each in both]
    finally:
        for each in both:
            each.kill()
            each.wait()
    assert codes == [0, 0]


def two(tasks: Path, answers: Path) -> dict[str, Any]:
    """The answers of two processes."""
    side_by_side("-c", "import two_ranks; two_ranks.main()", str(tasks), str(answers))
    with torch.serialization.safe_globals([Outcome]):
        found: dict[str, Any] = torch.load(answers, weights_only=True)
    return found


def answer(tasks: Path) -> dict[str, Any]:
    """What one of the two does with the tasks; all of it in one start, which costs more than the rest."""
    experiments, dataset = read_tasks(tasks)
    found: dict[str, Any] = {
        name: trained(experiment, dataset, double=True) for name, experiment in experiments.items()
    }
    gan = experiments["recipe-gan"]
    found["again"] = [trained(gan, dataset), trained(gan, dataset)]
    found["from one"] = trained(
        gan, dataset, resume=tasks / "one" / "checkpoints" / "step-0000002.safetensors"
    )
    trained(gan, dataset, stop=2, folder=tasks / "two")
    found["all diverged"] = not ranks.anyone(not diverges(gan, dataset))
    return found


def diverges(experiment: Experiment, dataset: Dataset) -> bool:
    """Whether a loss that is NaN on rank 1 alone is seen here."""
    objective = Poisoned(build_objective(experiment.objective))
    state = build_state(experiment, build_model(experiment, dataset.shape))
    try:
        advance(state, objective, make_batches(experiment, dataset, objective), STEPS, 0)
    except Diverged:
        return True
    return False


def main() -> None:
    """One of two processes, started with a folder of tasks and a file for the answers of rank 0."""
    torch.set_num_threads(1)
    with ranks.joined():
        answers = answer(Path(sys.argv[1]))
        if ranks.leads():
            torch.save(answers, sys.argv[2])
