"""Known faults, put into real images in known amounts: what an instrument must see to be believed.

A corruption takes clean images that no model drew and does to them what a model may do: blur them, break or
add strokes, leave out classes, repeat itself, copy its training set. Each has grades, the lightest first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.dataset import Labels
from genlab.evaluation.classifier_training import blur
from genlab.randomness import generator


@dataclass(frozen=True)
class Clean:
    """Real images (P, C, H, W) in [−1, 1] to corrupt, their labels (P,) if there are any, training images to
    copy, and how many images a corruption returns."""

    pool: Tensor
    labels: Tensor | None
    train: Tensor
    count: int

    @property
    def images(self) -> Tensor:
        """The first `count`: what the corruptions of pixels work on."""
        return self.pool[: self.count]


@dataclass(frozen=True)
class Corruption:
    """`apply(clean, grade)` returns `clean.count` images; `grades` are its amounts, lightest first, and
    `unit` says of what."""

    name: str
    unit: str
    grades: tuple[float, ...]
    apply: Callable[[Clean, float], Tensor]
    needs_labels: bool = False


def blurred(clean: Clean, share: float) -> Tensor:
    return torch.lerp(clean.images, blur(clean.images), share)


def noisy(clean: Clean, deviation: float) -> Tensor:
    """`deviation` is a fraction of the range from black to white."""
    draw = torch.randn(clean.images.shape, generator=generator(0, "calibration/noise"))
    return (clean.images + 2 * deviation * draw).clamp(-1, 1)


def erased(clean: Clean, side: float) -> Tensor:
    """A black square of `side` (a fraction of the width) somewhere in the middle half of each image."""
    images = clean.images
    rows, columns = grid(images)
    height, width = images.shape[2:]
    centres = 0.25 + 0.5 * torch.rand(2, len(images), 1, 1, generator=generator(0, "calibration/erased"))
    near = ((rows - centres[0] * height).abs() <= side * height / 2) & (
        (columns - centres[1] * width).abs() <= side * width / 2
    )
    return torch.where(near.unsqueeze(1), -1.0, images)


def stroked(clean: Clean, strokes: float) -> Tensor:
    """So many bright line segments, a fifth to a half of the width long, at random in each image."""
    images = clean.images.clone()
    rows, columns = grid(images)
    height, width = images.shape[2:]
    for index in range(int(strokes)):
        draw = torch.rand(4, len(images), 1, 1, generator=generator(0, "calibration/strokes", index))
        angle, length = 2 * torch.pi * draw[2], (0.1 + 0.15 * draw[3]) * width
        down, right = rows - (0.2 + 0.6 * draw[0]) * height, columns - (0.2 + 0.6 * draw[1]) * width
        along = right * angle.cos() + down * angle.sin()
        across = down * angle.cos() - right * angle.sin()
        beyond = (along.abs() - length).clamp_min(0)
        distance = (across.square() + beyond.square()).sqrt()
        ink = (1.5 - distance).clamp(0, 1) * 2 - 1  # about three pixels wide, fading at the edge
        images = torch.maximum(images, ink.unsqueeze(1))
    return images


def shifted(clean: Clean, pixels: float) -> Tensor:
    """To the right; what leaves on one side enters on the other, where images are mostly background."""
    return clean.images.roll(int(pixels), dims=3)


def without_classes(clean: Clean, classes: float) -> Tensor:
    """The last so many classes never appear."""
    labels = known(clean)
    kept = labels <= labels.max() - int(classes)
    return at_random(clean.pool[kept], clean.count, "missing")


def unequal(clean: Clean, ratio: float) -> Tensor:
    """Class shares on a line from 1 to `ratio`."""
    labels = known(clean)
    classes = int(labels.max()) + 1
    shares = torch.linspace(1, ratio, classes, dtype=torch.float64)
    counts = (shares / shares.sum() * clean.count).round().long()
    parts = [
        at_random(clean.pool[labels == k], int(counts[k]), f"unequal/{k}")
        for k in range(classes)
        if bool((labels == k).any())
    ]
    return torch.cat(parts)[: clean.count]


def repeated(clean: Clean, times: float) -> Tensor:
    """Every image so many times: what a model without variety does."""
    kept = clean.images[: max(1, round(clean.count / times))]
    return kept.repeat(-(-clean.count // len(kept)), 1, 1, 1)[: clean.count]


def copied(clean: Clean, share: float) -> Tensor:
    """That share of the images are training images."""
    copies = round(share * clean.count)
    return torch.cat([at_random(clean.train, copies, "copies"), clean.images[copies:]])


def grid(images: Tensor) -> tuple[Tensor, Tensor]:
    """The row and the column of every pixel, each (1, H, W)."""
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in images.shape[2:]), indexing="ij")
    return rows.unsqueeze(0).float(), columns.unsqueeze(0).float()


def known(clean: Clean) -> Tensor:
    assert clean.labels is not None, "this corruption needs labels"
    return clean.labels


def at_random(images: Tensor, count: int, stream: str) -> Tensor:
    """`count` of them, different ones as far as there are so many."""
    order = torch.randperm(len(images), generator=generator(0, f"calibration/{stream}"))
    return images[order.repeat(-(-count // max(1, len(order))))[:count]]


CORRUPTIONS: dict[str, Corruption] = {
    each.name: each
    for each in (
        Corruption("blur", "of a 3 × 3 mean mixed in", (0.25, 0.5, 1.0), blurred),
        Corruption("noise", "of the range, standard deviation", (0.05, 0.1, 0.2), noisy),
        Corruption("erased strokes", "of the width, a black square", (0.15, 0.25, 0.4), erased),
        Corruption("added strokes", "bright segments", (1, 2, 4), stroked),
        Corruption("shift", "pixels", (1, 2, 4), shifted),
        Corruption("missing classes", "classes of those known", (1, 3, 5), without_classes, True),
        Corruption("unequal classes", "largest over smallest class", (2, 4, 10), unequal, True),
        Corruption("repeats", "times each image", (2, 5, 20), repeated),
        Corruption("copies of the training set", "of the images", (0.1, 0.5, 1.0), copied),
    )
}


def clean_images(pool: Tensor, labels: Labels | None, train: Tensor, count: int) -> Clean:
    return Clean(pool, None if labels is None else torch.from_numpy(labels), train, count)
