"""Stacked digits are read as the numbers that they were stacked to, and real ones have the known floor."""

from __future__ import annotations

import math

import pytest
import torch

from genlab.data import Dataset, load, to_float
from genlab.errors import UserError
from genlab.evaluation.stacked_modes import MODES, STANDARD_COUNT, spelled, stacked_counts
from genlab.metrics.modes import class_counts, modes_hit, reverse_kl


@pytest.fixture(scope="module")
def stacked() -> Dataset:
    return load("stacked-mnist")


def test_the_classifier_reads_what_was_stacked(stacked: Dataset) -> None:
    """Three digits of 99.4 % each: 98 % of the numbers. A wrong order of channels would leave 10 % right."""
    pixels, labels = stacked.test.pixels[:1000], torch.tensor(stacked.test.labels)[:1000]
    counts = stacked_counts(to_float(torch.from_numpy(pixels)))
    assert int(counts.sum()) == 1000
    moved = (counts - class_counts(labels, MODES)).abs().sum() / 2
    assert moved <= 30
    assert torch.equal(spelled(torch.tensor([[3, 0, 7], [0, 0, 9]])), torch.tensor([307, 9]))


def test_counts_of_batches_add_up(stacked: Dataset) -> None:
    images = to_float(torch.from_numpy(stacked.test.pixels[:90]))
    assert torch.equal(stacked_counts(images[:31]) + stacked_counts(images[31:]), stacked_counts(images))


def test_the_floor_of_real_digits(stacked: Dataset) -> None:
    """(K − 1)/2N for the count, and three times the digits' own distance from uniform."""
    labels = torch.tensor(stacked.train.labels)
    tenth = class_counts(labels // 100, 10) / len(labels)
    uneven = math.log(10) - float(torch.special.entr(tenth.double()).sum())
    floor = 999 / (2 * STANDARD_COUNT) + 3 * uneven
    found = reverse_kl(class_counts(labels[:STANDARD_COUNT], MODES))
    assert found == pytest.approx(floor, abs=0.003)
    assert found == pytest.approx(0.0237, abs=0.003)


@pytest.mark.slow
def test_the_classifier_has_the_floor_of_the_labels(stacked: Dataset) -> None:
    chunks = torch.from_numpy(stacked.train.pixels[:STANDARD_COUNT]).split(500)
    counts = torch.stack([stacked_counts(to_float(chunk)) for chunk in chunks]).sum(dim=0)
    labels = class_counts(torch.tensor(stacked.train.labels)[:STANDARD_COUNT], MODES)
    assert modes_hit(counts) == MODES
    assert reverse_kl(counts) == pytest.approx(reverse_kl(labels), abs=0.001)


@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (2, 3, 32, 32), (3, 28, 28)])
def test_other_images_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"shape \(N, 3, 28, 28\)"):
        stacked_counts(torch.zeros(shape))
