"""Some classes of a data set, as a data set of their own: a folder in the form of MNIST's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genlab.data.dataset import Images
from genlab.data.idx import FILES
from genlab.data.source import load
from genlab.errors import UserError
from genlab.lessons.work import Said
from genlab.lessons.work import training as ordinary

FOLDER = "images"


def chosen(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: data, grey and with labels; classes, numbers. Leaves the images of those classes, which keep
    their numbers, in the folder's `images`; found is how many there are of each split."""
    dataset, counts = load(given["data"]), {}
    if dataset.shape[0] != 1 or not dataset.class_names:
        raise UserError(f"{dataset.name} is not a set of grey images with labels; choose mnist")
    (folder / FOLDER).mkdir(exist_ok=True)
    for split, names in FILES.items():
        images = dataset.splits[split]
        assert images.labels is not None
        some = images.take(np.flatnonzero(np.isin(images.labels, given["classes"])))
        write(some, [folder / FOLDER / name for name in names])
        counts[split] = len(some)
    return counts


def write(images: Images, paths: Sequence[Path]) -> None:
    """Images and labels as two idx files."""
    assert images.labels is not None
    for array, path in zip((images.pixels[:, 0], images.labels.astype(np.uint8)), paths, strict=True):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        path.write_bytes(head + np.ascontiguousarray(array).tobytes())


def train(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: config. needs: the folder with the images, whose place takes that of the data's name."""
    config = dict(given["config"])
    config["data"] = {**config["data"], "name": str((needs[0] / FOLDER).resolve())}
    return ordinary.train({"config": config}, folder, [], said)
