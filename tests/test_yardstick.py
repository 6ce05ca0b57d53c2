"""The yardstick on data whose truth is known, and the coverage of its interval."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genlab.data import Dataset, Images, to_float
from genlab.errors import UserError
from genlab.evaluation.calibration import response
from genlab.evaluation.extractor import Features, NetworkExtractor
from genlab.evaluation.instruments import INSTRUMENTS
from genlab.evaluation.references import References, View, references_for
from genlab.evaluation.yardstick import Seen, Values, ceiling, classes, floor, measure, plain
from genlab.metrics.frechet import frechet_distance
from genlab.metrics.intervals import Estimate
from genlab.metrics.unavailable import Unavailable

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


def estimate(values: Values, key: str) -> Estimate:
    found = values[key]
    assert isinstance(found, Estimate), f"{key}: {found}"
    assert found.low <= found.value <= found.high
    return found


def value(values: Values, key: str) -> float:
    return estimate(values, key).value


def test_fresh_samples_pass_every_instrument(known: References) -> None:
    found = measure(fresh(), known, full=True)
    assert found.keys() <= INSTRUMENTS.keys()
    looking = {key for key, each in INSTRUMENTS.items() if each.network is not None} | {"sharpness"}
    assert found.keys() == looking
    assert value(found, "fid") == pytest.approx(
        frechet_distance(fresh().flatten(1), known.own.test.features), rel=1e-9
    )
    assert value(found, "classes") == 4
    assert value(found, "evenness") == pytest.approx(1, abs=0.01)
    assert value(found, "class_divergence") < 0.02
    assert value(found, "confidence") > 0.8
    assert 3 < value(found, "class_score") <= 4
    assert value(found, "sharpness") == pytest.approx(1, abs=0.03)
    assert abs(value(found, "kid")) < 5  # in thousandths
    assert value(found, "precision") > 0.8
    assert value(found, "recall") > 0.8
    assert value(found, "coverage") == pytest.approx(0.969, abs=0.03)
    assert value(found, "ndb") < 0.15
    assert estimate(found, "c2st").low < 0.5 < estimate(found, "c2st").high
    assert abs(value(found, "c_t")) < 3


def test_floor_and_ceiling_enclose(known: References) -> None:
    lowest, found, highest = floor(known, 1000), measure(fresh(), known), ceiling(known, 1000)
    assert estimate(lowest, "fid").high < estimate(highest, "fid").low / 10
    assert value(found, "fid") < value(highest, "fid") / 10
    assert value(lowest, "c_t") < -20  # training images are copies of training images
    assert value(highest, "sharpness") > 1.5
    assert value(highest, "precision") < 0.05
    assert value(highest, "c2st") > 0.99


FAULTS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], tuple[str, ...]]] = {
    "a class is missing": (
        lambda images, labels: images[labels != 0],
        ("fid", "kid", "recall", "coverage", "ndb", "classes", "class_divergence"),
    ),
    "blur": (
        lambda images, labels: nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False),
        ("fid", "fid/texture", "kid", "sharpness", "c2st"),
    ),
    "one image repeated": (
        lambda images, labels: images[:1].expand(1000, -1, -1, -1),
        ("fid", "recall", "coverage", "ndb", "classes", "c2st"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_seen_by_its_instruments(known: References, fault: str) -> None:
    apply, instruments = FAULTS[fault]
    good = measure(fresh(), known)
    bad = measure(apply(fresh(), torch.tensor(squares(1000, seed=2).labels)), known)
    for key in instruments:
        moved = response(INSTRUMENTS[key], good[key], bad[key])
        assert moved is not None
        assert moved > 3, key


def test_sorted_samples_get_what_shuffled_ones_get(known: References) -> None:
    images = fresh()
    ordered = images[torch.tensor(squares(1000, seed=2).labels).argsort()]
    one, other = measure(images, known), measure(ordered, known)
    for key in ("fid", "fid/texture", "precision", "recall", "coverage", "ndb", "classes", "sharpness"):
        assert value(other, key) == pytest.approx(value(one, key), rel=1e-5, abs=1e-6), key
        assert estimate(other, key).error == pytest.approx(estimate(one, key).error, rel=0.9, abs=1e-6), key


def test_measuring_draws_nothing_from_the_global_stream(known: References) -> None:
    before = torch.get_rng_state()
    assert measure(fresh(100), known) == measure(fresh(100), known)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_serialises_and_says_what_is_missing(known: References) -> None:
    found = json.loads(json.dumps(plain(measure(fresh(100), known))))
    assert found["fid"].keys() == {"value", "error", "low", "high"}
    assert found["classes"]["value"] == 4
    blind = measure(fresh(40), references(None))
    assert blind["classes"] == Unavailable("pixels knows no classes")
    assert json.loads(json.dumps(plain(blind)))["classes"] == {"unavailable": "pixels knows no classes"}
    assert isinstance(blind["c_t"], Unavailable)


def test_a_class_that_no_test_image_has_is_no_infinity(known: References) -> None:
    one_class = known.own.test.probabilities
    assert isinstance(one_class, Tensor)
    only = one_class[one_class.argmax(dim=1) == 1]
    own = known.own.extractor(fresh())
    narrowed = References(
        known.dataset, View(known.own.extractor, Features(known.own.test.features, only)), known.texture,
        known.train, known.test_nearest, known.bins, known.test_sharpness,
    )  # fmt: skip
    found = classes(Seen(fresh(), own, None), narrowed)
    assert found["class_divergence"] == Unavailable("the samples have a class that the test images lack")


def test_progress_names_what_is_done(known: References) -> None:
    seen: list[tuple[str, int, int]] = []
    measure(fresh(100), known, progress=lambda what, done, of: seen.append((what, done, of)))
    assert [done for _, done, _ in seen] == list(range(len(seen)))
    assert {of for _, _, of in seen} == {len(seen)}
    assert all(what and len(what) < 60 for what, _, _ in seen)


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
