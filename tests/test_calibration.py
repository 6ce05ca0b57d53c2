"""Together the instruments see every corruption of real digits; each one alone is blind to some."""

import numpy as np
import pytest
import torch

from genlab.data import Dataset, load
from genlab.evaluation.calibration import CORRUPTIONS, calibrate
from genlab.evaluation.feature_networks import shipped_classifier
from genlab.evaluation.references import references_for
from genlab.evaluation.yardstick import Measurement
from genlab.metrics.unavailable import Unavailable

FLOOR = "floor: training images"


@pytest.fixture(scope="module")
def table() -> dict[str, Measurement]:
    data = load("mnist")
    draw = np.random.default_rng(0)  # MNIST's own order puts the clean writers first
    train = data.train.take(draw.choice(len(data.train), 8000, replace=False))
    test = data.test.take(draw.choice(len(data.test), 4000, replace=False))
    small = Dataset("mnist", train, test, data.class_names)
    return dict(calibrate(references_for(small, shipped_classifier())))


@pytest.mark.parametrize("name", sorted(CORRUPTIONS.keys() - {"none"}))
def test_the_distance_sees_every_corruption_above_its_floor(table: dict[str, Measurement], name: str) -> None:
    assert table[name].fid.low > table[FLOOR].fid.high


def test_blur_is_seen_about_as_well_as_noise(table: dict[str, Measurement]) -> None:
    assert table["blurred 3x3"].fid.value > table["noise .1"].fid.value
    assert table["half blurred"].fid.value > 20 * table[FLOOR].fid.value


def test_sharpness_tells_blur_from_noise(table: dict[str, Measurement]) -> None:
    assert table["blurred 3x3"].sharpness < table["half blurred"].sharpness < 0.6
    assert table["noise .1"].sharpness > 1.3
    assert table[FLOOR].sharpness == pytest.approx(1, abs=0.05)


def test_a_missing_class_is_missed_and_copies_are_caught(table: dict[str, Measurement]) -> None:
    missing = table["a class missing"].classes
    assert not isinstance(missing, Unavailable)
    assert (missing.covered, missing.known) == (9, 10)
    copies = table[FLOOR].c_t
    assert isinstance(copies, float)
    assert copies < -20
    assert table["none"].c_t == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_keeps_shape_and_range_and_changes_no_argument(name: str) -> None:
    images = torch.linspace(-1, 1, 20 * 9 * 11).view(20, 1, 9, 11)
    before = images.clone()
    corrupted = CORRUPTIONS[name](images)
    assert corrupted.shape == images.shape
    assert float(corrupted.abs().max()) <= 1 + 1e-6
    assert torch.equal(images, before)
