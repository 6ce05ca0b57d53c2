"""What depends on the device is chosen in one place, and holds for what is computed on any."""

from __future__ import annotations

import pytest
import torch

from genlab.data.batches import Batches
from genlab.data.dataset import Dataset
from genlab.devices import KINDS, kind
from genlab.experiment.schema import Training
from genlab.randomness import generator, normal, uniform
from genlab.training.finite import Diverged, Finite


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:3", "mps"])
def test_every_device_of_the_schema_is_of_a_kind(device: str) -> None:
    assert kind(Training(device=device).device) is KINDS[device.split(":")[0]]


def test_noise_is_drawn_where_its_generator_is() -> None:
    rng = generator(3, "noise", 7)
    assert torch.equal(normal((4, 2), rng), torch.randn(4, 2, generator=generator(3, "noise", 7)))
    assert normal((4, 2), rng).device == uniform((4,), rng).device == rng.device
    assert 0 <= uniform((1000,), rng).min() < uniform((1000,), rng).max() < 1


def test_a_batch_is_gathered_by_indices_on_its_own_device(dataset: Dataset) -> None:
    """As far as shapes: a device without numbers stands for one that can't read the host's."""
    batches = Batches(dataset.train, 4, 0, "meta")
    assert batches.index(11).device.type == "meta"


def test_a_deferred_judgement_asks_for_nothing_until_it_is_settled() -> None:
    """On the meta device, where any question is an error."""
    finite = Finite(deferred=True)
    for step in range(3):
        finite.take("part", torch.zeros((), device="meta"), step)
    assert finite.broken is not None
    assert finite.broken.device.type == "meta"
    with pytest.raises(RuntimeError):
        finite.settle()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_the_first_loss_that_is_not_finite_is_named_and_breaks_all_that_follow(bad: float) -> None:
    finite = Finite(deferred=True)
    losses = [1.0, -3e38, bad, 2.0, float("nan")]
    broken = []
    for step, loss in enumerate(losses):
        finite.take("part", torch.tensor(loss), step)
        assert finite.broken is not None
        broken.append(finite.broken.item())
    assert broken == [0, 0, 1, 1, 1]
    with pytest.raises(Diverged, match="at step 3") as error:
        finite.settle()
    assert error.value.step == 2
