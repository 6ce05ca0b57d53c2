"""A VAE and a GAN side by side: what each draws, and what each makes of the same test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genlab.data.batches import to_float, to_uint8
from genlab.evaluation.inversion import invert
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import open_run
from genlab.lessons.work import Said, measuring
from genlab.lessons.work.training import diverged
from genlab.runs.store import Run

SHOWN = 12
SAMPLES = (
    "samples.npy"  # (3, SHOWN, C, H, W) uint8: the VAE's from N(0, I) and by its second stage, the GAN's
)
BACK = "back.npy"  # (3, SHOWN, C, H, W) uint8: test images; by the VAE's encoder; by a search in the GAN


def measured(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """As `measuring.yardstick`; nothing of a training that diverged."""
    if diverged(needs[0]):
        return {"values": {}, "cost": None}
    return measuring.yardstick(given, folder, needs, said)


def drawn(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: seed, of what is drawn. needs: a VAE's run with a prior fitted to its codes, a GAN's. Leaves
    pictures; finds nothing. There are none of a training that diverged."""
    use_threads(1)
    if any(diverged(each) for each in needs[:2]):
        return {}
    run, seed = Run(needs[0] / "run"), given["seed"]
    vae, second, gan = open_run(run), open_run(run, prior="fitted"), open_run(Run(needs[1] / "run"))
    samples = [each.sample(SHOWN, seed).images for each in (vae, second, gan)]
    np.save(folder / SAMPLES, to_uint8(torch.stack(samples)).numpy())
    tests = to_float(torch.from_numpy(load_data(vae.experiment).test.pixels[:SHOWN]))
    searched = invert(gan.model, tests, seed=seed).images
    np.save(folder / BACK, to_uint8(torch.stack([tests, vae.reconstruct(tests), searched])).numpy())
    return {}
