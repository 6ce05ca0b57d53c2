"""How like is one image to another? Per image: squared error, PSNR, SSIM, of pixels in [0, 1]."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.errors import UserError

WINDOW = 11  # pixels
SIGMA = 1.5  # pixels
K1, K2 = 0.01, 0.03
CHUNK = 250  # images at once: a few maps of each in float64


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """The mean over channels and pixels of (a − b)²: (B, C, H, W) twice -> (B,) float64."""
    a, b = _checked(a, b)
    pairs = zip(a.split(CHUNK), b.split(CHUNK), strict=True)
    return torch.cat([(x.double() - y.double()).square().mean(dim=(1, 2, 3)) for x, y in pairs])


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """The peak signal-to-noise ratio −10 log₁₀(squared error) in dB, for a range of 1: (B, C, H, W) -> (B,).

    Infinite where two images are equal, so that a mean over images needs a look first."""
    return -10 * squared_error(a, b).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """The structural similarity (Wang et al. 2004, equation 13) for a range of 1: (B, C, H, W) twice -> (B,).

    Means, variances and covariance within an 11 × 11 Gaussian window (σ 1.5; K₁ 0.01, K₂ 0.03) about each
    pixel, averaged over pixels and channels. Beyond the border images are continued by reflection, as
    torchmetrics does it; the paper's own code leaves the border out. Images with a side below 11 get the
    largest odd window that fits. 1 for equal images; it may be negative.
    """
    a, b = _checked(a, b)
    pairs = zip(a.split(CHUNK), b.split(CHUNK), strict=True)
    return torch.cat([_ssim(x.double(), y.double()) for x, y in pairs])


def _ssim(a: Tensor, b: Tensor) -> Tensor:
    size = min(WINDOW, a.shape[2], a.shape[3])
    window = _gaussian(size - 1 + size % 2)
    margin = (len(window) // 2,) * 4
    a, b = pad(a, margin, "reflect"), pad(b, margin, "reflect")
    means = [_filtered(image, window) for image in (a, b, a * a, b * b, a * b)]
    mean_a, mean_b = means[:2]
    var_a, var_b = means[2] - mean_a.square(), means[3] - mean_b.square()
    covariance = means[4] - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a.square() + mean_b.square() + K1**2)
    structure = (2 * covariance + K2**2) / (var_a + var_b + K2**2)
    return (luminance * structure).mean(dim=(1, 2, 3))


def _gaussian(size: int) -> Tensor:
    """Weights (size,) float64 of a Gaussian about the middle, summing to 1."""
    at = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = (-at.square() / (2 * SIGMA**2)).exp()
    return weights / weights.sum()


def _filtered(images: Tensor, window: Tensor) -> Tensor:
    """Window means along both axes, where the window fits: (B, C, H, W) -> (B, C, H − n + 1, W − n + 1)."""
    down, across = _band(images.shape[2], window), _band(images.shape[3], window)
    return down.T @ images @ across


def _band(side: int, window: Tensor) -> Tensor:
    """The matrix (side, side − n + 1) that filters by a product: a window in each column, one lower each."""
    places = side - len(window) + 1
    band = torch.zeros(side, places, dtype=window.dtype)
    for k, weight in enumerate(window.tolist()):
        band.diagonal(-k)[:places] = weight
    return band


def _checked(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    if a.ndim != 4 or a.shape != b.shape or min(a.shape) < 1:
        raise UserError(
            f"Images are compared pair by pair as (B, C, H, W) twice, not {tuple(a.shape)} with "
            f"{tuple(b.shape)}; give each image its own counterpart."
        )
    if not bool(torch.isfinite(a).all() & torch.isfinite(b).all()):
        raise UserError("Images with NaN or infinite pixels cannot be compared; the model has diverged.")
    return a, b
