"""What does each instrument see? Real images under known corruptions, measured as if a model drew them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from genlab.data import to_float
from genlab.evaluation.classifier_training import blur
from genlab.evaluation.references import References
from genlab.evaluation.yardstick import Measurement, ceiling, floor, measure
from genlab.randomness import generator


def noisy(images: Tensor) -> Tensor:
    """Gaussian noise of a tenth of the range from black to white."""
    draw = torch.randn(images.shape, generator=generator(0, "calibration/noise"))
    return (images + 0.2 * draw).clamp(-1, 1)


def compressed(images: Tensor) -> Tensor:
    """What 32 principal components keep: the smooth look of a small linear autoencoder."""
    flat = images.flatten(1)
    centred = flat - flat.mean(dim=0)
    axes = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -32:]
    kept: Tensor = centred @ axes @ axes.T + flat.mean(dim=0)
    return kept.clamp(-1, 1).view_as(images)


def erased(images: Tensor) -> Tensor:
    """A hole of a sixth of the width in the middle, which breaks strokes."""
    height, width = images.shape[2:]
    rows, columns = slice(height * 5 // 12, height * 7 // 12), slice(width * 5 // 12, width * 7 // 12)
    holed = images.clone()
    holed[:, :, rows, columns] = -1
    return holed


def repeated(images: Tensor) -> Tensor:
    """A tenth of the images, ten times each: what a model without variety does."""
    return images[: max(1, len(images) // 10)].repeat(10, 1, 1, 1)[: len(images)]


CORRUPTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda images: images,
    "half blurred": lambda images: (images + blur(images)) / 2,
    "blurred 3x3": blur,
    "noise .1": noisy,
    "32 components": compressed,
    "hole in the middle": erased,
    "shifted 1 pixel": lambda images: images.roll(1, dims=3),
    "a tenth, repeated": repeated,
}


def calibrate(references: References) -> Iterator[tuple[str, Measurement]]:
    """(name, measurement) for each corruption of the test images, a missing class, floor and ceiling."""
    images = to_float(torch.tensor(references.dataset.test.pixels))
    for name, corruption in CORRUPTIONS.items():
        yield name, measure(corruption(images), references)
    labels = references.dataset.test.labels
    if labels is not None:
        yield "a class missing", measure(images[torch.tensor(labels) != labels.max()], references)
    count = min(len(images), len(references.dataset.train))
    yield "floor: training images", floor(references, count)
    yield "ceiling: noise", ceiling(references, count)
