"""What real images look like through a feature network: computed once, kept in memory and on disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.torch import load, save
from torch import Tensor

from genlab.data import Dataset, to_float
from genlab.data.bounds import check_memory
from genlab.evaluation.extractor import Extractor, Features
from genlab.evaluation.feature_networks import random_extractor
from genlab.metrics.bins import Bins, fit_bins
from genlab.metrics.frechet import Moments, moments
from genlab.metrics.memorisation import Neighbours, nearest
from genlab.metrics.sharpness import sharpness
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

AT_MOST = 10_000  # test images that a distance is measured to
PIECE = 10_000  # images held as floats at once
BINS = 100  # clusters of the training images; fewer where there are few
VERSION = 2  # of the files in the cache: another set of tensors, another name


@dataclass(frozen=True)
class View:
    """The test images through one network: what a set of samples is held against."""

    extractor: Extractor
    test: Features = field(repr=False)

    @cached_property
    def moments(self) -> Moments:
        return moments(self.test.features)


@dataclass(frozen=True)
class References:
    """Real images as the data's own network and the texture network see them; make it with `references_for`.

    train (M, F) holds the own features of all training images, test_nearest the training image nearest to
    each test image, bins their clusters, test_sharpness (N,) the test images' values. Of more than 10 000
    test images a fixed random choice of 10 000 serves, so that distances do not take ever longer. `texture`
    is None where the own network is the random one already.
    """

    dataset: Dataset = field(repr=False)
    own: View
    texture: View | None
    train: Tensor = field(repr=False)
    test_nearest: Neighbours = field(repr=False)
    bins: Bins = field(repr=False)
    test_sharpness: Tensor = field(repr=False)

    @cached_property
    def data(self) -> str:
        """The data's name and digest."""
        return f"{self.dataset.name}-{self.dataset.digest()}"

    @property
    def count(self) -> int:
        """How many test images the samples are held against."""
        return len(self.own.test.features)

    @property
    def networks(self) -> dict[str, str]:
        """The identity of the network in each role."""
        texture = {} if self.texture is None else {"texture": self.texture.extractor.identity}
        return {"own": self.own.extractor.identity, **texture}

    @cached_property
    def cells(self) -> Tensor | None:
        """The cell of feature space that each training image stands for: its class; None without labels."""
        labels = self.dataset.train.labels
        return None if labels is None else torch.tensor(np.asarray(labels))

    def train_images(self, indices: Tensor) -> Tensor:
        """The training images at indices (N,): (N, C, H, W) in [-1, 1]."""
        return to_float(torch.tensor(self.dataset.train.pixels[indices.numpy()]))

    def test_images(self) -> Tensor:
        """The test images that the samples are held against: (N, C, H, W) in [-1, 1]."""
        return test_images(self.dataset)


def references_for(dataset: Dataset, extractor: Extractor, cache: Path | None = None) -> References:
    """The references of a dataset, from the folder `cache` if they lie there, else computed and left there.

    A file is named by the digest of the data and the identity of the network, so that neither can be taken
    for another's. One that cannot be read is made again. About 15 s for MNIST on two cores when computed.
    """
    texture = random_extractor(dataset.shape)

    def made(role: str, network: Extractor, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        name = f"{dataset.digest()}-{network.identity}-{role}-{VERSION}.safetensors"
        return cached(None if cache is None else cache / name, make)

    own = made("own", extractor, lambda: seen_by_own(dataset, extractor))
    view = None
    if texture.identity != extractor.identity:
        seen = made("texture", texture, lambda: {"test": texture(test_images(dataset)).features})
        view = View(texture, features_in(seen, texture))
    return References(
        dataset,
        View(extractor, features_in(own, extractor)),
        view,
        own["train"],
        Neighbours(own["nearest_indices"], own["nearest_distances"]),
        Bins(own["bin_centres"], own["bin_shares"], int(own["bin_count"])),
        own["sharpness"],
    )


def cached(path: Path | None, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors in `path` where they can be read, else what `make` makes, left there for the next time."""
    if path is None:
        return make()
    if path.is_file():
        try:
            found: dict[str, Tensor] = load(path.read_bytes())
            return found
        except (safetensors.SafetensorError, OSError):
            pass  # torn: it is only a cache
    tensors = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    temporary.write_bytes(save(tensors))
    os.replace(temporary, path)
    return tensors


def seen_by_own(dataset: Dataset, extractor: Extractor) -> dict[str, Tensor]:
    images = test_images(dataset)
    train = training_features(dataset, extractor)
    test = extractor(images)
    near = nearest(test.features, train)
    bins = fit_bins(train, min(BINS, max(2, len(train) // 20)), seed=0)
    tensors = {
        "train": train,
        "test": test.features,
        "nearest_indices": near.indices,
        "nearest_distances": near.distances,
        "bin_centres": bins.centres,
        "bin_shares": bins.shares,
        "bin_count": torch.tensor(bins.count),
        "sharpness": sharpness(images),
    }
    if isinstance(test.probabilities, Tensor):
        tensors["probabilities"] = test.probabilities
    return tensors


def training_features(dataset: Dataset, extractor: Extractor) -> Tensor:
    """(N, D). Raises UserError where they would not fit in memory, as of a set that streams from disk."""
    pieces: list[Tensor] = []
    for start in range(0, len(dataset.train), PIECE):
        pixels = torch.tensor(dataset.train.pixels[start : start + PIECE])
        pieces.append(extractor(to_float(pixels)).features)
        if start == 0:
            each = pieces[0][0].numel() * pieces[0].element_size()
            check_memory(each * len(dataset.train), f"the features of all images of {dataset.name}")
    return torch.cat(pieces)


def features_in(tensors: dict[str, Tensor], extractor: Extractor) -> Features:
    if extractor.class_names:
        return Features(tensors["test"], tensors["probabilities"])
    return Features(tensors["test"], Unavailable(f"{extractor.identity} knows no classes"))


def test_images(dataset: Dataset) -> Tensor:
    """At most 10 000 of the test images, a fixed choice: (N, C, H, W) in [-1, 1]."""
    return to_float(torch.tensor(dataset.test.pixels[chosen(len(dataset.test), AT_MOST).numpy()]))


def chosen(count: int, at_most: int, stream: str = "evaluation/choice") -> Tensor:
    """Indices (n,) of a fixed random choice of n = min(count, at_most), in rising order."""
    return torch.randperm(count, generator=generator(0, stream))[:at_most].sort().values
