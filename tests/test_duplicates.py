from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from genlab.cli import data, train  # noqa: F401  (each adds its commands to `app`)
from genlab.cli.root import app
from genlab.data import Dataset, Images, load
from genlab.data.duplicates import Duplicates, Place, duplicates


def shades(*levels: int) -> Images:
    """An image of 8×8 px for each grey level."""
    return Images(np.repeat(np.array(levels, np.uint8), 64).reshape(-1, 1, 8, 8))


def test_what_stands_twice_is_counted_within_and_across() -> None:
    found = duplicates(
        Dataset("shades", shades(1, 2, 1, 1, 3), shades(3, 9, 1, 7), validation=shades(2, 8, 7, 8))
    )
    assert found.within == {"train": 2, "validation": 1, "test": 0}
    assert found.across == {("test", "train"): 2, ("validation", "train"): 1, ("test", "validation"): 1}
    assert (Place("test", 0, ""), Place("train", 4, "")) in found.pairs
    assert (Place("train", 3, ""), Place("train", 0, "")) in found.pairs, "of several, the first"
    assert found.sentences() == [
        "2 test images also stand in train: test image 0 = train image 4, test image 2 = train image 0",
        "1 validation image also stands in train: validation image 0 = train image 1",
        "1 test image also stands in validation: test image 3 = validation image 2",
        "2 train images repeat an earlier one: train image 2 = train image 0, train image 3 = train image 0",
        "1 validation image repeats an earlier one: validation image 3 = validation image 1",
    ]
    assert found.warning() is not None
    assert str(found.warning()).startswith("2 test images and 1 validation image stand in train too")


def test_one_pixel_one_level_apart_is_no_duplicate() -> None:
    test = shades(5)
    test.pixels[0, 0, 7, 7] ^= 1
    found = duplicates(Dataset("shades", shades(5, 6), test))
    assert found == Duplicates({"train": 0, "test": 0}, {("test", "train"): 0}, ())
    assert (found.sentences(), found.warning()) == ([], None)


def test_the_order_of_images_changes_no_count() -> None:
    rng = np.random.default_rng(0)
    trained, tested = rng.integers(0, 40, 60), rng.integers(0, 40, 30)
    first = duplicates(Dataset("shades", shades(*trained), shades(*tested)))
    shuffled = (shades(*rng.permutation(each)) for each in (trained, tested))
    again = duplicates(Dataset("shades", next(shuffled), next(shuffled)))
    assert (first.within, first.across) == (again.within, again.across)
    assert first.within["train"] == 60 - len(set(trained.tolist()))
    assert first.across["test", "train"] == sum(level in set(trained.tolist()) for level in tested.tolist())


def test_labels_and_names_do_not_hide_an_equal_image() -> None:
    first, second = (
        Images(shades(*levels).pixels, np.array([0, 1]), ("a.png", "b.png")) for levels in ((1, 2), (2, 3))
    )
    found = duplicates(Dataset("shades", first, second, ("x", "y")))
    assert found.sentences() == ["1 test image also stands in train: a.png = b.png"]


def test_only_the_first_pairs_are_kept() -> None:
    found = duplicates(Dataset("shades", shades(*range(50)), shades(*range(50))))
    assert found.across["test", "train"] == 50
    assert len(found.pairs) == 5
    assert found.sentences()[0].endswith("test image 4 = train image 4, …")


def test_mnist_holds_no_image_twice() -> None:
    found = duplicates(load("mnist"))
    assert (found.within, found.across) == ({"train": 0, "test": 0}, {("test", "train"): 0})


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A folder of two classes in train, val and test; one test picture was trained on, in another format."""
    for split, more in (("train", 0), ("val", 100), ("test", 200)):
        for shift, name in enumerate(("cats", "dogs")):
            folder = tmp_path / "pets" / split / name
            folder.mkdir(parents=True)
            for i in range(3):
                Image.fromarray(np.full((8, 8), more + 10 * i + shift, np.uint8)).save(folder / f"{i}.png")
    Image.fromarray(np.full((8, 8), 11, np.uint8)).save(tmp_path / "pets" / "test" / "cats" / "dog.bmp")
    return tmp_path / "pets"


def test_the_command_says_how_large_the_splits_are_and_what_leaks(leaky: Path) -> None:
    result = CliRunner().invoke(app, ["data", str(leaky)])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "train            cats: 3, dogs: 3" in lines
    assert "validation       cats: 3, dogs: 3" in lines
    assert "test             cats: 4, dogs: 3" in lines
    assert lines[-1] == "1 test image also stands in train: test/cats/dog.bmp = train/dogs/1.png"


def test_the_command_says_the_same_as_json(leaky: Path) -> None:
    said = json.loads(CliRunner().invoke(app, ["data", str(leaky), "--json"]).stdout)
    assert (said["train"], said["validation"], said["test"]) == (6, 6, 7)
    assert said["classes_of"]["test"] == {"cats": 4, "dogs": 3}
    assert said["duplicates"]["across"] == {
        "test in train": 1,
        "validation in train": 0,
        "test in validation": 0,
    }
    assert said["duplicates"]["pairs"] == [
        [
            {"split": "test", "index": 3, "file": "test/cats/dog.bmp"},
            {"split": "train", "index": 4, "file": "train/dogs/1.png"},
        ]
    ]


def test_the_command_holds_out_what_it_is_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "blots.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8))
    said = json.loads(CliRunner().invoke(app, ["data", str(path), "--validation", "0.5", "--json"]).stdout)
    assert (said["train"], said["validation"], said["test"]) == (18, 18, 4)
    assert (
        CliRunner().invoke(app, ["data", str(path)]).output.splitlines()[-1] == "no image stands in it twice"
    )


def test_training_says_in_one_line_what_leaks(leaky: Path, runs: Path) -> None:
    small = [
        "network.decoder.width=2",
        "network.encoder.hidden=8",
        "training.batch_size=4",
        "training.threads=1",
    ]
    options = [part for each in small for part in ("--set", each)]
    result = CliRunner().invoke(app, ["train", "vae", "--data", str(leaky), "--steps", "1", *options])
    assert result.exit_code == 0, result.output
    assert result.output.count("1 test image stands in train too") == 1
    (leaky / "test" / "cats" / "dog.bmp").unlink()
    result = CliRunner().invoke(app, ["train", "vae", "--data", str(leaky), "--steps", "1", *options])
    assert "in train too" not in result.output
