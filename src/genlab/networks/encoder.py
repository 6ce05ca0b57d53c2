"""The encoder: a trunk with a Gaussian head."""

from __future__ import annotations

from torch import Tensor, nn

from genlab.functional.gaussian import DiagonalGaussian
from genlab.nn.trunk import Trunk


class Encoder(nn.Module):
    """(B, C, H, W) -> q(z|x) = N(mean, exp(log_var)), each (B, Z). Kingma & Welling (2014), appendix C.2."""

    def __init__(self, trunk: Trunk, latent_dim: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(trunk.features, 2 * latent_dim)

    def forward(self, images: Tensor) -> DiagonalGaussian:
        mean, log_var = self.head(self.trunk(images)).chunk(2, dim=1)
        return DiagonalGaussian(mean, log_var)
