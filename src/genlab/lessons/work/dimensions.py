"""How many of its dimensions a code needs, and how probable the images are under its model."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.evaluation.importance import terms
from genlab.evaluation.references import chosen
from genlab.experiment import schema
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import open_run
from genlab.lessons.work import Said
from genlab.lessons.work.samples import test_images
from genlab.networks.model import VAE
from genlab.runs.store import Run

MATTERS = 0.01  # of the squared error: less than that is no loss


@torch.inference_mode()
def measured(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: count, of test images; draws, of z for each. needs: the run of a VAE or an autoencoder. Found:
    "used", a number of dimensions; "nll", the bound −L_K on −ln p(x) in nats (Burda et al., 2016), None for
    an autoencoder, which defines no likelihood."""
    use_threads(1)
    trained = open_run(Run(needs[0] / "run"))
    model, objective = trained.model, trained.experiment.objective
    assert isinstance(model, VAE)
    assert isinstance(objective, schema.Elbo)
    tests = test_images(load_data(trained.experiment))
    images = tests[chosen(len(tests), given["count"])]
    used = dimensions_used(model, images)
    said(0.5)
    nll = None
    if objective.drawn:
        seed = trained.experiment.training.seed
        nll = -float(terms(model, images, given["draws"], seed).bound.mean())
    return {"used": used, "nll": nll}


def dimensions_used(model: VAE, images: Tensor) -> int:
    """How many dimensions of the posterior means cannot be held still without the images coming back worse.

    Each is put at its mean over the images, first alone, to see how much hangs on it, then together with all
    on which less hangs: as many as can be so held until the mean squared error has risen by 1 % are not in
    use. This asks for neither a prior nor a scale, so that an autoencoder's codes can be asked too.
    """
    means = model.encode(images).mean
    most = (1 + MATTERS) * error(model, means, images)
    alone = [error(model, held_still(means, [index]), images) for index in range(means.shape[1])]
    order = sorted(range(len(alone)), key=alone.__getitem__)

    def together(count: int) -> float:
        return error(model, held_still(means, order[:count]), images)

    return len(order) - bisect_right(range(1, len(order) + 1), most, key=together)


def held_still(codes: Tensor, dimensions: Sequence[int]) -> Tensor:
    """Codes (N, Z) with some dimensions at their means."""
    codes = codes.clone()
    codes[:, dimensions] = codes[:, dimensions].mean(dim=0)
    return codes


def error(model: VAE, codes: Tensor, images: Tensor) -> float:
    return float((model.decode(codes) - images).square().mean())
