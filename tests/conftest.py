"""What many tests stand on: one thread, a data set of 8×8 images, experiments that train in milliseconds."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads starve a busy machine

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from genlab.data.dataset import Dataset, Images
from genlab.experiment.schema import Experiment, override
from genlab.recipes import recipe

SMALL = [
    "data.name=tiny",
    "network.latent_dim=3",
    "network.decoder.width=2",
    "network.decoder.hidden=8",
    "network.encoder.width=2",
    "network.encoder.hidden=8",
    "network.discriminator.width=2",
    "network.discriminator.hidden=8",
    "training.batch_size=4",
    "training.threads=1",
    "training.steps=7",
    "training.log_every=1",
    "training.sample_every=0",
    "training.checkpoint_every=5",
]

Tiny = Callable[..., Experiment]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    """tiny(recipe, *assignments): the recipe shrunk to 8×8 images, then `assignments` as for --set."""

    def build(name: str, *assignments: str) -> Experiment:
        return override(recipe(name), [*SMALL, *assignments])

    return build


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """40 + 12 grey images of 8×8: a bright blot somewhere on black, and which half it is in."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:8, :8]
    centres = rng.uniform(2, 6, (52, 2, 1, 1))
    blots = np.exp(-((rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2) / 4)
    pixels = np.round(255 * blots)[:, None].astype(np.uint8)
    labels = (centres[:, 0, 0, 0] > 4).astype(np.int64)
    return Dataset("tiny", Images(pixels[:40], labels[:40]), Images(pixels[40:], labels[40:]), ("up", "down"))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, where `genlab` looks for them."""
    root = tmp_path / "runs"
    monkeypatch.setenv("GENLAB_RUNS", str(root))
    return root
