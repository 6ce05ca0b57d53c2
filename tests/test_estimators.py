"""The measured variances of gradient estimators against their closed forms."""

from __future__ import annotations

import pytest

from genlab.errors import UserError
from genlab.lessons.estimators import (
    POINTS,
    Point,
    measure_estimators,
    pathwise_variance,
    score_function_variance,
)


@pytest.fixture(scope="module")
def points() -> list[Point]:
    return measure_estimators(seed=0)


def test_the_closed_form_holds_the_three_published_cases() -> None:
    for mu in range(12):
        assert score_function_variance(1, mu) == mu**4 + 14 * mu**2 + 15
    for dimensions in range(1, 200):
        assert score_function_variance(dimensions, 0) == dimensions**2 + 6 * dimensions + 8
    ratios = [
        score_function_variance(*at) / pathwise_variance(*at) for at in ((1, 0.0), (1, 10.0), (100, 0.0))
    ]
    assert ratios == [3.75, 2853.75, 2652]


def test_the_closed_form_at_a_point_that_is_neither() -> None:
    (_, score, _) = measure_estimators(seed=3, points=((4, 1.5),), samples=200_000)
    assert score.exact_variance == 1.5**4 + 20 * 1.5**2 + 16 + 24 + 8
    assert score.standard_error < 0.02 * score.exact_variance
    assert abs(score.variance - score.exact_variance) < 4 * score.standard_error


def test_every_measured_point_lies_on_its_line(points: list[Point]) -> None:
    assert len(points) == 3 * len(POINTS)
    for point in points:
        assert abs(point.variance - point.exact_variance) <= 4 * point.standard_error, point
        error_of_mean = (point.exact_variance / point.samples) ** 0.5
        assert abs(point.mean - point.exact_mean) <= 4 * error_of_mean, point
        assert point.standard_error <= 0.1 * point.exact_variance


def test_detaching_gives_no_gradient_at_all(points: list[Point]) -> None:
    cut = [point for point in points if point.estimator == "detached"]
    assert len(cut) == len(POINTS)
    assert all(point.mean == 0 and point.variance == 0 and point.standard_error == 0 for point in cut)


def test_a_seed_gives_the_same_points(points: list[Point]) -> None:
    assert measure_estimators(seed=0) == points
    assert measure_estimators(seed=1, samples=1000) != measure_estimators(seed=2, samples=1000)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(UserError, match="at least 100"):
        measure_estimators(samples=10)
