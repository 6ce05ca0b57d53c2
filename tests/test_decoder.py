from __future__ import annotations

import pytest
import torch
from torch import nn

from genlab.networks.decoder import Decoder
from genlab.nn.blocks import down, up
from genlab.nn.layout import Spread
from genlab.nn.norms import NORMS
from genlab.nn.trunk import Trunk

SHAPES = [(1, 8, 8), (3, 9, 9), (1, 28, 28), (3, 33, 33), (1, 50, 50), (3, 64, 64), (1, 31, 45), (3, 8, 40)]


@pytest.mark.parametrize("kind", ["conv", "mlp"])
@pytest.mark.parametrize("shape", SHAPES)
def test_latents_become_images_of_any_shape(shape: tuple[int, int, int], kind: str) -> None:
    decoder = Decoder(3, shape, kind=kind, width=2, hidden=4)
    assert decoder(torch.zeros(2, 3)).shape == (2, *shape)


@pytest.mark.parametrize("kind", ["conv", "mlp"])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_depth_blocks_and_norms_go_together(kind: str, norm: str, depth: int) -> None:
    decoder = Decoder(3, (1, 12, 12), kind=kind, width=3, blocks=1, hidden=5, depth=depth, norm=norm)
    assert decoder(torch.randn(4, 3)).shape == (4, 1, 12, 12)


def test_there_is_no_activation_at_the_end() -> None:
    decoder = Decoder(3, (1, 8, 8), kind="mlp", depth=0)
    z = torch.randn(4, 3)
    assert torch.allclose(decoder(2 * z) - decoder(0 * z), 2 * (decoder(z) - decoder(0 * z)), atol=1e-5)


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_decoder_mirrors_the_trunk(shape: tuple[int, int, int]) -> None:
    """As many stages, each with the other's channels; and the trunk pads what the decoder crops."""
    trunk, decoder = Trunk(shape, width=4), Decoder(3, shape, width=4)
    downwards = [(layer.in_channels // 4, layer.out_channels) for layer in convolutions(trunk)]
    upwards = [(layer.out_channels // 4, layer.in_channels) for layer in convolutions(decoder)]
    assert downwards == upwards[::-1]
    left, _, top, _ = trunk.padding
    rows, columns = decoder.crop
    assert (rows.start or 0, columns.start or 0) == (top, left)
    assert (rows.stop, columns.stop) == (top + shape[1], left + shape[2])


def test_parameters_of_the_convolutional_decoder() -> None:
    decoder = Decoder(32, (1, 28, 28), kind="conv", width=24, depth=0, norm="batch")
    base = 32 * 48 * 49 + 48 * 49
    stages = (2 * 48 * 49 + 48 * 96 * 9 + 96) + (2 * 24 + 24 * 4 * 9 + 4)
    assert sum(parameter.numel() for parameter in decoder.parameters()) == base + stages


def test_each_unit_of_the_small_image_is_normalised_by_itself() -> None:
    """What all samples share is taken out before the convolutions see it, at every place of the image."""
    decoder = Decoder(4, (1, 28, 28), width=6, depth=1, hidden=16).train()
    stack = list(decoder.layers)
    before = next(index for index, layer in enumerate(stack) if isinstance(layer, Spread))
    small = torch.nn.Sequential(*stack[: before + 1])(torch.randn(64, 4))
    assert small.shape == (64, 12, 7, 7)
    assert small.mean(dim=0).abs().max() < 1e-5
    assert torch.allclose(small.var(dim=0, correction=0), torch.ones(12, 7, 7), atol=0.05)


def test_every_pixel_depends_on_the_latents() -> None:
    decoder = Decoder(3, (1, 31, 45), width=2, norm="none")
    images = decoder(torch.randn(16, 3))
    assert (images.std(dim=0) > 0).all()


def test_up_and_down_move_pixels_and_lose_none() -> None:
    x = torch.randn(2, 3, 6, 4)
    halved = down(3, 5, lambda layer: layer)
    assert halved(x).shape == (2, 5, 3, 2)
    assert up(3, 5)(x).shape == (2, 5, 12, 8)
    shuffle, unshuffle = up(3, 3)[1], halved[0]
    assert torch.equal(shuffle(unshuffle(x)), x)
