"""The codes of a VAE with two latent dimensions, and what its decoder makes of the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_float, to_uint8
from genlab.data.dataset import Images
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import Trained, open_run
from genlab.lessons.work import Said
from genlab.runs.store import Run

NEIGHBOURS = 15
SIDE = 15  # images along each axis of the picture
PICTURES = "plane.npy"  # (SIDE², C, H, W) uint8, row by row


@torch.inference_mode()
def of_codes(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: shown, test images. needs: the run of a VAE with latent_dim 2. Found: "points", [x, y, class] of
    so many posterior means; "neighbours", the share of test images whose class is that of most of the
    nearest training images in the plane, None without labels. Leaves what is decoded from the prior's plane.
    """
    use_threads(1)
    trained = open_run(Run(needs[0] / "run"))
    dataset = load_data(trained.experiment)
    test, train = (codes(trained, each) for each in (dataset.test, dataset.train))
    said(0.3)
    np.save(folder / PICTURES, to_uint8(trained.decode(grid())).numpy())
    labels = dataset.test.labels
    shown = [0] * len(test) if labels is None else labels.tolist()
    points = [[round(x, 3), round(y, 3), c] for (x, y), c in zip(test.tolist(), shown, strict=True)]
    share = None
    if labels is not None and dataset.train.labels is not None:
        named = neighbours(test, train, torch.from_numpy(dataset.train.labels))
        share = float((named == torch.from_numpy(labels)).double().mean())
    return {"points": points[: given["shown"]], "neighbours": share}


def codes(trained: Trained, images: Images) -> Tensor:
    """The posterior means (N, 2) of the first 10 000 images."""
    found = trained.encode(to_float(torch.from_numpy(images.pixels[:10_000])))
    assert found.shape[1] == 2, found.shape
    return found


def grid() -> Tensor:
    """(SIDE², 2): the quantiles of N(0, 1) along both axes, row by row from the top, as in Kingma & Welling
    (2014), figure 4; every image stands for the same share of the prior."""
    shares = (torch.arange(SIDE) + 0.5) / SIDE
    along = torch.special.ndtri(shares)
    rows, columns = torch.meshgrid(along.flip(0), along, indexing="ij")
    return torch.stack([columns, rows], dim=-1).view(-1, 2)


def neighbours(codes: Tensor, known: Tensor, labels: Tensor) -> Tensor:
    """The commonest of the labels (M,) of the `NEIGHBOURS` codes of `known` (M, Z) nearest to each of `codes`
    (N, Z): (N,)."""
    found = []
    for chunk in codes.split(500):
        near = torch.cdist(chunk, known).topk(min(NEIGHBOURS, len(known)), largest=False).indices
        found.append(labels[near].mode(dim=1).values)
    return torch.cat(found)
