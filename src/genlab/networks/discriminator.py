"""The discriminator: the encoder's trunk with a scalar head."""

from __future__ import annotations

from torch import Tensor, nn

from genlab.nn.norms import spectral_norm
from genlab.nn.trunk import Trunk


class Discriminator(nn.Module):
    """(B, C, H, W) -> logits (B,): high where an image looks real. A probability only after a sigmoid, and
    only for the losses that make it one."""

    def __init__(self, trunk: Trunk, *, spectral: bool = False) -> None:
        super().__init__()
        self.trunk = trunk
        head: nn.Module = nn.Linear(trunk.features, 1)
        self.head = spectral_norm(head) if spectral else head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.trunk(images)).squeeze(1)  # type: ignore[no-any-return]
