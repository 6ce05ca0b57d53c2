import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from genlab.data import load, npz
from genlab.errors import UserError

LEVELS: npt.NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (20, 12, 12), dtype=np.uint8)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(str(path))
    return str(caught.value)


def saved(path: Path, **arrays: object) -> Path:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("channels", [0, 1, 3])
def test_images_come_through_in_every_layout(tmp_path: Path, channels: int) -> None:
    images = np.repeat(LEVELS[..., None], channels, axis=3) if channels else LEVELS
    dataset = load(str(saved(tmp_path / "set.npz", images=images, labels=np.arange(20) % 3)))
    assert dataset.shape == (max(1, channels), 12, 12)
    assert dataset.class_names == ("0", "1", "2")
    assert (len(dataset.train), len(dataset.test)) == (18, 2)
    read = {image[0].tobytes() for image in np.concatenate([dataset.train.pixels, dataset.test.pixels])}
    assert read == {image.tobytes() for image in LEVELS}


def test_labels_follow_their_images(tmp_path: Path) -> None:
    images = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None], (20, 8, 8))
    dataset = load(str(saved(tmp_path / "set.npz", images=images, labels=np.arange(20))))
    assert dataset.train.labels is not None
    assert np.array_equal(dataset.train.pixels[:, 0, 0, 0], dataset.train.labels)


def test_labels_may_be_missing(tmp_path: Path) -> None:
    dataset = load(str(saved(tmp_path / "set.npz", images=LEVELS, latents=np.zeros((20, 2)))))
    assert dataset.train.labels is None
    assert dataset.class_names == ()


def test_floats_in_the_unit_interval_are_levels(tmp_path: Path) -> None:
    whole = load(str(saved(tmp_path / "a.npz", images=LEVELS)))
    for dtype in (np.float32, np.float64):
        floats = load(str(saved(tmp_path / "b.npz", images=(LEVELS / 255).astype(dtype))))
        assert floats.digest() == whole.digest()


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (LEVELS.astype(np.float32), "range from 0 to 255: floats must lie in"),
        (LEVELS / 127.5 - 1, "range from -1 to 1: floats must lie in"),
        (np.full((4, 9, 9), np.nan), "hold NaN or infinity"),
        (np.where(LEVELS > 254, np.inf, 0.5), "hold NaN or infinity"),
        (LEVELS.astype(np.int64), "are int64: save them as uint8"),
        (LEVELS > 9, "are bool: save them as uint8"),
        (LEVELS[0], r"have the shape \(12, 12, 1\)|have the shape \(12, 12\)"),
        (np.zeros((4, 9, 9, 2), np.uint8), "with 1 or 3 channels"),
        (np.zeros((0, 9, 9), np.uint8), "are none at all"),
        (np.zeros((4, 1, 1), np.uint8), "are 1×1 px: at least 8×8 are needed"),
        (np.zeros((1, 9, 9), np.uint8), "has one image: at least 2 are needed"),
        (np.array([None, {}]), "holds object: save numbers"),
        (np.array(["a", "b"]), "holds <U1: save numbers"),
    ],
)  # fmt: skip
def test_wrong_images_get_one_sentence(tmp_path: Path, images: np.ndarray, says: str) -> None:
    with pytest.raises(UserError, match=says):
        load(str(saved(tmp_path / "set.npz", images=images)))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.arange(19), "has 20 images but 19 labels"),
        (np.arange(20) - 1, "range from -1 to 18: number the classes from 0"),
        (np.arange(20) * 10**9, "number the classes from 0"),
        (np.ones(20), "are float64 of shape"),
        (np.ones((20, 2), np.int64), "give every image one whole number"),
    ],
)
def test_wrong_labels_get_one_sentence(tmp_path: Path, labels: np.ndarray, says: str) -> None:
    with pytest.raises(UserError, match=says):
        load(str(saved(tmp_path / "set.npz", images=LEVELS, labels=labels)))


def test_the_array_must_have_its_name(tmp_path: Path) -> None:
    assert "has no array named images (it has x, y)" in refused(
        saved(tmp_path / "set.npz", y=LEVELS, x=LEVELS)
    )


def test_what_is_no_npz_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_text("hello")
    assert "is no .npz file, or a damaged one" in refused(path)
    saved(path, images=LEVELS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert "is no .npz file, or a damaged one" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"hello")
    assert "is no array that numpy wrote" in refused(path)


def test_damage_inside_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, images=LEVELS)
    damaged = bytearray(path.read_bytes())
    damaged[1000] ^= 255
    path.write_bytes(damaged)
    assert "is no .npz file, or a damaged one" in refused(path)


def header(shape: str, dtype: str = "|u1") -> bytes:
    """The beginning of an .npy file that claims a shape."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little") + text.encode() + b"\n"


def test_a_claimed_shape_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header("(1000000000, 28, 28)") + bytes(1000))
    assert "for which the file is too short" in refused(path)


def test_a_zip_bomb_is_refused_before_it_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 50_000_000)
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as entry,
    ):
        entry.write(header("(76531, 28, 28)"))
        for _ in range(60):
            entry.write(bytes(1_000_000))
    assert path.stat().st_size < 100_000
    assert "would expand to 0.1 GB: at most 0.1 fit" in refused(path)


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header("(100, 10, 10)") + bytes(5_000_000))
    data = path.read_bytes()
    true, said = (
        (5_000_000 + len(header("(100, 10, 10)"))).to_bytes(4, "little"),
        (10_100).to_bytes(4, "little"),
    )
    assert data.count(true) == 2
    path.write_bytes(data.replace(true, said))
    assert "is no .npz file, or a damaged one (Bad CRC-32" in refused(path)


def test_what_follows_the_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header("(100, 10, 10)") + bytes(10_001))
    assert "is longer than its shape (100, 10, 10) says" in refused(path)


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(65):
            archive.writestr(f"{i}.npy", b"")
    assert "has 65 entries" in refused(path)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, ("raise SystemExit('a pickle was opened')",))

    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", buffer.getvalue())
    assert "holds object" in refused(path)
