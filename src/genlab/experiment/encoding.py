"""Codes of images, to take away: posterior means and log-variances as plain arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.binarise import binarised
from genlab.data.dataset import Pixels
from genlab.data.given import Given
from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.trained import CHUNK, Trained
from genlab.functional.gaussian import DiagonalGaussian
from genlab.randomness import generator
from genlab.runs.files import replacing


def as_trained(pixels: Pixels, experiment: schema.Experiment) -> Tensor:
    """uint8 (N, C, H, W) -> what the run's model was trained to see, floats in [−1, 1].

    Where that is pixels drawn black or white, one threshold for each place serves for all images, so that
    what is seen of an image is a function of it alone.
    """
    images = to_float(torch.tensor(pixels))
    if experiment.data.binarise == "none":
        return images
    thresholds = [binarised(image, generator(0, "evaluate/thresholds")) for image in images]
    return torch.stack(thresholds)


@torch.inference_mode()
def posteriors(trained: Trained, pixels: Pixels) -> tuple[Tensor, Tensor | None]:
    """Means (N, Z), and log-variances (N, Z) where the posterior has them, of images (N, C, H, W) uint8.

    Raises UserError for a GAN."""
    model, means, log_vars = trained.autoencoder, [], []
    for start in range(0, len(pixels), CHUNK):
        q: Any = model.encode(as_trained(pixels[start : start + CHUNK], trained.experiment))
        means.append(q.mean)
        if isinstance(q, DiagonalGaussian):
            log_vars.append(q.log_var)
    return torch.cat(means), torch.cat(log_vars) if log_vars else None


def write_codes(path: Path, trained: Trained, given: Given) -> dict[str, tuple[int, ...]]:
    """Encode `given` into an .npz; returns the shape of each array in it.

    mean and, where there is one, log_var: (N, Z) float32; names and, where any image has one, labels: (N,)
    text; run: the run's name. No array holds objects. Raises UserError for a GAN or another ending.
    """
    if path.suffix != ".npz":
        raise UserError(f"can't write codes as {path.name!r}; give a name that ends in .npz")
    mean, log_var = posteriors(trained, given.pixels)
    arrays: dict[str, Any] = {"mean": mean.numpy()}
    if log_var is not None:
        arrays["log_var"] = log_var.numpy()
    arrays["names"] = np.array(given.names, dtype=np.str_)
    if any(given.labels):
        arrays["labels"] = np.array(given.labels, dtype=np.str_)
    arrays["run"] = np.array(trained.run.name, dtype=np.str_)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return {name: array.shape for name, array in arrays.items()}
