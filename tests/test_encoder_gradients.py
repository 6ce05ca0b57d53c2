"""Estimators of the encoder's gradient: one objective, equal means, nothing where z's past is forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.build import build_model
from genlab.experiment.schema import Experiment
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.objectives.gradients import GRADIENTS, of_the_others
from genlab.randomness import generator

Tiny = Callable[..., Experiment]
DRAWS = 600


@pytest.fixture
def vae(tiny: Tiny, dataset: Dataset) -> VAE:
    model = build_model(tiny("vae", "network.decoder.norm=none", "network.latent_dim=2"), dataset.shape)
    assert isinstance(model, VAE)
    return model.double()


@pytest.fixture
def images(dataset: Dataset) -> Tensor:
    return torch.from_numpy(dataset.train.pixels[:4]).double() / 127.5 - 1


def noise(index: int) -> Tensor:
    return torch.randn(4, 2, generator=generator(0, "draws", index)).double()


def head(vae: VAE) -> Tensor:
    assert isinstance(vae.encoder, Encoder)
    return vae.encoder.head.bias


def at_the_head(vae: VAE, images: Tensor, name: str, index: int) -> Tensor:
    """The gradient of the mean −ln p(x|z) in the bias of the encoder's head."""
    nll = GRADIENTS[name](vae, images, noise(index)).nll.mean()
    (found,) = torch.autograd.grad(nll, head(vae), allow_unused=True)
    return torch.zeros(4).double() if found is None else found


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_objective_is_the_same(vae: VAE, images: Tensor, name: str) -> None:
    expected, found = (GRADIENTS[each](vae, images, noise(0)) for each in ("reparameterized", name))
    torch.testing.assert_close(found.nll, expected.nll)
    torch.testing.assert_close(found.kl, expected.kl)


@pytest.mark.parametrize("name", ["score", "score-baseline"])
def test_the_score_function_has_no_bias(vae: VAE, images: Tensor, name: str) -> None:
    pathwise = torch.stack([at_the_head(vae, images, "reparameterized", index) for index in range(DRAWS)])
    others = torch.stack([at_the_head(vae, images, name, index) for index in range(DRAWS)])
    errors = (others - pathwise).std(dim=0) / DRAWS**0.5
    assert ((others.mean(dim=0) - pathwise.mean(dim=0)).abs() < 4 * errors).all()
    assert (others.var(dim=0) > 10 * pathwise.var(dim=0)).all(), "what the trick is for"


def test_a_baseline_takes_variance_away(vae: VAE, images: Tensor) -> None:
    spread = {
        name: torch.stack([at_the_head(vae, images, name, index) for index in range(300)]).var(dim=0).sum()
        for name in ("score", "score-baseline")
    }
    assert spread["score-baseline"] < 0.5 * spread["score"]


def test_detached_brings_nothing_of_the_reconstruction(vae: VAE, images: Tensor) -> None:
    assert (at_the_head(vae, images, "detached", 0) == 0).all()
    kl = GRADIENTS["detached"](vae, images, noise(0)).kl.mean()
    assert torch.autograd.grad(kl, head(vae))[0].abs().sum() > 0


def test_the_baseline_is_the_mean_of_the_others() -> None:
    values = torch.tensor([1.0, 2.0, 6.0])
    torch.testing.assert_close(of_the_others(values), torch.tensor([4.0, 3.5, 1.5]))
    torch.testing.assert_close(of_the_others(torch.tensor([7.0])), torch.tensor([7.0]))


@pytest.mark.parametrize("setting", ["network.prior.kind=flow", "network.second_latent=2"])
def test_other_priors_need_the_gradient_through_z(tiny: Tiny, setting: str) -> None:
    with pytest.raises(UserError, match=r"set objective\.gradient=reparameterized"):
        tiny("vae", "objective.gradient=score", setting)
