"""How different the images of a batch are from each other: what a generator that draws few kinds of image
loses."""

from __future__ import annotations

import torch
from torch import Tensor

AT_MOST = 16  # images of each batch that are looked at: enough to tell, and too few to be felt


@torch.no_grad()
def diversity(real: Tensor, fake: Tensor) -> Tensor:
    """The distance between `fake` images relative to that between as many `real` ones, each (B, C, H, W) with
    B > 1: a scalar, about 1 where they differ as much. The smaller of two ratios of mean pixel distances:

    - from one image to another, which sees all samples grow alike;
    - from each image to its nearest other, which sees a few images drawn again and again, as the birthday
      paradox does (Arora, Risteski & Zhang, 2018).
    """
    count = min(len(real), len(fake), AT_MOST)
    assert count > 1, "a single image has no other"
    rows = torch.stack([fake[:count].flatten(1), real[:count].flatten(1)]).float()  # (2, n, D)
    products = rows @ rows.mT  # ‖a − b‖² = a·a + b·b − 2 a·b: a small product instead of a loop over pairs
    squares = products.diagonal(dim1=1, dim2=2)
    distances = squares.unsqueeze(1).add(squares.unsqueeze(2)).sub_(products, alpha=2).clamp_min_(0).sqrt_()
    distances.diagonal(dim1=1, dim2=2).fill_(0)
    pairs = distances.sum(dim=(1, 2))
    distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    nearest = distances.amin(dim=2).sum(dim=1)
    of_fake, of_real = torch.stack([pairs, nearest], dim=1)
    return torch.where(of_real > 0, of_fake / of_real, 1.0).amin()  # equal images have no variety to lose
