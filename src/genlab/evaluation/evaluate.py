"""One model → one report: its samples against held-out images, its likelihood, its cost."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.evaluation.references import References
from genlab.evaluation.yardstick import STANDARD_COUNT, Measurement, measure
from genlab.metrics.unavailable import Unavailable
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.randomness import generator

CHUNK = 500


@dataclass(frozen=True)
class Likelihood:
    """What a VAE gives to `count` test images, one sample of q(z|x) each; means over images, in nats.

    Only values on one `measure` compare: a density on [−1, 1] differs from one on [0, 1] by d·ln 2, and a
    cross-entropy of grey levels is no density at all.
    """

    measure: str
    count: int
    elbo: float
    reconstruction: float
    """−E_q[ln p(x|z)], the distortion."""
    kl: float
    """KL(q(z|x) ‖ p(z)), the rate."""
    mean_squared_error: float
    """Of reconstructions by the posterior mean, pixels in [0, 1]."""


@dataclass(frozen=True)
class Evaluation:
    """`prior` names where z came from; `sampling_rate` is in images per second, decoding included."""

    prior: str
    seed: int
    samples: Measurement
    likelihood: Likelihood | Unavailable
    parameters: dict[str, int]
    sampling_rate: float

    def as_json(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["samples"] = self.samples.as_json()
        if isinstance(self.likelihood, Unavailable):
            plain["likelihood"] = self.likelihood.as_json()
        return plain


@torch.inference_mode()
def draw(model: VAE | GAN | VAEGAN, count: int, seed: int) -> Tensor:
    """`count` images (N, C, H, W) from the model's prior, from a stream of evaluation's own."""
    sizes = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
    return torch.cat([model.sample(n, generator(seed, "evaluate", i)) for i, n in enumerate(sizes)])


def evaluate(
    model: VAE | GAN | VAEGAN, references: References, *, count: int = STANDARD_COUNT, seed: int = 0
) -> Evaluation:
    """The whole report of `model`, which must be in evaluation mode."""
    assert not model.training
    began = time.perf_counter()
    samples = draw(model, count, seed)
    rate = count / (time.perf_counter() - began)
    return Evaluation(
        prior=str(getattr(model.prior, "name", "")),
        seed=seed,
        samples=measure(samples, references),
        likelihood=likelihood(model, references, seed),
        parameters=parameters(model),
        sampling_rate=rate,
    )


@torch.inference_mode()
def likelihood(model: VAE | GAN | VAEGAN, references: References, seed: int) -> Likelihood | Unavailable:
    """The test ELBO and its terms."""
    if isinstance(model, GAN):
        return Unavailable("a GAN defines no likelihood: it can draw images, not say how probable one is")
    totals, count = torch.zeros(3, dtype=torch.float64), 0
    pixels = torch.from_numpy(references.dataset.test.pixels)
    for index, chunk in enumerate(pixels.split(CHUNK)):
        images = to_float(chunk)
        q = model.encode(images)
        noise = torch.randn(q.mean.shape, generator=generator(seed, "evaluate/likelihood", index))
        z = q.sample(noise)
        nll = model.observation.nll(model.raw(z), images)
        error = (model.decode(q.mean) - images).square().flatten(1).mean(dim=1) / 4
        totals += torch.stack([nll.double().sum(), model.prior.kl(q, z).double().sum(), error.double().sum()])
        count += len(images)
    reconstruction, kl, squared = (totals / count).tolist()
    elbo = -(reconstruction + kl)
    return Likelihood(model.observation.measure, count, elbo, reconstruction, kl, squared)


def parameters(model: torch.nn.Module) -> dict[str, int]:
    """Learned numbers of each part."""
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    return {name: size for name, size in sizes.items() if size}
