"""What real images look like through a feature network: computed once, kept in memory and on disk."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load, save
from torch import Tensor

from genlab.data import Dataset, to_float
from genlab.evaluation.extractor import Extractor, Features
from genlab.metrics.frechet import Moments, moments
from genlab.metrics.memorisation import Neighbours, nearest
from genlab.metrics.sharpness import sharpness
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

AT_MOST = 10_000  # test images that a distance is measured to
PIECE = 10_000  # images held as floats at once


@dataclass(frozen=True)
class References:
    """Real images as one extractor sees them; make it with `references_for`.

    train (M, F) holds the features of all training images, test those of the test images, test_nearest the
    training image nearest to each of these, test_sharpness (N,) their values. Of more than 10 000 test images
    a fixed random choice of 10 000 serves, so that distances do not take ever longer.
    """

    dataset: Dataset = field(repr=False)
    extractor: Extractor
    train: Tensor = field(repr=False)
    test: Features = field(repr=False)
    test_nearest: Neighbours = field(repr=False)
    test_sharpness: Tensor = field(repr=False)

    @cached_property
    def data(self) -> str:
        """The data's name and digest."""
        return f"{self.dataset.name}-{self.dataset.digest()}"

    @cached_property
    def test_moments(self) -> Moments:
        return moments(self.test.features)

    @cached_property
    def cells(self) -> Tensor | None:
        """The cell of feature space that each training image stands for: its class; None without labels."""
        labels = self.dataset.train.labels
        return None if labels is None else torch.tensor(labels)

    def train_images(self, indices: Tensor) -> Tensor:
        """The training images at indices (N,): (N, C, H, W) in [-1, 1]."""
        return to_float(torch.tensor(self.dataset.train.pixels[indices.numpy()]))


def references_for(dataset: Dataset, extractor: Extractor, cache: Path | None = None) -> References:
    """The references of a dataset, from the folder `cache` if they lie there, else computed and left there.

    The file is named by the digest of the data and the identity of the network, so that neither can be taken
    for another's. A file that cannot be read is made again. About 10 s for MNIST on two cores when computed.
    """
    path = None if cache is None else cache / f"{dataset.digest()}-{extractor.identity}.safetensors"
    if path is not None and path.is_file():
        try:
            return unpacked(load(path.read_bytes()), dataset, extractor)
        except (safetensors.SafetensorError, KeyError, OSError):
            pass  # torn or foreign: it is only a cache
    references = computed(dataset, extractor)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        temporary.write_bytes(save(packed(references)))
        os.replace(temporary, path)
    return references


def computed(dataset: Dataset, extractor: Extractor) -> References:
    test_pixels = torch.tensor(dataset.test.pixels[chosen(len(dataset.test), AT_MOST).numpy()])
    test_images = to_float(test_pixels)
    pieces = torch.split(torch.as_tensor(dataset.train.pixels), PIECE)
    train = torch.cat([extractor(to_float(piece)).features for piece in pieces])
    test = extractor(test_images)
    return References(dataset, extractor, train, test, nearest(test.features, train), sharpness(test_images))


def chosen(count: int, at_most: int, stream: str = "evaluation/choice") -> Tensor:
    """Indices (n,) of a fixed random choice of n = min(count, at_most), in rising order."""
    return torch.randperm(count, generator=generator(0, stream))[:at_most].sort().values


def packed(references: References) -> dict[str, Tensor]:
    tensors = {
        "train": references.train,
        "test": references.test.features,
        "nearest_indices": references.test_nearest.indices,
        "nearest_distances": references.test_nearest.distances,
        "sharpness": references.test_sharpness,
    }
    if isinstance(references.test.probabilities, Tensor):
        tensors["probabilities"] = references.test.probabilities
    return tensors


def unpacked(tensors: dict[str, Tensor], dataset: Dataset, extractor: Extractor) -> References:
    """Raises KeyError where a tensor is missing."""
    probabilities: Tensor | Unavailable = Unavailable(f"{extractor.identity} knows no classes")
    if extractor.class_names:
        probabilities = tensors["probabilities"]
    return References(
        dataset,
        extractor,
        tensors["train"],
        Features(tensors["test"], probabilities),
        Neighbours(tensors["nearest_indices"], tensors["nearest_distances"]),
        tensors["sharpness"],
    )
