"""Precision, recall, density and coverage: PyPI's prdc, closed forms, null checks, ties."""

from __future__ import annotations

import contextlib
import io
import math

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics import neighbours
from genlab.metrics.intervals import blocks, jackknife
from genlab.metrics.neighbours import density_coverage, neighbourhoods, precision_recall
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/neighbours"), dtype=torch.float64)


def theirs(features: Tensor, reference: Tensor, k: int) -> dict[str, float]:
    with contextlib.redirect_stdout(io.StringIO()):
        found = compute_prdc(reference.numpy(), features.numpy(), nearest_k=k)
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize(("near", "wide"), [(3, 5), (1, 10), (5, 3)])
@pytest.mark.parametrize("tile", [17, 500])
def test_all_four_are_prdc_s(near: int, wide: int, tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "TILE", tile)
    features, reference = 1.2 * normal(213, 6) + 20.4, normal(309, 6, seed=1) + 20
    found = neighbourhoods(features, reference, near, wide)
    close, far = theirs(features, reference, near), theirs(features, reference, wide)
    assert found.precision.value == pytest.approx(close["precision"], abs=1e-9)
    assert found.recall.value == pytest.approx(close["recall"], abs=1e-9)
    assert found.density.value == pytest.approx(far["density"], abs=1e-9)
    assert found.coverage.value == pytest.approx(far["coverage"], abs=1e-9)


def test_each_pair_alone_is_what_it_is_together() -> None:
    features, reference = normal(80, 3), normal(70, 3, seed=1)
    together = neighbourhoods(features, reference, near=3, wide=5)
    assert precision_recall(features, reference) == (together.precision, together.recall)
    assert density_coverage(features, reference) == (together.density, together.coverage)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_jackknife_is_the_one_that_recomputes_everything(scale: float) -> None:
    features, reference = scale * normal(123, 3), normal(150, 3, seed=1)
    parts = blocks(123)
    rest = [torch.cat(parts[:i] + parts[i + 1 :]) for i in range(20)]
    found = neighbourhoods(features, reference)
    for name, k in (("recall", 3), ("coverage", 5)):
        without = [theirs(features[index], reference, k)[name] for index in rest]
        assert getattr(found, name).error == pytest.approx(jackknife(0.0, without).error, abs=1e-12)


def test_two_samples_of_one_gaussian_have_density_one_and_the_known_coverage() -> None:
    found = [
        neighbourhoods(normal(500, 4, seed=2 * i), normal(500, 4, seed=2 * i + 1), near=2) for i in range(12)
    ]
    density = np.array([one.density.value for one in found])
    coverage = np.array([one.coverage.value for one in found])
    assert density.mean() == pytest.approx(1, abs=3 * density.std() / 12**0.5)
    assert coverage.mean() == pytest.approx(1 - 2**-5, abs=3 * coverage.std() / 12**0.5)
    assert coverage.std() < 0.02


def test_each_fault_is_seen_by_its_number() -> None:
    reference, features = normal(400, 4), normal(400, 4, seed=1)
    good = neighbourhoods(features, reference)
    narrow, scattered = neighbourhoods(0.2 * features, reference), neighbourhoods(4 * features, reference)
    assert narrow.precision.value > 0.9
    assert narrow.recall.high < good.recall.low
    assert narrow.coverage.high < good.coverage.low
    assert scattered.precision.high < good.precision.low
    assert scattered.density.high < good.density.low
    assert scattered.recall.value > good.recall.value
    assert scattered.coverage.high < good.coverage.low


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_copies_of_the_real_images_tie_with_their_neighbours_without_harm(offset: float) -> None:
    """Each copy lies exactly on the balls that reach to it: rounding must not let it in."""
    reference = (normal(300, 7) + offset).float()
    found = neighbourhoods(reference[torch.randperm(300, generator=generator(0, "order"))], reference)
    assert (found.precision.value, found.recall.value, found.coverage.value) == (1, 1, 1)
    assert found.density.value == pytest.approx(1, abs=1e-12)
    assert found.density.error > 0


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_one_image_repeated_is_precise_and_recalls_nothing(offset: float) -> None:
    reference = normal(300, 5) + offset
    found = neighbourhoods(reference[:1].float().repeat(60, 1), reference)
    assert found.precision.value == 1
    assert (found.recall.value, found.recall.error) == (0, 0)
    assert 0 < found.coverage.value < 0.1
    constant = neighbourhoods(torch.full((50, 3), offset), torch.full((50, 3), offset))
    values = [
        constant.precision.value,
        constant.recall.value,
        constant.density.value,
        constant.coverage.value,
    ]
    assert values == [0, 0, 0, 0]  # open balls without extent hold nothing


def test_order_shift_and_scale_do_not_matter() -> None:
    features, reference = normal(90, 4), normal(110, 4, seed=1)
    expected = neighbourhoods(features, reference)
    shuffled = features[torch.randperm(90, generator=generator(0, "order"))]
    for found in (
        neighbourhoods(shuffled, reference),
        neighbourhoods(features, reference.flip(0)),
        neighbourhoods(8 * features - 3, 8 * reference - 3),
    ):
        assert found.precision == expected.precision
        assert found.density.value == pytest.approx(expected.density.value, abs=1e-12)
        assert (found.recall.value, found.coverage.value) == (expected.recall.value, expected.coverage.value)


def test_fewer_samples_than_dimensions_are_no_trouble() -> None:
    found = neighbourhoods(normal(40, 300), normal(45, 300, seed=1))
    assert found.density.value == pytest.approx(
        theirs(normal(40, 300), normal(45, 300, seed=1), 5)["density"]
    )


@pytest.mark.parametrize(
    ("features", "k", "said"),
    [
        (torch.zeros(39, 3), 3, "at least 40 samples"),
        (torch.full((50, 3), math.inf), 3, "infinity"),
        (torch.zeros(50, 4), 3, "same feature network"),
        (torch.zeros(50, 3), 50, "does not exist"),
        (torch.zeros(50, 3), 0, "does not exist"),
    ],
)
def test_what_cannot_be_compared_is_said(features: Tensor, k: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        precision_recall(features, torch.zeros(50, 3), k)
