"""What a frozen run is asked: by `scripts/freeze-run`, which keeps the answers, and by the test of later
versions, which must give the same ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

from genlab.data.batches import to_float
from genlab.experiment.runner import extend, load_data, work
from genlab.experiment.trained import open_run
from genlab.networks.model import GAN
from genlab.runs.store import Run

DATA = Path(__file__).resolve().parent / "data"
FAMILIES = ("vae", "gan", "vaegan")
MORE = 5  # steps that a frozen run is asked to go on


def answers(run: Run) -> dict[str, np.ndarray]:
    """What the model of `run` makes of latents and images that are the same every time."""
    trained = open_run(run)
    dim = trained.experiment.network.latent_dim
    latents = torch.linspace(-1.5, 1.5, 4 * dim).reshape(4, dim)
    images = to_float(torch.from_numpy(load_data(trained.experiment).test.pixels[:4]))
    found = {"decoded": trained.decode(latents), "drawn": trained.sample(4, seed=1).images}
    if isinstance(trained.model, GAN):
        found["logits"] = trained.model.discriminator(images)
    else:
        found["encoded"] = trained.encode(images)
    return {name: value.detach().numpy() for name, value in found.items()}


def further(run: Run, folder: Path) -> Run:
    """A copy of `run` in `folder` that has gone on from there."""
    shutil.copytree(run.path, folder)
    copy = Run(folder)
    extend(copy, copy.status()["steps"] + MORE)
    for _ in work(copy):
        pass
    return copy
