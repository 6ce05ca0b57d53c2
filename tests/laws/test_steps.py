"""Every update of every recipe is a step of Adam along its own gradient, as torch's plain Adam takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.objectives.base import Objective, Update
from genlab.training.fit import advance
from genlab.training.state import State


class Compared:
    """An objective that takes each part's first step on copies too, unfused."""

    def __init__(self, objective: Objective, state: State) -> None:
        self.objective, self.state, self.batches_per_step = objective, state, objective.batches_per_step
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        done: set[str] = set()
        for update in self.objective.updates(model, batch, rng):
            optimizer = self.state.optimizers[update.part]
            settings, copies = optimizer.settings, [p.detach().clone() for p in optimizer.parameters]
            plain = torch.optim.Adam(
                copies, lr=settings.rate_at(0, 10), betas=settings.betas, eps=settings.eps, foreach=False
            )
            found = torch.autograd.grad(update.loss, optimizer.parameters, retain_graph=True)
            for copy, gradient in zip(copies, found, strict=True):
                copy.grad = gradient
            yield update
            if update.part not in done:
                plain.step()
                self.pairs += zip([p.detach().clone() for p in optimizer.parameters], copies, strict=True)
            done.add(update.part)


def test_every_part_takes_adam_s_step(experiment: Experiment, dataset: Dataset) -> None:
    state = build_state(experiment, build_model(experiment, dataset.shape))
    compared = Compared(build_objective(experiment.objective), state)
    advance(state, compared, make_batches(experiment, dataset, compared), 10, 0)
    assert compared.pairs
    assert all(torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6) for mine, theirs in compared.pairs)
