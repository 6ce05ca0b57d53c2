from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.functional.gaussian import DiagonalGaussian, kl_divergence, kl_per_dimension
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.objectives.base import Update
from genlab.objectives.elbo import Elbo, Warmup
from genlab.randomness import generator

Tiny = Callable[..., Experiment]


@pytest.fixture
def vae(tiny: Tiny, dataset: Dataset) -> VAE:
    model = build_model(tiny("vae", "network.decoder.norm=none"), dataset.shape)
    assert isinstance(model, VAE)
    return model


@pytest.fixture
def batch(tiny: Tiny, dataset: Dataset) -> Batch:
    experiment = tiny("vae", "training.batch_size=16")
    return make_batches(experiment, dataset, build_objective(experiment.objective))(0)


def update(objective: Elbo, vae: VAE, batch: Batch) -> Update:
    (only,) = objective.updates(vae, batch, generator(0, "noise"))
    return only


def test_linear_warmup_rises_once() -> None:
    warmup = Warmup(beta=2.0, steps=4)
    assert [warmup(step) for step in range(6)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_cyclic_warmup_rises_and_rests_again_and_again() -> None:
    warmup = Warmup(beta=1.0, steps=2, kind="cyclic")
    assert [warmup(step) for step in range(10)] == [0.5, 1.0, 1.0, 1.0] * 2 + [0.5, 1.0]


def test_no_warmup_is_constant() -> None:
    assert {Warmup(beta=3.0)(step) for step in range(5)} == {3.0}


def posterior(vae: VAE, batch: Batch) -> DiagonalGaussian:
    q = vae.encode(batch.images)
    assert isinstance(q, DiagonalGaussian)
    return q


def terms(vae: VAE, batch: Batch) -> tuple[Tensor, Tensor]:
    """Reconstruction and KL (B,), written with other functions than the objective uses."""
    q = posterior(vae, batch)
    z = q.mean + q.std * torch.randn(q.mean.shape, generator=generator(0, "noise"))
    return vae.observation.nll(vae.decoder(z), batch.images), kl_divergence(q)


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_the_loss_is_reconstruction_plus_beta_kl(vae: VAE, batch: Batch, beta: float) -> None:
    reconstruction, kl = terms(vae, batch)
    found = update(Elbo(Warmup(beta)), vae, batch)
    assert found.part == "vae"
    assert found.loss.item() == pytest.approx((reconstruction + beta * kl).mean().item(), rel=1e-5)
    assert found.logged()["elbo"].item() == pytest.approx(-(reconstruction + kl).mean().item(), rel=1e-5)
    assert not any(value.requires_grad for value in found.logged().values())


def test_the_warmup_follows_the_batch_s_step(vae: VAE, batch: Batch) -> None:
    later = Batch(batch.images, batch.labels, step=1)
    assert update(Elbo(Warmup(1.0, steps=4)), vae, later).logged()["beta"].item() == 0.5


def test_free_bits_leave_that_much_of_each_dimension_unpunished(vae: VAE, batch: Batch) -> None:
    assert isinstance(vae.encoder, Encoder)
    with torch.no_grad():  # three dimensions: one far above the allowance, two below
        vae.encoder.head.bias.copy_(torch.tensor([2.0, 0.1, 0.0, 0.0, 0.0, 0.0]))
    per_dimension = kl_per_dimension(posterior(vae, batch)).mean(dim=0)
    assert ((per_dimension > 1.0).tolist(), (per_dimension < 1.0).sum().item()) == ([True, False, False], 2)
    reconstruction, _ = terms(vae, batch)
    found = update(Elbo(free_bits=1.0), vae, batch)
    expected = reconstruction.mean() + per_dimension[0] + 2 * 1.0
    assert found.loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert found.logged()["kl"].item() == pytest.approx(per_dimension.sum().item(), rel=1e-5), "the true one"
