"""Images from an .npz file: `images`, and `labels` if there are any. No pickle; sizes are checked before a
byte is expanded."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from genlab.data.bounds import MIN_SIDE, check_memory
from genlab.data.dataset import Images, Labels, Pixels
from genlab.errors import UserError

MAX_ENTRIES = 64
MAX_BYTES = 4 << 30
MAX_CLASSES = 100_000

Array = npt.NDArray[Any]


def read_npz(path: Path) -> Images:
    """`images`, N×H×W or N×H×W×C (C is 1 or 3), uint8 or floats in [0, 1]; `labels`, N whole numbers from 0.

    Raises UserError where the file is not that, or would expand beyond MAX_BYTES or half of the free
    memory."""
    with _archive(path) as archive:
        names = archive.namelist()
        if "images.npy" not in names:
            raise UserError(
                f"{path} has no array named images (it has {_held(names)}): save it under that name."
            )
        pixels = _pixels(_entry(archive, "images.npy", path), path)
        labels = _labels(_entry(archive, "labels.npy", path), path) if "labels.npy" in names else None
    if labels is not None and len(labels) != len(pixels):
        raise UserError(f"{path} has {len(pixels)} images but {len(labels)} labels: give every image one.")
    return Images(pixels, labels)


def read_latents(path: Path) -> npt.NDArray[np.float32]:
    """`latents`, as `genlab generate` writes them, or else `mean`, as `genlab encode` does: (N, Z).

    Raises UserError as `read_npz` does, and where they are not rows of finite numbers."""
    with _archive(path) as archive:
        names = archive.namelist()
        name = next((name for name in ("latents", "mean") if f"{name}.npy" in names), None)
        if name is None:
            raise UserError(
                f"{path} has no array named latents or mean (it has {_held(names)}): take one that genlab "
                "generate or genlab encode wrote."
            )
        found = _entry(archive, f"{name}.npy", path)
    if found.ndim != 2 or not found.size or not np.isfinite(found).all():
        raise UserError(f"{name} in {path}, of shape {found.shape}, is not N×Z finite numbers: save it so.")
    return found.astype(np.float32)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = len(archive.namelist())
            if entries > MAX_ENTRIES:
                raise UserError(f"{path} has {entries} entries: an .npz of images has at most {MAX_ENTRIES}.")
            yield archive
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{path} is no .npz file, or a damaged one ({error}): save it again.") from error


def _held(names: list[str]) -> str:
    return ", ".join(sorted(name.removesuffix(".npy") for name in names)) or "nothing"


def _entry(archive: zipfile.ZipFile, name: str, path: Path) -> Array:
    """One array; what its header claims must be what the archive says it holds, and both must be bounded."""
    info = archive.getinfo(name)
    what = f"{name.removesuffix('.npy')} in {path}"
    if info.file_size > MAX_BYTES:
        raise UserError(
            f"{what} would expand to {info.file_size / 1e9:.1f} GB: at most {MAX_BYTES / 1e9:.1f} fit."
        )
    check_memory(2 * info.file_size, what)
    with archive.open(info) as stream:
        shape, dtype = _header(stream, what)
    if dtype.hasobject or dtype.kind not in "buif":
        raise UserError(f"{what} holds {dtype}: save numbers, images as uint8 or as floats in [0, 1].")
    if math.prod(shape) * dtype.itemsize > info.file_size:
        raise UserError(f"{what} claims the shape {shape}, for which the file is too short: save it again.")
    with archive.open(info) as stream:
        array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):
            raise UserError(f"{what} is longer than its shape {shape} says: save it again.")
    return array


def _header(stream: IO[bytes], what: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read[version](stream)
    except (ValueError, KeyError) as error:
        raise UserError(f"{what} is no array that numpy wrote: save it with numpy.savez.") from error
    return shape, dtype


def _pixels(array: Array, path: Path) -> Pixels:
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise UserError(
            f"images in {path} have the shape {array.shape}: give N×H×W or N×H×W×C with 1 or 3 channels."
        )
    n, height, width, _ = array.shape
    if not n:
        raise UserError(f"images in {path} are none at all: save at least 2.")
    if min(height, width) < MIN_SIDE:
        raise UserError(
            f"images in {path} are {width}×{height} px: at least {MIN_SIDE}×{MIN_SIDE} are needed."
        )
    if array.dtype.kind == "f":
        array = _levels(array, path)
    if array.dtype != np.uint8:
        raise UserError(f"images in {path} are {array.dtype}: save them as uint8, or as floats in [0, 1].")
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2))


def _levels(array: Array, path: Path) -> Pixels:
    """Floats in [0, 1] as levels 0 to 255, rounded."""
    low, high = float(array.min()), float(array.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UserError(f"images in {path} hold NaN or infinity: floats must lie in [0, 1].")
    if low < 0 or high > 1:
        raise UserError(f"images in {path} range from {low:.3g} to {high:.3g}: floats must lie in [0, 1].")
    return np.rint(array.astype(np.float32) * 255).astype(np.uint8)


def _labels(array: Array, path: Path) -> Labels:
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise UserError(
            f"labels in {path} are {array.dtype} of shape {array.shape}: give every image one whole number."
        )
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < MAX_CLASSES:
        raise UserError(
            f"labels in {path} range from {array.min()} to {array.max()}: number the classes from 0."
        )
    return array.astype(np.int64)
