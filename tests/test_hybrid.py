from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.functional.gaussian import kl_divergence
from genlab.networks.model import VAEGAN
from genlab.objectives.base import Update
from genlab.objectives.hybrid import Hybrid
from genlab.randomness import generator

Tiny = Callable[..., Experiment]


@pytest.fixture
def model(tiny: Tiny, dataset: Dataset) -> VAEGAN:
    norms = ("network.decoder.norm=none", "network.discriminator.norm=none")
    built = build_model(tiny("vaegan", *norms), dataset.shape)
    assert isinstance(built, VAEGAN)
    return built


@pytest.fixture
def batch(tiny: Tiny, dataset: Dataset) -> Batch:
    return make_batches(tiny("vaegan"), dataset, Hybrid())(0)


def updates(model: VAEGAN, batch: Batch, **weights: float) -> dict[str, Update]:
    """All three, no step taken between them."""
    return {u.part: u for u in Hybrid(**weights).updates(model, batch, generator(0, "noise"))}  # type: ignore[arg-type]


def slopes(update: Update, module: torch.nn.Module) -> list[Tensor]:
    return list(torch.autograd.grad(update.loss, list(module.parameters()), retain_graph=True))


def test_three_updates_in_the_paper_s_order(model: VAEGAN, batch: Batch) -> None:
    assert list(updates(model, batch)) == ["encoder", "decoder", "discriminator"]


def test_no_adversarial_gradient_reaches_the_encoder(model: VAEGAN, batch: Batch) -> None:
    """However much the decoder wants to deceive, the encoder descends the same."""
    calm, eager = (updates(model, batch, deceit=deceit)["encoder"] for deceit in (0.0, 100.0))
    pairs = zip(slopes(calm, model.encoder), slopes(eager, model.encoder), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_decoder_descends_likeness_and_deceit(model: VAEGAN, batch: Batch) -> None:
    calm, eager = (updates(model, batch, deceit=deceit)["decoder"] for deceit in (0.0, 2.0))
    assert eager.logged()["generator_loss"].item() > 0
    expected = calm.loss.item() + 2 * eager.logged()["generator_loss"].item()
    assert eager.loss.item() == pytest.approx(expected, rel=1e-5)


def test_with_pixels_alone_the_encoder_descends_the_elbo(model: VAEGAN, batch: Batch) -> None:
    for beta in (1.0, 3.0):
        update = updates(model, batch, feature_weight=0.0, beta=beta)["encoder"]
        kl = kl_divergence(model.encode(batch.images)).mean().item()
        reconstruction = update.logged()["reconstruction"].item()
        assert update.loss.item() == pytest.approx(reconstruction + beta * kl, rel=1e-5)
        assert update.logged()["elbo"].item() == pytest.approx(-(reconstruction + kl), rel=1e-5)


def test_the_reported_elbo_is_the_pixels_whatever_the_weights(model: VAEGAN, batch: Batch) -> None:
    values = {
        updates(model, batch, feature_weight=feature, pixel_weight=pixel, beta=beta)["encoder"]
        .logged()["elbo"]
        .item()
        for feature, pixel, beta in [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (3.0, 2.0, 5.0)]
    }
    assert len(values) == 1


def test_features_are_those_of_the_discriminator(model: VAEGAN, batch: Batch) -> None:
    """½‖trunk(x̃) − trunk(x)‖², the distance that Gaussian features of variance 1 would have."""
    full = updates(model, batch, pixel_weight=0.0, beta=0.0)["encoder"].loss
    rng = generator(0, "noise")
    noise = torch.randn(len(batch), 3, generator=rng)
    q = model.encode(batch.images)
    trunk = model.discriminator.trunk
    difference = trunk(model.decode(q.mean + q.std * noise)) - trunk(batch.images)
    assert full.item() == pytest.approx(0.5 * difference.square().sum(dim=1).mean().item(), rel=1e-4)
