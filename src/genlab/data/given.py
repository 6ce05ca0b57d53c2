"""Images that someone points at: files, folders and .npz files, made to the shape of a model. What cannot be
read is named and left out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from genlab.data.bounds import check_memory
from genlab.data.dataset import Dataset, Pixels
from genlab.data.fitting import Fit, fitted
from genlab.data.npz import read_npz
from genlab.data.pictures import SUFFIXES, UnreadableError, decode
from genlab.errors import UserError

SPLITS = frozenset(("train", "validation", "test"))  # sub-folders that are no classes
Shape = tuple[int, int, int]
_Part = tuple[Pixels, list[str], list[str]]  # pixels (n, C, H, W), names, labels


@dataclass(frozen=True, eq=False)
class Given:
    """N ≥ 1 images, pixels (N, C, H, W) uint8; a name for each (a path; that of an .npz followed by :index);
    a label for each, empty where it has none; and "path: why" for all that was left out."""

    pixels: Pixels
    names: tuple[str, ...]
    labels: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)


def of_test_set(dataset: Dataset) -> Given:
    """The test images of a data set, named test:index, with the names of their classes."""
    count, labels = len(dataset.test), dataset.test.labels
    names = [""] * count if labels is None else [dataset.class_names[label] for label in labels]
    return Given(dataset.test.pixels, tuple(f"test:{i}" for i in range(count)), tuple(names))


def read_given(paths: Sequence[Path], shape: Shape, fit: Fit = "crop") -> Given:
    """The images at `paths`, in that order, as `shape` (C, H, W), H = W.

    A folder is searched to its depths, in the order of paths; the sub-folder that a picture lies in is its
    label (below train/, validation/ or test/, the next one). The labels of an .npz are its numbers. Raises
    UserError where nothing at all can be read, or it would not fit in memory.
    """
    channels, height, width = shape
    assert height == width, shape
    skipped: dict[str, str] = {}
    found = [each for path in paths for each in _below(path, skipped)]
    pictures = [path for path, _ in found if path.suffix.lower() != ".npz"]
    check_memory(len(pictures) * channels * height * width, f"{len(pictures):,} pictures")
    decoded = iter(_decoded(pictures, shape, fit))
    parts: list[_Part] = []
    for path, label in found:
        part = _archive(path, label, shape, fit) if path.suffix.lower() == ".npz" else next(decoded)
        if isinstance(part, str):
            skipped[str(path)] = part
        else:
            parts.append(part if isinstance(part, tuple) else (part[None], [str(path)], [label]))
    reasons = tuple(f"{path}: {why}" for path, why in skipped.items())
    if not parts:
        said = "; ".join([*reasons[:3], "…"] if len(reasons) > 3 else reasons)
        raise UserError(
            f"None of these can be read as images ({said}): give pictures, folders of pictures, or .npz "
            "files with an array images."
        )
    pixels, names, labels = zip(*parts, strict=True)
    return Given(np.concatenate(pixels), tuple(chain(*names)), tuple(chain(*labels)), reasons)


def _below(path: Path, skipped: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """Every file that `path` stands for, with its label."""
    if not path.is_dir():
        yield path, ""
        return
    empty = True
    for where, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        parents = Path(where).relative_to(path).parts
        if parents and parents[0].lower() in SPLITS:
            parents = parents[1:]
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES | {".npz"} and not name.startswith("."):
                empty = False
                yield Path(where, name), parents[0] if parents else ""
    if empty:
        skipped[str(path)] = "a folder without pictures"


def _decoded(paths: list[Path], shape: Shape, fit: Fit) -> list[Pixels | str]:
    """Each picture (C, H, W), or why it cannot be read; on a few threads, for Pillow lets go of the
    interpreter while it decodes."""

    def one(path: Path) -> Pixels | str:
        try:
            return decode(path, shape[2], shape[0], fit)
        except UnreadableError as error:
            return str(error)

    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")  # of a damaged file's metadata, for which nobody here has a use
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return list(pool.map(one, paths))


def _archive(path: Path, label: str, shape: Shape, fit: Fit) -> _Part | str:
    if not path.is_file():
        return "there is no such file"
    try:
        images = read_npz(path)
        pixels = fitted(images.pixels, shape[2], shape[0], fit, str(path))
    except UserError as error:
        return str(error).removeprefix(f"{path} ").rstrip(".")
    numbers = None if images.labels is None else [str(number) for number in images.labels]
    return pixels, [f"{path}:{index}" for index in range(len(images))], numbers or [label] * len(images)
