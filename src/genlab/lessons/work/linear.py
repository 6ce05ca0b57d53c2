"""Linear VAEs as they were trained, beside what the eigenvalues of their images say they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.dataset import Images
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import open_run
from genlab.functional.gaussian import DiagonalGaussian, kl_per_dimension
from genlab.lessons.work import Said
from genlab.metrics.latent import MOVES
from genlab.networks.model import VAE
from genlab.networks.observation import Gaussian
from genlab.runs.store import Run

PIECE = 5000  # images held as floats at once
KEPT = 64  # of the eigenvalues, at most


@torch.inference_mode()
def measured(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """needs: runs of linear VAEs on the same training images. Found: "leading", the largest eigenvalues of
    their covariance, and "total", the sum of all; "runs", the terms of each run on those images."""
    use_threads(1)
    opened = [open_run(Run(each / "run")) for each in needs]
    images = load_data(opened[0].experiment).train
    values = eigenvalues(images)
    runs = []
    for number, trained in enumerate(opened):
        assert isinstance(trained.model, VAE)
        runs.append(terms(trained.model, images))
        said((number + 1) / len(opened))
    return {"leading": values[:KEPT].tolist(), "total": float(values.sum()), "runs": runs}


def pieces(images: Images) -> list[Tensor]:
    """The images as floats, so many at once, (N, C, H, W) in [−1, 1]."""
    starts = range(0, len(images), PIECE)
    return [to_float(torch.from_numpy(images.pixels[start : start + PIECE])) for start in starts]


def eigenvalues(images: Images) -> Tensor:
    """λ₁ ≥ … ≥ λ_d of the covariance of the images' pixels, float64."""
    size = images.pixels[0].size
    mean, squares = torch.zeros(size, dtype=torch.float64), torch.zeros(size, size, dtype=torch.float64)
    for piece in pieces(images):
        flat = piece.flatten(1).double()
        mean, squares = mean + flat.sum(dim=0), squares + flat.T @ flat
    mean /= len(images)
    values: Tensor = torch.linalg.eigvalsh(squares / len(images) - mean.outer(mean))
    return values.flip(0).clamp_min(0)


def terms(model: VAE, images: Images) -> dict[str, Any]:
    """Active units, rate, and the distortion without its constant, E_q‖x − Wz − b‖² / 2σ², nats per image;
    the expectation over q is written down: ‖x − Wμ − b‖² + Σⱼ σⱼ² ‖wⱼ‖²."""
    assert isinstance(model.observation, Gaussian)
    columns = model.decoder.get_parameter("layers.0.weight").double().square().sum(dim=0)  # (Z,)
    kl, error, means = torch.zeros(len(columns), dtype=torch.float64), 0.0, []
    for piece in pieces(images):
        q = model.encode(piece)
        assert isinstance(q, DiagonalGaussian)
        missed = (piece - model.decode(q.mean)).flatten(1).double().square().sum(dim=1)
        error += float((missed + q.log_var.double().exp() @ columns).sum())
        kl += kl_per_dimension(q).double().sum(dim=0)
        means.append(q.mean)
    variance = float(model.observation.log_var.double().exp())
    active = int((torch.cat(means).var(dim=0) > MOVES).sum())
    rate, distortion = float(kl.sum()) / len(images), 0.5 * error / variance / len(images)
    return {"active": active, "rate": rate, "distortion": distortion}
