"""From an image to features: what an encoder and a discriminator have in common."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from genlab.nn.blocks import ACTIVATIONS, Maxout, Pixels, Plan, Residual, Wrap, dense, down, plan
from genlab.nn.layout import Row
from genlab.nn.norms import norm, spectral_norm
from genlab.nn.precision import Network


class Trunk(Network):
    """(B, C, H, W) in [−1, 1] -> (B, `features`).

    `kind="conv"` halves the image down to about 4 to 7 pixels a side; `kind="mlp"` reads it as one row of
    pixels. `depth` layers of `hidden` units follow in both (none where depth is 0). `blocks` residual blocks
    stand at each resolution. The first layer is never normalised, so that the discriminator of a GAN sees
    the images' own scale (Radford et al., 2016). `maxout` above 1 makes each unit of the dense layers the
    largest of so many linear ones, in the activation's place.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        kind: str = "conv",
        width: int = 24,
        blocks: int = 0,
        hidden: int = 512,
        depth: int = 0,
        norm: str = "batch",
        activation: str = "leaky-relu",
        spectral: bool = False,
        maxout: int = 1,
    ) -> None:
        super().__init__()
        wrap: Wrap = spectral_norm if spectral else _as_is
        nonlinear = ACTIVATIONS[activation]()
        channels, height, width_px = shape
        self.padding = (0, 0, 0, 0)
        layers: list[nn.Module] = []
        size = channels * height * width_px
        if kind == "conv":
            stack = plan(shape, width)
            self.padding = _centred(stack.padded, (height, width_px))
            layers, size = _convolutions(channels, stack, blocks, norm, nonlinear, wrap)
        layers.append(Row() if kind == "conv" else nn.Flatten())
        if depth:
            first_norm = norm if kind == "conv" else "none"
            unit = Maxout(maxout) if maxout > 1 else nonlinear
            linear = Pixels if kind == "mlp" and not spectral else nn.Linear  # a spectral norm sets the scale
            layers += dense(size, hidden, 1, first_norm, unit, wrap, maxout, linear)
            layers += dense(hidden, hidden, depth - 1, norm, unit, wrap, maxout)
            size = hidden
        self.layers = nn.Sequential(*layers)
        self.features = size

    def forward(self, images: Tensor) -> Tensor:
        if any(self.padding):
            images = F.pad(images, self.padding, mode="replicate")
        return self.within(self.layers, images)


def _as_is(layer: nn.Module) -> nn.Module:
    return layer


def _centred(outer: tuple[int, int], inner: tuple[int, int]) -> tuple[int, int, int, int]:
    """Padding (left, right, top, bottom) that centres `inner` (height, width) in `outer`."""
    rows, columns = outer[0] - inner[0], outer[1] - inner[1]
    return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2


def _convolutions(
    channels: int, stack: Plan, blocks: int, kind: str, activation: nn.Module, wrap: Wrap
) -> tuple[list[nn.Module], int]:
    layers: list[nn.Module] = []
    for stage, outputs in enumerate(stack.channels):
        layers += [down(channels, outputs, wrap), norm("none" if stage == 0 else kind, outputs), activation]
        layers += [Residual(outputs, kind, activation, wrap) for _ in range(blocks)]
        channels = outputs
    return layers, channels * stack.base[0] * stack.base[1]
