"""The catalogue's downloads as data sets: idx files, a zip of them, a tar of records. No pickle anywhere."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from genlab.data import idx
from genlab.data.catalogue import CATALOGUE
from genlab.data.dataset import Dataset, Images, Pixels
from genlab.data.fetch import obtain
from genlab.errors import UserError

_RECORD = 1 + 3 * 32 * 32  # CIFAR-10, binary version: a label, then red, green and blue, row by row
_RECORDS = 10_000  # in each of its files


def idx_set(name: str) -> Dataset:
    """Fashion-MNIST and KMNIST: the four files of MNIST's layout."""
    entry = CATALOGUE[name]
    paths = obtain(entry)
    return idx.read_four({Path(file).stem: path for file, path in paths.items()}, name, entry.class_names)


def emnist() -> Dataset:
    """The letters of EMNIST, (N, 1, 28, 28), labels 0 to 25.

    The files hold every image with its rows as columns and number the letters from 1; both is put right."""
    entry = CATALOGUE["emnist"]
    return read_emnist(obtain(entry)["gzip.zip"])


def read_emnist(path: Path) -> Dataset:
    """The letters in a zip of EMNIST's idx files."""
    splits = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for split in ("train", "test"):
                arrays = []
                for kind, dims in (("images-idx3", 3), ("labels-idx1", 1)):
                    member = f"gzip/emnist-letters-{split}-{kind}-ubyte.gz"
                    with archive.open(member) as packed, gzip.GzipFile(fileobj=packed) as stream:
                        arrays.append(idx.parse(stream, dims, f"{member} in {path}"))
                pixels, labels = arrays
                splits[split] = idx.pair(pixels.transpose(0, 2, 1), labels - 1, str(path))
    except (KeyError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not EMNIST's zip of idx files ({error}): fetch it again.") from error
    return Dataset("emnist", splits["train"], splits["test"], CATALOGUE["emnist"].class_names)


def cifar10() -> Dataset:
    """CIFAR-10, (N, 3, 32, 32)."""
    return read_cifar10(obtain(CATALOGUE["cifar10"])["cifar-10-binary.tar.gz"])


def read_cifar10(path: Path) -> Dataset:
    """CIFAR-10 from the tar of its binary version: six members are read, each of exactly the size it must
    have, and nothing is unpacked to disk."""
    wanted = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    found: dict[str, Images] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for _ in range(64):
                member = archive.next()
                if member is None or len(found) == len(wanted):
                    break
                if member.size > _RECORD * _RECORDS:
                    raise UserError(f"{path} is not CIFAR-10's tar: {member.name} has {member.size} bytes.")
                name = Path(member.name).name
                if name in wanted and member.isreg() and member.size == _RECORD * _RECORDS:
                    found[name] = _records(cast(IO[bytes], archive.extractfile(member)).read())
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is damaged or no tar of CIFAR-10 ({error}): fetch it again.") from error
    if missing := [name for name in wanted if name not in found]:
        raise UserError(f"{path} has no whole {missing[0]}: fetch it again.")
    batches = [found[name] for name in wanted[:-1]]
    train = Images(
        np.concatenate([batch.pixels for batch in batches]),
        np.concatenate([batch.labels for batch in batches if batch.labels is not None]),
    )
    return Dataset("cifar10", train, found["test_batch.bin"], CATALOGUE["cifar10"].class_names)


def _records(data: bytes) -> Images:
    records: Pixels = np.frombuffer(data, np.uint8).reshape(_RECORDS, _RECORD)
    return Images(records[:, 1:].reshape(-1, 3, 32, 32).copy(), records[:, 0].astype(np.int64))
