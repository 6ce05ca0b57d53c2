"""The trainings that are held against each other: each has so many seconds for all that it does."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from genlab.data.dataset import Dataset
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.experiment.second_stage import fit_prior
from genlab.experiment.trained import Trained, open_run
from genlab.recipes import recipe
from genlab.recipes.auto import chosen
from under_the_clock.scales import COUNT, Scale, distances

FIT = 6.0  # seconds of the budget that are left for the second stage
FIRST = 1 / 6  # of the budget for the VAE that a GAN starts from (`genlab bench search`)


@dataclass(frozen=True)
class Task:
    """Images, seconds and a seed; what is set in the recipe, and the share of a VAE before a GAN. `auto`: the
    recipe is fitted to images and seconds, as by `genlab train --recipe auto --seconds N`."""

    data: str
    dataset: Dataset
    budget: float
    seed: int
    settings: tuple[str, ...] = ()
    share: float = FIRST
    auto: bool = False

    def asked(self, name: str, budget: float, *more: str, inherits: bool = False) -> Experiment:
        named = (f"data.name={self.data}", f"training.seconds={budget}", f"training.seed={self.seed}")
        fitted = chosen(name, self.dataset.shape, "cpu", budget, inherits=inherits) if self.auto else []
        return recipe(name, *(choice.assignment for choice in fitted), *named, *more)


def train(experiment: Experiment, out: Path, dataset: Dataset, start: Trained | None = None) -> Trained:
    """As `genlab.train`, but a training that was stopped stops the race."""
    trained = runner.train(experiment, start=start, out=out, dataset=dataset)
    if trained.step < trained.experiment.training.steps:
        raise KeyboardInterrupt
    return trained


class Made(NamedTuple):
    """A model to be scored, and the seconds that went into it: all, and those of its last training alone."""

    label: str
    trained: Trained
    seconds: float
    own_seconds: float


def vae(task: Task, out: Path) -> Iterator[Made]:
    """The VAE, its samples from N(0, I) and from the second stage."""
    asked = task.asked("vae", task.budget - FIT, *task.settings)
    trained = train(asked, out=out / "vae", dataset=task.dataset)
    yield Made("VAE, z ~ N(0, I)", trained, seconds(trained), seconds(trained))
    _, fitting = fit_prior(trained, task.dataset)
    fitted = open_run(trained.run, prior="fitted")
    yield Made("VAE, z ~ fitted mixture", fitted, seconds(trained) + fitting, seconds(trained))


def second_stages(task: Task, out: Path) -> Iterator[Made]:
    """One VAE, and mixtures of several sizes, and a flow, fitted to its codes."""
    trained = train(
        task.asked("vae", task.budget - FIT, *task.settings), out=out / "vae", dataset=task.dataset
    )
    for components in (16, 64, 128, 256, None):
        kind = "flow" if components is None else "mixture"
        _, fitting = fit_prior(trained, task.dataset, components, kind=kind)
        label = "VAE, z ~ a flow" if components is None else f"VAE, z ~ {components} Gaussians"
        yield Made(label, open_run(trained.run, prior="fitted"), seconds(trained) + fitting, seconds(trained))


def gan(task: Task, out: Path) -> Iterator[Made]:
    """The GAN from random weights."""
    trained = train(task.asked("gan", task.budget, *task.settings), out=out / "gan", dataset=task.dataset)
    yield Made("GAN from random weights", trained, seconds(trained), seconds(trained))


def gan_from_vae(task: Task, out: Path) -> Iterator[Made]:
    """The GAN from the decoder of a VAE that took its share of the budget."""
    first = train(task.asked("vae", task.budget * task.share), out=out / "vae", dataset=task.dataset)
    rest = task.asked("gan", task.budget - seconds(first), *task.settings, inherits=True)
    trained = train(rest, start=first, out=out / "gan", dataset=task.dataset)
    yield Made("GAN from the VAE's decoder", trained, seconds(first) + seconds(trained), seconds(trained))


def gan_from_mixture(task: Task, out: Path) -> Iterator[Made]:
    """The same, its z drawn from the mixture that was fitted to the VAE's codes."""
    first = train(task.asked("vae", task.budget * task.share), out=out / "vae", dataset=task.dataset)
    _, fitting = fit_prior(first, task.dataset)
    before = seconds(first) + fitting
    mixture = "network.prior.kind=mixture"
    rest = task.asked("gan", task.budget - before, mixture, *task.settings, inherits=True)
    trained = train(rest, start=first, out=out / "gan", dataset=task.dataset)
    label = "GAN from the VAE's decoder, z ~ mixture"
    yield Made(label, trained, before + seconds(trained), seconds(trained))


ARMS: dict[str, Callable[[Task, Path], Iterator[Made]]] = {
    "vae": vae, "second-stages": second_stages, "gan": gan,
    "gan-from-vae": gan_from_vae, "gan-from-mixture": gan_from_mixture,
}  # fmt: skip


def seconds(trained: Trained) -> float:
    """What the run counted: its steps, not the reading of data and the writing of files."""
    finished = [event for event in trained.run.events() if event.kind == "finished"]
    return float(finished[-1].seconds)  # type: ignore[union-attr]


def scored(arm: str, task: Task, scales: list[Scale]) -> list[dict[str, Any]]:
    """One training: a row for each way to sample from what it made."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        began, spent = time.perf_counter(), 0.0
        for made in ARMS[arm](task, Path(folder)):
            paused = time.perf_counter()
            images = made.trained.sample(COUNT, task.seed).images
            rows.append(
                {
                    "arm": arm, "model": made.label, "data": task.data, "budget": task.budget,
                    "seed": task.seed, "seconds": made.seconds, "own_seconds": made.own_seconds,
                    "steps": made.trained.step, "wall": paused - began - spent,
                    "fid": distances(images, scales),
                }
            )  # fmt: skip
            spent += time.perf_counter() - paused
    return rows
