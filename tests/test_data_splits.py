"""Training, validation and test images: by folders, or by the seed; and what held them before holds now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.data import Images, load
from genlab.data.choosing import held_out
from genlab.errors import UserError


def grey(folder: Path, *levels: int) -> None:
    """A picture of 9×12 px for each grey level, named by it."""
    folder.mkdir(parents=True, exist_ok=True)
    for level in levels:
        Image.fromarray(np.full((12, 9), level, np.uint8)).save(folder / f"{level:03d}.png")


def levels(images: Images) -> list[int]:
    found: list[int] = images.pixels[:, 0, 0, 0].tolist()
    return found


def npz(path: Path) -> str:
    images = np.arange(40 * 100, dtype=np.uint64).astype(np.uint8).reshape(40, 10, 10)
    np.savez(path, images=images, labels=np.arange(40) % 3)
    return str(path)


def test_digests_are_what_they_were_before_there_was_a_validation_set(tmp_path: Path) -> None:
    """Computed before; a run that was trained then must find its images now."""
    for split, more in (("train", 0), ("test", 100)):
        for name, one in (("a", 0), ("b", 1)):
            folder = tmp_path / "both" / split / name
            folder.mkdir(parents=True)
            for i in range(6):
                Image.fromarray(np.full((12, 9), 20 * i + one + more, np.uint8)).save(folder / f"{i}.png")
    (tmp_path / "one").mkdir()
    for i in range(20):
        Image.fromarray(np.full((12, 9), 10 * i, np.uint8)).save(tmp_path / "one" / f"{i}.png")
    assert load("mnist", limit=50).digest() == "fd186ce1057c2582"
    assert load(npz(tmp_path / "blots.npz")).digest() == "fdf7ed8c47f81622"
    assert load(str(tmp_path / "both")).digest() == "8d61af2e2f6cd41f"
    assert load(str(tmp_path / "one"), limit=4, seed=2).digest() == "c510b1bdcc289ec5"


def test_a_validation_folder_leaves_the_other_two_as_they_are(tmp_path: Path) -> None:
    for split, shades in (("train", (10, 20)), ("test", (30,))):
        grey(tmp_path / split / "a", *shades)
        grey(tmp_path / split / "b", *(shade + 1 for shade in shades))
    before = load(str(tmp_path))
    grey(tmp_path / "val" / "b", 40)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "val" / "b" / "small-and-coloured.png")
    after = load(str(tmp_path))
    assert after.validation is not None
    assert (len(after.validation), after.shape) == (2, (1, 9, 9))
    assert after.digest() == before.digest()


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Valid"])
def test_folders_are_the_three_sets_with_their_labels_and_names(tmp_path: Path, name: str) -> None:
    for split, shade in (("train", 10), (name, 50), ("test", 90)):
        grey(tmp_path / split / "cats", shade, shade + 1)
        grey(tmp_path / split / "dogs", shade + 2)
    dataset = load(str(tmp_path))
    assert dataset.class_names == ("cats", "dogs")
    assert list(dataset.splits) == ["train", "validation", "test"]
    assert [levels(images) for images in dataset.splits.values()] == [
        [10, 11, 12],
        [50, 51, 52],
        [90, 91, 92],
    ]
    assert dataset.sizes() == {split: {"cats": 2, "dogs": 1} for split in dataset.splits}
    assert dataset.splits["validation"].files == (
        f"{name}/cats/050.png",
        f"{name}/cats/051.png",
        f"{name}/dogs/052.png",
    )
    assert dataset.describe()["validation"] == 3


def test_train_and_validation_without_test_test_with_a_tenth_of_train(tmp_path: Path) -> None:
    grey(tmp_path / "train", *range(10, 30))
    grey(tmp_path / "val", 100, 101)
    dataset = load(str(tmp_path))
    assert dataset.class_names == ()
    assert levels(dataset.splits["validation"]) == [100, 101]
    assert (len(dataset.train), len(dataset.test)) == (18, 2)
    assert sorted(levels(dataset.train) + levels(dataset.test)) == list(range(10, 30))


def test_folders_that_contradict_each_other_get_one_sentence(tmp_path: Path) -> None:
    for split, shade in (("train", 10), ("val", 50), ("test", 90)):
        grey(tmp_path / split / "a", shade)
    with pytest.raises(UserError, match=r"has a folder of validation pictures.*set data\.validation to 0"):
        load(str(tmp_path), validation=0.1)
    grey(tmp_path / "valid" / "a", 60)
    with pytest.raises(UserError, match="has both val and valid: keep one"):
        load(str(tmp_path))


def test_a_class_that_is_only_validated_is_refused(tmp_path: Path) -> None:
    for split, shade in (("train", 10), ("val", 50), ("test", 90)):
        grey(tmp_path / split / "a", shade)
    grey(tmp_path / "val" / "b", 60)
    with pytest.raises(UserError, match="class b among its validation pictures alone"):
        load(str(tmp_path))


def test_classes_in_only_some_of_three_are_refused(tmp_path: Path) -> None:
    grey(tmp_path / "train" / "a", 10)
    grey(tmp_path / "val", 50)
    grey(tmp_path / "test" / "a", 90)
    with pytest.raises(UserError, match="in only some of train, validation and test: use them in all"):
        load(str(tmp_path))


def labelled(images: Images) -> dict[bytes, int]:
    assert images.labels is not None
    return dict(zip((image.tobytes() for image in images.pixels), images.labels.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["folder", "npz", "mnist"])
def test_by_the_seed_a_fraction_of_the_training_images_is_held_out(tmp_path: Path, kind: str) -> None:
    """The test images stay as they are, and labels go along."""
    for shade in range(40):
        grey(tmp_path / "blots" / "ab"[shade % 2], 3 * shade)
    source = {"folder": str(tmp_path / "blots"), "npz": npz(tmp_path / "blots.npz"), "mnist": "mnist"}[kind]
    whole, split = load(source), load(source, validation=0.25)
    assert whole.validation is None
    assert split.validation is not None
    assert np.array_equal(split.test.pixels, whole.test.pixels)
    assert len(split.validation) == round(len(whole.train) / 4)
    truth, train, validation = (labelled(each) for each in (whole.train, split.train, split.validation))
    assert train | validation == truth
    assert len(train) + len(validation) == len(truth), "no image is in both"
    assert load(source, validation=0.25).digest() == split.digest()
    assert load(source, validation=0.25, seed=1).digest() != split.digest()


def test_what_is_held_out_does_not_depend_on_the_limit() -> None:
    few, more = load("mnist", limit=50, validation=0.1), load("mnist", limit=400, validation=0.1)
    assert few.validation is not None
    assert more.validation is not None
    assert (len(few.train), len(few.validation), len(few.test)) == (50, 50, 50)
    known = {image.tobytes() for image in more.validation.pixels}
    assert all(image.tobytes() in known for image in few.validation.pixels)


@pytest.mark.parametrize(("n", "fraction", "held"), [(10, 0, 0), (10, 0.01, 1), (10, 0.25, 2), (10, 0.9, 9),
                                                     (2, 0.9, 1), (1, 0.5, 0)])  # fmt: skip
def test_something_is_left_to_train_on(n: int, fraction: float, held: int) -> None:
    train, validation = held_out(n, fraction, seed=0)
    assert len(validation) == held
    assert sorted([*train, *validation]) == list(range(n))
    assert list(train) == sorted(train)


@pytest.mark.parametrize("fraction", [-0.1, 0.95, 1.0, float("nan")])
def test_no_fraction_gets_one_sentence(fraction: float) -> None:
    with pytest.raises(UserError, match=r"validation is .*: give the fraction of the training images"):
        load("mnist", validation=fraction)
