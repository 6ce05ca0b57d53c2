"""A discriminator that has some steps to itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.measured import repetition
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.training.ema import tensors
from genlab.training.fit import advance
from genlab.training.state import State

Tiny = Callable[..., Experiment]
FIRST = 3


def after(
    experiment: Experiment, dataset: Dataset, steps: int
) -> tuple[State, list[dict[str, torch.Tensor]]]:
    """The state after so many steps, and what each of them logged."""
    state = build_state(experiment, build_model(experiment, dataset.shape))
    objective = build_objective(experiment.objective)
    batches = make_batches(experiment, dataset, objective)
    return state, [advance(state, objective, batches, 10, 0) for _ in range(steps)]


@pytest.mark.parametrize("steps", [1, 2])
def test_the_generator_stands_still_until_its_turn(tiny: Tiny, dataset: Dataset, steps: int) -> None:
    experiment = tiny(
        "gan", f"objective.discriminator_warmup={FIRST}", f"objective.discriminator_steps={steps}"
    )
    begun, _ = after(experiment, dataset, 0)
    waited, logged = after(experiment, dataset, FIRST)
    for name, tensor in tensors(begun.model).items():
        same = torch.equal(tensor, tensors(waited.model)[name])
        assert same == name.startswith(("generator", "prior", "observation")), name
    assert [float(count) for count in waited.optimizers["discriminator"].steps] == [FIRST * steps] * len(
        waited.optimizers["discriminator"].steps
    )
    assert not any("generator_loss" in values for values in logged)
    moved, logged = after(experiment, dataset, FIRST + 1)
    assert "generator_loss" in logged[-1]
    assert not torch.equal(next(moved.model.decoder.parameters()), next(begun.model.decoder.parameters())), (
        "its first step is the one after"
    )


def test_the_averaged_generator_waits_too(tiny: Tiny, dataset: Dataset) -> None:
    experiment = tiny("gan", f"objective.discriminator_warmup={FIRST}")
    begun, _ = after(experiment, dataset, 0)
    waited, _ = after(experiment, dataset, FIRST)
    before, now = (tensors(each.averaged.model.get_submodule("generator")) for each in (begun, waited))
    assert all(torch.allclose(before[name], now[name]) for name in before)


def test_runs_of_before_there_was_a_choice_are_still_repetitions(tiny: Tiny) -> None:
    usual = repetition(tiny("gan"))
    assert usual == repetition(
        tiny("gan", "objective.discriminator_warmup=0", "network.discriminator.weights=drawn")
    )
    assert usual != repetition(tiny("gan", "objective.discriminator_warmup=1"))
    assert usual != repetition(tiny("gan", "network.discriminator.weights=encoder"))
    config = tiny("gan").model_dump(mode="json")
    del config["objective"]["discriminator_warmup"], config["network"]["discriminator"]["weights"]
    assert repetition(Experiment.model_validate(config)) == usual
