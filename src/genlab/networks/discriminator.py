"""The discriminator: the encoder's trunk with a scalar head."""

from __future__ import annotations

from torch import Tensor, nn

from genlab.nn.norms import spectral_norm
from genlab.nn.trunk import Trunk


class Discriminator(nn.Module):
    """(B, C, H, W) -> logits (B,): high where an image looks real. A probability only after a sigmoid, and
    only for the losses that make it one.

    With `pack` = m it judges m images of one kind together, laid one upon another as the channels of one, and
    `trunk` is one for (m·C, H, W): (B·m, C, H, W) -> logits (B,). A generator that repeats itself shows in
    a pack more than in any image of it. Lin et al. (2018), section 2.
    """

    def __init__(self, trunk: Trunk, *, spectral: bool = False, pack: int = 1) -> None:
        super().__init__()
        self.trunk, self.pack = trunk, pack
        head: nn.Module = nn.Linear(trunk.features, 1)
        self.head = spectral_norm(head) if spectral else head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.trunk(self.packed(images))).squeeze(1)  # type: ignore[no-any-return]

    def packed(self, images: Tensor) -> Tensor:
        """(B·m, C, H, W) -> (B, m·C, H, W): `pack` neighbours of the batch in one."""
        if self.pack == 1:
            return images
        assert len(images) % self.pack == 0, (len(images), self.pack)
        return images.unflatten(0, (-1, self.pack)).flatten(1, 2)  # type: ignore[no-any-return]
