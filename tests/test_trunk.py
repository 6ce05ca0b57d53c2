from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genlab.functional.gaussian import DiagonalGaussian
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.nn.blocks import ACTIVATIONS, Pixels, Residual, glorot, plan
from genlab.nn.norms import NORMS, SpectralNorm
from genlab.nn.trunk import Trunk

SHAPES = [(1, 8, 8), (3, 9, 9), (1, 28, 28), (3, 33, 33), (1, 50, 50), (3, 64, 64), (1, 31, 45), (3, 8, 40)]


@pytest.mark.parametrize("kind", ["conv", "mlp"])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_image_becomes_features(shape: tuple[int, int, int], kind: str) -> None:
    trunk = Trunk(shape, kind=kind, width=2)
    assert trunk(torch.zeros(2, *shape)).shape == (2, trunk.features)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(height=st.integers(8, 300), width=st.integers(8, 300), channels=st.integers(1, 64))
def test_plans(height: int, width: int, channels: int) -> None:
    """The padded image holds the image with less than one pixel of the base to spare, and the smaller side
    comes down to between 4 and 8 pixels."""
    stack = plan((1, height, width), channels)
    scale = 2**stack.stages
    for side, padded, base in zip((height, width), stack.padded, stack.base, strict=True):
        assert padded == base * scale
        assert 0 <= padded - side < scale
    assert 4 <= min(stack.base) <= 8
    assert len(stack.channels) == stack.stages
    assert stack.channels[0] == channels
    assert all(b in (a, 2 * a) for a, b in zip(stack.channels, stack.channels[1:], strict=False))


def test_the_plan_of_mnist() -> None:
    assert plan((1, 28, 28), 24) == (2, (7, 7), (24, 48))
    assert plan((3, 64, 64), 16) == (4, (4, 4), (16, 32, 64, 128))


def test_parameters_of_the_convolutional_trunk() -> None:
    """Two convolutions 3×3 from 4 to 24 and from 96 to 48 channels, a norm behind the second, no more."""
    trunk = Trunk((1, 28, 28), kind="conv", width=24, norm="batch")
    count = sum(parameter.numel() for parameter in trunk.parameters())
    assert count == (4 * 24 * 9 + 24) + (96 * 48 * 9 + 48) + 2 * 48
    assert trunk.features == 48 * 7 * 7


def test_parameters_of_the_dense_trunk() -> None:
    trunk = Trunk((1, 28, 28), kind="mlp", hidden=512, depth=2, norm="none")
    count = sum(parameter.numel() for parameter in trunk.parameters())
    assert count == (784 * 512 + 512) + (512 * 512 + 512)
    assert trunk.features == 512


def test_a_maxout_unit_is_the_largest_of_its_pieces() -> None:
    trunk = Trunk((1, 2, 2), kind="mlp", hidden=5, depth=1, norm="none", maxout=3)
    images = torch.randn(6, 1, 2, 2)
    linear = trunk.layers[1]
    assert isinstance(linear, torch.nn.Linear)
    pieces = linear(images.flatten(start_dim=1)).view(6, 5, 3)
    assert trunk.features == 5
    assert torch.equal(trunk(images), pieces.max(dim=2).values)


def test_a_dense_trunk_without_depth_is_the_row_of_pixels() -> None:
    trunk, images = Trunk((1, 2, 3), kind="mlp"), torch.randn(4, 1, 2, 3)
    assert torch.equal(trunk(images), images.flatten(start_dim=1))


@pytest.mark.parametrize("kind", ["conv", "mlp"])
@pytest.mark.parametrize("norm", NORMS)
def test_depth_blocks_and_norms_go_together(kind: str, norm: str) -> None:
    trunk = Trunk((1, 12, 12), kind=kind, width=3, blocks=1, hidden=5, depth=2, norm=norm, spectral=True)
    assert trunk(torch.randn(4, 1, 12, 12)).shape == (4, 5)


def test_padding_is_centred_and_repeats_the_border() -> None:
    trunk = Trunk((1, 9, 9), width=1)
    assert trunk.padding == (0, 1, 0, 1)
    assert Trunk((1, 31, 45), width=1).padding == (1, 2, 0, 1)


def test_a_new_residual_block_changes_nothing() -> None:
    block = Residual(4, "none", torch.nn.ReLU(), lambda layer: layer)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x)


def test_an_encoder_gives_a_gaussian() -> None:
    q = Encoder(Trunk((1, 8, 8), width=2), latent_dim=5)(torch.randn(3, 1, 8, 8))
    assert isinstance(q, DiagonalGaussian)
    assert q.mean.shape == q.log_var.shape == (3, 5)


def test_a_discriminator_gives_a_logit_for_each_image() -> None:
    discriminator = Discriminator(Trunk((3, 8, 8), width=2, norm="none", spectral=True), spectral=True)
    images = torch.randn(3, 3, 8, 8)
    assert discriminator(images).shape == (3,)
    normalised = [m for m in discriminator.modules() if isinstance(m, SpectralNorm)]
    assert len(normalised) == 2, "the convolution and the head"
    assert torch.allclose(discriminator(images[:1]), discriminator(images)[:1], atol=1e-6)


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_the_activation_is_the_one_asked_for(kind: str) -> None:
    layers = Trunk((1, 8, 8), kind="mlp", depth=2, hidden=3, activation=kind).layers
    found = {type(layer) for layer in layers} & {type(make()) for make in ACTIVATIONS.values()}
    assert found == {type(ACTIVATIONS[kind]())}


def test_glorot_s_weights_have_his_variance_and_zeros_stay() -> None:
    """Uniform in ±√(6/(in + out)): variance 2/(in + out)."""
    layers = nn.Sequential(
        nn.Linear(300, 200), nn.Conv2d(20, 40, 3), Residual(4, "none", nn.ReLU(), lambda m: m)
    )
    glorot(layers)
    for layer, fans in ((layers[0], 500), (layers[1], 9 * 60)):
        weight = layer.get_parameter("weight")
        assert weight.var().item() == pytest.approx(2 / fans, rel=0.05)
        assert weight.abs().max() <= (6 / fans) ** 0.5
        assert not layer.get_parameter("bias").any()
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(layers[2](x), x), "a residual block still begins as the identity"


def test_an_encoder_may_see_pixels_from_0_to_1() -> None:
    trunk, images = Trunk((1, 8, 8), kind="mlp"), torch.rand(3, 1, 8, 8) * 2 - 1
    signed, unit = Encoder(trunk, 2), Encoder(trunk, 2, unit=True)
    unit.load_state_dict(signed.state_dict())
    assert torch.equal(unit(images).mean, signed((images + 1) / 2).mean)


def with_seed(layer: type[nn.Linear], inputs: int) -> nn.Linear:
    torch.manual_seed(0)
    return layer(inputs, 8)


@pytest.mark.parametrize("inputs", [784, 3 * 64 * 64])
@pytest.mark.parametrize("drawn", [lambda layer: None, glorot])
def test_a_layer_of_pixels_begins_as_any_dense_layer(inputs: int, drawn: Callable[[nn.Module], None]) -> None:
    pixels, linear = with_seed(Pixels, inputs), with_seed(nn.Linear, inputs)
    for layer in (pixels, linear):
        torch.manual_seed(1)
        drawn(layer)
    x = torch.rand(5, inputs, generator=torch.Generator().manual_seed(2)) * 2 - 1
    if inputs == 784:
        assert torch.equal(pixels(x), linear(x))
    torch.testing.assert_close(pixels(x), linear(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("inputs", [784, 3 * 64 * 64])
def test_one_step_of_adam_moves_few_pixels_and_many_alike(inputs: int) -> None:
    """By rate · 784 where all pixels are at 1, however many there are."""
    layer, images = with_seed(Pixels, inputs), torch.ones(4, inputs)
    before = layer(images)
    adam = torch.optim.Adam([layer.weight], lr=1e-3)
    before.sum().backward()
    adam.step()
    torch.testing.assert_close(before - layer(images), torch.full((4, 8), 0.784), rtol=1e-3, atol=1e-3)
