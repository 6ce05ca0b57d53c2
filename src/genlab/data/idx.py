"""The idx format of MNIST: a magic number, the sizes, the bytes. Nothing in the file is believed before it is
checked: not the magic, not the sizes, not how far gzip says it will expand."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from genlab.data.dataset import Dataset, Images, Labels, Pixels
from genlab.errors import UserError

MAX_BYTES = 1 << 30  # the largest set in this format, EMNIST by class, has 0.55 GB of training images
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read(path: Path, dims: int) -> Pixels:
    """The uint8 array with `dims` dimensions of an idx file, gzipped or not.

    Raises UserError where the file is not there or is not such a file, whole and of a sensible size."""
    try:
        with path.open("rb") as file:
            gzipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return parse(gzip.GzipFile(fileobj=file) if gzipped else file, dims, str(path))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error}): is it there, and whole?") from error


def parse(stream: IO[bytes] | gzip.GzipFile, dims: int, name: str) -> Pixels:
    """The array in an open idx stream; at most MAX_BYTES are ever expanded. `name` is for the messages."""
    try:
        head = stream.read(4 + 4 * dims)
        if head[:4] != bytes([0, 0, 8, dims]):
            begins = head[:4].hex(" ") or "nothing"
            raise UserError(f"{name} is no idx file of bytes in {dims} dimensions (it begins with {begins}).")
        shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4))
        expected = math.prod(shape)
        if len(head) != 4 + 4 * dims or not 0 < expected <= MAX_BYTES:
            raise UserError(f"{name} claims the sizes {shape}, which no sensible file has; fetch it again.")
        data = stream.read(expected + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{name} is damaged or cut short ({error}); fetch it again.") from error
    if len(data) != expected:
        kind = "cut short" if len(data) < expected else "longer than it says"
        raise UserError(f"{name} is {kind}: its header promises {expected} bytes of data; fetch it again.")
    return np.frombuffer(data, np.uint8).reshape(shape)


def pair(images: Pixels, labels: Pixels, name: str) -> Images:
    """Images (N, H, W) and their labels (N,) as `Images` (N, 1, H, W)."""
    if len(images) != len(labels):
        raise UserError(f"{name} has {len(images)} images but {len(labels)} labels; fetch its files again.")
    return Images(images[:, None].copy(), labels.astype(np.int64))


def find(folder: Path, stem: str) -> Path | None:
    """The idx file `stem` in a folder, gzipped or not."""
    return next((path for path in (folder / f"{stem}.gz", folder / stem) if path.is_file()), None)


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds a training set in idx files."""
    return find(folder, FILES["train"][0]) is not None


def read_folder(folder: Path, name: str) -> Dataset:
    """The four files of MNIST's layout in a folder, gzipped or not; classes are named by their numbers."""
    paths = {}
    for stem in (stem for stems in FILES.values() for stem in stems):
        path = find(folder, stem)
        if path is None:
            raise UserError(f"{folder} has no {stem}.gz: put it there beside the others.")
        paths[stem] = path
    return read_four(paths, name)


def read_four(paths: Mapping[str, Path], name: str, class_names: tuple[str, ...] = ()) -> Dataset:
    """The four files of MNIST's layout, by their names without .gz."""
    splits = [pair(read(paths[images], 3), read(paths[labels], 1), name) for images, labels in FILES.values()]
    train, test = splits
    if train.pixels.shape[1:] != test.pixels.shape[1:]:
        raise UserError(f"{name} has training images of another size than its test images.")
    return Dataset(name, train, test, class_names or numbered(train.labels, test.labels))


def numbered(*labels: Labels | None) -> tuple[str, ...]:
    """Class names "0", "1", … for labels that bring none."""
    given = [values for values in labels if values is not None]
    return tuple(str(n) for n in range(max(int(values.max()) for values in given) + 1)) if given else ()
