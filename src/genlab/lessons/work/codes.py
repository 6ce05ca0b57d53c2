"""What a VAE's code says of its images, as tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import CHUNK, open_run
from genlab.functional.gaussian import DiagonalGaussian, kl_per_dimension
from genlab.lessons.work import Said
from genlab.lessons.work.training import diverged
from genlab.metrics.latent import MOVES
from genlab.networks.model import VAE
from genlab.randomness import generator
from genlab.runs.store import Run


@torch.inference_mode()
def terms(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """The ELBO and its terms on test and on training images, in nats per image, one draw of z each; the mean
    squared error of what comes back, in pixels of [−1, 1]; each dimension's KL. given: count, of each kind.
    Nothing of a training that diverged."""
    if diverged(needs[0]):
        return {}
    use_threads(1)
    trained = open_run(Run(needs[0] / "run"))
    dataset = load_data(trained.experiment)
    model = trained.model
    assert isinstance(model, VAE)
    count = given["count"]
    test = of_images(model, to_float(torch.from_numpy(dataset.test.pixels[:count])), "test")
    train = of_images(model, to_float(torch.from_numpy(dataset.train.pixels[:count])), "train")
    return {"test": test, "train": train}


def of_images(model: VAE, images: Tensor, stream: str) -> dict[str, Any]:
    rng = generator(0, f"lessons/terms/{stream}")
    distortion = rate = error = 0.0
    kl, means = torch.zeros(model.prior.latent_dim), []
    for chunk in images.split(CHUNK):
        noise = torch.randn(len(chunk), model.prior.latent_dim, generator=rng)
        q, nll, divergence = model(chunk, noise)
        distortion, rate = distortion + float(nll.sum()), rate + float(divergence.sum())
        error += float((model.decode(q.mean) - chunk).square().flatten(1).mean(dim=1).sum())
        means.append(q.mean)
        if isinstance(q, DiagonalGaussian):
            kl += kl_per_dimension(q).sum(dim=0)
    count = len(images)
    return {
        "elbo": -(distortion + rate) / count, "distortion": distortion / count, "rate": rate / count,
        "mse": error / count, "kl": (kl / count).tolist(),
        "active": int((torch.cat(means).var(dim=0) > MOVES).sum()),
    }  # fmt: skip
