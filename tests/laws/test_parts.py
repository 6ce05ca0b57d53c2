"""An update moves its own part and nothing else: parameters, running statistics, power iterations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.networks.model import GAN
from genlab.objectives.base import Objective, Update
from genlab.training.ema import tensors
from genlab.training.fit import advance
from genlab.training.state import Model


class Watched:
    """An objective that notes, for each update, which tensors of the model moved: in the making of the
    update, and in the step that the loop took upon it."""

    def __init__(self, objective: Objective) -> None:
        self.objective, self.batches_per_step = objective, objective.batches_per_step
        self.in_making: list[set[str]] = []
        self.in_step: list[tuple[str, set[str]]] = []

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        seen = snapshot(model)
        for update in self.objective.updates(model, batch, rng):
            self.in_making.append(moved(model, seen))
            yield update
            self.in_step.append((update.part, moved(model, seen)))
            seen = snapshot(model)
        self.in_making.append(moved(model, seen))


def snapshot(model: Model) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors(model).items()}


def moved(model: Model, before: dict[str, Tensor]) -> set[str]:
    return {name for name, tensor in tensors(model).items() if not torch.equal(tensor, before[name])}


def owned(model: Model, part: str) -> dict[str, Tensor]:
    """The tensors of one part, under their names in the model."""
    mine = {id(tensor) for module in model.parts()[part] for tensor in tensors(module).values()}
    return {name: tensor for name, tensor in tensors(model).items() if id(tensor) in mine}


def watch(experiment: Experiment, dataset: Dataset, steps: int = 2) -> tuple[Model, Watched]:
    state = build_state(experiment, build_model(experiment, dataset.shape))
    watched = Watched(build_objective(experiment.objective))
    for _ in range(steps):
        advance(state, watched, make_batches(experiment, dataset, watched), 10, 0)
    return state.model, watched


def test_an_update_changes_only_its_own_part(experiment: Experiment, dataset: Dataset) -> None:
    model, watched = watch(experiment, dataset)
    assert {part for part, _ in watched.in_step} == set(model.parts())
    for part, names in watched.in_step:
        assert names
        assert names <= owned(model, part).keys()


def test_to_make_an_update_changes_nothing(experiment: Experiment, dataset: Dataset) -> None:
    _, watched = watch(experiment, dataset)
    assert watched.in_making
    assert not any(watched.in_making)


def test_buffers_move_in_each_update_of_their_own_part(experiment: Experiment, dataset: Dataset) -> None:
    """All of them that describe training; σ, fixed, never does."""
    model, watched = watch(experiment, dataset, steps=1)
    buffers = {name for name, _ in model.named_buffers() if not name.endswith("log_var")}
    for part, names in watched.in_step:
        own = buffers & owned(model, part).keys()
        settled = {name for name in own if name.endswith(("u", "v")) and len(tensors(model)[name]) == 1}
        assert names & buffers == own - settled


def test_parts_do_not_overlap_and_leave_no_parameter_out(experiment: Experiment, dataset: Dataset) -> None:
    model = build_model(experiment, dataset.shape)
    owners = [set(owned(model, part)) for part in model.parts()]
    assert sum(map(len, owners)) == len(set().union(*owners))
    inherited = {"observation.log_var"} if isinstance(model, GAN) else set()
    assert {name for name, _ in model.named_parameters()} <= set().union(*owners) | inherited


@pytest.mark.parametrize("experiment", ["recipe-gan", "recipe-vaegan", "vae-batch"], indirect=True)
def test_running_statistics_move_once_an_update(experiment: Experiment, dataset: Dataset) -> None:
    """One step of momentum 0.1 from 0 towards the mean of what was seen; two would go 0.19 of the way."""
    state = build_state(experiment, build_model(experiment, dataset.shape))
    norms = {n: m for n, m in state.model.named_modules() if hasattr(m, "running_mean")}
    assert norms
    seen: dict[str, list[Tensor]] = {name: [] for name in norms}
    for name, module in norms.items():
        module.register_forward_pre_hook(lambda m, x, name=name: note(m, x[0], seen[name]))
    objective = build_objective(experiment.objective)
    advance(state, objective, make_batches(experiment, dataset, objective), 10, 0)
    for name, module in norms.items():
        assert isinstance(module.running_mean, Tensor)
        assert torch.allclose(module.running_mean, 0.1 * torch.stack(seen[name]).mean(dim=0), atol=1e-6)


def note(module: torch.nn.Module, x: Tensor, seen: list[Tensor]) -> None:
    if module.noting:
        seen.append(x.detach().mean(dim=[d for d in range(x.dim()) if d != 1]))
