import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from genlab.data import idx, load
from genlab.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 9, 9), dtype=np.uint8)


def idx3(images: np.ndarray) -> bytes:
    return struct.pack(">4I", 2051, *images.shape) + images.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_is_read_gzipped_or_not(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "images"
    path.write_bytes(pack(idx3(IMAGES)))
    assert np.array_equal(idx.read(path, 3), IMAGES)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"no idx file of bytes in 3 dimensions \(it begins with nothing\)"),
        (b"hello, I am text", "begins with 68 65 6c 6c"),
        (struct.pack(">2I", 2049, 5) + bytes(5), "no idx file of bytes in 3 dimensions"),
        (struct.pack(">4I", 0x0D03, 5, 9, 9) + bytes(405), "no idx file of bytes"),
        (struct.pack(">2I", 2051, 5), "claims the sizes"),
        (struct.pack(">4I", 2051, 2**32 - 1, 2**32 - 1, 2**32 - 1), "which no sensible file has"),
        (struct.pack(">4I", 2051, 0, 9, 9), "which no sensible file has"),
        (idx3(IMAGES)[:-1], "is cut short: its header promises 405 bytes"),
        (idx3(IMAGES) + b"x", "is longer than it says"),
        (gzip.compress(idx3(IMAGES))[:-9], "is damaged or cut short"),
        (gzip.compress(idx3(IMAGES))[:-8] + bytes(8), "cannot be read|damaged"),
    ],
)
def test_a_file_that_is_not_what_it_says_gets_one_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(data)
    with pytest.raises(UserError, match=says):
        idx.read(path, 3)


def test_a_gzip_bomb_is_read_no_further_than_its_header_promises(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(struct.pack(">4I", 2051, 5, 9, 9) + bytes(50_000_000)))
    with pytest.raises(UserError, match="is longer than it says"):
        idx.read(path, 3)


def test_a_missing_file_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        idx.read(tmp_path / "images", 3)


def four_files(folder: Path) -> Path:
    for split, n in (("train", 5), ("t10k", 3)):
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx3(IMAGES[:n])))
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, n) + bytes(range(n)))
    return folder


def test_a_folder_of_idx_files_is_a_data_set(tmp_path: Path) -> None:
    dataset = load(str(four_files(tmp_path)))
    assert (len(dataset.train), len(dataset.test), dataset.shape) == (5, 3, (1, 9, 9))
    assert dataset.class_names == tuple("01234")
    assert np.array_equal(dataset.train.pixels[:, 0], IMAGES)


def test_a_folder_that_lacks_one_file_says_which(tmp_path: Path) -> None:
    (four_files(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match=r"has no t10k-labels-idx1-ubyte.gz: put it there"):
        load(str(tmp_path))


def test_images_and_labels_must_be_as_many(tmp_path: Path) -> None:
    (four_files(tmp_path) / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 2) + bytes(2))
    with pytest.raises(UserError, match="has 3 images but 2 labels"):
        load(str(tmp_path))


def test_train_and_test_must_have_one_size(tmp_path: Path) -> None:
    smaller = gzip.compress(idx3(IMAGES[:3, :8, :8]))
    (four_files(tmp_path) / "t10k-images-idx3-ubyte.gz").write_bytes(smaller)
    with pytest.raises(UserError, match="training images of another size than its test images"):
        load(str(tmp_path))
