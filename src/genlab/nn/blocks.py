"""Dense layers, the residual block, and resampling by moving pixels between space and channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.nn.norms import norm

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}

Wrap = Callable[[nn.Module], nn.Module]


class Plan(NamedTuple):
    """The resolutions of a convolutional stack for images of any size from 8 pixels up.

    `stages` halvings (each at least to 4 pixels) lead from the padded image to `base` (height, width);
    `channels[i]` are the channels after i + 1 halvings.
    """

    stages: int
    base: tuple[int, int]
    channels: tuple[int, ...]

    @property
    def padded(self) -> tuple[int, int]:
        return self.base[0] << self.stages, self.base[1] << self.stages


def plan(shape: tuple[int, int, int], width: int) -> Plan:
    """The plan for images of `shape` (C, H, W) whose first halving has `width` channels, then doubling."""
    _, height, width_px = shape
    stages = 1
    while min(height, width_px) >> (stages + 1) >= 4:
        stages += 1
    base = (-(-height >> stages), -(-width_px >> stages))  # ceiling division by 2^stages
    return Plan(stages, base, tuple(width * min(8, 2**i) for i in range(stages)))


class Pixels(nn.Linear):
    """(B, inputs) -> (B, outputs), a dense layer of so many pixels that Adam moves its outputs no farther in
    a step than it moves those of a layer of `FEW`.

    Adam moves each weight by about its rate, whatever its gradient, and neighbouring pixels agree in which
    way: an output moves by up to rate · Σ|x|. With 12 288 pixels and a rate that suits 784, a code is thrown
    out by tens of standard deviations in the first steps. So weights are kept larger by inputs / `FEW`, and
    taken smaller by as much: the same function at the start, and a rate as if it fell with the inputs
    (Yang et al., 2021, table 3).
    """

    FEW = 784

    def __init__(self, inputs: int, outputs: int) -> None:
        self.share = min(1.0, self.FEW / inputs)
        super().__init__(inputs, outputs)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.enlarge()

    @torch.no_grad()
    def enlarge(self) -> None:
        """Weights just drawn, as they are kept."""
        self.weight /= self.share

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.share if self.share < 1 else self.weight, self.bias)


class Maxout(nn.Module):
    """(B, H · pieces) -> (B, H): each unit the largest of its `pieces`. Goodfellow et al. (2013)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.pieces)).amax(dim=2)  # type: ignore[no-any-return]


def dense(
    inputs: int,
    hidden: int,
    depth: int,
    kind: str,
    activation: nn.Module,
    wrap: Wrap,
    pieces: int = 1,
    first: type[nn.Linear] = nn.Linear,
) -> list[nn.Module]:
    """`depth` layers of `hidden` units: linear, norm, activation; (B, inputs) -> (B, hidden). The activation
    makes one unit of each `pieces` that the linear layer gives it."""
    layers: list[nn.Module] = []
    for index in range(depth):
        linear = nn.Linear(hidden, hidden * pieces) if index else first(inputs, hidden * pieces)
        layers += [wrap(linear), norm(kind, hidden * pieces), activation]
    return layers


class Residual(nn.Module):
    """x + f(x), f = norm, activation, 3×3 convolution, twice; the last convolution starts at zero."""

    def __init__(self, channels: int, kind: str, activation: nn.Module, wrap: Wrap) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        first = wrap(nn.Conv2d(channels, channels, 3, padding=1))
        self.body = nn.Sequential(
            norm(kind, channels), activation, first, norm(kind, channels), activation, last
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


class Up(nn.Sequential):
    """A 3×3 convolution and a pixel shuffle, as one: the convolution is asked for a pixel's channels side by
    side, so that whole runs of them are moved, where images are laid out channels last."""

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = (t.unflatten(0, (-1, 4)).transpose(0, 1).flatten(0, 1) for t in _weights(self[0]))
        y = F.conv2d(x, weight, bias, padding=1).permute(0, 2, 3, 1)  # (B, H, W, 4 · outputs)
        pixels = y.unflatten(3, (2, 2, -1)).transpose(2, 3)  # (B, H, 2, W, 2, outputs)
        images: Tensor = pixels.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
        return images


class Down(nn.Sequential):
    """A pixel unshuffle and a 3×3 convolution, as one: `Up`, the other way round."""

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = _weights(self[1])
        pixels = x.permute(0, 2, 3, 1).unflatten(2, (-1, 2)).unflatten(1, (-1, 2))  # (B, H/2, 2, W/2, 2, C)
        y = pixels.transpose(2, 3).flatten(3, 5).permute(0, 3, 1, 2)
        return F.conv2d(y, weight.unflatten(1, (-1, 4)).transpose(1, 2).flatten(1, 2), bias, padding=1)


def _weights(convolution: nn.Module) -> tuple[Tensor, Tensor]:
    weight, bias = convolution.weight, convolution.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    return weight, bias


def up(inputs: int, outputs: int) -> Up:
    """(B, inputs, H, W) -> (B, outputs, 2H, 2W): a 3×3 convolution whose channels become pixels.

    The work is done at the lower resolution, where it is cheap. Shi et al. (2016).
    """
    return Up(nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.PixelShuffle(2))


@torch.no_grad()
def glorot(module: nn.Module) -> None:
    """Draw every weight of `module` anew, uniform in ±√(6 / (inputs + outputs)), and set every bias to 0; a
    weight that starts at 0 stays there. Glorot & Bengio (2010), equation 16."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and (layer.weight.is_meta or layer.weight.any()):
            nn.init.xavier_uniform_(layer.weight)
            if isinstance(layer, Pixels):
                layer.enlarge()
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def down(inputs: int, outputs: int, wrap: Wrap) -> Down:
    """(B, inputs, H, W) -> (B, outputs, H/2, W/2): pixels become channels, then a 3×3 convolution."""
    return Down(nn.PixelUnshuffle(2), wrap(nn.Conv2d(4 * inputs, outputs, 3, padding=1)))
