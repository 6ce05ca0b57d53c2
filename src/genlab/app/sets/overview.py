"""What is in a data set, in numbers and a few of its images: computed once, then small enough to keep."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.data import idx
from genlab.data.catalogue import CATALOGUE
from genlab.data.choosing import at_most
from genlab.data.dataset import Dataset, Images
from genlab.data.duplicates import duplicates
from genlab.data.fitting import Fit
from genlab.data.folder import plan_folder
from genlab.data.shards import is_sharded
from genlab.data.source import load

READ = 4_000  # pictures of each split of a folder that are decoded; the others are counted
BYTES = 64 << 20  # of pixels that are looked at one by one
KEPT = 24  # images of each class that are shown
CLASSES = 60  # classes of which images are kept

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """What decides how a data set is read: the fields of the config's `data` section, and the seed."""

    name: str
    size: int | None = None
    channels: int | None = None
    fit: Fit = "crop"
    limit: int | None = None
    validation: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Overview:
    """`shape` is (C, H, W); `splits` says how many images each has, and `classes` how many of each class;
    `examples` are training images by class, (n, C, H, W), under "" where there are no classes; `levels`
    (C, 256) counts the pixels of `looked` training images, whose `mean` image is (C, H, W); `repeated` has a
    sentence for images that are there twice, None where that was not looked for."""

    name: str
    shape: tuple[int, int, int]
    splits: dict[str, int]
    classes: dict[str, dict[str, int]]
    examples: dict[str, Pixels]
    levels: NDArray[np.int64]
    mean: NDArray[np.float64]
    looked: int
    repeated: list[str] | None
    skipped: tuple[str, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.classes["train"])


@st.cache_data(max_entries=12, show_spinner="Reading the images …")
def overview(seen: Seen, stamp: str) -> Overview:
    """`stamp` changes when the images do. Raises UserError where they can't be read."""
    counted = count(seen)
    more = counted is not None and max(map(total, counted.values())) > READ
    dataset = read(seen, READ if more else None)
    classes = counted if counted and more else dataset.sizes()
    splits = {split: len(images) for split, images in dataset.splits.items()}
    if counted and more:
        splits = {split: total(each) for split, each in counted.items()}
    looked = some(dataset.train, seen.seed)
    return Overview(
        dataset.name, dataset.shape, splits, {k: without_empty(v) for k, v in classes.items()},
        examples(dataset), levels(looked.pixels), looked.mean(), len(looked),
        None if more or dataset.streams else duplicates(dataset).sentences(), dataset.skipped,
    )  # fmt: skip


def read(seen: Seen, most: int | None) -> Dataset:
    """The data set, with at most `most` images in each split."""
    limit = min((each for each in (seen.limit, most) if each is not None), default=None)
    return load(
        seen.name, size=seen.size, channels=seen.channels, fit=seen.fit, limit=limit, seed=seen.seed,
        validation=seen.validation,
    )  # fmt: skip


def is_pictures(name: str) -> bool:
    """Whether a name stands for a folder of pictures."""
    path = Path(name).expanduser()
    return name not in CATALOGUE and path.is_dir() and not (is_sharded(path) or idx.is_idx_folder(path))


def count(seen: Seen) -> dict[str, dict[str, int]] | None:
    """How many pictures of each class the splits of a folder have, by their headers alone; None for others,
    which are read in a moment."""
    if not is_pictures(seen.name):
        return None
    plan = plan_folder(
        Path(seen.name).expanduser(),
        seen.size,
        seen.channels,
        seen.fit,
        seen.limit,
        seen.seed,
        seen.validation,
    )
    found = {split: Counter(each.label for each in pictures) for split, pictures in plan.pictures.items()}
    names = plan.names or [""]
    return {split: {name: classes[name] for name in names} for split, classes in found.items()}


def total(classes: dict[str, int]) -> int:
    return sum(classes.values())


def without_empty(classes: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in classes.items() if name}


def some(images: Images, seed: int) -> Images:
    """So many images, drawn by the seed, that they have at most `BYTES` pixels."""
    most = max(1, BYTES // int(np.prod(images.pixels.shape[1:])))
    return images.take(at_most(len(images), most, seed, "looked at"))


def levels(pixels: Pixels) -> NDArray[np.int64]:
    """(N, C, H, W) -> (C, 256): how many pixels of each channel have each level."""
    return np.stack([np.bincount(pixels[:, c].ravel(), minlength=256) for c in range(pixels.shape[1])])


def examples(dataset: Dataset) -> dict[str, Pixels]:
    """The first training images of each class."""
    labels = dataset.train.labels
    if labels is None:
        return {"": dataset.train.pixels[:KEPT].copy()}
    all_labels = np.concatenate(
        [np.asarray(labels[i : i + 1_000_000]) for i in range(0, len(labels), 1_000_000)]
    )
    found = {}
    for number, name in enumerate(dataset.class_names[:CLASSES]):
        places = np.flatnonzero(all_labels == number)[:KEPT]
        found[name] = dataset.train.pixels[places].copy()
    return found
