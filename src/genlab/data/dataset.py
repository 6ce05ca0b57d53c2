"""What a source of images hands over: pixels as uint8, labels where there are any."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Images:
    """N images of one shape.

    pixels: (N, C, H, W) uint8, C is 1 (grey) or 3 (RGB);  labels: (N,) int64 from 0 up, or None."""

    pixels: Pixels
    labels: Labels | None = None

    def __post_init__(self) -> None:
        assert self.pixels.dtype == np.uint8, f"pixels are {self.pixels.dtype}, not uint8"
        assert self.pixels.ndim == 4, f"pixels have shape {self.pixels.shape}, not (N, C, H, W)"
        if self.labels is not None:
            assert self.labels.dtype == np.int64, f"labels are {self.labels.dtype}, not int64"
            assert self.labels.shape == self.pixels.shape[:1], (self.labels.shape, self.pixels.shape)

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, index: npt.NDArray[np.int64]) -> Images:
        """The images at `index` (n,), in that order."""
        return Images(self.pixels[index], None if self.labels is None else self.labels[index])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training set and a test set of one shape.

    class_names is empty when there are no labels; `skipped` says "file: why" for every file left out."""

    name: str
    train: Images
    test: Images
    class_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.train.pixels.shape[1:] == self.test.pixels.shape[1:], "two shapes in one data set"
        for images in (self.train, self.test):
            assert (images.labels is not None) == bool(self.class_names), "class names go with labels"
            if images.labels is not None and len(images):
                classes = len(self.class_names)
                assert 0 <= images.labels.min() <= images.labels.max() < classes, "a class without a name"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        _, channels, height, width = self.train.pixels.shape
        return channels, height, width

    def digest(self) -> str:
        """16 hexadecimal digits of the SHA-256 of every pixel and label: two datasets with one digest are the
        same data, whatever they are called and wherever they came from."""
        sha = hashlib.sha256()
        for images in (self.train, self.test):
            sha.update(repr((images.pixels.shape, images.labels is not None)).encode())
            sha.update(np.ascontiguousarray(images.pixels).data)
            if images.labels is not None:
                sha.update(np.ascontiguousarray(images.labels, dtype="<i8").data)
        return sha.hexdigest()[:16]

    def describe(self) -> dict[str, str | int | list[int]]:
        """What a report says of its data."""
        return {
            "name": self.name,
            "train": len(self.train),
            "test": len(self.test),
            "shape": list(self.shape),
            "classes": len(self.class_names),
            "skipped": len(self.skipped),
            "digest": self.digest(),
        }
