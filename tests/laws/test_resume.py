"""A run that was stopped and resumed is, byte for byte, the run that never stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.objectives.base import Objective
from genlab.training import checkpoint
from genlab.training.fit import Cadence, fit
from genlab.training.state import State

STEPS = 7


class Bench:
    """One experiment, trained piece by piece into one folder."""

    def __init__(self, experiment: Experiment, dataset: Dataset, folder: Path) -> None:
        self.experiment, self.dataset, self.folder = experiment, dataset, folder
        self.objective: Objective = build_objective(experiment.objective)
        self.batches = make_batches(experiment, dataset, self.objective)

    def fresh(self) -> State:
        return build_state(self.experiment, build_model(self.experiment, self.dataset.shape))

    def train(self, state: State, stop: int = STEPS) -> bytes:
        """Advance `state`, stopped at `stop` of STEPS as by Ctrl-C; the bytes of the checkpoint it leaves."""
        list(
            fit(
                state, self.objective, self.batches, STEPS, self.experiment.training.seed,
                cadence=Cadence(checkpoint=5), folder=self.folder, interrupted=lambda: state.step >= stop,
            )
        )  # fmt: skip
        return self.newest().read_bytes()

    def newest(self) -> Path:
        return checkpoint.list_checkpoints(self.folder / "checkpoints")[-1]

    def resumed(self) -> State:
        state = self.fresh()
        checkpoint.load(state, self.newest())
        return state


def resumed_equals_uninterrupted(experiment: Experiment, dataset: Dataset, folder: Path) -> None:
    whole = Bench(experiment, dataset, folder / "whole")
    expected = whole.train(whole.fresh())

    broken = Bench(experiment, dataset, folder / "broken")
    broken.train(broken.fresh(), stop=1)
    broken.train(broken.resumed(), stop=4)
    assert broken.resumed().step == 4
    assert broken.train(broken.resumed()) == expected


def test_resume_is_bitwise_at_any_step(experiment: Experiment, dataset: Dataset, tmp_path: Path) -> None:
    resumed_equals_uninterrupted(experiment, dataset, tmp_path)


@pytest.mark.parametrize(
    "experiment", ["recipe-vae", "wgan-gp", "r1-r2", "spectral", "recipe-vaegan"], indirect=True
)
def test_resume_is_bitwise_on_two_threads(experiment: Experiment, dataset: Dataset, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    resumed_equals_uninterrupted(experiment, dataset, tmp_path)


@pytest.mark.slow
def test_resume_is_bitwise_on_two_threads_for_all(
    experiment: Experiment, dataset: Dataset, tmp_path: Path
) -> None:
    torch.set_num_threads(2)
    resumed_equals_uninterrupted(experiment, dataset, tmp_path)


@pytest.mark.parametrize("experiment", ["recipe-vae", "recipe-gan"], indirect=True)
def test_the_seed_decides(experiment: Experiment, dataset: Dataset, tmp_path: Path) -> None:
    """The comparison above can fail: another seed gives other bytes."""
    training = experiment.training.model_copy(update={"seed": 1})
    other = experiment.model_copy(update={"training": training})
    first, second = Bench(experiment, dataset, tmp_path / "a"), Bench(other, dataset, tmp_path / "b")
    assert first.train(first.fresh(), stop=1) != second.train(second.fresh(), stop=1)
