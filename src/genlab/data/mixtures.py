"""Mixtures of Gaussians in the plane, whose modes can be counted, as images of two channels and one pixel.

The ring of 8 and the grid of 25 of Lin et al. (2018), "PacGAN", section 4.1, after Srivastava et al. (2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.randomness import generator

SHAPE = (2, 1, 1)  # of a point as an image: channels, height, width
SAMPLE = 100_000  # points in the paper's training set


@dataclass(frozen=True)
class Mixture:
    """K equally probable Gaussians N(mean, deviation²·I), in the units of the plane.

    `scale`: what is 1 to a network, so that all the points lie in [−1, 1] there."""

    name: str
    means: tuple[tuple[float, float], ...]
    deviation: float
    scale: float

    def sample(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """n points (n, 2) and which of the Gaussians each was drawn from, (n,) int64."""
        modes = torch.randint(len(self.means), (n,), generator=rng)
        noise = torch.randn(n, 2, generator=rng)
        return torch.tensor(self.means)[modes] + self.deviation * noise, modes

    def images(self, points: Tensor) -> Tensor:
        """Points (N, 2) of the plane -> images (N, 2, 1, 1) in a network's units."""
        return (points / self.scale).view(-1, *SHAPE)

    def points(self, images: Tensor) -> Tensor:
        """Images (N, 2, 1, 1) -> points (N, 2) of the plane: the inverse of `images`."""
        return images.flatten(start_dim=1) * self.scale


_CIRCLE = [2 * math.pi * k / 8 for k in range(8)]
_LINE = (-4.0, -2.0, 0.0, 2.0, 4.0)

MIXTURES: dict[str, Mixture] = {
    "ring": Mixture("ring", tuple((math.cos(a), math.sin(a)) for a in _CIRCLE), deviation=0.01, scale=1.25),
    "grid": Mixture("grid", tuple((x, y) for x in _LINE for y in _LINE), deviation=0.05, scale=5.0),
}


class Points:
    """A fixed sample of a mixture, in batches by (seed, step).

    Each batch is drawn from the sample with replacement, as the paper draws its packs, so that the members of
    a pack are independent."""

    def __init__(self, mixture: Mixture, batch_size: int, seed: int, count: int = SAMPLE) -> None:
        assert batch_size >= 1, f"batch_size is {batch_size}"
        self.mixture, self.batch_size, self.seed = mixture, batch_size, seed
        points, self.labels = mixture.sample(count, generator(seed, f"data/{mixture.name}"))
        self.images = mixture.images(points)  # (count, 2, 1, 1)

    def __len__(self) -> int:
        return len(self.images)

    def __call__(self, step: int) -> Batch:
        rng = generator(self.seed, "data/order", step)
        index = torch.randint(len(self), (self.batch_size,), generator=rng)
        return Batch(self.images[index], self.labels[index], step)
