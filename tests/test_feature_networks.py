"""Which network measures which data, and that the shipped one is as good as its header says."""

import numpy as np
import pytest
import torch

from genlab.data import Dataset, Images, load, to_float
from genlab.evaluation.classifier import classifier_facts
from genlab.evaluation.feature_networks import SHIPPED, extractor_for, random_extractor, shipped_classifier
from genlab.metrics.frechet import frechet_distance
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist")


def test_the_shipped_classifier_is_as_accurate_as_it_says(digits: Dataset) -> None:
    found = shipped_classifier()(to_float(torch.tensor(digits.test.pixels)))
    assert isinstance(found.probabilities, torch.Tensor)
    assert digits.test.labels is not None
    accuracy = float((found.probabilities.argmax(dim=1) == torch.tensor(digits.test.labels)).double().mean())
    assert accuracy >= 0.99
    assert accuracy == pytest.approx(float(classifier_facts(SHIPPED)["test_accuracy"]), abs=3e-4)


def test_the_shipped_file_is_small_and_says_where_it_comes_from(digits: Dataset) -> None:
    facts = classifier_facts(SHIPPED)
    assert SHIPPED.stat().st_size < 2 << 20
    assert facts["command"].startswith("scripts/train-classifier --epochs=")
    assert facts["data_digest"] == digits.digest()
    assert facts["sha256"].startswith(shipped_classifier().identity.removeprefix("genlab-mnist-"))


def test_digits_get_the_classifier_whatever_they_are_called(digits: Dataset) -> None:
    assert extractor_for(digits) is shipped_classifier()
    some = Dataset("my scans", digits.train, digits.test, tuple("abcdefghij"))
    assert extractor_for(some) is shipped_classifier()


def test_what_only_looks_like_digits_from_outside_does_not(digits: Dataset) -> None:
    assert digits.test.labels is not None
    upside_down = Images(np.ascontiguousarray(digits.test.pixels[:, :, ::-1, ::-1]), digits.test.labels)
    assert (
        extractor_for(Dataset("mnist", digits.train, upside_down, digits.class_names))
        is not shipped_classifier()
    )
    unlabelled = Dataset("mnist", Images(digits.train.pixels), Images(digits.test.pixels))
    assert extractor_for(unlabelled) is random_extractor((1, 28, 28))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 17), (3, 64, 64)])
def test_random_features_fit_any_shape(shape: tuple[int, int, int]) -> None:
    found = random_extractor(shape)(torch.rand(3, *shape, generator=generator(0, "test/any")))
    assert found.features.shape == (3, 128)
    assert isinstance(found.probabilities, Unavailable)


def test_random_features_never_change() -> None:
    assert random_extractor((1, 28, 28)).identity == "random-conv-d7df6169"
    assert random_extractor((3, 32, 32)).identity == "random-conv-7a7487f6"


def test_random_features_see_blur(digits: Dataset) -> None:
    images = to_float(torch.tensor(digits.test.pixels[:2000]))
    extractor = random_extractor((1, 28, 28))
    first, second = extractor(images[:1000]).features, extractor(images[1000:]).features
    blurred = torch.nn.functional.avg_pool2d(images[1000:], 3, 1, 1, count_include_pad=False)
    assert frechet_distance(first, extractor(blurred).features) > 5 * frechet_distance(first, second)
