"""Two Gaussians, whose best discriminator is known."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from genlab.lessons.work.optimum import (
    GRID,
    MOST,
    accuracy,
    distance,
    expected_loss,
    gaussians,
    optimal_logit,
)


def test_the_least_loss_is_2_ln_2_less_twice_the_divergence() -> None:
    assert expected_loss(optimal_logit(GRID)) == pytest.approx(0.71263, abs=5e-6)


def test_one_that_says_nothing_loses_2_ln_2() -> None:
    assert expected_loss(torch.zeros_like(GRID)) == pytest.approx(2 * math.log(2), abs=1e-9)


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.1, 2.0])
def test_every_other_is_worse_and_farther(scale: float) -> None:
    other = scale * optimal_logit(GRID)
    assert expected_loss(other) > expected_loss(optimal_logit(GRID))
    assert distance(other) == pytest.approx(abs(1 - scale) * 2 * math.sqrt(2), rel=1e-6)  # E x² = 2


def test_the_optimum_is_right_as_often_as_one_can_be() -> None:
    assert pytest.approx(0.841345, abs=5e-7) == MOST
    assert accuracy(optimal_logit(GRID)) == pytest.approx(MOST, abs=1e-3)
    assert accuracy(optimal_logit(GRID) + 1) < MOST - 0.02  # it is the threshold that decides, not the slope
    assert accuracy(7 * optimal_logit(GRID)) == accuracy(optimal_logit(GRID))


def test_a_discriminator_comes_nearer_with_what_it_sees(tmp_path: Path) -> None:
    given = {"seed": 0, "marks": [512, 4096, 16384]}
    found = gaussians(given, tmp_path, [], lambda share: None)
    excess = [row["excess"] for row in found["non-saturating"]["rows"]]
    assert all(later < earlier for earlier, later in pairwise(excess))
    assert 0 < excess[-1] < 0.02
    last = {loss: found[loss]["rows"][-1]["distance"] for loss in ("non-saturating", "hinge")}
    assert abs(found["wasserstein"]["rows"][-1]["distance"]) < 10  # the penalty holds it
    curve = found["wasserstein"]["curve"]
    assert curve[0] > curve[-1] + 3, "what is real scores higher"
    assert last["hinge"] > 2 * last["non-saturating"]  # the hinge loss asks for a sign, and not for −2x


def test_it_is_a_function_of_the_seed(tmp_path: Path) -> None:
    given = {"seed": 3, "marks": [256, 512]}
    found = gaussians(given, tmp_path, [], lambda share: None)
    assert found == gaussians(given, tmp_path, [], lambda share: None)
    assert found != gaussians(given | {"seed": 4}, tmp_path, [], lambda share: None)
