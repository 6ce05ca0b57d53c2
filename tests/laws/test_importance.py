"""Importance weighting on a linear-Gaussian model, whose likelihood and posterior are known exactly.

x = Wz + b + σε with orthogonal columns in W, so that the posterior is a diagonal Gaussian, as q is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, Normal

from genlab.data.batches import Batch
from genlab.functional.importance import LogMeanExp, log_mean_exp, log_weights
from genlab.networks.decoder import Decoder
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.networks.observation import Gaussian
from genlab.networks.prior import StandardNormal
from genlab.networks.two_layers import Conditional, TwoLayerEncoder, TwoLayerPrior
from genlab.nn.trunk import Trunk
from genlab.objectives.elbo import Elbo, Warmup
from genlab.objectives.importance import ImportanceWeighted, reconstruction
from genlab.randomness import generator

SHAPE, D, Z, SIGMA = (1, 1, 5), 5, 2, 0.7


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def normals(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear(layer: object) -> nn.Linear:
    assert isinstance(layer, nn.Linear)
    return layer


@pytest.fixture
def vae() -> VAE:
    """With q the posterior itself."""
    decoder = Decoder(Z, SHAPE, kind="mlp", depth=0)
    encoder = Encoder(Trunk(SHAPE, kind="mlp", depth=0), Z)
    weights, (out, head) = directions(), (linear(decoder.layers[0]), encoder.head)
    variance = 1 / (1 + weights.square().sum(dim=0) / SIGMA**2)
    gain = variance[:, None] * weights.T / SIGMA**2
    with torch.no_grad():
        out.weight.copy_(weights)
        out.bias.copy_(normals(D, seed=5))
        head.weight.copy_(torch.cat([gain, torch.zeros(Z, D)]))
        head.bias.copy_(torch.cat([-gain @ out.bias, variance.log()]))
    return VAE(encoder, decoder, StandardNormal(Z), Gaussian(SIGMA, linear=True))


def directions() -> Tensor:
    orthogonal, _ = torch.linalg.qr(normals(D, Z, seed=4))
    scaled: Tensor = orthogonal * torch.tensor([1.5, 0.6])
    return scaled


def images(n: int = 6) -> Tensor:
    return normals(n, *SHAPE, seed=7)


def likelihood(vae: VAE, x: Tensor) -> Tensor:
    """ln p(x) of images (B, C, H, W): (B,), exactly."""
    out = linear(vae.decoder.layers[0])
    covariance = out.weight @ out.weight.T + SIGMA**2 * torch.eye(D)
    exact: Tensor = MultivariateNormal(out.bias, covariance).log_prob(x.flatten(start_dim=1))
    return exact


@torch.no_grad()
def worse(vae: VAE) -> VAE:
    """With q beside the posterior: shifted, and too wide."""
    encoder = vae.encoder
    assert isinstance(encoder, Encoder)
    encoder.head.bias.add_(torch.tensor([0.3, -0.4, 0.5, 0.2]))
    return vae


@torch.no_grad()
def weights_of(vae: VAE, x: Tensor, draws: int, seed: int = 0) -> Tensor:
    """ln w (K, B)."""
    q = vae.encode(x)
    z = q.sample(normals(draws, len(x), Z, seed=seed))
    return log_weights(reconstruction(vae, z, x), vae.prior.log_density(z), q.log_density(z))


def test_where_q_is_the_posterior_every_weight_is_the_likelihood(vae: VAE) -> None:
    x = images()
    assert torch.allclose(weights_of(vae, x, 20), likelihood(vae, x).expand(20, -1))


def test_the_bound_rises_with_the_draws_towards_the_likelihood(vae: VAE) -> None:
    x, exact = images(), likelihood(vae, images())
    log_w = weights_of(worse(vae), x, 20_000)
    means, running = [], LogMeanExp()
    for k in (1, 2, 5, 50):
        bounds = torch.stack([log_mean_exp(part) for part in log_w.split(k)])
        means.append(bounds.mean(dim=0))
    for part in log_w.split(500):
        running.add(part)
    assert all((more > fewer).all() for fewer, more in pairwise(means))
    assert (means[-1] < exact).all()
    assert torch.allclose(running.value, exact, atol=0.05)


def test_one_draw_s_bound_is_the_likelihood_less_the_kl_to_the_posterior(vae: VAE) -> None:
    x, exact = images(1), likelihood(vae, images(1))
    true = vae.encode(x)
    posterior = Normal(true.mean, (0.5 * true.log_var).exp())
    q = worse(vae).encode(x)
    gap = torch.distributions.kl_divergence(Normal(q.mean, (0.5 * q.log_var).exp()), posterior).sum()
    log_w = weights_of(vae, x, 40_000)
    assert log_w.mean().item() == pytest.approx((exact - gap).item(), abs=5 * float(log_w.std()) / 200)


def gradients(objective: ImportanceWeighted, vae: VAE, x: Tensor, seed: int = 0) -> dict[str, Tensor]:
    (update,) = objective.updates(vae, Batch(x, None, step=0), generator(seed, "noise"))
    named = dict(vae.named_parameters())
    found = torch.autograd.grad(update.loss, list(named.values()))
    return dict(zip(named, found, strict=True))


def test_the_loss_is_the_bound_written_down(vae: VAE) -> None:
    x, k = images(), 7
    q = worse(vae).encode(x)
    z = q.mean + (0.5 * q.log_var).exp() * torch.randn(k, len(x), Z, generator=generator(0, "noise"))
    out = linear(vae.decoder.layers[0])
    log_w = (
        Normal(out(z), SIGMA).log_prob(x.flatten(start_dim=1)).sum(dim=-1)
        + Normal(0.0, 1.0).log_prob(z).sum(dim=-1)
        - Normal(q.mean, (0.5 * q.log_var).exp()).log_prob(z).sum(dim=-1)
    )
    expected = {"iwae": log_w.exp().mean(dim=0).log().mean(), "elbo": log_w.mean()}
    for bound, value in expected.items():
        objective = ImportanceWeighted(k, bound)
        (update,) = objective.updates(vae, Batch(x, None, step=0), generator(0, "noise"))
        assert update.part == "vae"
        assert torch.allclose(update.loss, -value)
        assert torch.allclose(update.logged()["elbo"], expected["elbo"])
        assert torch.allclose(update.logged()["bound"], expected["iwae"])
        terms = update.logged()["reconstruction"] + update.logged()["kl"]
        assert torch.allclose(update.logged()["elbo"], -terms)


def test_the_warmup_weighs_the_kl_in_both_bounds_and_not_what_is_reported(vae: VAE) -> None:
    x = images()
    for bound in ("elbo", "iwae"):
        cold = ImportanceWeighted(1, bound, warmup=Warmup(steps=4))
        (update,) = cold.updates(worse(vae), Batch(x, None, step=0), generator(0, "noise"))
        logged = update.logged()
        assert logged["beta"] == 0.25
        assert torch.allclose(update.loss, logged["reconstruction"] + 0.25 * logged["kl"])
        (warm,) = ImportanceWeighted(1, bound).updates(vae, Batch(x, None, step=0), generator(0, "noise"))
        assert torch.equal(warm.logged()["bound"], logged["bound"])


def test_many_draws_give_the_elbo_s_gradient(vae: VAE) -> None:
    """That of the closed form, to which the average over draws comes near."""
    x = images()
    q = worse(vae).encode(x)
    noise = normals(50_000, len(x), Z)
    named = dict(vae.named_parameters())
    nll = reconstruction(vae, q.sample(noise), x).mean()
    expected = torch.autograd.grad(nll + vae.prior.kl(q, q.mean).mean(), list(named.values()))
    found = gradients(ImportanceWeighted(50_000, "elbo"), vae, x)
    for (name, gradient), theirs in zip(found.items(), expected, strict=True):
        assert torch.allclose(gradient, theirs, atol=0.05), name


def two_layers() -> VAE:
    """A model whose posterior is not known: a second stochastic layer, and tanh."""
    sizes = {"hidden": 4, "depth": 1, "activation": "tanh"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first = Encoder(Trunk(SHAPE, kind="mlp", depth=0), Z)
        encoder = TwoLayerEncoder(first, Conditional(Z, 1, **sizes))  # type: ignore[arg-type]
        prior = TwoLayerPrior((Z, 1), Conditional(1, Z, **sizes))  # type: ignore[arg-type]
        decoder = Decoder(Z, SHAPE, kind="mlp", depth=1, hidden=6, norm="none", activation="tanh")
    return VAE(encoder, decoder, prior, Gaussian(SIGMA, linear=True))


@pytest.mark.parametrize("bound", ["elbo", "iwae"])
@pytest.mark.parametrize("layers", [1, 2])
def test_dreg_changes_the_encoder_s_gradient_only_and_not_in_expectation(
    vae: VAE, bound: str, layers: int
) -> None:
    model = worse(vae) if layers == 1 else two_layers()
    x, k = images(1).repeat(4000, 1, 1, 1), 4
    plain, doubly = ImportanceWeighted(k, bound), ImportanceWeighted(k, bound, "dreg")
    repeats = [(gradients(plain, model, x, seed), gradients(doubly, model, x, seed)) for seed in range(12)]
    for name in repeats[0][0]:
        ours, theirs = (torch.stack([pair[i][name] for pair in repeats]) for i in (1, 0))
        if not name.startswith("encoder"):
            assert torch.allclose(ours, theirs), name
            continue
        assert not torch.allclose(ours, theirs, rtol=1e-6), name
        apart = ours - theirs
        error = apart.std(dim=0) / math.sqrt(len(repeats))
        assert (apart.mean(dim=0).abs() < 6 * error + 1e-12).all(), name


@pytest.mark.parametrize("bound", ["elbo", "iwae"])
def test_dreg_vanishes_where_q_is_the_posterior(vae: VAE, bound: str) -> None:
    """Draw by draw; the bound's own gradient is 0 only on average."""
    plain = gradients(ImportanceWeighted(5, bound), vae, images())
    doubly = gradients(ImportanceWeighted(5, bound, "dreg"), vae, images())
    for name in ("encoder.head.weight", "encoder.head.bias"):
        assert doubly[name].abs().max() < 1e-10
        assert plain[name].abs().max() > 1e-2


def test_one_draw_is_the_elbo_with_either_bound(vae: VAE) -> None:
    x = images()
    worse(vae)
    (elbo,) = Elbo().updates(vae, Batch(x, None, step=0), generator(0, "noise"))
    for gradient in ("reparameterized", "dreg"):
        first, second = (gradients(ImportanceWeighted(1, b, gradient), vae, x) for b in ("elbo", "iwae"))
        assert all(torch.allclose(first[name], second[name]) for name in first)
    (found,) = ImportanceWeighted(1).updates(vae, Batch(x, None, step=0), generator(0, "noise"))
    assert torch.allclose(found.logged()["reconstruction"], elbo.logged()["reconstruction"])
