"""One model → one evaluation: its samples against held-out images, its likelihood, its cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from genlab.evaluation.cost import measure_cost
from genlab.evaluation.inversion import measure_inversion
from genlab.evaluation.likelihood import measure_likelihood
from genlab.evaluation.records import VERSION as VERSION
from genlab.evaluation.references import References
from genlab.evaluation.yardstick import STANDARD_COUNT, Progress, Values, measure, plain, silent
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.randomness import generator

CHUNK = 500


@dataclass(frozen=True)
class Protocol:
    """What two evaluations must share for their numbers to stand in one column."""

    data: str
    count: int
    references: int
    seed: int
    full: bool
    networks: dict[str, str]
    likelihood: str | None
    """The measure of pixels that likelihoods are in; None where there is none."""


@dataclass(frozen=True)
class Evaluation:
    """`prior` names where z came from; `values` are by key of INSTRUMENTS."""

    prior: str
    protocol: Protocol
    values: Values
    details: dict[str, Any]
    cost: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "prior": self.prior,
            "protocol": asdict(self.protocol),
            "values": plain(self.values),
            "details": self.details,
            "cost": self.cost,
        }


@torch.inference_mode()
def draw(model: VAE | GAN | VAEGAN, count: int, seed: int) -> Tensor:
    """`count` images (N, C, H, W) from the model's prior, from a stream of evaluation's own."""
    sizes = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
    return torch.cat([model.sample(n, generator(seed, "evaluate", i)) for i, n in enumerate(sizes)])


def evaluate(
    model: VAE | GAN | VAEGAN,
    references: References,
    *,
    count: int = STANDARD_COUNT,
    seed: int = 0,
    full: bool = False,
    binarise: str = "none",
    training_seconds: float = 0.0,
    images_seen: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Everything that is said of `model`, which must be in evaluation mode; `progress(what, done, of)`.

    Standard: the sample metrics, one draw of the posterior for the ELBO and 64 for the bound L_K on some
    test images. `full` takes minutes: the instruments that are not standard, and L_5000 on all test images.
    """
    assert not model.training
    said = progress or silent
    said("drawing samples", 0, count)
    samples = draw(model, count, seed)
    values = measure(samples, references, full=full, progress=progress)
    tests = references.test_images()
    found = measure_likelihood(
        model, tests, seed=seed, binarise=binarise, full=full,
        progress=lambda done, of: said("likelihood: importance-weighted draws", done, of),
    )  # fmt: skip
    inverted, how = measure_inversion(
        model, tests, seed=seed, full=full,
        progress=lambda done, of: said("inversion: searching for latents", done, of),
    )  # fmt: skip
    protocol = Protocol(
        references.data, count, references.count, seed, full, references.networks, found.measure
    )
    said("cost", 0, 1)
    return Evaluation(
        prior=model.prior.name,
        protocol=protocol,
        values=values | found.values | {"inversion_mse": inverted},
        details=found.details | ({"inversion": how} if how else {}),
        cost=measure_cost(model, training_seconds=training_seconds, images_seen=images_seen, seed=seed),
    )
