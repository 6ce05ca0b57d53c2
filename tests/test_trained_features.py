"""A classifier for labelled images of one's own: learned once, kept, and refused where it learned nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from genlab.data import Dataset, Images
from genlab.errors import UserError
from genlab.evaluation import trained_features
from genlab.evaluation.feature_networks import extractor_for, random_extractor
from genlab.evaluation.trained_features import can_be_learned, trained_extractor, useful

SHAPE = (1, 8, 8)


def halves(count: int, seed: int, *, told: bool = True) -> Images:
    """Bright above or below; with `told` false the labels know nothing of it."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, count)
    pixels = draw.integers(0, 40, (count, *SHAPE)).astype(np.uint8)
    for image, label in zip(pixels, labels if told else draw.integers(0, 2, count), strict=True):
        image[0, 4 * label : 4 * label + 4] += 150
    return Images(pixels, labels)


def dataset(*, told: bool = True) -> Dataset:
    return Dataset("halves", halves(400, 0, told=told), halves(200, 1, told=told), ("above", "below"))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained_features.trained_bytes, "__defaults__", (None, 24))


def test_it_is_trained_once_and_kept(tmp_path: Path) -> None:
    steps: list[int] = []
    data = dataset()
    first = extractor_for(data, folder=tmp_path, progress=lambda step, of, loss: steps.append(step))
    assert steps
    assert first.class_names == ("above", "below")
    assert first.identity.startswith(f"classifier-{data.digest()[:8]}-")
    steps.clear()
    again = extractor_for(data, folder=tmp_path, progress=lambda step, of, loss: steps.append(step))
    assert (again.identity, steps) == (first.identity, [])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:200])
    assert extractor_for(data, folder=tmp_path).identity == first.identity  # torn: made again


def test_labels_that_say_nothing_give_random_features(tmp_path: Path) -> None:
    data = dataset(told=False)
    assert trained_extractor(data, tmp_path) is None
    assert extractor_for(data, folder=tmp_path) is random_extractor(SHAPE)
    assert len(list(tmp_path.iterdir())) == 1  # which is remembered


def test_without_a_folder_none_is_trained() -> None:
    assert extractor_for(dataset()) is random_extractor(SHAPE)


def test_what_cannot_be_learned() -> None:
    data = dataset()
    assert can_be_learned(data)
    few = Dataset("few", data.train.take(np.arange(90)), data.test, data.class_names)
    assert not can_be_learned(few)
    assert not can_be_learned(Dataset("plain", Images(data.train.pixels), Images(data.test.pixels)))


def test_half_way_from_chance_is_useful() -> None:
    names = json.dumps(["a", "b"])
    assert useful({"class_names": names, "test_accuracy": "0.75"})
    assert not useful({"class_names": names, "test_accuracy": "0.74"})


def test_other_kinds_of_features() -> None:
    assert extractor_for(dataset(), kind="random") is random_extractor(SHAPE)
    with pytest.raises(UserError, match="no features called 'nice': choose own, random, inception"):
        extractor_for(dataset(), kind="nice")
