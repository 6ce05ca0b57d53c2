"""Together the instruments see every corruption of real images; each one alone is blind to some."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from genlab.data import Dataset, load, to_float
from genlab.errors import UserError
from genlab.evaluation.calibration import (
    Row,
    calibrate,
    decided,
    default_keys,
    response,
    seen_by,
    sentence,
    shipped,
    table,
    table_for,
    verdict,
)
from genlab.evaluation.corruptions import CORRUPTIONS, Clean
from genlab.evaluation.feature_networks import random_extractor, shipped_classifier
from genlab.evaluation.instruments import INSTRUMENTS
from genlab.metrics.intervals import Estimate
from genlab.metrics.unavailable import Unavailable

NEEDING_NO_LABELS = {name for name, each in CORRUPTIONS.items() if not each.needs_labels}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist")


def clean(digits: Dataset, pool: int = 3000, count: int = 1000) -> Clean:
    assert digits.test.labels is not None
    images = to_float(torch.tensor(digits.test.pixels[:pool]))
    return Clean(
        images,
        torch.tensor(digits.test.labels[:pool]),
        to_float(torch.tensor(digits.train.pixels[:2000])),
        count,
    )


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_keeps_shape_and_range_changes_no_argument_and_repeats_itself(
    digits: Dataset, name: str
) -> None:
    given = clean(digits)
    before = given.pool.clone()
    grades = CORRUPTIONS[name].grades
    assert list(grades) == sorted(grades)
    for grade in grades:
        made = CORRUPTIONS[name].apply(given, grade)
        assert made.shape == given.images.shape
        assert float(made.abs().max()) <= 1 + 1e-6
        assert torch.equal(made, CORRUPTIONS[name].apply(given, grade))
    assert torch.equal(given.pool, before)


@pytest.mark.parametrize("name", ["blur", "noise", "erased strokes", "added strokes"])
def test_a_heavier_grade_moves_the_pixels_further(digits: Dataset, name: str) -> None:
    given = clean(digits)
    moved = [
        float((CORRUPTIONS[name].apply(given, grade) - given.images).square().mean())
        for grade in CORRUPTIONS[name].grades
    ]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_classes_go_missing_and_grow_unequal_without_repeats(digits: Dataset) -> None:
    given = clean(digits)
    name = {
        image.numpy().tobytes(): int(label) for image, label in zip(given.pool, known(given), strict=True)
    }

    def counts(corruption: str, grade: float) -> np.ndarray[Any, Any]:
        made = CORRUPTIONS[corruption].apply(given, grade)
        assert len({image.numpy().tobytes() for image in made}) == len(made)
        return np.bincount([name[image.numpy().tobytes()] for image in made], minlength=10)

    assert (counts("missing classes", 3)[7:] == 0).all()
    assert counts("missing classes", 3)[:7].min() > 50
    shares = counts("unequal classes", 4)
    assert shares[9] / shares[0] == pytest.approx(4, rel=0.1)


def known(given: Clean) -> torch.Tensor:
    assert given.labels is not None
    return given.labels


def test_copies_are_training_images_and_repeats_are_few(digits: Dataset) -> None:
    given = clean(digits)
    trained = {image.numpy().tobytes() for image in given.train}
    made = CORRUPTIONS["copies of the training set"].apply(given, 0.5)
    assert sum(image.numpy().tobytes() in trained for image in made) == 500
    repeats = CORRUPTIONS["repeats"].apply(given, 20)
    assert len({image.numpy().tobytes() for image in repeats}) == 50


def test_a_response_is_signed_by_what_is_worse() -> None:
    def at(value: float) -> Estimate:
        return Estimate(value, 0.3, value - 0.6, value + 0.6)

    near = INSTRUMENTS["sharpness"]
    assert near.target == 1
    expected = 1 / np.hypot(0.3, 0.3)
    assert response(INSTRUMENTS["fid"], at(1), at(2)) == pytest.approx(expected, abs=0.01)
    assert response(INSTRUMENTS["recall"], at(1), at(2)) == pytest.approx(-expected, abs=0.01)
    assert response(near, at(1), at(2)) == pytest.approx(expected, abs=0.01)
    assert response(near, at(1), at(0)) == pytest.approx(expected, abs=0.01)
    assert response(INSTRUMENTS["confidence"], at(1), at(0)) == pytest.approx(expected, abs=0.01)
    assert response(near, at(1), Unavailable("no")) is None
    assert [verdict(x) for x in (5.0, -5.0, 3.9, None)] == ["sees", "fooled", "blind", "blind"]


def test_the_choice_takes_what_sees_something_new() -> None:
    rows = [Row("none", 0, {}), Row("blur", 0.25, {}), Row("blur", 1, {}), Row("noise", 0.1, {})]
    made: dict[str, Any] = table(rows, {"own": "x"}, {})
    made["responses"] = {
        "fid": [9.0, 9.0, 9.0], "kid": [9.0, 9.0, 9.0], "precision": [9.0, 9.0, -9.0],
        "confidence": [9.0, 9.0, -9.0], "sharpness": [0.0, 0.0, 9.0],
    }  # fmt: skip
    # precision tells blur from noise; KID and sharpness then add nothing, and confidence is not standard
    assert decided(made) == ("fid", "precision")
    made["responses"]["fid"] = made["responses"]["kid"] = [0.0, 9.0, 0.0]
    assert decided(made) == ("fid", "precision", "sharpness")  # nothing else sees noise
    assert seen_by(made, "fid") == {"blur": 1, "noise": None}
    assert sentence(made, "precision") == (
        "moved by blur (from 0.25); not by noise; moved for the better by noise"
    )


def test_too_few_test_images_are_refused(digits: Dataset) -> None:
    small = Dataset("few", digits.train, digits.test.take(np.arange(100)), digits.class_names)
    with pytest.raises(UserError, match="too few to calibrate"):
        next(calibrate(small, shipped_classifier()))


@pytest.mark.parametrize("kind", ["classifier", "random"])
def test_the_shipped_instruments_together_see_every_corruption_that_calls_for_no_labels(kind: str) -> None:
    found = shipped()[kind]
    seen = {
        name for key in decided(found) for name, grade in seen_by(found, key).items() if grade is not None
    }
    assert seen >= NEEDING_NO_LABELS
    if kind == "classifier":
        assert seen == CORRUPTIONS.keys()


@pytest.mark.parametrize("kind", ["classifier", "random"])
def test_nothing_sees_other_clean_images(kind: str) -> None:
    found = shipped()[kind]
    index = found["rows"].index({"corruption": "none", "grade": 1})
    assert {key for key, values in found["responses"].items() if verdict(values[index]) != "blind"} == set()


def test_the_shipped_tables_are_of_the_networks_that_measure() -> None:
    own = shipped_classifier().identity
    assert table_for(own)["networks"]["own"] == own
    random = random_extractor((1, 28, 28)).identity
    assert table_for(random)["networks"] == {"own": random}
    assert set(default_keys(own)) <= INSTRUMENTS.keys()
    assert "fid" in default_keys(own)


@pytest.mark.slow
def test_the_shipped_table_is_what_is_measured(digits: Dataset) -> None:
    """The clean row and one corruption, again, to rounding and the training of a small network."""
    found = shipped()["classifier"]
    rows = calibrate(digits, shipped_classifier(), found["count"])
    again = table([next(rows), next(rows), next(rows)], found["networks"], {})
    for key, stored in found["clean"].items():
        if "value" in stored:
            assert again["clean"][key]["value"] == pytest.approx(stored["value"], rel=0.02, abs=0.02), key
    json.dumps(again, allow_nan=False)
