"""What a source of images hands over: pixels as uint8, labels where there are any."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genlab.data.rows import Rows, parts_of
from genlab.errors import UserError

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Images:
    """N images of one shape.

    pixels: (N, C, H, W) uint8, C is 1 (grey) or 3 (RGB);  labels: (N,) int64 from 0 up, or None;  files: N
    paths below the data's folder, or none where the images came from no files of their own."""

    pixels: Pixels
    labels: Labels | None = None
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.pixels.dtype == np.uint8, f"pixels are {self.pixels.dtype}, not uint8"
        assert self.pixels.ndim == 4, f"pixels have shape {self.pixels.shape}, not (N, C, H, W)"
        if self.labels is not None:
            assert self.labels.dtype == np.int64, f"labels are {self.labels.dtype}, not int64"
            assert self.labels.shape == self.pixels.shape[:1], (self.labels.shape, self.pixels.shape)
        assert len(self.files) in (0, len(self.pixels)), (len(self.files), len(self.pixels))

    def __len__(self) -> int:
        return len(self.pixels)

    def mean(self) -> npt.NDArray[np.float64]:
        """The mean image (C, H, W), its levels from 0 to 255."""
        total = sum(part.sum(axis=0, dtype=np.int64) for part in parts_of(self.pixels))
        return np.asarray(total / len(self))

    def take(self, index: npt.NDArray[np.int64]) -> Images:
        """The images at `index` (n,), in that order."""
        labels = None if self.labels is None else self.labels[index]
        return Images(self.pixels[index], labels, tuple(self.files[i] for i in index) if self.files else ())


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training set, a test set and, where one was given or held out, a validation set, of one shape.

    What is learned from, what is measured against, and what chooses among trainings and checkpoints so that
    the test set need not. class_names is empty when there are no labels; `skipped` says "file: why" for every
    file left out; `known` is the digest where it was written down when the images were."""

    name: str
    train: Images
    test: Images
    class_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    validation: Images | None = None
    known: str | None = None

    def __post_init__(self) -> None:
        """Raises UserError where a file that the images came from can't be what it says."""
        for split, images in self.splits.items():
            assert (images.labels is not None) == bool(self.class_names), "class names go with labels"
            mine, shape = images.pixels.shape[1:], self.train.pixels.shape[1:]
            if mine != shape:
                raise UserError(f"{self.name}: its {split} images are {mine} and its training images {shape}")
            if images.labels is not None and len(images):
                least, most, last = images.labels.min(), images.labels.max(), len(self.class_names) - 1
                if not 0 <= least <= most <= last:
                    raise UserError(
                        f"{self.name}: its {split} labels go from {least} to {most}, and its classes from 0 "
                        f"to {last}: restore its files"
                    )

    @property
    def splits(self) -> dict[str, Images]:
        """Those of train, validation and test that there are, by name."""
        middle = {} if self.validation is None else {"validation": self.validation}
        return {"train": self.train, **middle, "test": self.test}

    @property
    def streams(self) -> bool:
        """Whether the training images stay on disk until they are asked for."""
        return isinstance(self.train.pixels, Rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        _, channels, height, width = self.train.pixels.shape
        return channels, height, width

    def digest(self) -> str:
        """16 hexadecimal digits of the SHA-256 of every pixel and label to train on and to test with: two
        datasets with one digest are the same to learn from and to be measured against, whatever they are
        called and wherever they came from. Validation images, which only choose, are no part of it."""
        if self.known is not None:
            return self.known
        sha = hashlib.sha256()
        for images in (self.train, self.test):
            sha.update(repr((images.pixels.shape, images.labels is not None)).encode())
            for part in parts_of(images.pixels):
                sha.update(np.ascontiguousarray(part).data)
            for labels in () if images.labels is None else parts_of(images.labels):
                sha.update(np.ascontiguousarray(labels, dtype="<i8").data)
        return sha.hexdigest()[:16]

    def describe(self) -> dict[str, str | int | list[int]]:
        """What a report says of its data."""
        return {
            "name": self.name,
            "train": len(self.train),
            "validation": 0 if self.validation is None else len(self.validation),
            "test": len(self.test),
            "shape": list(self.shape),
            "classes": len(self.class_names),
            "skipped": len(self.skipped),
            "digest": self.digest(),
        }

    def sizes(self) -> dict[str, dict[str, int]]:
        """How many images of each class every split holds; of no class where there are no labels."""

        def of(labels: Labels | None) -> dict[str, int]:
            if labels is None:
                return {}
            counts = sum(np.bincount(part, minlength=len(self.class_names)) for part in parts_of(labels))
            return dict(zip(self.class_names, np.asarray(counts).tolist(), strict=True))

        return {split: of(images.labels) for split, images in self.splits.items()}
