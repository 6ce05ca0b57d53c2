import os
import struct
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from genlab.data import load
from genlab.data.pictures import decode, measure, read_picture
from genlab.errors import UserError


def picture(path: Path, width: int = 16, height: int = 16, mode: str = "L", seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    depth = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, depth), dtype=np.uint8)
    Image.fromarray(levels[..., 0] if depth == 1 else levels).save(path)
    return path


def pictures(folder: Path, n: int, **kind: int | str) -> Path:
    for i in range(n):
        picture(folder / f"{i:03d}.png", seed=i, **kind)  # type: ignore[arg-type]
    return folder


def png_bomb(path: Path, side: int) -> Path:
    """A small PNG that says it is side × side grey pixels, and is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pack = zlib.compressobj(9)
    packed = b"".join(pack.compress(bytes(1 + side)) for _ in range(side)) + pack.flush()
    header = chunk(b"IHDR", struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b""))
    return path


def test_a_folder_of_pictures_is_a_data_set_without_labels(tmp_path: Path) -> None:
    dataset = load(str(pictures(tmp_path / "blots", 30)))
    assert (dataset.name, dataset.shape, dataset.class_names) == ("blots", (1, 16, 16), ())
    assert (len(dataset.train), len(dataset.test)) == (27, 3)
    assert dataset.train.labels is None
    assert dataset.skipped == ()


def test_pixels_that_need_no_resizing_come_through_untouched(tmp_path: Path) -> None:
    pictures(tmp_path, 10)
    dataset = load(str(tmp_path))
    read = np.concatenate([dataset.train.pixels, dataset.test.pixels])[:, 0]
    drawn = np.stack([np.asarray(Image.open(tmp_path / f"{i:03d}.png")) for i in range(10)])
    assert sorted(image.tobytes() for image in read) == sorted(image.tobytes() for image in drawn)


def test_the_split_depends_on_the_seed_alone(tmp_path: Path) -> None:
    pictures(tmp_path, 30)
    assert load(str(tmp_path), seed=1).digest() == load(str(tmp_path), seed=1).digest()
    assert load(str(tmp_path), seed=1).digest() != load(str(tmp_path), seed=2).digest()


def test_sub_folders_are_classes_at_any_depth(tmp_path: Path) -> None:
    pictures(tmp_path / "dogs", 10)
    pictures(tmp_path / "cats" / "grey", 10)
    dataset = load(str(tmp_path))
    assert dataset.class_names == ("cats", "dogs")
    assert dataset.train.labels is not None
    assert dataset.test.labels is not None
    assert np.bincount(np.concatenate([dataset.train.labels, dataset.test.labels])).tolist() == [10, 10]


def test_pictures_beside_the_sub_folders_mean_no_classes(tmp_path: Path) -> None:
    pictures(tmp_path / "dogs", 5)
    picture(tmp_path / "loose.png")
    assert load(str(tmp_path)).class_names == ()


def test_folders_named_train_and_test_are_the_two_sets(tmp_path: Path) -> None:
    for split, n in (("train", 6), ("Test", 4)):
        for name in ("a", "b"):
            pictures(tmp_path / split / name, n)
    dataset = load(str(tmp_path))
    assert (len(dataset.train), len(dataset.test), dataset.class_names) == (12, 8, ("a", "b"))


def test_classes_in_only_one_of_train_and_test_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path / "train" / "a", 4)
    pictures(tmp_path / "test", 4)
    with pytest.raises(UserError, match="in only one of train and test: use them in both"):
        load(str(tmp_path))


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_empty_train_or_test_is_named(tmp_path: Path, split: str) -> None:
    other = "test" if split == "train" else "train"
    pictures(tmp_path / other, 4)
    (tmp_path / split).mkdir()
    with pytest.raises(UserError, match=f"{split} has no pictures in it"):
        load(str(tmp_path))


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_any_size_and_aspect_becomes_the_size_asked_for(tmp_path: Path, fit: str) -> None:
    for i, (width, height) in enumerate([(9, 40), (300, 200), (28, 28), (8, 500)]):
        picture(tmp_path / f"{i}.png", width, height, "RGB")
    dataset = load(str(tmp_path), size=24, fit=fit)  # type: ignore[arg-type]
    assert dataset.shape == (3, 24, 24)
    assert len(dataset.train) + len(dataset.test) == 4


def test_without_a_size_the_smallest_picture_decides_up_to_64(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 90, 200)
    picture(tmp_path / "b.png", 100, 80)
    assert load(str(tmp_path)).shape == (1, 64, 64)
    picture(tmp_path / "c.png", 40, 33)
    assert load(str(tmp_path)).shape == (1, 33, 33)


def test_one_coloured_picture_makes_the_set_coloured(tmp_path: Path) -> None:
    pictures(tmp_path, 5)
    picture(tmp_path / "colour.png", mode="RGB")
    assert load(str(tmp_path)).shape[0] == 3
    assert load(str(tmp_path), channels=1).shape[0] == 1


def test_crop_keeps_the_middle_and_pad_keeps_all(tmp_path: Path) -> None:
    levels = np.zeros((8, 24), np.uint8)
    levels[:, 8:16] = 255
    Image.fromarray(levels).save(tmp_path / "bar.png")
    assert decode(tmp_path / "bar.png", 8, 1, "crop").min() > 200
    padded = decode(tmp_path / "bar.png", 24, 1, "pad")[0]
    assert padded[:8].max() == 0
    assert padded[16:].max() == 0
    assert np.array_equal(padded[8:16], levels)


def test_limit_keeps_a_seeded_part_of_each_split(tmp_path: Path) -> None:
    pictures(tmp_path, 60)
    few, more = load(str(tmp_path), limit=4), load(str(tmp_path), limit=20)
    assert (len(few.train), len(few.test)) == (4, 4)
    kept = {image.tobytes() for image in more.train.pixels}
    assert all(image.tobytes() in kept for image in few.train.pixels)


def test_limit_does_not_renumber_the_classes(tmp_path: Path) -> None:
    for name in "abcdef":
        pictures(tmp_path / name, 5)
    assert load(str(tmp_path), limit=2).class_names == tuple("abcdef")


def test_what_cannot_be_read_is_named_counted_and_left_out(tmp_path: Path) -> None:
    pictures(tmp_path, 20)
    (tmp_path / "notes.txt").write_text("not meant to be a picture")
    (tmp_path / ".hidden.png").write_text("nor this")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.jpg").write_bytes(b"")
    whole = (tmp_path / "000.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    picture(tmp_path / "dot.png", 1, 1)
    (tmp_path / "script.gif").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n")
    dataset = load(str(tmp_path))
    assert len(dataset.train) + len(dataset.test) == 20
    reasons = dict(line.split(": ", 1) for line in dataset.skipped)
    assert reasons.keys() == {"text.png", "empty.jpg", "torn.png", "dot.png", "script.gif"}
    assert reasons["text.png"] == reasons["empty.jpg"] == reasons["script.gif"] == "not a picture"
    assert reasons["dot.png"] == "1×1 px, but at least 8×8 are needed"
    assert reasons["torn.png"].startswith("damaged")


@pytest.mark.parametrize("cut", range(0, 400, 23))
def test_a_damaged_picture_never_crashes(tmp_path: Path, cut: int) -> None:
    pictures(tmp_path, 3, mode="RGB")
    damaged = bytearray((tmp_path / "000.png").read_bytes())
    damaged[cut : cut + 8] = bytes(range(8))
    (tmp_path / "damaged.png").write_bytes(damaged)
    assert len(load(str(tmp_path)).skipped) <= 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_and_a_broken_link_do_not_hold_anyone_up(tmp_path: Path) -> None:
    pictures(tmp_path, 4)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    assert load(str(tmp_path)).skipped == (
        "link.png: there is no such file",
        "pipe.png: there is no such file",
    )


def test_a_png_bomb_is_left_out_before_it_is_decoded(tmp_path: Path) -> None:
    pictures(tmp_path, 4)
    bomb = png_bomb(tmp_path / "bomb.png", 13_000)
    assert bomb.stat().st_size < 200_000
    assert load(str(tmp_path)).skipped == ("bomb.png: more than 64 million pixels",)


def test_an_empty_folder_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"has no pictures in it or below it: put files there that end in .*\.png"
    ):
        load(str(tmp_path))


def test_a_folder_of_one_dot_says_why(tmp_path: Path) -> None:
    picture(tmp_path / "dot.png", 1, 1)
    with pytest.raises(UserError, match=r"no pictures that can be read \(1 left out; dot.png: 1×1 px"):
        load(str(tmp_path))


def test_a_single_picture_is_too_few(tmp_path: Path) -> None:
    picture(tmp_path / "only.png")
    with pytest.raises(UserError, match="has 1 picture that can be read: at least 2 needed"):
        load(str(tmp_path))


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    levels = np.zeros((16, 16), np.uint8)
    levels[:8] = 255  # bright above
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180°
    Image.fromarray(levels).save(tmp_path / "turned.png", exif=exif)
    read = decode(tmp_path / "turned.png", 16, 1, "crop")[0]
    assert read[:8].max() == 0
    assert read[8:].min() == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (4, 4, 12, 12))
    if mode == "P":
        image = Image.new("P", (16, 16), 0)
        image.putpalette([255, 0, 0, 0, 0, 0])
        image.paste(1, (4, 4, 12, 12))
        image.save(tmp_path / "a.png", transparency=0)
    else:
        image.convert(mode).save(tmp_path / "a.png")
    read = decode(tmp_path / "a.png", 16, 1, "crop")[0]
    assert read[0, 0] == 255
    assert read[8, 8] == 0


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    levels = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    assert measure(tmp_path / "deep.png") == (16, 1)
    assert decode(tmp_path / "deep.png", 16, 1, "crop").ravel().tolist() == list(range(256))


def test_floating_point_pixels_are_left_out(tmp_path: Path) -> None:
    pictures(tmp_path, 4)
    Image.fromarray(np.zeros((16, 16), np.float32)).save(tmp_path / "float.tif")
    assert load(str(tmp_path)).skipped == ("float.tif: floating-point pixels",)


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "gif", "webp", "tif", "ppm"])
def test_the_usual_formats_are_read(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (40, 30), (200, 100, 50)).save(tmp_path / f"a.{suffix}")
    read = decode(tmp_path / f"a.{suffix}", 16, 3, "crop")
    assert np.abs(read.astype(int) - np.array([200, 100, 50])[:, None, None]).max() < 12


def test_one_picture_for_a_model(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", 40, 20, "RGB")
    assert read_picture(path, (1, 28, 28)).shape == (1, 28, 28)
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(UserError, match=r"text.png cannot be used as a picture: not a picture\."):
        read_picture(tmp_path / "text.png", (1, 28, 28))
    with pytest.raises(UserError, match=r"gone.png cannot be used as a picture: there is no such file\."):
        read_picture(tmp_path / "gone.png", (1, 28, 28))


def test_more_than_the_memory_holds_is_refused(tmp_path: Path) -> None:
    pictures(tmp_path, 3)

    class Memory:
        available = 4_000

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "virtual_memory", Memory)
        with pytest.raises(UserError, match=r"of memory that are free: ask for fewer images \(limit\)"):
            load(str(tmp_path), size=64)
