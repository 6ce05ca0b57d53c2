"""The yardstick on data whose truth is known, and the coverage of its interval."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genlab.data import Dataset, Images, to_float
from genlab.errors import UserError
from genlab.evaluation.extractor import NetworkExtractor
from genlab.evaluation.references import References, references_for
from genlab.evaluation.yardstick import Measurement, ceiling, classes, fid, floor, measure
from genlab.metrics.frechet import frechet_distance, moments
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

SHAPE = (1, 8, 8)


class Quadrant(nn.Module):
    """Pixels (B, 64) -> logits (B, 4): the brightness of each quarter."""

    def forward(self, features: Tensor) -> Tensor:
        quarters = nn.functional.avg_pool2d(features.view(-1, 1, 8, 8), 4)
        return 20 * quarters.flatten(1)


def squares(count: int, seed: int) -> Images:
    """A bright spot in one of four quarters, its label, and some noise."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 4, count)
    pixels = draw.integers(0, 60, (count, *SHAPE)).astype(np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        row, column = 4 * (label // 2), 4 * (label % 2)
        image[0, row + 1 : row + 3, column + 1 : column + 3] = draw.integers(150, 256)
    return Images(pixels, labels)


def references(head: nn.Module | None) -> References:
    data = Dataset("squares", squares(2000, seed=0), squares(1000, seed=1), tuple("abcd"))
    names = () if head is None else data.class_names
    return references_for(data, NetworkExtractor("pixels", SHAPE, nn.Flatten(), head, names))


@pytest.fixture(scope="module")
def known() -> References:
    return references(Quadrant())


def fresh(count: int = 1000) -> Tensor:
    return to_float(torch.tensor(squares(count, seed=2).pixels))


def c_t(found: Measurement) -> float:
    assert isinstance(found.c_t, float)
    return found.c_t


def test_fresh_samples_pass_every_instrument(known: References) -> None:
    found = measure(fresh(), known)
    assert found.count == 1000
    assert found.extractor == "pixels"
    assert found.data == f"squares-{known.dataset.digest()}"
    assert found.fid.low < found.fid.value < found.fid.high
    assert found.fid.value == pytest.approx(
        frechet_distance(fresh().flatten(1), known.test.features), rel=1e-9
    )
    assert not isinstance(found.classes, Unavailable)
    assert (found.classes.covered, found.classes.known) == (4, 4)
    assert found.classes.entropy == pytest.approx(math.log(4), abs=0.01)
    assert found.classes.evenness == pytest.approx(1, abs=0.01)
    assert isinstance(found.classes.divergence, float)
    assert found.classes.divergence < 0.02
    assert found.classes.confidence > 0.8
    assert found.sharpness == pytest.approx(1, abs=0.03)
    assert abs(c_t(found)) < 3


def test_floor_and_ceiling_enclose(known: References) -> None:
    lowest, found, highest = floor(known, 1000), measure(fresh(), known), ceiling(known, 1000)
    assert lowest.fid.high < highest.fid.low / 10
    assert found.fid.value < highest.fid.value / 10
    assert c_t(lowest) < -20  # training images are copies of training images
    assert highest.sharpness > 1.5
    assert lowest.count == highest.count == 1000


def test_each_fault_is_seen_by_its_instrument(known: References) -> None:
    good = measure(fresh(), known)
    images = fresh()
    labels = torch.tensor(squares(1000, seed=2).labels)
    fewer = measure(images[labels != 0], known)
    assert not isinstance(fewer.classes, Unavailable)
    assert fewer.classes.covered == 3
    assert isinstance(fewer.classes.divergence, float)
    assert fewer.classes.divergence > 0.2
    blurred = measure(nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False), known)
    assert blurred.sharpness < 0.5
    assert blurred.fid.low > good.fid.high


def test_sorted_samples_get_what_shuffled_ones_get(known: References) -> None:
    images = fresh()
    ordered = images[torch.tensor(squares(1000, seed=2).labels).argsort()]
    one, other = measure(images, known), measure(ordered, known)
    assert one.fid.value == pytest.approx(other.fid.value, abs=1e-9)
    assert other.fid.high - other.fid.low == pytest.approx(one.fid.high - one.fid.low, rel=0.8)
    assert one.classes == other.classes


def test_measuring_draws_nothing_from_the_global_stream(known: References) -> None:
    before = torch.get_rng_state()
    assert measure(fresh(100), known) == measure(fresh(100), known)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_serialises_and_says_what_is_missing(known: References) -> None:
    plain = json.loads(json.dumps(measure(fresh(100), known).as_json()))
    assert plain["fid"].keys() == {"value", "low", "high"}
    assert plain["classes"]["known"] == 4
    blind = measure(fresh(40), references(None))
    assert blind.classes == Unavailable("pixels knows no classes")
    plain = json.loads(json.dumps(blind.as_json()))
    assert plain["classes"] == {"unavailable": "pixels knows no classes"}
    assert "unavailable" in plain["c_t"]


def test_a_class_that_no_test_image_has_is_no_infinity(known: References) -> None:
    one_class = to_float(torch.tensor(known.dataset.test.pixels[known.dataset.test.labels == 1]))
    probabilities = known.extractor(one_class).probabilities
    found = classes(known.test.probabilities, probabilities)
    assert not isinstance(found, Unavailable)
    assert found.divergence == Unavailable("the samples have a class that the test images lack")
    whole = replace(measure(fresh(40), known), classes=found)
    assert "unavailable" in json.loads(json.dumps(whole.as_json()))["classes"]["divergence"]


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (torch.zeros(39, 1, 8, 8), "too few"),
        (torch.full((50, 1, 8, 8), float("nan")), "diverged"),
        (torch.zeros(50, 3, 8, 8), "made for their data"),
    ],
)
def test_what_cannot_be_measured_is_said(known: References, samples: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        measure(samples, known)


def test_the_interval_of_constant_samples_has_no_width() -> None:
    found = fid(torch.ones(100, 3), moments(torch.ones(50, 3) - 1))
    assert [found.value, found.low, found.high] == pytest.approx([3, 3, 3])


@pytest.mark.parametrize(("dimensions", "count", "shift"), [(8, 1000, 0.0), (8, 1000, 0.3), (32, 2000, 0.1)])
def test_the_jackknife_interval_covers(dimensions: int, count: int, shift: float) -> None:
    """95 % intervals hold the mean distance of samples of one Gaussian in at least 90 of 100 cases, on the
    floor (where the distance is quadratic in the noise, which is hard on a jackknife) and away from it."""
    draw = generator(0, "test/jackknife")

    def normal() -> Tensor:
        return torch.randn(count, dimensions, generator=draw, dtype=torch.float64)

    reference = moments(normal())
    found = [fid(normal() + shift, reference) for _ in range(200)]
    mean = np.mean([one.value for one in found])
    assert np.mean([one.low <= mean <= one.high for one in found]) >= 0.9
    spread = np.std([one.value for one in found])
    widths = np.mean([(one.high - one.low) / (2 * 2.093) for one in found])
    assert widths == pytest.approx(spread, rel=0.35)
