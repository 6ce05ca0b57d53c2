"""The encoder: a trunk with a Gaussian head."""

from __future__ import annotations

from torch import Tensor, nn

from genlab.functional.gaussian import DiagonalGaussian
from genlab.nn.trunk import Trunk


class Encoder(nn.Module):
    """(B, C, H, W) -> q(z|x) = N(mean, exp(log_var)), each (B, Z). Kingma & Welling (2014), appendix C.2.

    With `unit` the trunk sees pixels in [0, 1], of which most are 0 in drawings and do not saturate a tanh.
    """

    def __init__(self, trunk: Trunk, latent_dim: int, *, unit: bool = False) -> None:
        super().__init__()
        self.trunk, self.unit = trunk, unit
        self.head = nn.Linear(trunk.features, 2 * latent_dim)

    def forward(self, images: Tensor) -> DiagonalGaussian:
        seen = (images + 1) / 2 if self.unit else images
        mean, log_var = self.head(self.trunk(seen)).chunk(2, dim=1)
        return DiagonalGaussian(mean, log_var)
