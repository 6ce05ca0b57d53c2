"""Gradients of one objective by several estimators: where closed forms are known, and in a VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset
from genlab.experiment import schema
from genlab.experiment.build import build_model
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import open_run
from genlab.lessons.estimators import measure_estimators
from genlab.lessons.work import Said
from genlab.networks.model import VAE
from genlab.objectives.gradients import GRADIENTS
from genlab.randomness import generator
from genlab.runs.store import Run

POINTS = ((1, 0.0), (2, 0.0), (5, 0.0), (10, 0.0), (20, 0.0), (50, 0.0), (100, 0.0),
          (1, 1.0), (1, 2.0), (1, 3.0), (1, 5.0), (1, 7.0), (1, 10.0))  # fmt: skip


def closed_form(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """f = ‖z‖², whose gradient in μ is 2μ. given: seed, samples."""
    use_threads(1)
    points = measure_estimators(given["seed"], POINTS, given["samples"])
    return {"points": [asdict(point) for point in points]}


def of_a_model(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """A VAE's gradients at its encoder, before training and, of the run in the one folder needed, after it.

    given: config, batch (images), draws. One batch throughout; only the noise is drawn anew, the same noise
    for every estimator.
    """
    use_threads(1)
    experiment = schema.parse(dict(given["config"]))
    dataset = load_data(experiment)
    fresh = build_model(experiment, dataset.shape)
    trained = open_run(Run(needs[0] / "run")).model
    stages = {"before training": fresh, "after training": trained}
    found: dict[str, Any] = {}
    for number, (stage, model) in enumerate(stages.items()):
        assert isinstance(model, VAE)
        images = images_of(dataset, given["batch"], experiment.training.seed)
        part = partial(part_said, said, number, len(stages))
        found[stage] = measured(model, images, given["draws"], experiment.training.seed, part)
    return found


def part_said(said: Said, number: int, of: int, share: float) -> None:
    said((number + share) / of)


def images_of(dataset: Dataset, count: int, seed: int) -> Tensor:
    """`count` training images, drawn by the seed: (N, C, H, W) in [−1, 1]."""
    chosen = torch.randperm(len(dataset.train), generator=generator(seed, "lessons/gradients/batch"))[:count]
    return to_float(torch.from_numpy(dataset.train.pixels[chosen.numpy()]))


class Moments:
    """The mean of vectors and the sum of their entries' variances, in one pass (Welford, 1962)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, torch.zeros(()), 0.0

    def add(self, vector: Tensor) -> None:
        self.count += 1
        before = vector - self.mean
        self.mean = self.mean + before / self.count
        self.squares += float(before @ (vector - self.mean))

    @property
    def variance(self) -> float:
        """E‖g − Eg‖², without bias."""
        return self.squares / (self.count - 1)


def measured(model: VAE, images: Tensor, draws: int, seed: int, said: Said) -> dict[str, Any]:
    """For each estimator the variance of one draw's gradient; and the share of the pathwise gradient that
    arrives in the mean.

    The share is ⟨g, u⟩ / ⟨p, u⟩ where p is the pathwise gradient and u the direction of its mean over draws
    of their own, so that noise does not correlate with itself: 1 for an estimator without bias, 0 where
    nothing arrives. Its standard error is that of ⟨g, u⟩ over the draws.
    """
    model.eval()  # so that a draw touches no running statistics
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    reference = Moments()
    for draw in range(draws):
        noise = noise_of(model, images, seed, "reference", draw)
        reference.add(gradient(model, images, noise, "reparameterized")[0])
        said(0.2 * draw / draws)
    direction = reference.mean / reference.mean.norm()
    moments = {name: Moments() for name in GRADIENTS}
    along: dict[str, list[float]] = {name: [] for name in GRADIENTS}
    values: dict[str, list[float]] = {name: [] for name in GRADIENTS}
    for draw in range(draws):
        noise = noise_of(model, images, seed, "draws", draw)
        for name in GRADIENTS:
            vector, value = gradient(model, images, noise, name)
            moments[name].add(vector)
            along[name].append(float(vector @ direction))
            values[name].append(value)
        said(0.2 + 0.8 * draw / draws)
    whole = sum(along["reparameterized"]) / draws
    return {
        name: {
            "variance": moments[name].variance,
            "norm": float(moments[name].mean.norm()),
            "share": sum(along[name]) / draws / whole,
            "share_error": float(torch.tensor(along[name]).double().std()) / draws**0.5 / abs(whole),
            "largest_difference": largest(values[name], values["reparameterized"]),
        }
        for name in GRADIENTS
    }


def noise_of(model: VAE, images: Tensor, seed: int, stream: str, draw: int) -> Tensor:
    rng = generator(seed, f"lessons/gradients/{stream}", draw)
    return torch.randn(len(images), model.prior.latent_dim, generator=rng)


def gradient(model: VAE, images: Tensor, noise: Tensor, name: str) -> tuple[Tensor, float]:
    """The gradient of the batch's mean −ln p(x|z) in the encoder's parameters, a vector; and the mean."""
    parameters = list(model.encoder.parameters())
    nll = GRADIENTS[name](model, images, noise).nll.mean()
    parts = torch.autograd.grad(nll, parameters, allow_unused=True)
    vector = torch.cat([
        torch.zeros(each.numel()) if part is None else part.flatten()
        for each, part in zip(parameters, parts, strict=True)
    ])  # fmt: skip
    return vector, nll.item()


def largest(values: Sequence[float], others: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(values, others, strict=True))
