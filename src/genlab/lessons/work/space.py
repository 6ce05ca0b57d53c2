"""How a VAE's codes lie: against N(0, I), and how evenly the images change on the way from one to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_uint8
from genlab.evaluation.feature_networks import extractor_for
from genlab.evaluation.likelihood import log_fitted
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import open_run
from genlab.functional.gaussian import standard_log_density
from genlab.lessons.work import Said
from genlab.lessons.work.samples import codes_of, test_images
from genlab.metrics.latent import marginal_kl
from genlab.randomness import generator
from genlab.runs.store import Run

POINTS = 11  # on a line, both ends included
SHOWN = 3  # lines
PICTURES = "lines.npy"  # (SHOWN · POINTS, C, H, W) uint8, line by line


@torch.inference_mode()
def looked_at(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: count, of test images, and pairs of them. needs: a VAE's run with the prior N(0, I). Found:
    "marginal_kl", KL(q(z) ‖ N(0, I)) in nats, from below, q(z) by a mixture fitted to one half of the codes
    for the other; "reach", the root mean square of a code's entries, 1 under the prior; "jump", as below."""
    use_threads(1)
    trained = open_run(Run(needs[0] / "run"))
    dataset = load_data(trained.experiment)
    codes = codes_of(trained, dataset.test, given["count"])
    apart = marginal_kl(log_fitted(codes), standard_log_density(codes.double())).value
    said(0.6)
    tests = test_images(dataset)
    starts, ends = pairs_of(tests, given["pairs"], trained.experiment.training.seed)
    images = trained.decode(lines(trained.encode(starts), trained.encode(ends)).flatten(0, 1))
    features = extractor_for(dataset)(images).features.unflatten(0, (-1, POINTS))
    np.save(folder / PICTURES, to_uint8(images[: SHOWN * POINTS]).numpy())
    reach = float(codes.square().mean().sqrt())
    return {"marginal_kl": apart, "reach": reach, "jump": float(jump(features).mean())}


def pairs_of(images: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """As many pairs, drawn by the seed: (count, C, H, W) each. First come those whose pixels differ most,
    which are worth a picture."""
    drawn = torch.randperm(len(images), generator=generator(seed, "lessons/lines"))
    starts, ends = images[drawn[:count]], images[drawn[count : 2 * count]]
    order = (starts - ends).flatten(1).norm(dim=1).argsort(descending=True)
    return starts[order], ends[order]


def lines(starts: Tensor, ends: Tensor) -> Tensor:
    """(N, Z) and (N, Z) -> (N, POINTS, Z), evenly from one to the other."""
    share = torch.linspace(0, 1, POINTS).view(1, POINTS, 1)
    return starts.unsqueeze(1) * (1 - share) + ends.unsqueeze(1) * share


def jump(features: Tensor) -> Tensor:
    """The largest step over the mean step along each of N lines of features (N, P, F): (N,). 1 where all
    steps are equal, P − 1 where all happens in one of them."""
    steps = features.diff(dim=1).norm(dim=2)
    ratio: Tensor = steps.amax(dim=1) / steps.mean(dim=1).clamp_min(1e-12)
    return ratio
