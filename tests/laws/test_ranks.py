"""Several processes that share a batch are one process with the joint batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from conftest import EXPERIMENTS, NO_NORM
from two_ranks import Outcome, trained, two, write_tasks

from genlab.data.dataset import Dataset, Images
from genlab.experiment.schema import Experiment

Tiny = Callable[..., Experiment]

pytestmark = pytest.mark.slow

MORE: dict[str, tuple[str, ...]] = {
    # in the r1-r2 of the catalogue a group of one value is normalised, and the sign of its rounding decides
    "r1-r2": ("gan", "objective.loss=relativistic", "objective.r1=1", "objective.r2=1", "optimizer.beta1=0",
              NO_NORM),
    # and so it is behind a dense layer of as many units as there are groups
    "vae-group": (*EXPERIMENTS["vae-group"], "network.decoder.hidden=32", "network.encoder.hidden=32"),
    "free bits that one part alone would leave": ("vae", "objective.free_bits=0.03"),
    "many images": ("gan", "training.batch_size=64"),  # of which each rank has those that diversity looks at
    "half of them": ("gan", "training.batch_size=24"),
    "two images": ("gan", "training.batch_size=2", NO_NORM),  # one for each rank
}  # fmt: skip
SHARED = EXPERIMENTS | MORE


class Answers(NamedTuple):
    """What two processes answered, and where both left checkpoints."""

    found: dict[str, Any]
    folder: Path
    experiments: dict[str, Experiment]


@pytest.fixture(scope="module")
def images(dataset: Dataset) -> Dataset:
    return Dataset("tiny", Images(dataset.train.pixels), Images(dataset.test.pixels))


@pytest.fixture(scope="module")
def answers(tiny: Tiny, images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """All that two processes are asked, in one start of them."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("ranks")
    experiments = {name: tiny(*given) for name, given in SHARED.items()}
    write_tasks(folder / "tasks", experiments, images)
    trained(experiments["recipe-gan"], images, stop=2, folder=folder / "tasks" / "one")
    return Answers(two(folder / "tasks", folder / "answers.pt"), folder / "tasks", experiments)


def differences(one: Outcome, other: Outcome) -> dict[str, float]:
    """The largest difference of each tensor, and of each value that was logged relative to 1 or to itself."""
    assert one.logged
    assert [each.keys() for each in one.logged] == [each.keys() for each in other.logged]
    found = {name: float((one.model[name] - other.model[name]).abs().max()) for name in one.model}
    for mine, theirs in zip(one.logged, other.logged, strict=True):
        for name, value in mine.items():
            off = abs(value - theirs[name]) / max(1.0, abs(value))
            found[f"logged {name}"] = max(off, found.get(f"logged {name}", 0.0))
    return found


@pytest.mark.parametrize("name", SHARED)
def test_two_processes_are_one_with_the_joint_batch(name: str, answers: Answers, images: Dataset) -> None:
    """In float64, so that what is left of a difference is one of method: the rounding of a gradient that
    should be 0 is not divided by itself. What is logged was averaged in float32."""
    alone = trained(answers.experiments[name], images, double=True)
    off = differences(alone, answers.found[name])
    assert {key: value for key, value in off.items() if value > (1e-6 if "logged" in key else 1e-7)} == {}


def test_two_processes_repeat_bit_for_bit(answers: Answers) -> None:
    first, second = answers.found["again"]
    assert first.logged == second.logged
    assert all(torch.equal(first.model[name], second.model[name]) for name in first.model)


def test_checkpoints_pass_from_one_process_to_two_and_back(answers: Answers, images: Dataset) -> None:
    """Resumed on the other number of processes, the run goes on as the one that never changed."""
    gan = answers.experiments["recipe-gan"]
    whole = trained(gan, images)
    left = answers.folder / "two" / "checkpoints" / "step-0000002.safetensors"
    onto_two, onto_one = answers.found["from one"], trained(gan, images, resume=left)
    for resumed in (onto_two, onto_one):
        off = differences(whole._replace(logged=whole.logged[2:]), resumed)
        assert max(value for key, value in off.items() if "logged" in key) < 1e-5


def test_a_loss_that_is_not_finite_on_one_is_seen_by_all(answers: Answers) -> None:
    assert answers.found["all diverged"]
