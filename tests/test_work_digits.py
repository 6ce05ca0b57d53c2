"""Some classes of a data set, as a data set of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Tiny

from genlab.data.dataset import Dataset
from genlab.data.idx import FILES
from genlab.data.source import load
from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.runner import load_data
from genlab.lessons.work import digits
from genlab.runs.store import Run


def quiet(share: float) -> None:
    assert 0 <= share <= 1


@pytest.fixture
def labelled(tmp_path: Path, dataset: Dataset) -> Path:
    folder = tmp_path / "labelled"
    folder.mkdir()
    for split, names in FILES.items():
        digits.write(dataset.splits[split], [folder / name for name in names])
    return folder


def test_what_is_written_is_read_again(labelled: Path, dataset: Dataset) -> None:
    found = load(str(labelled))
    for split, images in dataset.splits.items():
        np.testing.assert_array_equal(found.splits[split].pixels, images.pixels)
        np.testing.assert_array_equal(found.splits[split].labels, images.labels)


def test_only_the_classes_asked_for_are_left(labelled: Path, dataset: Dataset, tmp_path: Path) -> None:
    counts = digits.chosen({"data": str(labelled), "classes": [1]}, tmp_path, [], quiet)
    found = load(str(tmp_path / digits.FOLDER))
    assert counts == {split: len(images) for split, images in found.splits.items()}
    for split, images in dataset.splits.items():
        assert images.labels is not None
        np.testing.assert_array_equal(found.splits[split].pixels, images.pixels[images.labels == 1])
        assert set(found.splits[split].labels.tolist()) == {1}  # type: ignore[union-attr]


def test_images_without_labels_have_no_classes(blots: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose mnist"):
        digits.chosen({"data": str(blots), "classes": [1]}, tmp_path, [], quiet)


def test_a_training_is_on_those_images(labelled: Path, tiny: Tiny, tmp_path: Path) -> None:
    made, run = tmp_path / "made", tmp_path / "run"
    made.mkdir()
    digits.chosen({"data": str(labelled), "classes": [0]}, made, [], quiet)
    given = {"config": tiny("vae").model_dump(mode="json")}
    assert not digits.train(given, run, [made], quiet)["diverged"]
    seen = load_data(schema.parse(Run(run / "run").config()))
    assert seen.train.labels is not None
    assert set(seen.train.labels.tolist()) == {0}
    assert given["config"]["data"]["name"] == "tiny"  # what was asked for stands as it was
