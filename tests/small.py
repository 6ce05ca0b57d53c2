"""Experiments that train in milliseconds, and the images of 8×8 that they train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
    "network.discriminator.depth=1",  # an image of 8×8 has no second stage, the first that is normalised
    "network.second_hidden=5",
    "network.second_depth=1",
    "network.prior.layers=2",
    "network.prior.hidden=4",
    "training.batch_size=4",
    "training.threads=1",
    "training.steps=7",
    "training.log_every=1",
    "training.sample_every=0",
    "training.checkpoint_every=5",
]


def tiny(name: str, *assignments: str) -> Experiment:
    """The recipe shrunk to 8×8 images, then `assignments` as for --set."""
    return override(recipe(name), [*SMALL, *assignments])


def dataset() -> Dataset:
    """40 + 12 grey images of 8×8: a bright blot somewhere on black, and which half it is in."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:8, :8]
    centres = rng.uniform(2, 6, (52, 2, 1, 1))
    blots = np.exp(-((rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2) / 4)
    pixels = np.round(255 * blots)[:, None].astype(np.uint8)
    labels = (centres[:, 0, 0, 0] > 4).astype(np.int64)
    return Dataset("tiny", Images(pixels[:40], labels[:40]), Images(pixels[40:], labels[40:]), ("up", "down"))


def blots(path: Path) -> Path:
    """The images as a file, for a page, a command or another process opens its data by name."""
    made = dataset()
    pixels = np.concatenate([made.train.pixels, made.test.pixels])
    np.savez(path, images=pixels.transpose(0, 2, 3, 1))
    return path
