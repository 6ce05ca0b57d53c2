"""The second stage: a mixture or a flow fitted to the codes of a trained VAE stands in for its prior.

A VAE's codes do not fill N(0, I) as the prior assumes; drawing z from where the codes really are is by far
the cheapest gain in sample quality (Dai & Wipf, 2019; Ghosh et al., 2020).
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.trained import CHUNK, Trained, write_prior
from genlab.networks.flow import Flow, fit_flow
from genlab.networks.model import GAN
from genlab.networks.prior import GaussianMixture, fit_mixture
from genlab.randomness import derive_seed, generator

KINDS = ("mixture", "flow")
COMPONENTS = 64
CODES = 60_000  # training images, at most, whose codes are fitted


@torch.inference_mode()
def codes(trained: Trained, dataset: Dataset, count: int) -> Tensor:
    """One sample of q(z|x) for each of the first `count` training images: draws of the aggregate posterior,
    (N, Z). Raises UserError for a GAN, which has no encoder."""
    model = trained.model
    if isinstance(model, GAN):
        raise UserError(f"{trained.run.name} is a GAN and has no codes to fit a prior to; give a VAE's run")
    rng = generator(trained.experiment.training.seed, "second-stage")
    drawn = []
    for pixels in torch.from_numpy(dataset.train.pixels[:count]).split(CHUNK):
        q = model.encode(to_float(pixels))
        drawn.append(q.sample(torch.randn(q.mean.shape, generator=rng)))
    return torch.cat(drawn)


def fit_prior(
    trained: Trained, dataset: Dataset, components: int | None = None, *, kind: str = "mixture"
) -> tuple[GaussianMixture | Flow, float]:
    """Fit the prior, keep it in the run folder, and return it with the seconds it took. A mixture has 64
    components by default, fewer where there are few images. Raises UserError for a run that is only read."""
    trained.run.only_read()
    began = time.perf_counter()
    points = codes(trained, dataset, CODES)
    seed = derive_seed(trained.experiment.training.seed, "second-stage") % 2**32
    prior: GaussianMixture | Flow
    if kind == "flow":
        prior = fit_flow(points, seed)
    else:
        components = components or max(1, min(COMPONENTS, len(points) // (4 * points.shape[1])))
        prior = fit_mixture(points, components, seed)
    write_prior(trained.run, prior, trained.best)
    return prior, time.perf_counter() - began
