"""Changes of images that a discriminator is shown in the images' place: it can't learn by heart what never
comes twice, and a gradient goes back through each of them to the generator. Zhao et al. (2020), DiffAugment.

Each takes images (B, C, H, W) in [−1, 1] and numbers from U(0, 1), (B, `draws`), by which every image is
changed on its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

FARTHEST = 1 / 8  # of a side, by which an image is moved
HOLE = 1 / 2  # of a side, that is cut out


def coloured(images: Tensor, draws: Tensor) -> Tensor:
    """Brighter or darker by up to ½; colours of 0 to 2 times their distance from grey; levels of 0.5 to 1.5
    times their distance from the image's mean. `draws` (B, 3)."""
    brightness, saturation, contrast = draws.view(-1, 3, 1, 1, 1).unbind(dim=1)
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + 2 * saturation * (images - grey)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (0.5 + contrast) * (images - mean)


def translated(images: Tensor, draws: Tensor) -> Tensor:
    """Moved by whole pixels, up to an eighth of each side; what comes in is 0, a middle grey. `draws` (B, 2).

    As products with matrices of zeros and ones: exact, and so is their gradient, in the same order always."""
    rows, columns = (moving(side, draw) for side, draw in zip(images.shape[2:], draws.unbind(1), strict=True))
    return rows.to(images) @ images @ columns.transpose(2, 3).to(images)


def moving(side: int, draw: Tensor) -> Tensor:
    """(B,) -> (B, 1, side, side): in row i of a matrix, the one that takes what is to be at i."""
    farthest = _whole(side * FARTHEST)
    by = torch.floor(draw * (2 * farthest + 1)) - farthest
    place = torch.arange(side, device=draw.device)
    return place == place.view(-1, 1) + by.view(-1, 1, 1, 1)


def cut(images: Tensor, draws: Tensor) -> Tensor:
    """With a rectangle of half of each side at 0, whose middle may lie anywhere. `draws` (B, 2)."""
    rows, columns = (hole(side, draw) for side, draw in zip(images.shape[2:], draws.unbind(1), strict=True))
    return images.masked_fill(rows.view(len(images), 1, -1, 1) & columns.view(len(images), 1, 1, -1), 0.0)


def hole(side: int, draw: Tensor) -> Tensor:
    """(B,) -> (B, side): what the rectangle covers of a side, which may be less than half where it ends."""
    length = _whole(side * HOLE)
    first = torch.floor(draw * (side + 1 - length % 2)) - length // 2
    place = torch.arange(side, device=draw.device)
    return (place >= first.view(-1, 1)) & (place < first.view(-1, 1) + length)


def _whole(length: float) -> int:
    return int(length + 0.5)


class Augmentation(NamedTuple):
    """How many numbers it takes for each image, and what it does with them."""

    draws: int
    apply: Callable[[Tensor, Tensor], Tensor]


COLOUR, TRANSLATION, CUTOUT = Augmentation(3, coloured), Augmentation(2, translated), Augmentation(2, cut)

AUGMENTATIONS: dict[str, tuple[Augmentation, ...]] = {
    "none": (),
    "translation": (TRANSLATION,),
    "translation-cutout": (TRANSLATION, CUTOUT),
    "colour-translation-cutout": (COLOUR, TRANSLATION, CUTOUT),
}
