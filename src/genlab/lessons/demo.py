"""The demo: a VAE, its decoder as a GAN's generator, the same GAN from random weights, one yardstick.

`Demo` knows what is done, in which order and how long it should take; how that shows is the face's affair.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from genlab.data.dataset import Dataset
from genlab.evaluation.references import References
from genlab.experiment.measured import bounds, evaluate_run
from genlab.experiment.measured import references as real_images
from genlab.experiment.runner import begin, load_data, work
from genlab.experiment.schema import Experiment, override
from genlab.experiment.second_stage import fit_prior
from genlab.experiment.trained import Trained, open_run
from genlab.lessons.estimators import Point, measure_estimators
from genlab.recipes import recipe
from genlab.runs.events import Event
from genlab.runs.store import Run


@dataclass(frozen=True)
class Plan:
    """Seconds of training for the VAE and for each GAN, the N of every measurement, and every how many steps
    quality is measured on the way (0: never), which counts as no training."""

    vae_seconds: float
    gan_seconds: float
    count: int
    validate: int = 0


FULL = Plan(vae_seconds=45, gan_seconds=45, count=10_000, validate=400)
QUICK = Plan(vae_seconds=14, gan_seconds=12, count=2_000)


@dataclass(frozen=True)
class Stage:
    """One stretch of the demo; `seconds` is what it should take, `begin` gives the run to watch, if any."""

    title: str
    seconds: float
    begin: Callable[[], Run | None]
    work: Callable[[], Iterable[Event]]


@dataclass
class Measured:
    """One way of drawing images: the run, the prior, its name in the report, its record."""

    key: str
    label: str
    trained: Trained
    prior: str
    record: dict[str, Any] = field(default_factory=dict)


class Demo:
    """Runs of one demo stand side by side in `folder`."""

    def __init__(self, folder: Path, plan: Plan, seed: int, command: str) -> None:
        self.folder, self.plan, self.seed, self.command = folder, plan, seed, command
        self.began = time.perf_counter()
        self.created = datetime.now().astimezone()
        self.runs: dict[str, Run] = {}
        self.models: list[Measured] = []
        self.estimators: list[Point] = []
        self.real: References
        self.floor: dict[str, Any]
        self.ceiling: dict[str, Any]
        self.prior_seconds = 0.0
        self.dataset: Dataset | None = None

    def stages(self) -> Iterator[Stage]:
        """In order; each is to be begun, worked and exhausted before the next."""
        plan = self.plan
        yield Stage("train a VAE", plan.vae_seconds + 4, self.begin_vae, self.train("vae"))
        yield Stage("fit a mixture to its codes", 8, nothing, self.fit_mixture)
        yield Stage(
            "train a GAN whose generator is that decoder",
            plan.gan_seconds + 4,
            self.begin_warm,
            self.train("warm"),
        )
        yield Stage(
            "train the same GAN from random weights", plan.gan_seconds, self.begin_cold, self.train("cold")
        )
        yield Stage("why the reparameterization trick? measure it", 2, nothing, self.measure_estimators)
        yield Stage("measure all four with one yardstick", 15 + plan.count / 400, nothing, self.measure)

    def configure(self, family: str, assignments: list[str]) -> Experiment:
        shared = [f"training.seed={self.seed}", f"training.validate_every={self.plan.validate}"]
        return override(recipe(family), [*shared, *assignments])

    def begin_vae(self) -> Run:
        experiment = self.configure("vae", [f"training.seconds={self.plan.vae_seconds}"])
        self.dataset = load_data(experiment)
        return self.start("vae", experiment)

    def begin_warm(self) -> Run:
        experiment = self.configure("gan", [f"training.seconds={self.plan.gan_seconds}"])
        source = str(self.runs["vae"].path.resolve())
        return self.start("warm", experiment.model_copy(update={"start": source}))

    def begin_cold(self) -> Run:
        """The same in all but the weights that the generator starts from: as many steps, not seconds."""
        warm = Experiment.model_validate(self.runs["warm"].config())
        training = warm.training.model_copy(update={"seconds": None})
        return self.start("cold", warm.model_copy(update={"start": None, "training": training}))

    def start(self, key: str, experiment: Experiment) -> Run:
        names = {"vae": "1-vae", "warm": "2-gan-from-vae", "cold": "3-gan-from-random"}
        self.runs[key] = begin(experiment, out=self.folder / names[key], dataset=self.dataset)
        return self.runs[key]

    def train(self, key: str) -> Callable[[], Iterable[Event]]:
        return lambda: work(self.runs[key], dataset=self.dataset)

    def fit_mixture(self) -> Iterable[Event]:
        assert self.dataset is not None
        _, self.prior_seconds = fit_prior(open_run(self.runs["vae"]), self.dataset)
        return ()

    def measure_estimators(self) -> Iterable[Event]:
        self.estimators = measure_estimators(self.seed)
        return ()

    def measure(self) -> Iterable[Event]:
        assert self.dataset is not None
        self.real = real_images(self.dataset)
        for key, label, run, prior in ENTRIES:
            trained = open_run(self.runs[run], prior=prior)
            entry = Measured(key, label, trained, prior)
            entry.record = evaluate_run(trained, self.real, count=self.plan.count, seed=self.seed)
            self.models.append(entry)
        self.floor, self.ceiling = bounds(self.real, self.plan.count)
        return ()

    @property
    def wall_seconds(self) -> float:
        return time.perf_counter() - self.began


ENTRIES = (
    ("vae", "VAE, z ~ N(0, I)", "vae", "own"),
    ("vae-mixture", "VAE, z ~ fitted mixture", "vae", "fitted"),
    ("gan-from-vae", "GAN from VAE's decoder", "warm", "own"),
    ("gan", "GAN from scratch", "cold", "own"),
)


def nothing() -> None:
    """A stage that trains nothing has no run to begin."""


def test_images(dataset: Dataset, count: int) -> torch.Tensor:
    """The first `count` test images: (N, C, H, W) in [−1, 1]."""
    from genlab.data.batches import to_float

    return to_float(torch.from_numpy(dataset.test.pixels[:count]))
