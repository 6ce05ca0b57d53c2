from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.data.dataset import Dataset
from genlab.data.given import of_test_set, read_given
from genlab.data.pictures import read_picture
from genlab.errors import UserError

SHAPE = (1, 8, 8)


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (8, 8), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    depth = () if mode == "L" else (3,)
    levels = np.random.default_rng(seed).integers(0, 256, (*size, *depth), dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return path


def archive(path: Path, count: int = 3, side: int = 8, labels: bool = False) -> Path:
    images = np.random.default_rng(1).integers(0, 256, (count, side, side), dtype=np.uint8)
    if labels:
        np.savez(path, images=images, labels=np.arange(count))
    else:
        np.savez(path, images=images)
    return path


def test_files_come_in_the_order_they_were_named(tmp_path: Path) -> None:
    second, first = picture(tmp_path / "b.png", 1), picture(tmp_path / "a.png", 2)
    given = read_given([second, first, second], SHAPE)
    assert given.names == (str(second), str(first), str(second))
    assert given.pixels.shape == (3, *SHAPE)
    assert np.array_equal(given.pixels[0], np.asarray(Image.open(second))[None])
    assert np.array_equal(given.pixels[0], given.pixels[2])
    assert given.labels == ("", "", "")
    assert given.skipped == ()


def test_another_size_and_colour_is_made_to_fit_as_a_single_picture_is(tmp_path: Path) -> None:
    path = picture(tmp_path / "wide.png", size=(20, 33), mode="RGB")
    for fit in ("crop", "pad"):
        given = read_given([path], SHAPE, fit)
        assert np.array_equal(given.pixels[0], read_picture(path, SHAPE, fit))
    assert read_given([path], (3, 12, 12)).pixels.shape == (1, 3, 12, 12)


def test_a_folder_is_searched_to_its_depths_and_its_sub_folders_are_labels(tmp_path: Path) -> None:
    for place in ("cat/1.png", "cat/deep/2.png", "dog/3.jpg", "loose.png", ".hidden/4.png", "dog/.5.png"):
        picture(tmp_path / place)
    (tmp_path / "notes.txt").write_text("no picture, and nobody said it was")
    given = read_given([tmp_path], SHAPE)
    named = {
        str(Path(name).relative_to(tmp_path)): label
        for name, label in zip(given.names, given.labels, strict=True)
    }
    assert named == {
        "loose.png": "", str(Path("cat/1.png")): "cat", str(Path("cat/deep/2.png")): "cat",
        str(Path("dog/3.jpg")): "dog",
    }  # fmt: skip
    assert given.skipped == ()


def test_splits_are_no_labels(tmp_path: Path) -> None:
    for place in ("train/cat/1.png", "test/dog/2.png", "validation/3.png"):
        picture(tmp_path / place)
    assert sorted(read_given([tmp_path], SHAPE).labels) == ["", "cat", "dog"]


def test_an_archive_is_so_many_images(tmp_path: Path) -> None:
    path = archive(tmp_path / "some.npz", 4, side=16, labels=True)
    given = read_given([path, picture(tmp_path / "a.png")], SHAPE)
    assert given.names == (*(f"{path}:{index}" for index in range(4)), str(tmp_path / "a.png"))
    assert given.labels == ("0", "1", "2", "3", "")
    assert given.pixels.shape == (5, *SHAPE)


def test_what_cannot_be_read_is_named_and_left_out(tmp_path: Path) -> None:
    good = picture(tmp_path / "good.png")
    text = tmp_path / "text.png"
    text.write_text("I am no picture")
    torn = tmp_path / "torn.png"
    torn.write_bytes(picture(tmp_path / "whole.png", size=(64, 64)).read_bytes()[:600])
    tiny = picture(tmp_path / "tiny.png", size=(4, 4))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK nonsense")
    np.savez(tmp_path / "other.npz", pixels=np.zeros(3))
    (tmp_path / "empty").mkdir()
    paths = [text, torn, tiny, broken, tmp_path / "other.npz", tmp_path / "empty", tmp_path / "gone.png",
             tmp_path / "gone.npz", good]  # fmt: skip
    given = read_given(paths, SHAPE)
    assert given.names == (str(good),)
    reasons = dict(line.split(": ", 1) for line in given.skipped)
    assert set(reasons) == {str(path) for path in paths[:-1]}
    assert reasons[str(text)] == "not a picture"
    assert "damaged" in reasons[str(torn)]
    assert "4×4 px" in reasons[str(tiny)]
    assert "no .npz file" in reasons[str(broken)]
    assert "no array named images" in reasons[str(tmp_path / "other.npz")]
    assert reasons[str(tmp_path / "empty")] == "a folder without pictures"
    assert (
        reasons[str(tmp_path / "gone.png")] == reasons[str(tmp_path / "gone.npz")] == "there is no such file"
    )


def test_nothing_that_can_be_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"None of these .*empty: a folder without pictures.*\.npz"):
        read_given([tmp_path / "empty"], SHAPE)
    with pytest.raises(UserError, match=r"3\.png: there is no such file; …\)"):
        read_given([tmp_path / f"{index}.png" for index in range(1, 9)], SHAPE)


def test_the_test_images_have_numbers_and_the_names_of_their_classes(dataset: Dataset) -> None:
    given = of_test_set(dataset)
    assert given.names[:2] == ("test:0", "test:1")
    assert set(given.labels) == {"up", "down"}
    assert np.array_equal(given.pixels, dataset.test.pixels)
