"""The linear VAE, whose optimum is known exactly, trained with the objective and the loop of the house.

Lucas et al. (2019) and Tipping & Bishop (1999): its best ELBO is the likelihood of probabilistic PCA. With β
and a fixed σ its rate and distortion are known too (Alemi et al., 2018), and which units collapse.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batches, to_float
from genlab.data.dataset import Images
from genlab.functional.gaussian import LOG_2PI, DiagonalGaussian, kl_per_dimension
from genlab.networks.decoder import Decoder
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.networks.observation import Gaussian
from genlab.networks.prior import StandardNormal
from genlab.nn.trunk import Trunk
from genlab.objectives.elbo import Elbo, Warmup
from genlab.training.fit import advance
from genlab.training.optim import AdamSettings
from genlab.training.state import new_state

SHAPE = (1, 2, 3)
D = math.prod(SHAPE)
SPREAD = (0.40, 0.28, 0.20, 0.13, 0.06, 0.05)  # standard deviations along a rotated frame
COUNT = 2048


@pytest.fixture(scope="module")
def images() -> Images:
    rng = np.random.default_rng(0)
    frame, _ = np.linalg.qr(rng.normal(size=(D, D)))
    points = np.clip(rng.normal(size=(COUNT, D)) * SPREAD, -2.2 * max(SPREAD), 2.2 * max(SPREAD)) @ frame
    return Images(np.round(127.5 * (np.clip(points, -1, 1) + 1)).astype(np.uint8).reshape(COUNT, *SHAPE))


def points(images: Images) -> Tensor:
    return to_float(torch.from_numpy(images.pixels)).flatten(start_dim=1).double()


def eigenvalues(images: Images) -> list[float]:
    """λ₁ ≥ … ≥ λ_d of the data's covariance."""
    values: list[float] = torch.linalg.eigvalsh(torch.cov(points(images).T, correction=0)).flip(0).tolist()
    return values


def train(images: Images, latent_dim: int, sigma: float, *, learned: bool, beta: float, steps: int) -> VAE:
    torch.manual_seed(0)
    encoder = Encoder(Trunk(SHAPE, kind="mlp", depth=0), latent_dim)
    decoder = Decoder(latent_dim, SHAPE, kind="mlp", depth=0)
    observation = Gaussian(sigma, learned=learned, linear=True)
    vae = VAE(encoder, decoder, StandardNormal(latent_dim), observation)
    state = new_state(vae, {"vae": AdamSettings(rate=0.05, betas=(0.9, 0.99), final=0.0)}, ema=0.0)
    batches, objective = Batches(images, 512, seed=0), Elbo(Warmup(beta))
    for _ in range(steps):
        advance(state, objective, batches, steps, seed=0)
    return vae


def log_variance(vae: VAE) -> Tensor:
    assert isinstance(vae.observation, Gaussian)
    return vae.observation.log_var.detach().double()


@torch.no_grad()
def rate_and_distortion(vae: VAE, images: Images) -> tuple[Tensor, float]:
    """KL per unit (Z,) and E_q[−ln p(x|z)], in nats per image, the expectation over q written down."""
    x = points(images)
    q = vae.encode(x.float().view(-1, *SHAPE))
    assert isinstance(q, DiagonalGaussian)
    weights = vae.decoder.get_parameter("layers.0.weight").double()
    mean = vae.decoder(q.mean).flatten(start_dim=1).double()
    log_var = log_variance(vae)
    spread = (q.log_var.double().exp() @ weights.square().T).sum(dim=1)
    error = ((x - mean).square().sum(dim=1) + spread) / log_var.exp()
    distortion = 0.5 * (D * (LOG_2PI + log_var) + error.mean())
    return kl_per_dimension(q).double().mean(dim=0), distortion.item()


def test_it_is_probabilistic_pca(images: Images) -> None:
    """With σ learned, to 0.01 nats per datum, and never above."""
    k, values = 2, eigenvalues(images)
    variance = sum(values[k:]) / (D - k)
    best = -0.5 * (D * LOG_2PI + sum(map(math.log, values[:k])) + (D - k) * math.log(variance) + D)
    vae = train(images, k, 0.5, learned=True, beta=1.0, steps=1000)
    rate, distortion = rate_and_distortion(vae, images)
    elbo = -(rate.sum().item() + distortion)
    assert best - 0.01 < elbo < best + 1e-5
    assert log_variance(vae).exp().item() == pytest.approx(variance, rel=0.01)


@pytest.mark.parametrize(("beta", "active"), [(1.0, 4), (2.5, 3), (6.0, 2), (20.0, 0)])
def test_units_collapse_where_their_eigenvalue_is_below_beta_sigma_squared(
    images: Images, beta: float, active: int
) -> None:
    sigma, k, values = 0.1, 4, eigenvalues(images)
    threshold = beta * sigma**2
    assert active == sum(value > threshold for value in values[:k])
    vae = train(images, k, sigma, learned=False, beta=beta, steps=1000)
    with torch.no_grad():
        codes = vae.encode(to_float(torch.from_numpy(images.pixels))).mean
    assert int((codes.var(dim=0) > 0.01).sum()) == active

    rate, distortion = rate_and_distortion(vae, images)
    best_rate = 0.5 * sum(math.log(value / threshold) for value in values[:active])
    rest = (sum(values[active:]) + active * threshold) / sigma**2
    best_distortion = 0.5 * (D * math.log(2 * math.pi * sigma**2) + rest)
    assert rate.sum().item() == pytest.approx(best_rate, abs=0.02)
    assert distortion == pytest.approx(best_distortion, abs=0.05)
    assert distortion + beta * rate.sum().item() < best_distortion + beta * best_rate + 0.01

    if beta == 1:  # the likelihood of probabilistic PCA with this σ, to 0.01 nats per datum
        logs = sum(map(math.log, values[:active])) + (D - active) * math.log(sigma**2)
        best = -0.5 * (D * LOG_2PI + logs + active + sum(values[active:]) / sigma**2)
        assert best - 0.01 < -(rate.sum().item() + distortion) < best + 1e-5
