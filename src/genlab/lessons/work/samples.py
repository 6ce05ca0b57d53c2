"""What a decoder makes of what is drawn for it: from N(0, I), and from a Gaussian fitted to the codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_float, to_uint8
from genlab.data.dataset import Dataset, Images
from genlab.evaluation.extractor import Extractor
from genlab.evaluation.feature_networks import extractor_for
from genlab.evaluation.references import chosen
from genlab.experiment import schema
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import CHUNK, Trained, open_run
from genlab.functional.gaussian import DiagonalGaussian
from genlab.lessons.work import Said
from genlab.metrics.frechet import Moments, frechet_from_moments, moments
from genlab.networks.model import VAE
from genlab.randomness import generator
from genlab.runs.store import Run

KINDS = ("prior", "codes")
FITTED = 10_000  # training images, at most, to whose codes a Gaussian is fitted
SURE = 0.9  # a classifier's probability of its first choice, above which it is sure
SHOWN = 24
PICTURES = "samples.npy"  # (2, SHOWN, C, H, W) uint8, as in KINDS


@torch.inference_mode()
def drawn(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: count, of samples of each kind. needs: the run of a VAE or an autoencoder. Found for each of
    KINDS: "frechet", the distance to the test images by the data's own features, or random ones where a
    network would have to be trained; "sure", the share of them that its classifier is sure of, else None."""
    use_threads(1)
    trained = open_run(Run(needs[0] / "run"))
    dataset = load_data(trained.experiment)
    extractor = extractor_for(dataset)
    real = moments(extractor(test_images(dataset)).features)
    said(0.4)
    rng = generator(trained.experiment.training.seed, "lessons/samples")
    prior = trained.model.latents(given["count"], rng)
    codes = like(codes_of(trained, dataset.train, FITTED), given["count"], rng)
    images = [trained.decode(latents) for latents in (prior, codes)]
    said(0.6)
    np.save(folder / PICTURES, torch.stack([to_uint8(each[:SHOWN]) for each in images]).numpy())
    return {kind: held(each, extractor, real) for kind, each in zip(KINDS, images, strict=True)}


def test_images(dataset: Dataset) -> Tensor:
    return to_float(torch.from_numpy(dataset.test.pixels))


def codes_of(trained: Trained, images: Images, count: int) -> Tensor:
    """What the decoder was trained on: a draw of q(z|x) for each of `count` images, (N, Z), or, where z was
    never drawn, its mean."""
    model, objective = trained.model, trained.experiment.objective
    assert isinstance(model, VAE)
    assert isinstance(objective, schema.Elbo)
    rng = generator(trained.experiment.training.seed, "lessons/codes")
    some = to_float(torch.from_numpy(images.pixels[chosen(len(images), count).numpy()]))
    found = []
    for chunk in some.split(CHUNK):
        q = model.encode(chunk)
        assert isinstance(q, DiagonalGaussian)
        noise = torch.randn(q.mean.shape, generator=rng)
        found.append(q.sample(noise) if objective.drawn else q.mean)
    return torch.cat(found)


def like(codes: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """`count` draws (count, Z) from the Gaussian with the mean and the covariance of codes (N, Z)."""
    fitted = moments(codes)
    values, vectors = torch.linalg.eigh(fitted.covariance)
    root = vectors * values.clamp_min(0).sqrt()
    noise = torch.randn(count, codes.shape[1], generator=rng, dtype=torch.float64)
    drawn: Tensor = (fitted.mean + noise @ root.T).float()
    return drawn


def held(images: Tensor, extractor: Extractor, real: Moments) -> dict[str, float | None]:
    seen = extractor(images)
    sure = None
    if isinstance(seen.probabilities, Tensor):
        sure = float((seen.probabilities.amax(dim=1) > SURE).float().mean())
    return {"frechet": frechet_from_moments(real, moments(seen.features)), "sure": sure}
