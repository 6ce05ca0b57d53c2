"""Numbers that a training can do nothing with: it stops with a sentence that helps, or makes sense of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import small

from genlab.errors import UserError
from genlab.experiment.runner import begin, work
from genlab.experiment.trained import open_run
from genlab.runs.events import Event, Finished, Metrics, Warned
from genlab.training.fit import Diverged

Save = Callable[..., Path]
FAMILIES = ("vae", "gan", "vaegan")
pytestmark = pytest.mark.usefixtures("runs")


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(images: np.ndarray) -> Path:
        path = tmp_path / "images.npz"
        np.savez(path, images=images)
        return path

    return saved


def trained(family: str, data: Path, *assignments: str) -> list[Event]:
    return list(work(begin(small.tiny(family, f"data.name={data}", *assignments))))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_learning_rate_of_ten_is_said_before_the_run_is_lost(family: str, blots: Path) -> None:
    rates = ["optimizer.learning_rate=10"]
    rates += [] if family == "vae" else ["optimizer.discriminator_rate=10"]
    run = begin(small.tiny(family, f"data.name={blots}", "training.steps=3000", *rates))
    with suppress(Diverged):
        list(work(run))
    (finished,) = run.all(Finished)
    if finished.reason == "failed":
        assert "lower learning rate" in finished.detail
    warned = run.all(Warned)
    assert warned, "nothing was said"
    assert all(warning.advice for warning in warned)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_images_that_are_all_alike_are_learned(family: str, level: int, save: Save) -> None:
    events = trained(family, save(np.full((30, 8, 8, 1), level, np.uint8)), "training.steps=30")
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "completed"
    assert all(
        math.isfinite(value)
        for event in events
        if isinstance(event, Metrics)
        for value in event.values.values()
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_fewer_images_than_a_batch_are_used_again_within_it(family: str, count: int, save: Save) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), np.uint8)
    events = trained(family, save(images), "training.batch_size=16")
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "completed"


def test_one_image_is_too_few_and_it_is_said(save: Save) -> None:
    with pytest.raises(UserError, match="at least 2"):
        trained("vae", save(np.zeros((1, 8, 8, 1), np.uint8)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 2.0])
def test_levels_that_are_none_are_refused_before_a_folder_is_made(
    value: float, save: Save, runs: Path
) -> None:
    images = np.full((10, 8, 8, 1), 0.5)
    images[3, 2, 1, 0] = value
    with pytest.raises(UserError, match=r"hold NaN or infinity|range from"):
        trained("vae", save(images))
    assert not runs.exists() or not list(runs.iterdir())


def test_a_checkpoint_is_never_made_of_weights_that_are_not_finite(blots: Path) -> None:
    run = begin(small.tiny("gan", f"data.name={blots}", "training.steps=400", "optimizer.learning_rate=100"))
    with suppress(Diverged):
        list(work(run))
    assert list(run.checkpoints.glob("step-*.safetensors")), "there is nothing to look at"
    model = open_run(run, weights="model").model
    assert all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values())
