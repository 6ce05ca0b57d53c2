"""MNIST as it ships with the package: all 70 000 images and labels, without loss.

The layout is the plainest that can be: the pixels of the 60 000 training images and then of the 10 000 test
images, one byte each, as one xz stream; the labels likewise. `scripts/embed-mnist` makes both from the four
idx files.
"""

from __future__ import annotations

import lzma
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib import resources

import numpy as np

from genlab.data.dataset import Dataset, Images

TRAIN, TEST = 60_000, 10_000
_DIGITS = tuple(str(digit) for digit in range(10))
_IMAGES, _LABELS = "mnist-images.xz", "mnist-labels.xz"

# Of what xz can do, this is the smallest: literal context of four bits and no alignment, since one pixel is
# one byte. In pixel-major order, or as differences along a row, the same bytes grow by 22 % and 17 %.
_PRESET = 9 | lzma.PRESET_EXTREME
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": _PRESET, "lc": 4, "lp": 0, "pb": 0, "dict_size": 64 << 20}]


def compress(data: bytes) -> bytes:
    """`data` as an xz stream in the way the embedded files are written (about a minute for all of MNIST)."""
    return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, filters=_FILTERS)


@cache
def _decode(name: str) -> bytes:
    """The bytes behind an embedded file; 0.6 s for the images, once in a process."""
    return lzma.decompress((resources.files("genlab.data") / "embedded" / name).read_bytes())


_begun: list[Future[bytes]] = []  # the images, where somebody knew early that they will be wanted


def ahead() -> None:
    """Begin to unpack the images on a thread of its own, for `mnist` to find: while torch is imported, which
    takes longer, a second core has nothing else to do."""
    if not _begun:
        _begun.append(ThreadPoolExecutor(1, "mnist").submit(_decode, _IMAGES))


def mnist() -> Dataset:
    """MNIST, (N, 1, 28, 28): arrays of one's own, that may be written to."""
    for begun in _begun:
        begun.result()
    pixels = np.frombuffer(_decode(_IMAGES), np.uint8).reshape(-1, 1, 28, 28)
    labels = np.frombuffer(_decode(_LABELS), np.uint8).astype(np.int64)
    assert len(pixels) == len(labels) == TRAIN + TEST
    train = Images(pixels[:TRAIN].copy(), labels[:TRAIN].copy())
    test = Images(pixels[TRAIN:].copy(), labels[TRAIN:].copy())
    return Dataset("mnist", train, test, _DIGITS)
