from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model
from genlab.experiment.schema import Experiment
from genlab.networks.model import VAE
from genlab.networks.two_layers import Conditional, TwoLayerPrior, TwoLayers
from genlab.randomness import generator

Tiny = Callable[..., Experiment]


@pytest.fixture
def vae(tiny: Tiny, dataset: Dataset) -> VAE:
    """Three dimensions of h1, two of h2, and all variances away from 1."""
    model = build_model(tiny("vae", "network.second_latent=2"), dataset.shape)
    assert isinstance(model, VAE)
    for index, parameter in enumerate(model.parameters()):
        noise = torch.randn(parameter.shape, generator=generator(0, "test", index))
        parameter.data.add_(noise, alpha=0.2)
    return model.eval().requires_grad_(False)


def posterior(vae: VAE, dataset: Dataset) -> TwoLayers:
    images = torch.from_numpy(dataset.train.pixels[:4]).float() / 127.5 - 1
    q = vae.encode(images)
    assert isinstance(q, TwoLayers)
    return q


def normal(layer: object, given: Tensor) -> Normal:
    assert isinstance(layer, Conditional)
    mean, log_var = layer(given)
    return Normal(mean, torch.exp(log_var / 2))


def test_the_densities_are_products_of_the_layers(vae: VAE, dataset: Dataset) -> None:
    q = posterior(vae, dataset)
    z = torch.randn(6, 4, 5, generator=generator(0, "z"))
    h1, h2 = z[..., :3], z[..., 3:]
    first = Normal(q.first.mean, q.first.std).log_prob(h1).sum(dim=-1)
    second = normal(vae.encoder.second, h1).log_prob(h2).sum(dim=-1)
    assert torch.allclose(q.log_density(z), first + second, atol=1e-5)
    assert torch.allclose(q.frozen().log_density(z), first + second, atol=1e-5)

    assert isinstance(vae.prior, TwoLayerPrior)
    deep = Normal(0.0, 1.0).log_prob(h2).sum(dim=-1)
    shallow = normal(vae.prior.given, h2).log_prob(h1).sum(dim=-1)
    assert torch.allclose(vae.prior.log_density(z), deep + shallow, atol=1e-5)
    assert torch.equal(vae.prior.kl(q, z), q.log_density(z) - vae.prior.log_density(z))


def test_a_draw_of_q_goes_through_both_layers(vae: VAE, dataset: Dataset) -> None:
    q, noise = posterior(vae, dataset), torch.randn(6, 4, 5, generator=generator(0, "z"))
    z = q.sample(noise)
    assert torch.allclose(z[..., :3], q.first.mean + q.first.std * noise[..., :3])
    second = normal(vae.encoder.second, z[..., :3])
    assert torch.allclose(z[..., 3:], second.mean + second.stddev * noise[..., 3:], atol=1e-6)
    assert torch.allclose(q.sample(torch.zeros(4, 5)), q.mean)
    assert q.mean.shape == q.log_var.shape == (4, 5)


def test_draws_of_the_prior_have_its_density(vae: VAE) -> None:
    """E ln p(z) over its draws is the negative entropy, known in closed form for the second layer, and for
    the first by the variances at the draws."""
    assert isinstance(vae.prior, TwoLayerPrior)
    z = vae.prior.sample(40_000, generator(0, "z"))
    entropy = Normal(0.0, 1.0).entropy() * 2 + normal(vae.prior.given, z[:, 3:]).entropy().sum(dim=1).mean()
    assert vae.prior.log_density(z).mean().item() == pytest.approx(-float(entropy), abs=0.04)


def test_the_decoder_reads_the_first_layer(vae: VAE) -> None:
    z = torch.randn(4, 5, generator=generator(0, "z"))
    other = torch.cat([z[:, :3], torch.randn(4, 2)], dim=1)
    assert torch.equal(vae.decode(z), vae.decode(other))
    assert torch.equal(vae.decode(z), vae.observation.image(vae.decoder(z[:, :3])))


def test_no_gradient_reaches_the_encoder_through_a_frozen_density(vae: VAE, dataset: Dataset) -> None:
    vae.requires_grad_(True)
    q = posterior(vae, dataset)
    z = q.sample(torch.randn(4, 5)).detach().requires_grad_(True)
    parameters = list(vae.encoder.parameters())
    found = torch.autograd.grad(q.frozen().log_density(z).sum(), [z, *parameters], allow_unused=True)
    expected = torch.autograd.grad(q.log_density(z).sum(), [z, *parameters])
    assert torch.allclose(found[0], expected[0])
    assert not any(gradient is not None and gradient.any() for gradient in found[1:])
    assert all(gradient.any() for gradient in expected[1:])
