"""How sharp images are: a function of pixels, because classifiers' features hardly see blur."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.intervals import Estimate, mean_estimate

CHUNK = 500
BLANK = 1e-6  # a variance below this, for pixels in [-1, 1], is an image without a picture


def sharpness(images: Tensor) -> Tensor:
    """The energy of the Laplacian over the variance of the pixels, per image: (B, C, H, W) -> (B,).

    The variance of the Laplacian is a classic measure of focus (Pech-Pacheco et al. 2000); dividing by the
    variance of the pixels makes it blind to contrast, brightness and, roughly, to the amount of ink.
    White noise has 20, a slow gradient nearly 0, a blank image 0. It is two-sided: blur lowers it and noise
    raises it, so that the value of real images (see `sharpness_ratio`) is the target, not the maximum.
    """
    if images.ndim != 4 or min(images.shape[2:]) < 3:
        raise UserError(
            f"Sharpness needs images (B, C, H, W) of 3 × 3 pixels or more, not {tuple(images.shape)}."
        )
    return torch.cat([_sharpness(part.float()) for part in torch.split(images, CHUNK)])


def _sharpness(images: Tensor) -> Tensor:
    inner = images[..., 1:-1, 1:-1]
    across = images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    down = images[..., :-2, 1:-1] + images[..., 2:, 1:-1]
    energy = (across + down - 4 * inner).square().mean(dim=(1, 2, 3))
    variance = images.var(dim=(2, 3), correction=0).mean(dim=1)
    return torch.where(variance > BLANK, energy / variance.clamp(min=BLANK), torch.zeros_like(variance))


def sharpness_ratio(samples: Tensor, reals: Tensor) -> float:
    """Mean sharpness of samples over that of real images, from the per-image values (N,) and (M,).

    1: as sharp as the reals; below: blurred; above: noisy or jagged.
    """
    return float(samples.double().mean()) / _target(reals)


def relative_sharpness(samples: Tensor, reals: Tensor) -> Estimate:
    """`sharpness_ratio` of N ≥ 2 samples to these real images, with its interval."""
    return mean_estimate(samples.double() / _target(reals), lowest=0.0)


def _target(reals: Tensor) -> float:
    target = float(reals.double().mean())
    if not target > 0:
        raise UserError("The real images are all blank, so sharpness has nothing to be compared with.")
    return target
