"""Another order of the same numbers: the sums are the same ones, and images and gradients lie alike."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.nn.blocks import down, up
from genlab.nn.layout import Row, Spread, channels_last
from genlab.nn.norms import spectral_norm
from genlab.nn.trunk import Trunk

LAST = torch.channels_last


def plain(module: nn.Module) -> nn.Sequential:
    """The same layers, one after another."""
    assert isinstance(module, nn.Sequential)
    return nn.Sequential(*module)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, LAST])
@pytest.mark.parametrize(
    "make", [lambda c: up(4, c), lambda c: down(4, c, lambda m: m), lambda c: down(4, c, spectral_norm)]
)
def test_up_and_down_are_their_layers_one_after_another(make, layout, channels: int) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    module = make(channels)
    found: list[Tensor] = []
    expected: list[Tensor] = []
    for run, into in ((module, found), (plain(module), expected)):
        x = torch.randn(2, 4, 6, 10, generator=torch.Generator().manual_seed(1)).to(memory_format=layout)
        y = run(x.requires_grad_())
        into += [y, *torch.autograd.grad(y.square().sum(), [x, *module.parameters()])]
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(found, expected, strict=True))


def gradients(network: nn.Module, x: Tensor) -> list[tuple[str, Tensor, Tensor]]:
    """(layer, output, its gradient) of every layer that makes images."""
    seen: list[tuple[str, Tensor]] = []
    for name, layer in network.named_modules():
        layer.register_forward_hook(lambda m, i, o, name=name: seen.append((name, o)))
    loss = network(x).square().sum()
    images = [(name, o) for name, o in seen if o.dim() == 4 and o.shape[1] > 1 and o.requires_grad]
    found = torch.autograd.grad(loss, [o for _, o in images], allow_unused=True)
    return [(name, o, g) for (name, o), g in zip(images, found, strict=True) if g is not None]


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_images_and_their_gradients_lie_alike_all_the_way(norm: str) -> None:
    networks = [
        (Decoder(5, (3, 28, 28), width=4, norm=norm), torch.randn(8, 5)),
        (Discriminator(Trunk((3, 28, 28), width=4, norm=norm)), torch.randn(8, 3, 28, 28)),
    ]
    for network, x in networks:
        layers = gradients(network.to(memory_format=LAST), x)  # type: ignore[call-overload]
        assert len(layers) > 5
        wrong = [
            name for name, o, g in layers if not all(t.is_contiguous(memory_format=LAST) for t in (o, g))
        ]
        assert not wrong


def test_a_row_is_flat_and_spread_undoes_it() -> None:
    images = torch.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
    row = Row()(images.to(memory_format=LAST))
    assert torch.equal(row, images.flatten(1))
    assert torch.equal(Spread(1, (3, 4, 4))(row), images)


def test_it_can_be_differentiated_twice() -> None:
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda t: channels_last(t).pow(3), x)
