"""The drawn shapes: what the factors say is what the pixels show."""

from __future__ import annotations

import numpy as np
import pytest

from genlab.data.shapes import distance, draw, rgb
from genlab.data.source import load

PLAIN = np.array([0.5, 0.5, 0.5, 0, 0, 1, 1, 0, 0, 0, 0, 0], np.float64)  # in the middle, unturned, red


def test_a_disc_is_where_its_factors_say() -> None:
    factors = PLAIN.copy()
    factors[:2] = 0.25, 0.75  # the centre at (0.4, 0.6)
    image = draw(np.array([0]), factors[None], 64)[0].astype(float)
    red = image[0] - image[1]
    y, x = np.nonzero(red > 100)
    assert np.allclose(((x + 0.5).mean() / 64, (y + 0.5).mean() / 64), (0.4, 0.6), atol=0.005)
    assert np.sqrt((red > 100).mean() / np.pi) == pytest.approx(0.13 + 0.17 / 2, rel=0.03)


@pytest.mark.parametrize(("label", "area"), [(0, np.pi), (1, (2 * 0.85) ** 2), (2, 0.6**2 * 3 * np.sqrt(3))])
def test_each_shape_covers_its_own_area(label: int, area: float) -> None:
    along = np.linspace(-1.5, 1.5, 601)
    outside = distance(np.array([label]), along[None, None, :], along[None, :, None], np.ones((1, 1, 1)))
    assert (outside < 0).mean() * 9 == pytest.approx(area, rel=0.02)


def test_the_colours_of_the_wheel() -> None:
    hues = np.array([0, 1 / 3, 2 / 3])[:, None, None]
    assert np.allclose(rgb(hues, np.ones_like(hues), np.ones_like(hues))[:, :, 0, 0], np.eye(3))
    grey = rgb(hues, np.zeros_like(hues), np.full_like(hues, 0.4))
    assert np.allclose(grey, 0.4)


def test_a_turned_triangle_is_another_picture_and_a_turned_disc_is_not() -> None:
    turned = PLAIN.copy()
    turned[3] = 0.5
    for label, same in ((0, True), (2, False)):
        first, second = draw(np.array([label, label]), np.stack([PLAIN, turned]), 64)
        assert np.array_equal(first, second) is same


@pytest.mark.slow
def test_the_seed_decides_the_images() -> None:
    first, again, other = load("shapes", limit=40), load("shapes", limit=40), load("shapes", limit=40, seed=1)
    assert first.digest() == again.digest() != other.digest()
    assert load("shapes").digest() == "4f742b73b2f98610", "a run knows its images by this"
    assert first.train.labels is not None
    assert set(first.train.labels.tolist()) == {0, 1, 2}
