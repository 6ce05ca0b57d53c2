from __future__ import annotations

import pytest
import torch
from torch import nn

from genlab.nn.norms import BatchNorm, commit
from genlab.training.ema import Average, tensors


def constant(value: float) -> nn.Linear:
    layer = nn.Linear(2, 1)
    for parameter in layer.parameters():
        nn.init.constant_(parameter, value)
    return layer


def test_it_begins_as_a_copy_of_its_own() -> None:
    model = constant(1.0)
    average = Average(model, 0.9)
    nn.init.constant_(model.weight, 5.0)
    assert average.model.get_parameter("weight").tolist() == [[1, 1]]
    assert not average.model.training
    assert not any(parameter.requires_grad for parameter in average.model.parameters())


def test_the_decay_rises_with_the_steps_up_to_its_value() -> None:
    """At (1 + n)/(10 + n): 2/11, 3/12, …, and 0.5 at last."""
    model = constant(0.0)
    average, expected = Average(model, 0.5), 0.0
    for step in range(1, 21):
        nn.init.constant_(model.weight, float(step))
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
        assert average.model.get_parameter("weight")[0, 0].item() == pytest.approx(expected, rel=1e-6)
    assert decay == 0.5


def test_without_decay_it_is_the_model() -> None:
    model = constant(0.0)
    average = Average(model, 0.0)
    for step in range(1, 4):
        nn.init.normal_(model.weight)
        average.update(step)
        assert torch.equal(average.model.get_parameter("weight"), model.weight)


def test_running_statistics_are_averaged_too() -> None:
    """So that weights and statistics of a reported ELBO belong to one model."""
    model = nn.Sequential(nn.Linear(2, 3), BatchNorm(3))
    average = Average(model, 0.9)
    model(torch.randn(8, 2) + 3)
    commit(model)
    average.update(1)
    theirs, mine = (m.get_buffer("1.running_mean") for m in (model, average.model))
    assert torch.allclose(mine, (1 - 2 / 11) * theirs)
    assert mine.abs().max() > 0


def test_tensors_are_the_live_ones() -> None:
    model = nn.Sequential(nn.Linear(2, 3), BatchNorm(3))
    named = tensors(model)
    assert named.keys() == model.state_dict().keys()
    assert named["0.weight"] is model[0].weight
