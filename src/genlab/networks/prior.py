"""What stands behind the decoder: the distribution that z is drawn from.

`StandardNormal` is what a VAE is trained towards and a GAN starts with. `GaussianMixture` is fitted to the
codes of a trained VAE ("second stage"; Ghosh et al., 2020; Dai & Wipf, 2019) and takes its place. Priors with
parameters of their own are in `flow.py` and `two_layers.py`.
"""

from __future__ import annotations

import math
import warnings
from typing import Protocol

import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.functional.gaussian import (
    LOG_2PI,
    DiagonalGaussian,
    Posterior,
    kl_divergence,
    standard_log_density,
)
from genlab.functional.mixture import expectation_maximisation
from genlab.randomness import normal
from genlab.ranks import mine, parts

START = 10_000  # codes for the k-means that a mixture starts from


class Prior(Protocol):
    """`sample`: n latents (n, Z); `log_density`: ln p(z) of (…, Z), (…), nats; `kl`: KL(q ‖ p), nats, in
    closed form where there is one, (B,), else ln q(z) − ln p(z) at the given draw `z` (…, B, Z), (…, B)."""

    latent_dim: int

    @property
    def name(self) -> str:
        """What the prior is called in a report."""
        ...

    def sample(self, n: int, rng: torch.Generator) -> Tensor: ...

    def log_density(self, z: Tensor) -> Tensor: ...

    def kl(self, q: Posterior, z: Tensor) -> Tensor: ...


class StandardNormal(nn.Module):
    """N(0, I) in `latent_dim` dimensions."""

    name = "N(0, I)"

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        return normal((n, self.latent_dim), rng)

    def log_density(self, z: Tensor) -> Tensor:
        return standard_log_density(z)

    def kl(self, q: Posterior, z: Tensor) -> Tensor:
        assert isinstance(q, DiagonalGaussian), "two stochastic layers have a prior of their own"
        return kl_divergence(q)


class GaussianMixture(nn.Module):
    """Σₖ wₖ N(μₖ, LₖLₖᵀ): weights (K,), means (K, Z), lower-triangular scales (K, Z, Z)."""

    name = "Gaussian mixture fitted to the codes"
    weights: Tensor
    means: Tensor
    scales: Tensor

    def __init__(self, weights: Tensor, means: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.latent_dim = means.shape[1]
        self.register_buffer("weights", weights)
        self.register_buffer("means", means)
        self.register_buffer("scales", scales)

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Drawn in random order of components, on the device of `rng`."""
        weights, means, scales = (t.to(rng.device) for t in (self.weights, self.means, self.scales))
        component = mine(torch.multinomial(weights, n * parts(), replacement=True, generator=rng))
        noise = normal((n, self.latent_dim), rng)
        return means[component] + torch.einsum("nij,nj->ni", scales[component], noise)

    def log_density(self, z: Tensor) -> Tensor:
        if z.ndim != 2:
            return self.log_density(z.reshape(-1, self.latent_dim)).view(z.shape[:-1])
        centred = z.unsqueeze(1) - self.means  # (B, K, Z)
        scaled = torch.linalg.solve_triangular(
            self.scales, centred.permute(1, 2, 0), upper=False
        )  # (K, Z, B)
        log_det = self.scales.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        each = -0.5 * scaled.square().sum(dim=1).T - log_det - 0.5 * self.latent_dim * LOG_2PI
        return torch.logsumexp(each + self.weights.clamp_min(math.exp(-80)).log(), dim=1)

    def kl(self, q: Posterior, z: Tensor) -> Tensor:
        return q.log_density(z) - self.log_density(z)


def fit_mixture(codes: Tensor, components: int, seed: int) -> GaussianMixture:
    """A mixture of `components` full Gaussians fitted to `codes` (N, Z) by expectation–maximisation, from
    k-means on at most `START` of them.

    Raises:
        UserError: fewer than two codes per component.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    if len(codes) < 2 * components:
        raise UserError(
            f"a mixture of {components} components needs {2 * components} codes or more, not {len(codes)}; "
            "ask for fewer components or encode more images"
        )
    points = codes.float().cpu()
    # one thread: the small products gain nothing from a second, which starves where the machine is busy
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct codes than components
        start = KMeans(components, n_init=1, max_iter=20, random_state=seed).fit(points[:START].numpy())
    nearest = torch.cdist(points, torch.from_numpy(start.cluster_centers_)).argmin(dim=1)
    closeness = torch.nn.functional.one_hot(nearest, components).float()
    fitted = expectation_maximisation(points, closeness, steps=60, least=1e-4, tolerance=1e-3)
    return GaussianMixture(*(tensor.float() for tensor in fitted))
