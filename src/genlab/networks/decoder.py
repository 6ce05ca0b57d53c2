"""The decoder: p(x|z) of a VAE, and, in another role, the generator of a GAN."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlab.nn.blocks import ACTIVATIONS, Residual, dense, plan, up
from genlab.nn.layout import Spread
from genlab.nn.norms import norm as normalisation
from genlab.nn.precision import Network


class Decoder(Network):
    """(B, Z) -> raw (B, C, H, W), no activation: an `Observation` says what the raw values mean.

    `depth` layers of `hidden` units come first. `kind="mlp"` goes on to all pixels with one more linear
    layer; `kind="conv"` to a small image that is doubled until it reaches (H, W), `width` channels at half
    the full resolution and twice as many at each halving; sizes that are not a multiple are cropped. Batch
    normalisation of the small image is of each of its units, not of its channels, unless `blocks` follow.
    """

    def __init__(
        self,
        latent_dim: int,
        shape: tuple[int, int, int],
        *,
        kind: str = "conv",
        width: int = 24,
        blocks: int = 0,
        hidden: int = 512,
        depth: int = 1,
        norm: str = "batch",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.latent_dim, self.shape = latent_dim, shape
        nonlinear = ACTIVATIONS[activation]()
        channels, height, width_px = shape
        layers = dense(latent_dim, hidden, depth, norm, nonlinear, lambda layer: layer)
        features = hidden if depth else latent_dim
        self.crop = (slice(None), slice(None))
        if kind == "mlp":
            layers += [nn.Linear(features, channels * height * width_px), nn.Unflatten(1, shape)]
        else:
            stack = plan(shape, width)
            deepest = stack.channels[-1]
            units = deepest * stack.base[0] * stack.base[1]
            layers += [nn.Linear(features, units), Spread(1, (deepest, *stack.base))]
            for inputs, outputs in zip(
                stack.channels[::-1], (*stack.channels[-2::-1], channels), strict=True
            ):
                layers += [Residual(inputs, norm, nonlinear, lambda layer: layer) for _ in range(blocks)]
                layers += [normalisation(norm, inputs), nonlinear, up(inputs, outputs)]
            if norm == "batch" and not blocks:
                _normalise_each(layers, units)
            self.crop = (_centre(stack.padded[0], height), _centre(stack.padded[1], width_px))
        self.layers = nn.Sequential(*layers)

    @torch.no_grad()
    def begin_at(self, raw: Tensor) -> None:
        """Set the output's bias to `raw` (C, H, W), a value for each pixel, as only `kind="mlp"` has."""
        last = self.layers[-2]
        assert isinstance(last, nn.Linear), "only kind='mlp' has a bias for each pixel"
        last.bias.copy_(raw.flatten())

    def forward(self, latents: Tensor) -> Tensor:
        rows, columns = self.crop
        return self.within(self.layers, latents)[:, :, rows, columns]


def _normalise_each(layers: list[nn.Module], units: int) -> None:
    """Let every unit of the small image have statistics of its own, in place of one for each channel: what is
    the same in all samples is then taken out, where it would else drown what tells them apart. With a dense
    layer before it, a generator without this collapses from its first steps."""
    place = next(index for index, layer in enumerate(layers) if isinstance(layer, Spread))
    layers[place : place + 2] = [normalisation("batch", units), layers[place]]


def _centre(outer: int, inner: int) -> slice:
    start = (outer - inner) // 2
    return slice(start, start + inner)
