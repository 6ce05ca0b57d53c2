from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from genlab.evaluation import inversion
from genlab.evaluation.inversion import invert, measure_inversion
from genlab.metrics.intervals import Estimate
from genlab.metrics.unavailable import Unavailable
from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.networks.model import GAN, VAE
from genlab.networks.observation import Bernoulli, Gaussian
from genlab.networks.prior import StandardNormal
from genlab.nn.trunk import Trunk
from genlab.randomness import generator

SHAPE, Z = (1, 8, 8), 3


@pytest.fixture
def gan() -> GAN:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        decoder = Decoder(Z, SHAPE, width=4, hidden=16)
        made = GAN(decoder, Discriminator(Trunk(SHAPE, width=2)), StandardNormal(Z), Bernoulli())
        with torch.no_grad():
            for parameter in decoder.parameters():
                parameter.mul_(2)  # so that z makes a difference
        return made.eval()


def linear_gan() -> GAN:
    """A generator z -> Wz + b, of which the nearest image is a projection."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        decoder = Decoder(Z, SHAPE, kind="mlp", depth=0)
    critic = Discriminator(Trunk(SHAPE, width=2))
    return GAN(decoder, critic, StandardNormal(Z), Gaussian(linear=True)).eval()


def noise(count: int) -> Tensor:
    return torch.rand(count, *SHAPE, generator=generator(0, "test/inversion")) * 2 - 1


def test_of_a_linear_generator_it_finds_the_projection() -> None:
    gan, images = linear_gan(), noise(20)
    linear = gan.generator.layers[0]
    assert isinstance(linear, nn.Linear)
    weights = linear.weight.detach().double()
    centred = images.flatten(1).double() - linear.bias.detach().double()
    best = torch.linalg.lstsq(weights, centred.T).solution.T  # (20, Z)
    error = (centred - best @ weights.T).square().mean(dim=1) / 4
    found = invert(gan, images, steps=400)
    assert torch.allclose(found.errors.double(), error, rtol=1e-3)
    assert torch.allclose(found.latents.double(), best, atol=0.02)


def test_what_the_generator_drew_is_found_again(gan: GAN) -> None:
    with torch.no_grad():
        own = gan.sample(32, generator(9, "test/inversion"))
    found = invert(gan, own)
    assert found.errors.median() < 1e-4
    assert found.errors.mean() < invert(gan, noise(32)).errors.mean() / 20
    assert torch.allclose((found.images - own).square().flatten(1).mean(1) / 4, found.errors, atol=1e-6)


def test_a_code_to_start_from_is_never_a_loss(gan: GAN) -> None:
    images = noise(16)
    codes = torch.randn(16, Z, generator=generator(1, "test/inversion"))
    with torch.no_grad():
        at_first = (gan.decode(codes) - images).square().flatten(1).mean(dim=1) / 4
    assert (invert(gan, images, codes=codes, steps=0).errors <= at_first + 1e-7).all()
    assert (invert(gan, images, codes=codes).errors <= invert(gan, images).errors + 1e-7).all(), (
        "the other searches are the same"
    )


def test_the_weights_and_the_global_generator_are_left_alone(gan: GAN) -> None:
    before, state = copy.deepcopy(gan.state_dict()), torch.random.get_rng_state()
    invert(gan, noise(4), steps=5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in gan.state_dict().items())
    assert all(parameter.grad is None for parameter in gan.parameters())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_it_is_a_function_of_the_seed_and_of_each_image_alone(
    gan: GAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = noise(9)
    found = invert(gan, images, seed=1, steps=30)
    assert torch.equal(found.latents, invert(gan, images, seed=1, steps=30).latents)
    assert not torch.equal(found.latents, invert(gan, images, seed=2, steps=30).latents)
    monkeypatch.setattr(inversion, "TOGETHER", 4)
    apart = invert(gan, images, seed=1, steps=30)
    assert torch.allclose(found.errors, apart.errors, rtol=1e-2)


def test_images_and_codes_from_inference_mode_can_be_searched_for(gan: GAN) -> None:
    with torch.inference_mode():
        images = gan.sample(4, generator(0, "test/inversion"))
        codes = gan.latents(4, generator(0, "test/inversion")) * 1
    assert invert(gan, images, codes=codes, steps=3).errors.max() < 1e-8


def test_the_number_goes_with_what_it_was_made_of(gan: GAN) -> None:
    said: list[tuple[int, int]] = []
    found, details = measure_inversion(
        gan, noise(100), count=30, progress=lambda done, total: said.append((done, total))
    )
    assert isinstance(found, Estimate)
    assert 0 <= found.low < found.value < found.high
    assert (details["images"], details["steps"], details["starts"]) == (30, inversion.STEPS, 2)
    assert "Adam" in details["how"]
    assert "nearest of 1,000 draws of the prior" in details["how"]
    assert said[-1] == (30 * inversion.STEPS, 30 * inversion.STEPS)
    assert [done for done, _ in said] == sorted(done for done, _ in said)


def test_the_encoder_that_was_used_is_named(gan: GAN) -> None:
    _, details = measure_inversion(
        gan, noise(4), encode=lambda images: torch.zeros(len(images), Z), encoder="001-vae-mnist"
    )
    assert details["starts"] == 3
    assert "001-vae-mnist's encoder" in details["how"]


def test_what_has_an_encoder_is_not_searched(gan: GAN) -> None:
    encoder = Encoder(Trunk(SHAPE, kind="mlp", depth=0), Z)
    vae = VAE(encoder, gan.generator, StandardNormal(Z), Bernoulli()).eval()
    found, details = measure_inversion(vae, noise(4))
    assert isinstance(found, Unavailable)
    assert "encoder" in found.reason
    assert details == {}
